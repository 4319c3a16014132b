/// What the batch functions share: tool groups and the insertion of messages.
extension Schema {
  static let messageFunctions = #"""
    -- For owners 1 to n, whose parts stand together in their order: the position of each
    -- owner's last part, or of the last part before it. So a slice is found without a join.
    CREATE FUNCTION last_positions(p_owner integer[], p_count integer) RETURNS integer[]
    LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE
      v_last integer[] := array_fill(0, ARRAY[p_count]);
      v_position integer := 0;
      v_parts integer := coalesce(cardinality(p_owner), 0);
    BEGIN
      FOR i IN 1..p_count LOOP
        WHILE v_position < v_parts AND p_owner[v_position + 1] <= i LOOP
          v_position := v_position + 1;
        END LOOP;
        v_last[i] := v_position;
      END LOOP;
      RETURN v_last;
    END $$;

    -- Walks one operation's messages over the open tool calls.
    -- call_message: for each call id the 1-based message that makes it.
    -- problem: null, 'orphan_tool_result' or 'tool_results_missing', at message number problem_at.
    CREATE FUNCTION check_tool_groups(
      open_calls text[], role text[], tool_call_id text[], call_message integer[], call_id text[],
      OUT problem text, OUT problem_at integer, OUT open_after text[])
    LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE
      calls text[];
    BEGIN
      open_after := open_calls;
      FOR i IN 1..coalesce(cardinality(role), 0) LOOP
        problem_at := i;
        IF role[i] = 'tool' THEN
          IF (tool_call_id[i] = ANY (open_after)) IS NOT TRUE THEN
            problem := 'orphan_tool_result';
            RETURN;
          END IF;
          open_after := nullif(array_remove(open_after, tool_call_id[i]), '{}');
        ELSIF open_after IS NOT NULL THEN
          problem := 'tool_results_missing';
          RETURN;
        ELSE
          calls := ARRAY(
            SELECT c.id FROM unnest(call_message, call_id) AS c (message, id)
            WHERE c.message = i);
          open_after := nullif(calls, '{}');
        END IF;
      END LOOP;
      problem_at := NULL;
    END $$;

    -- Where an operation's messages go. abandoned: call ids closed first by a synthetic result.
    CREATE TYPE message_slot AS (
      op integer, tenant_id text, segment_id uuid, last_seq bigint, token_sum bigint,
      open_group_seq bigint, generation_id uuid, abandoned text[], abandon_body bytea,
      abandon_tokens bigint, abandon_vocabulary text, abandon_method text);

    -- Inserts the messages of the operations that have a slot, in order, with dense numbers,
    -- groups and the running sum.
    CREATE FUNCTION insert_messages(
      slots message_slot[], m_op integer[], m_role text[], m_name text[], m_tool_call_id text[],
      m_body bytea[], m_metadata bytea[], m_tokens bigint[], m_vocabulary text[], m_method text[],
      m_state text[], c_message integer[])
    RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO message (tenant_id, segment_id, seq, group_seq, tokens, tokens_before,
        generation_id, role, state, vocabulary, count_method, name, tool_call_id, body, metadata)
      SELECT x.tenant_id, x.segment_id, x.last_seq + x.position,
        CASE WHEN x.role = 'tool' THEN coalesce(
          max(x.last_seq + x.position) FILTER (WHERE x.calls) OVER before, x.open_group_seq)
          ELSE x.last_seq + x.position END,
        x.tokens,
        x.token_sum + coalesce(
          sum(CASE WHEN x.state = 'active' THEN x.tokens ELSE 0 END) OVER before, 0)::bigint,
        x.generation_id, x.role, x.state, x.vocabulary, x.count_method, x.name, x.tool_call_id,
        x.body, x.metadata
      FROM (
        SELECT s.op, s.tenant_id, s.segment_id, s.last_seq, s.token_sum, s.open_group_seq,
          s.generation_id, a.position, 'tool' AS role, 'active' AS state, false AS calls,
          s.abandon_tokens AS tokens, s.abandon_vocabulary AS vocabulary,
          s.abandon_method AS count_method, NULL AS name, a.id AS tool_call_id,
          s.abandon_body AS body, NULL::bytea AS metadata
        FROM unnest(slots) AS s, unnest(s.abandoned) WITH ORDINALITY AS a (id, position)
        UNION ALL
        SELECT s.op, s.tenant_id, s.segment_id, s.last_seq, s.token_sum, s.open_group_seq,
          s.generation_id,
          coalesce(cardinality(s.abandoned), 0) + row_number() OVER (PARTITION BY m.op
            ORDER BY m.number),
          m.role, m.state, m.number = ANY (c_message), m.tokens, m.vocabulary, m.count_method,
          m.name, m.tool_call_id, m.body, m.metadata
        FROM unnest(m_op, m_role, m_name, m_tool_call_id, m_body, m_metadata, m_tokens,
            m_vocabulary, m_method, m_state)
          WITH ORDINALITY AS m (op, role, name, tool_call_id, body, metadata, tokens, vocabulary,
            count_method, state, number)
        JOIN unnest(slots) AS s ON s.op = m.op) AS x
      WINDOW before AS (PARTITION BY x.op ORDER BY x.position
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);
    END $$;
    """#
}
