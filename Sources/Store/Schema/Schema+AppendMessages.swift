/// `append_messages`: one row out per operation, in one commit.
extension Schema {
  static let appendMessages = #"""
    -- The round of each operation: the n-th on its conversation runs in round n, and so sees
    -- what the ones before it did. Almost always there is one round.
    CREATE FUNCTION rounds_of(p_tenant text[], p_conversation text[]) RETURNS integer[]
    LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
      RETURN (SELECT array_agg(x.round ORDER BY x.ord) FROM (
        SELECT o.ord, row_number() OVER (PARTITION BY o.t, o.c ORDER BY o.ord)::integer AS round
        FROM unnest(p_tenant, p_conversation) WITH ORDINALITY AS o (t, c, ord)) AS x);
    END $$;

    -- Locks in one global order, so that batches do not wait for each other in a circle.
    CREATE FUNCTION lock_conversations(p_tenant text[], p_conversation text[]) RETURNS void
    LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM conversation AS c
      WHERE (c.tenant_id, c.conversation_id) IN (
        SELECT o.t, o.c FROM unnest(p_tenant, p_conversation) AS o (t, c))
      ORDER BY c.tenant_id, c.conversation_id
      FOR NO KEY UPDATE;
    END $$;

    CREATE TYPE append_work AS (
      ord integer, outcome text, tenant_id text, conversation_id text, segment_id uuid,
      last_seq bigint, token_sum bigint, open_group_seq bigint, messages integer, tokens bigint,
      last_call integer, open_after text[], generation_id uuid, first_seq bigint,
      detail_index integer, detail_ids text[]);

    -- Outcomes: appended, replayed, request_mismatch, conversation_not_found,
    -- conversation_deleted, conversation_expired, turn_in_progress (generation_id),
    -- conversation_changed (last_seq), orphan_tool_result and tool_results_missing
    -- (detail_index: which message; detail_ids: the open calls).
    CREATE FUNCTION append_messages(
      p_tenant text[], p_conversation text[], p_key text[], p_request text[], p_hash bytea[],
      p_expected bigint[], m_op integer[], m_role text[], m_name text[], m_tool_call_id text[],
      m_body bytea[], m_metadata bytea[], m_tokens bigint[], m_vocabulary text[],
      m_method text[], c_message integer[], c_id text[])
    RETURNS TABLE (ord integer, outcome text, first_seq bigint, last_seq bigint,
      generation_id uuid, detail_index integer, detail_ids text[])
    LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    DECLARE
      v_round integer[] := rounds_of(p_tenant, p_conversation);
      v_tools boolean := 'tool' = ANY (m_role) OR cardinality(c_message) > 0;
      v_states text[] := array_fill('active'::text, ARRAY[cardinality(m_op)]);
      v_last integer[] := last_positions(m_op, cardinality(p_tenant));
      v_work append_work[];
    BEGIN
      PERFORM lock_conversations(p_tenant, p_conversation);
      FOR r IN 1..(SELECT max(x) FROM unnest(v_round) AS x) LOOP
        v_work := ARRAY(
          SELECT ROW(o.ord,
            CASE
              WHEN q.request_id IS NOT NULL AND (q.method <> 'append'
                OR q.payload_hash <> o.hash) THEN 'request_mismatch'
              WHEN q.request_id IS NOT NULL THEN 'replayed'
              WHEN c.conversation_id IS NULL THEN 'conversation_not_found'
              WHEN c.deleted_at IS NOT NULL THEN 'conversation_deleted'
              WHEN c.running_turn IS NOT NULL THEN 'turn_in_progress'
              WHEN c.expires_at <= now() THEN 'conversation_expired'
              WHEN c.last_seq <> o.expected THEN 'conversation_changed'
              WHEN g.problem IS NOT NULL THEN g.problem
              ELSE 'appended'
            END,
            o.tenant, o.conversation, c.segment_id, c.last_seq, c.token_sum, c.open_group_seq,
            n.count, n.tokens, n.last_call,
            CASE WHEN g.checked THEN g.open_after ELSE c.open_tool_calls END, c.running_turn,
            q.first_seq, g.problem_at, c.open_tool_calls)::append_work
          FROM unnest(p_tenant, p_conversation, p_key, p_request, p_hash, p_expected)
            WITH ORDINALITY AS o (tenant, conversation, key, request, hash, expected, ord)
          LEFT JOIN request AS q ON q.tenant_id = o.tenant AND q.key_id = o.key
            AND q.request_id = o.request
          LEFT JOIN conversation AS c ON c.tenant_id = o.tenant
            AND c.conversation_id = o.conversation
          CROSS JOIN LATERAL (
            SELECT b.base, v_last[o.ord] - b.base AS count, (
                SELECT coalesce(sum(m_tokens[i]), 0)::bigint
                FROM generate_series(b.base + 1, v_last[o.ord]) AS i) AS tokens,
              CASE WHEN v_tools THEN (
                SELECT max(x) - b.base FROM unnest(c_message) AS x
                WHERE x > b.base AND x <= v_last[o.ord]) END AS last_call
            FROM (SELECT coalesce(v_last[o.ord - 1], 0) AS base) AS b) AS n
          LEFT JOIN LATERAL (
            SELECT true AS checked, k.*
            FROM generate_series(1, (v_tools OR c.open_tool_calls IS NOT NULL)::integer) AS i,
            LATERAL check_tool_groups(CASE WHEN i = 1 THEN c.open_tool_calls END,
              m_role[n.base + 1 : n.base + n.count], m_tool_call_id[n.base + 1 : n.base + n.count],
              ARRAY(SELECT x.n - n.base FROM unnest(c_message) AS x (n)), c_id) AS k)
            AS g ON true
          WHERE v_round[o.ord] = r);

        -- A claim that came first under another conversation has another payload.
        WITH claimed AS (
          INSERT INTO request (tenant_id, key_id, request_id, method, payload_hash,
            conversation_id, first_seq, last_seq)
          SELECT w.tenant_id, p_key[w.ord], p_request[w.ord], 'append', p_hash[w.ord],
            w.conversation_id, w.last_seq + 1, w.last_seq + w.messages
          FROM unnest(v_work) AS w WHERE w.outcome = 'appended'
          ORDER BY w.tenant_id, p_key[w.ord], p_request[w.ord], w.ord
          ON CONFLICT DO NOTHING
          RETURNING tenant_id, conversation_id)
        SELECT array_agg(ROW(w.ord,
          CASE WHEN w.outcome = 'appended' AND k.tenant_id IS NULL THEN 'request_mismatch'
            ELSE w.outcome END,
          w.tenant_id, w.conversation_id, w.segment_id, w.last_seq, w.token_sum,
          w.open_group_seq, w.messages, w.tokens, w.last_call, w.open_after, w.generation_id,
          coalesce(w.first_seq, w.last_seq + 1), w.detail_index, w.detail_ids)::append_work)
        INTO v_work
        FROM unnest(v_work) AS w
        LEFT JOIN claimed AS k ON k.tenant_id = w.tenant_id
          AND k.conversation_id = w.conversation_id;

        PERFORM insert_messages(
          ARRAY(
            SELECT ROW(w.ord, w.tenant_id, w.segment_id, w.last_seq, w.token_sum,
              w.open_group_seq, NULL, NULL, NULL, NULL, NULL, NULL)::message_slot
            FROM unnest(v_work) AS w WHERE w.outcome = 'appended'),
          m_op, m_role, m_name, m_tool_call_id, m_body, m_metadata, m_tokens, m_vocabulary,
          m_method, v_states, c_message);

        UPDATE conversation AS c
        SET version = c.version + 1, last_seq = c.last_seq + w.messages,
          token_sum = c.token_sum + w.tokens,
          view_tokens_bound = c.view_tokens_bound + w.tokens,
          open_tool_calls = w.open_after,
          open_group_seq = CASE WHEN w.open_after IS NOT NULL
            THEN coalesce(w.last_seq + w.last_call, w.open_group_seq) END
        FROM unnest(v_work) AS w
        WHERE w.outcome = 'appended' AND c.tenant_id = w.tenant_id
          AND c.conversation_id = w.conversation_id;

        RETURN QUERY
        SELECT w.ord, w.outcome, w.first_seq,
          CASE w.outcome
            WHEN 'appended' THEN w.last_seq + w.messages
            WHEN 'replayed' THEN (SELECT q.last_seq FROM request AS q
              WHERE q.tenant_id = w.tenant_id AND q.key_id = p_key[w.ord]
                AND q.request_id = p_request[w.ord])
            ELSE w.last_seq END,
          w.generation_id, w.detail_index, w.detail_ids
        FROM unnest(v_work) AS w;
      END LOOP;
    END $$;
    """#
}
