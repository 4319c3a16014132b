/// `settle_turns` and `reap_turns`: the answer, its bill and its quota, in one commit.
extension Schema {
  static let settleTurns = #"""
    CREATE TYPE settle_work AS (
      ord integer, outcome text, tenant_id text, generation_id uuid, conversation_id text,
      failed boolean, segment_id uuid, first_seq bigint, turn_last_seq bigint,
      turn_tokens bigint, open_before text[], open_group_before bigint, last_seq bigint,
      token_sum bigint, messages integer, answer_tokens bigint, last_call integer,
      calls text[], events integer);

    -- Outcomes: settled (also when it was settled before), late (reaped meanwhile: the truth is
    -- booked beside a correction, the answer kept as an orphan), unknown_turn.
    -- p_reap: the reaper's call; it may settle what another incarnation began.
    CREATE FUNCTION settle_turns(
      p_tenant text[], p_conversation text[], p_generation uuid[], p_incarnation uuid[],
      p_state text[], p_error text[], p_result bytea[], p_quarantine bytea[], p_reap boolean,
      m_op integer[], m_role text[], m_name text[], m_tool_call_id text[], m_body bytea[],
      m_metadata bytea[], m_tokens bigint[], m_vocabulary text[], m_method text[],
      m_state text[], c_message integer[], c_id text[],
      e_op integer[], e_attempt smallint[], e_attempt_id uuid[], e_kind text[],
      e_outcome text[], e_relay text[], e_model text[], e_answered text[], e_upstream_id text[],
      e_service_tier text[], e_contracted uuid[], e_list uuid[],
      l_event integer[], l_class text[], l_quantity bigint[], l_price bigint[],
      l_list_price bigint[], l_source text[])
    RETURNS TABLE (ord integer, outcome text, answer_seq bigint, cost text, list_cost text)
    LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    DECLARE
      v_last integer[] := last_positions(m_op, cardinality(p_tenant));
      v_last_event integer[] := last_positions(e_op, cardinality(p_tenant));
      v_work settle_work[];
    BEGIN
      PERFORM lock_conversations(p_tenant, p_conversation);
      PERFORM 1 FROM turn AS t
      WHERE (t.tenant_id, t.generation_id) IN (
        SELECT o.t, o.g FROM unnest(p_tenant, p_generation) AS o (t, g))
      ORDER BY t.tenant_id, t.generation_id
      FOR NO KEY UPDATE;

      v_work := ARRAY(
        SELECT ROW(o.ord,
          CASE
            WHEN t.generation_id IS NULL THEN 'unknown_turn'
            WHEN row_number() OVER (PARTITION BY o.tenant, o.generation ORDER BY o.ord) > 1
              THEN 'again'
            WHEN t.state = 'running' AND (p_reap OR t.incarnation = o.incarnation) THEN 'new'
            WHEN t.state = 'running' THEN 'unknown_turn'
            WHEN p_reap OR t.state <> 'unknown' THEN 'again'
            WHEN t.late_at IS NULL THEN 'late'
            ELSE 'late_again'
          END,
          o.tenant, o.generation, t.conversation_id, p_state[o.ord] <> 'finished', t.segment_id,
          t.first_seq, t.last_seq, t.message_tokens, t.open_before, t.open_group_before,
          c.last_seq,
          c.token_sum - CASE WHEN p_state[o.ord] <> 'finished' THEN t.message_tokens ELSE 0 END,
          CASE WHEN c.conversation_id IS NULL THEN 0 ELSE n.count END, n.tokens, n.last_call,
          CASE WHEN cardinality(c_message) > 0 THEN nullif(ARRAY(
            SELECT k.id FROM unnest(c_message, c_id) AS k (message, id)
            WHERE k.message = n.last_number), '{}') END,
          v_last_event[o.ord] - coalesce(v_last_event[o.ord - 1], 0))::settle_work
        FROM unnest(p_tenant, p_generation, p_incarnation)
          WITH ORDINALITY AS o (tenant, generation, incarnation, ord)
        LEFT JOIN turn AS t ON t.tenant_id = o.tenant AND t.generation_id = o.generation
        LEFT JOIN conversation AS c ON c.tenant_id = t.tenant_id
          AND c.conversation_id = t.conversation_id
        CROSS JOIN LATERAL (
          SELECT count(*)::integer AS count,
            coalesce(sum(m_tokens[m.number]) FILTER (WHERE m_state[m.number] = 'active'), 0)
              ::bigint AS tokens,
            max(m.number) FILTER (WHERE m_state[m.number] = 'active') AS last_number,
            (max(m.number) FILTER (WHERE m_state[m.number] = 'active') - min(m.number) + 1)
              ::integer AS last_call
          FROM generate_series(coalesce(v_last[o.ord - 1], 0) + 1, v_last[o.ord])
            AS m (number)) AS n);

      PERFORM insert_messages(
        ARRAY(
          SELECT ROW(w.ord, w.tenant_id, w.segment_id, w.last_seq, w.token_sum, NULL,
            w.generation_id, NULL, NULL, NULL, NULL, NULL)::message_slot
          FROM unnest(v_work) AS w WHERE w.outcome = 'new' AND w.messages > 0),
        m_op, m_role, m_name, m_tool_call_id, m_body, m_metadata, m_tokens, m_vocabulary,
        m_method, m_state, c_message);

      UPDATE message AS m SET state = 'failed'
      FROM unnest(v_work) AS w
      WHERE w.outcome = 'new' AND w.failed AND w.first_seq IS NOT NULL
        AND m.tenant_id = w.tenant_id AND m.segment_id = w.segment_id
        AND m.seq BETWEEN w.first_seq AND w.turn_last_seq;

      -- A failed turn leaves the view as it found it; open tool calls are open again.
      UPDATE conversation AS c
      SET version = c.version + 1, last_seq = c.last_seq + w.messages,
        token_sum = w.token_sum + w.answer_tokens,
        view_tokens_bound = c.view_tokens_bound + w.answer_tokens
          - CASE WHEN w.failed THEN w.turn_tokens ELSE 0 END,
        open_tool_calls = CASE WHEN w.failed THEN w.open_before ELSE w.calls END,
        open_group_seq = CASE WHEN w.failed THEN w.open_group_before
          WHEN w.calls IS NOT NULL THEN c.last_seq + w.last_call END,
        running_turn = NULL, last_turn_at = now(), expires_at = now() + c.ttl
      FROM unnest(v_work) AS w
      WHERE w.outcome = 'new' AND c.tenant_id = w.tenant_id
        AND c.conversation_id = w.conversation_id AND c.running_turn = w.generation_id;

      PERFORM book_late(v_work);
      PERFORM book_events(v_work, e_op, e_attempt, e_attempt_id, e_kind, e_outcome, e_relay,
        e_model, e_answered, e_upstream_id, e_service_tier, e_contracted, e_list, l_event,
        l_class, l_quantity, l_price, l_list_price, l_source);
      PERFORM end_reservations(v_work);

      UPDATE turn AS t
      SET state = CASE w.outcome WHEN 'new' THEN p_state[w.ord] ELSE t.state END,
        reservation = CASE WHEN w.outcome = 'late' THEN t.reservation
          WHEN w.events = 0 THEN 'voided' ELSE 'settled' END,
        finished_at = coalesce(t.finished_at, now()),
        late_at = CASE w.outcome WHEN 'late' THEN now() END,
        answer_seq = CASE WHEN w.outcome = 'new' AND w.messages > 0
          THEN w.last_seq + w.messages END,
        error_reason = CASE w.outcome WHEN 'new' THEN p_error[w.ord] ELSE t.error_reason END,
        result = CASE w.outcome WHEN 'new' THEN p_result[w.ord] ELSE t.result END,
        orphan = CASE w.outcome WHEN 'late' THEN p_result[w.ord] END,
        quarantine = p_quarantine[w.ord]
      FROM unnest(v_work) AS w
      WHERE w.outcome IN ('new', 'late') AND t.tenant_id = w.tenant_id
        AND t.generation_id = w.generation_id;

      RETURN QUERY
      SELECT w.ord,
        CASE WHEN w.outcome = 'again' AND p_reap THEN 'again'
          WHEN w.outcome IN ('new', 'again') THEN 'settled'
          WHEN w.outcome IN ('late', 'late_again') THEN 'late' ELSE w.outcome END,
        (SELECT t.answer_seq FROM turn AS t WHERE t.tenant_id = w.tenant_id
          AND t.generation_id = w.generation_id),
        u.cost::text, u.list_cost::text
      FROM unnest(v_work) AS w
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(e.cost), 0) AS cost, coalesce(sum(e.list_cost), 0) AS list_cost
        FROM usage_event AS e
        WHERE e.tenant_id = w.tenant_id AND e.generation_id = w.generation_id) AS u;
    END $$;

    -- Takes back what the reaper booked for a turn whose truth came late.
    CREATE FUNCTION book_late(p_work settle_work[]) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO usage_event (tenant_id, generation_id, attempt_number, kind, event_number,
        attempt_id, conversation_id, key_id, model_id, relay_id, service_tier, currency,
        outcome, contracted_set, list_set, line_class, line_quantity, line_price, line_cost,
        line_list_price, line_list_cost, line_source, cost, list_cost)
      SELECT e.tenant_id, e.generation_id, e.attempt_number, 'correction', 1, e.attempt_id,
        e.conversation_id, e.key_id, e.model_id, e.relay_id, e.service_tier, e.currency,
        'known', e.contracted_set, e.list_set, e.line_class,
        ARRAY(SELECT -x FROM unnest(e.line_quantity) WITH ORDINALITY AS u (x, n) ORDER BY n),
        e.line_price,
        ARRAY(SELECT -x FROM unnest(e.line_cost) WITH ORDINALITY AS u (x, n) ORDER BY n),
        e.line_list_price,
        ARRAY(SELECT -x FROM unnest(e.line_list_cost) WITH ORDINALITY AS u (x, n) ORDER BY n),
        e.line_source, -e.cost, -e.list_cost
      FROM unnest(p_work) AS w
      JOIN usage_event AS e ON e.tenant_id = w.tenant_id AND e.generation_id = w.generation_id
        AND e.kind = 'unknown'
      WHERE w.outcome = 'late';
    END $$;

    -- The ledger rows of the turns that are settled now, their lines within.
    CREATE FUNCTION book_events(
      p_work settle_work[], e_op integer[], e_attempt smallint[], e_attempt_id uuid[],
      e_kind text[], e_outcome text[], e_relay text[], e_model text[], e_answered text[],
      e_upstream_id text[], e_service_tier text[], e_contracted uuid[], e_list uuid[],
      l_event integer[], l_class text[], l_quantity bigint[], l_price bigint[],
      l_list_price bigint[], l_source text[])
    RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
      v_last integer[] := last_positions(l_event, cardinality(e_op));
    BEGIN
      INSERT INTO usage_event (tenant_id, generation_id, attempt_number, kind, attempt_id,
        conversation_id, key_id, model_id, model_answered, relay_id, upstream_request_id,
        service_tier, currency, outcome, contracted_set, list_set, line_class, line_quantity,
        line_price, line_cost, line_list_price, line_list_cost, line_source, cost, list_cost)
      SELECT t.tenant_id, t.generation_id, e.attempt, e.kind, e.attempt_id, t.conversation_id,
        t.key_id, e.model, e.answered, e.relay, e.upstream_id, e.service_tier, t.currency,
        e.outcome, e.contracted, e.list, l_class[l.first : l.last],
        l_quantity[l.first : l.last], l_price[l.first : l.last],
        ARRAY(SELECT l_quantity[i]::numeric * l_price[i]
          FROM generate_series(l.first, l.last) AS i),
        l_list_price[l.first : l.last],
        ARRAY(SELECT l_quantity[i]::numeric * l_list_price[i]
          FROM generate_series(l.first, l.last) AS i),
        l_source[l.first : l.last],
        (SELECT coalesce(sum(l_quantity[i]::numeric * l_price[i]), 0)
          FROM generate_series(l.first, l.last) AS i),
        (SELECT coalesce(sum(l_quantity[i]::numeric * l_list_price[i]), 0)
          FROM generate_series(l.first, l.last) AS i)
      FROM unnest(e_op, e_attempt, e_attempt_id, e_kind, e_outcome, e_relay, e_model,
          e_answered, e_upstream_id, e_service_tier, e_contracted, e_list)
        WITH ORDINALITY AS e (op, attempt, attempt_id, kind, outcome, relay, model, answered,
          upstream_id, service_tier, contracted, list, number)
      JOIN unnest(p_work) AS w ON w.ord = e.op AND w.outcome IN ('new', 'late')
      JOIN turn AS t ON t.tenant_id = w.tenant_id AND t.generation_id = w.generation_id
      CROSS JOIN LATERAL (
        SELECT coalesce(v_last[e.number - 1], 0) + 1 AS first, v_last[e.number] AS last) AS l;
    END $$;

    -- Ends every reservation of the turns that are settled now. An event counts against the
    -- newest reservation that is not after its attempt.
    CREATE FUNCTION end_reservations(p_work settle_work[]) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
      v_ends quota_end[];
    BEGIN
      v_ends := ARRAY(
        SELECT ROW(w.tenant_id, r.leg_account, r.leg_period, r.leg_amount, w.outcome = 'new',
          u.money, u.tokens, u.booked_money, u.booked_tokens)::quota_end
        FROM unnest(p_work) AS w
        JOIN turn AS t ON t.tenant_id = w.tenant_id AND t.generation_id = w.generation_id
        CROSS JOIN LATERAL (
          SELECT x.*, lead(x.number) OVER (ORDER BY x.number) AS next FROM (
            SELECT 1 AS number, t.leg_account, t.leg_period, t.leg_amount
            UNION ALL
            SELECT a.attempt_number, a.leg_account, a.leg_period, a.leg_amount
            FROM attempt AS a
            WHERE t.attempts > 1 AND a.tenant_id = t.tenant_id
              AND a.generation_id = t.generation_id AND a.reserves) AS x) AS r
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(e.cost) FILTER (WHERE f.truth), 0) AS money,
            coalesce(sum(q.tokens) FILTER (WHERE f.truth), 0) AS tokens,
            coalesce(sum(e.cost) FILTER (WHERE f.booked), 0) AS booked_money,
            coalesce(sum(q.tokens) FILTER (WHERE f.booked), 0) AS booked_tokens
          FROM usage_event AS e
          CROSS JOIN LATERAL (
            SELECT sum(x) AS tokens FROM unnest(e.line_quantity) AS x) AS q
          CROSS JOIN LATERAL (
            SELECT w.outcome = 'late' AND e.kind = 'unknown' AS booked,
              e.kind <> 'correction' AND NOT (w.outcome = 'late' AND e.kind = 'unknown')
                AS truth) AS f
          WHERE e.tenant_id = w.tenant_id AND e.generation_id = w.generation_id
            AND e.attempt_number >= r.number
            AND (r.next IS NULL OR e.attempt_number < r.next)) AS u
        WHERE w.outcome IN ('new', 'late') AND r.leg_account IS NOT NULL);
      PERFORM settle_quota(v_ends);
    END $$;
    """#

  static let reapTurns = #"""
    -- Resolves turns that a dead incarnation left: never void, booked as unknown at the worst
    -- case that was reserved. Safe against two at once: a turn is settled by the first.
    CREATE FUNCTION reap_turns(p_grace_seconds double precision, p_limit integer,
      p_result bytea, p_reason text)
    RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
      v_turns turn[];
      v_reaped bigint;
    BEGIN
      v_turns := ARRAY(
        SELECT t FROM replica AS r
        JOIN turn AS t ON t.incarnation = r.incarnation
          AND t.generation_id >= coalesce(r.oldest_running,
            '00000000-0000-0000-0000-000000000000')
        WHERE r.lease_until + make_interval(secs => p_grace_seconds) < now()
          AND t.state = 'running'
        ORDER BY t.tenant_id, t.generation_id
        LIMIT p_limit);
      IF cardinality(v_turns) > 0 THEN
        WITH reserved AS (
          SELECT o.ord, t.*, r.*,
            row_number() OVER (ORDER BY o.ord, r.number)::integer AS event
          FROM generate_subscripts(v_turns, 1) AS o (ord)
          CROSS JOIN LATERAL (SELECT (v_turns[o.ord]).*) AS t
          CROSS JOIN LATERAL (
            SELECT 1 AS number, t.attempt_id AS own_attempt, t.relay_id AS own_relay,
              t.service_tier AS own_tier
            UNION ALL
            SELECT a.attempt_number, a.attempt_id, a.relay_id, a.service_tier
            FROM attempt AS a
            WHERE t.attempts > 1 AND a.tenant_id = t.tenant_id
              AND a.generation_id = t.generation_id AND a.reserves) AS r),
        events AS (
          SELECT array_agg(x.ord ORDER BY x.event) AS op,
            array_agg(x.number::smallint ORDER BY x.event) AS attempt,
            array_agg(x.own_attempt ORDER BY x.event) AS attempt_id,
            array_agg('unknown'::text ORDER BY x.event) AS unknown,
            array_agg(x.own_relay ORDER BY x.event) AS relay,
            array_agg(x.model_id ORDER BY x.event) AS model,
            array_agg(NULL::text ORDER BY x.event) AS nothing,
            array_agg(x.own_tier ORDER BY x.event) AS tier,
            array_agg(x.contracted_set ORDER BY x.event) AS contracted,
            array_agg(x.list_set ORDER BY x.event) AS list
          FROM reserved AS x),
        lines AS (
          SELECT array_agg(x.event) AS event, array_agg(l.class) AS class,
            array_agg(l.quantity) AS quantity, array_agg(l.price) AS price,
            array_agg('estimated'::text) AS source
          FROM reserved AS x,
            unnest(x.reserved_class, x.reserved_quantity, x.reserved_price)
              AS l (class, quantity, price)),
        ops AS (
          SELECT array_agg((v_turns[o.ord]).tenant_id ORDER BY o.ord) AS tenant,
            array_agg((v_turns[o.ord]).conversation_id ORDER BY o.ord) AS conversation,
            array_agg((v_turns[o.ord]).generation_id ORDER BY o.ord) AS generation,
            array_agg((v_turns[o.ord]).incarnation ORDER BY o.ord) AS incarnation,
            array_agg('unknown'::text ORDER BY o.ord) AS state,
            array_agg(p_reason ORDER BY o.ord) AS reason,
            array_agg(p_result ORDER BY o.ord) AS result,
            array_agg(NULL::bytea ORDER BY o.ord) AS nothing
          FROM generate_subscripts(v_turns, 1) AS o (ord))
        SELECT count(*) FILTER (WHERE s.outcome = 'settled') INTO v_reaped
        FROM ops AS o, events AS e, lines AS l,
        LATERAL settle_turns(o.tenant, o.conversation, o.generation, o.incarnation, o.state,
          o.reason, o.result, o.nothing, true, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
          '{}', '{}', '{}', '{}', e.op, e.attempt, e.attempt_id, e.unknown, e.unknown, e.relay,
          e.model, e.nothing, e.nothing, e.tier, e.contracted, e.list, l.event, l.class,
          l.quantity, l.price, l.price, l.source) AS s;
      END IF;
      -- Long dead and nothing left of it.
      DELETE FROM replica AS r
      WHERE r.lease_until + interval '1 hour' < now() AND NOT EXISTS (
        SELECT 1 FROM turn AS t WHERE t.incarnation = r.incarnation
          AND t.generation_id >= coalesce(r.oldest_running,
            '00000000-0000-0000-0000-000000000000')
          AND t.state = 'running');
      RETURN coalesce(v_reaped, 0);
    END $$;
    """#
}
