/// `begin_turns`: claims, guards, appends, reserves and records the first attempt, in one commit.
extension Schema {
  static let beginTurns = #"""
    CREATE TYPE begin_work AS (
      ord integer, outcome text, generation_id uuid, config_version bigint, segment_id uuid,
      last_seq bigint, token_sum bigint, open_group_seq bigint, open_calls text[],
      abandoned text[], messages integer, tokens bigint, detail_index integer,
      detail_ids text[], model_id text, bound bigint, reserved numeric, reserved_class text[],
      reserved_quantity bigint[], reserved_price bigint[], leg_account uuid[],
      leg_period timestamptz[], leg_amount numeric[]);

    -- Outcomes: begun; running and finished (a repeat; generation_id is the first one's);
    -- config_stale, model_changed, fenced, quota_denied, and those of append_messages.
    CREATE FUNCTION begin_turns(
      p_tenant text[], p_conversation text[], p_key text[], p_request text[], p_hash bytea[],
      p_config bigint[], p_expected bigint[], p_model text[], p_override boolean[],
      p_generation uuid[], p_attempt uuid[], p_incarnation uuid[], p_relay text[],
      p_upstream_model text[], p_service_tier text[], p_budget bigint[], p_extra bigint[],
      p_output_max bigint[], p_marginal boolean[], p_contracted uuid[], p_list uuid[],
      p_currency text[], a_body bytea[], a_tokens bigint[], a_vocabulary text[],
      a_method text[], t_op integer[], t_from bigint[], t_input bigint[], t_output bigint[],
      m_op integer[], m_role text[], m_name text[], m_tool_call_id text[], m_body bytea[],
      m_metadata bytea[], m_tokens bigint[], m_vocabulary text[], m_method text[],
      c_message integer[], c_id text[])
    RETURNS TABLE (ord integer, outcome text, generation_id uuid, config_version bigint,
      version bigint, first_seq bigint, last_seq bigint, bound_tokens bigint, reserved text,
      model_id text, detail_index integer, detail_ids text[], scope text, scope_id text,
      unit text, limit_amount text, available text, required text, resets_at timestamptz)
    LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    DECLARE
      v_round integer[] := rounds_of(p_tenant, p_conversation);
      v_tools boolean := 'tool' = ANY (m_role) OR cardinality(c_message) > 0;
      v_states text[] := array_fill('active'::text, ARRAY[cardinality(m_op)]);
      v_config bigint := (SELECT v.version FROM config_version AS v);
      v_last integer[] := last_positions(m_op, cardinality(p_tenant));
      v_tier integer[] := last_positions(t_op, cardinality(p_tenant));
      v_alive uuid[] := ARRAY(SELECT p.incarnation FROM replica AS p
        WHERE p.incarnation = ANY (p_incarnation) AND p.lease_until > now());
      v_work begin_work[];
      v_quota quota_answer[];
    BEGIN
      PERFORM lock_conversations(p_tenant, p_conversation);
      FOR r IN 1..(SELECT max(x) FROM unnest(v_round) AS x) LOOP
        v_work := ARRAY(
          SELECT ROW(o.ord,
            CASE
              WHEN q.request_id IS NOT NULL AND (q.method <> 'generate'
                OR q.payload_hash <> o.hash) THEN 'request_mismatch'
              WHEN q.generation_id = o.generation THEN 'begun'
              WHEN q.request_id IS NOT NULL AND e.state = 'running' THEN 'running'
              WHEN q.request_id IS NOT NULL THEN 'finished'
              WHEN o.config <> v_config THEN 'config_stale'
              WHEN NOT o.incarnation = ANY (v_alive) THEN 'fenced'
              WHEN c.conversation_id IS NULL THEN 'conversation_not_found'
              WHEN c.deleted_at IS NOT NULL THEN 'conversation_deleted'
              WHEN c.running_turn IS NOT NULL THEN 'turn_in_progress'
              WHEN c.expires_at <= now() THEN 'conversation_expired'
              WHEN c.last_seq <> o.expected THEN 'conversation_changed'
              WHEN NOT o.override AND c.model_id <> o.model THEN 'model_changed'
              WHEN g.problem IS NOT NULL THEN g.problem
              WHEN g.open_after IS NOT NULL THEN 'tool_results_missing'
              ELSE 'new'
            END,
            coalesce(q.generation_id, c.running_turn), v_config, c.segment_id, c.last_seq,
            c.token_sum, c.open_group_seq, c.open_tool_calls, h.abandoned,
            n.count + coalesce(cardinality(h.abandoned), 0),
            n.tokens + coalesce(cardinality(h.abandoned), 0) * coalesce(a_tokens[o.ord], 0),
            g.problem_at, coalesce(g.open_after, c.open_tool_calls), c.model_id, w.bound,
            z.amount, z.class, z.quantity, z.price, NULL, NULL, NULL)::begin_work
          FROM unnest(p_tenant, p_conversation, p_key, p_request, p_hash, p_config, p_expected,
              p_model, p_override, p_generation, p_incarnation)
            WITH ORDINALITY AS o (tenant, conversation, key, request, hash, config, expected,
              model, override, generation, incarnation, ord)
          LEFT JOIN request AS q ON q.tenant_id = o.tenant AND q.key_id = o.key
            AND q.request_id = o.request
          LEFT JOIN turn AS e ON e.tenant_id = o.tenant AND e.generation_id = q.generation_id
          LEFT JOIN conversation AS c ON c.tenant_id = o.tenant
            AND c.conversation_id = o.conversation
          CROSS JOIN LATERAL (
            SELECT b.base, v_last[o.ord] - b.base AS count, (
                SELECT coalesce(sum(m_tokens[i]), 0)::bigint
                FROM generate_series(b.base + 1, v_last[o.ord]) AS i) AS tokens
            FROM (SELECT coalesce(v_last[o.ord - 1], 0) AS base) AS b) AS n
          -- The open calls that the turn's own messages do not answer are closed for it.
          LEFT JOIN LATERAL (
            SELECT nullif(ARRAY(SELECT x FROM unnest(c.open_tool_calls) AS x
              WHERE NOT x = ANY (array_remove(coalesce(
                m_tool_call_id[n.base + 1 : n.base + n.count], '{}'), NULL))), '{}') AS abandoned
            WHERE a_body[o.ord] IS NOT NULL AND c.open_tool_calls IS NOT NULL) AS h ON true
          LEFT JOIN LATERAL (
            SELECT k.* FROM generate_series(1,
              (v_tools OR c.open_tool_calls IS NOT NULL)::integer) AS i,
            LATERAL check_tool_groups(
              CASE WHEN i = 1 THEN nullif(ARRAY(SELECT x FROM unnest(c.open_tool_calls) AS x
                WHERE h.abandoned IS NULL OR NOT x = ANY (h.abandoned)), '{}') END,
              m_role[n.base + 1 : n.base + n.count],
              m_tool_call_id[n.base + 1 : n.base + n.count],
              ARRAY(SELECT x.n - n.base FROM unnest(c_message) AS x (n)), c_id) AS k)
            AS g ON true
          CROSS JOIN LATERAL (
            SELECT least(p_budget[o.ord], c.view_tokens_bound + n.tokens
              + coalesce(cardinality(h.abandoned), 0) * coalesce(a_tokens[o.ord], 0)
              + p_extra[o.ord]) AS bound) AS w
          LEFT JOIN LATERAL (
            SELECT k.* FROM (SELECT coalesce(v_tier[o.ord - 1], 0) + 1 AS first) AS t,
            LATERAL price_worst_case(w.bound, p_output_max[o.ord],
              t_from[t.first : v_tier[o.ord]], t_input[t.first : v_tier[o.ord]],
              t_output[t.first : v_tier[o.ord]], p_marginal[o.ord]) AS k)
            AS z ON c.conversation_id IS NOT NULL
          WHERE v_round[o.ord] = r);

        IF EXISTS (SELECT 1 FROM unnest(v_work) AS w WHERE w.outcome = 'new') THEN
          v_work := begin_claim(v_work, p_tenant, p_conversation, p_key, p_request, p_hash,
            p_generation);
          v_quota := ARRAY(SELECT a FROM reserve_quota(ARRAY(
            SELECT ROW(w.ord, p_tenant[w.ord], p_key[w.ord], p_model[w.ord], w.reserved,
              (SELECT sum(x) FROM unnest(w.reserved_quantity) AS x))::quota_ask
            FROM unnest(v_work) AS w WHERE w.outcome = 'new' ORDER BY w.ord)) AS a);
          DELETE FROM request AS q USING unnest(v_quota) AS a
          WHERE NOT a.granted AND q.tenant_id = p_tenant[a.ord] AND q.key_id = p_key[a.ord]
            AND q.request_id = p_request[a.ord];
          v_work := ARRAY(
            SELECT ROW(w.ord,
              CASE WHEN w.outcome <> 'new' THEN w.outcome WHEN a.granted THEN 'granted'
                ELSE 'quota_denied' END,
              w.generation_id, w.config_version, w.segment_id, w.last_seq, w.token_sum,
              w.open_group_seq, w.open_calls, w.abandoned, w.messages, w.tokens,
              w.detail_index, w.detail_ids, w.model_id, w.bound, w.reserved,
              w.reserved_class, w.reserved_quantity, w.reserved_price, a.leg_account,
              a.leg_period, a.leg_amount)::begin_work
            FROM unnest(v_work) AS w LEFT JOIN unnest(v_quota) AS a ON a.ord = w.ord);
          v_quota := ARRAY(SELECT a FROM unnest(v_quota) AS a WHERE NOT a.granted);

          PERFORM insert_messages(
            ARRAY(
              SELECT ROW(w.ord, p_tenant[w.ord], w.segment_id, w.last_seq, w.token_sum,
                w.open_group_seq, p_generation[w.ord], w.abandoned, a_body[w.ord],
                a_tokens[w.ord], a_vocabulary[w.ord], a_method[w.ord])::message_slot
              FROM unnest(v_work) AS w WHERE w.outcome = 'granted' AND w.messages > 0),
            m_op, m_role, m_name, m_tool_call_id, m_body, m_metadata, m_tokens, m_vocabulary,
            m_method, v_states, c_message);

          UPDATE conversation AS c
          SET version = c.version + 1, last_seq = c.last_seq + w.messages,
            token_sum = c.token_sum + w.tokens,
            view_tokens_bound = c.view_tokens_bound + w.tokens,
            open_tool_calls = NULL, open_group_seq = NULL, running_turn = p_generation[w.ord],
            last_turn_at = now(), expires_at = now() + c.ttl
          FROM unnest(v_work) AS w
          WHERE w.outcome = 'granted' AND c.tenant_id = p_tenant[w.ord]
            AND c.conversation_id = p_conversation[w.ord];

          INSERT INTO turn (tenant_id, generation_id, conversation_id, segment_id, key_id,
            request_id, incarnation, config_version, model_id, currency, first_seq, last_seq,
            message_tokens, open_before, open_group_before, attempt_id, relay_id,
            upstream_model, service_tier, contracted_set, list_set, bound_tokens,
            output_tokens_max, reserved, reserved_class, reserved_quantity, reserved_price,
            leg_account, leg_period, leg_amount, state, reservation)
          SELECT p_tenant[w.ord], p_generation[w.ord], p_conversation[w.ord], w.segment_id,
            p_key[w.ord], p_request[w.ord], p_incarnation[w.ord], v_config, p_model[w.ord],
            p_currency[w.ord], CASE WHEN w.messages > 0 THEN w.last_seq + 1 END,
            w.last_seq + w.messages, w.tokens, w.open_calls, w.open_group_seq,
            p_attempt[w.ord], p_relay[w.ord], p_upstream_model[w.ord], p_service_tier[w.ord],
            p_contracted[w.ord], p_list[w.ord], w.bound, p_output_max[w.ord], w.reserved,
            w.reserved_class, w.reserved_quantity, w.reserved_price, w.leg_account,
            w.leg_period, w.leg_amount, 'running', 'pending'
          FROM unnest(v_work) AS w WHERE w.outcome = 'granted';
        ELSE
          v_quota := '{}';
        END IF;

        RETURN QUERY
        SELECT w.ord,
          CASE w.outcome WHEN 'granted' THEN 'begun' ELSE w.outcome END,
          CASE w.outcome WHEN 'granted' THEN p_generation[w.ord] ELSE w.generation_id END,
          w.config_version, c.version, t.first_seq, coalesce(t.last_seq, w.last_seq),
          t.bound_tokens, t.reserved::text, w.model_id, w.detail_index, w.detail_ids,
          a.scope, a.scope_id, a.unit, a.limit_amount::text, a.available::text,
          a.required::text, a.resets_at
        FROM unnest(v_work) AS w
        LEFT JOIN unnest(v_quota) AS a ON a.ord = w.ord
        LEFT JOIN turn AS t ON t.tenant_id = p_tenant[w.ord]
          AND t.generation_id = p_generation[w.ord]
        LEFT JOIN conversation AS c ON t.generation_id IS NOT NULL
          AND c.tenant_id = p_tenant[w.ord] AND c.conversation_id = p_conversation[w.ord];
      END LOOP;
    END $$;

    -- Claims the request ids of the new turns. One that came first meanwhile, under another
    -- conversation, has another payload.
    CREATE FUNCTION begin_claim(
      p_work begin_work[], p_tenant text[], p_conversation text[], p_key text[],
      p_request text[], p_hash bytea[], p_generation uuid[])
    RETURNS begin_work[] LANGUAGE plpgsql AS $$
    DECLARE
      v_won uuid[];
    BEGIN
      WITH claimed AS (
        INSERT INTO request (tenant_id, key_id, request_id, method, payload_hash,
          conversation_id, generation_id)
        SELECT p_tenant[w.ord], p_key[w.ord], p_request[w.ord], 'generate', p_hash[w.ord],
          p_conversation[w.ord], p_generation[w.ord]
        FROM unnest(p_work) AS w WHERE w.outcome = 'new'
        ORDER BY p_tenant[w.ord], p_key[w.ord], p_request[w.ord], w.ord
        ON CONFLICT DO NOTHING
        RETURNING generation_id)
      SELECT coalesce(array_agg(k.generation_id), '{}') INTO v_won FROM claimed AS k;
      FOR i IN 1..cardinality(p_work) LOOP
        IF p_work[i].outcome = 'new'
          AND NOT p_generation[p_work[i].ord] = ANY (v_won) THEN
          p_work[i].outcome := 'request_mismatch';
        END IF;
      END LOOP;
      RETURN p_work;
    END $$;
    """#
}
