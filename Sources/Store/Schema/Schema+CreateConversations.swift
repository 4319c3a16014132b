/// `create_conversations`: one row out per operation, in one commit.
extension Schema {
  static let createConversations = #"""
    -- Outcomes: created, replayed, exists, request_mismatch, orphan_tool_result,
    -- tool_results_missing. detail_index: the message that was refused.
    CREATE FUNCTION create_conversations(
      p_tenant text[], p_conversation text[], p_key text[], p_request text[], p_hash bytea[],
      p_segment uuid[], p_model text[], p_vocabulary text[], p_system bytea[],
      p_system_tokens bigint[], p_policy bytea[], p_metadata bytea[], p_ttl_seconds bigint[],
      m_op integer[], m_role text[], m_name text[], m_tool_call_id text[], m_body bytea[],
      m_metadata bytea[], m_tokens bigint[], m_vocabulary text[], m_method text[],
      c_message integer[], c_id text[])
    RETURNS TABLE (ord integer, outcome text, last_seq bigint, created_at timestamptz,
      detail_index integer, detail_ids text[])
    LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    DECLARE
      v_good integer[];
      v_claimed integer[];
      v_made integer[];
      v_problem text[];
      v_problem_at integer[];
      v_open text[];
    BEGIN
      -- Tool groups are decided by the operation alone: there is no history yet.
      SELECT array_agg(g.problem ORDER BY o.ord), array_agg(g.problem_at ORDER BY o.ord),
        array_agg(array_to_json(g.open_after)::text ORDER BY o.ord)
      INTO v_problem, v_problem_at, v_open
      FROM unnest(p_tenant) WITH ORDINALITY AS o (tenant, ord)
      LEFT JOIN LATERAL (
        SELECT k.* FROM (
          SELECT array_agg(m.role ORDER BY m.number) AS role,
            array_agg(m.tool ORDER BY m.number) AS tool, min(m.number)::integer - 1 AS base
          FROM unnest(m_op, m_role, m_tool_call_id) WITH ORDINALITY AS m (op, role, tool, number)
          WHERE m.op = o.ord) AS mine,
        LATERAL check_tool_groups(NULL, mine.role, mine.tool,
          ARRAY(SELECT c.n - mine.base FROM unnest(c_message) AS c (n)), c_id) AS k
        WHERE 'tool' = ANY (m_role) OR cardinality(c_message) > 0) AS g ON true;

      -- Which operations are new: not claimed before, the id not taken.
      v_good := ARRAY(
        SELECT DISTINCT ON (o.tenant, o.conversation) o.ord::integer
        FROM unnest(p_tenant, p_conversation, p_key, p_request)
          WITH ORDINALITY AS o (tenant, conversation, key, request, ord)
        WHERE v_problem[o.ord] IS NULL
          AND NOT EXISTS (SELECT 1 FROM request AS r WHERE r.tenant_id = o.tenant
            AND r.key_id = o.key AND r.request_id = o.request)
          AND NOT EXISTS (SELECT 1 FROM conversation AS c WHERE c.tenant_id = o.tenant
            AND c.conversation_id = o.conversation)
        ORDER BY o.tenant, o.conversation, o.ord);
      WITH claimed AS (
        INSERT INTO request (tenant_id, key_id, request_id, method, payload_hash,
          conversation_id, last_seq)
        SELECT o.tenant, o.key, o.request, 'create', o.hash, o.conversation,
          (SELECT count(*) FROM unnest(m_op) AS m (op) WHERE m.op = o.ord)
        FROM unnest(p_tenant, p_conversation, p_key, p_request, p_hash)
          WITH ORDINALITY AS o (tenant, conversation, key, request, hash, ord)
        WHERE o.ord = ANY (v_good)
        ORDER BY o.tenant, o.key, o.request, o.ord
        ON CONFLICT DO NOTHING
        RETURNING tenant_id, key_id, request_id, conversation_id)
      SELECT array_agg(o.ord) INTO v_claimed
      FROM unnest(p_tenant, p_conversation, p_key, p_request)
        WITH ORDINALITY AS o (tenant, conversation, key, request, ord)
      JOIN claimed AS k ON k.tenant_id = o.tenant AND k.key_id = o.key
        AND k.request_id = o.request AND k.conversation_id = o.conversation
      WHERE o.ord = ANY (v_good);

      WITH made AS (
        INSERT INTO conversation (tenant_id, conversation_id, key_id, model_id, vocabulary,
          policy, metadata, system_body, system_tokens, segment_id, ttl, last_seq, token_sum,
          view_tokens_bound, open_tool_calls, open_group_seq, expires_at)
        SELECT o.tenant, o.conversation, o.key, o.model, o.vocabulary, o.policy, o.metadata,
          o.system, o.system_tokens, o.segment, make_interval(secs => o.ttl), n.count, n.tokens,
          o.system_tokens + n.tokens,
          CASE WHEN v_open[o.ord] IS NOT NULL THEN
            ARRAY(SELECT json_array_elements_text(v_open[o.ord]::json)) END,
          CASE WHEN v_open[o.ord] IS NOT NULL THEN n.last_call END,
          now() + make_interval(secs => o.ttl)
        FROM unnest(p_tenant, p_conversation, p_key, p_segment, p_model, p_vocabulary, p_system,
            p_system_tokens, p_policy, p_metadata, p_ttl_seconds)
          WITH ORDINALITY AS o (tenant, conversation, key, segment, model, vocabulary, system,
            system_tokens, policy, metadata, ttl, ord),
        LATERAL (
          SELECT count(*) AS count, coalesce(sum(m.tokens), 0)::bigint AS tokens,
            max(m.number - m.base) FILTER (WHERE m.number = ANY (c_message)) AS last_call
          FROM (
            SELECT u.tokens, u.number, min(u.number) OVER () - 1 AS base
            FROM unnest(m_op, m_tokens) WITH ORDINALITY AS u (op, tokens, number)
            WHERE u.op = o.ord) AS m) AS n
        WHERE o.ord = ANY (v_claimed)
        ORDER BY o.tenant, o.conversation
        ON CONFLICT DO NOTHING
        RETURNING tenant_id, segment_id)
      SELECT array_agg(o.ord) INTO v_made
      FROM unnest(p_tenant, p_segment) WITH ORDINALITY AS o (tenant, segment, ord)
      JOIN made AS k ON k.tenant_id = o.tenant AND k.segment_id = o.segment;

      -- A conversation that appeared meanwhile: its claim stores nothing.
      DELETE FROM request AS r
      USING unnest(p_tenant, p_key, p_request) WITH ORDINALITY AS o (tenant, key, request, ord)
      WHERE o.ord = ANY (v_claimed) AND NOT o.ord = ANY (coalesce(v_made, '{}'))
        AND r.tenant_id = o.tenant AND r.key_id = o.key AND r.request_id = o.request;

      INSERT INTO segment (tenant_id, segment_id, conversation_id)
      SELECT o.tenant, o.segment, o.conversation
      FROM unnest(p_tenant, p_segment, p_conversation)
        WITH ORDINALITY AS o (tenant, segment, conversation, ord)
      WHERE o.ord = ANY (v_made);

      IF cardinality(m_op) > 0 THEN
        PERFORM insert_messages(
          ARRAY(
            SELECT ROW(o.ord, o.tenant, o.segment, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL,
              NULL)::message_slot
            FROM unnest(p_tenant, p_segment) WITH ORDINALITY AS o (tenant, segment, ord)
            WHERE o.ord = ANY (v_made)),
          m_op, m_role, m_name, m_tool_call_id, m_body, m_metadata, m_tokens, m_vocabulary,
          m_method, array_fill('active'::text, ARRAY[cardinality(m_op)]), c_message);
      END IF;

      RETURN QUERY
      SELECT o.ord::integer,
        CASE
          WHEN o.ord = ANY (v_made) THEN 'created'
          WHEN v_problem[o.ord] IS NOT NULL THEN v_problem[o.ord]
          WHEN r.request_id IS NULL THEN 'exists'
          WHEN r.method <> 'create' OR r.payload_hash <> o.hash THEN 'request_mismatch'
          ELSE 'replayed'
        END,
        r.last_seq, c.created_at, v_problem_at[o.ord],
        (SELECT array_agg(x) FROM json_array_elements_text(v_open[o.ord]::json) AS x)
      FROM unnest(p_tenant, p_conversation, p_key, p_request, p_hash)
        WITH ORDINALITY AS o (tenant, conversation, key, request, hash, ord)
      LEFT JOIN request AS r ON r.tenant_id = o.tenant AND r.key_id = o.key
        AND r.request_id = o.request
      LEFT JOIN conversation AS c ON c.tenant_id = o.tenant
        AND c.conversation_id = o.conversation
      ORDER BY o.ord;
    END $$;
    """#
}
