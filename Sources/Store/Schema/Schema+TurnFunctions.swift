/// What surrounds a turn: further attempts, leases, views and stored results.
extension Schema {
  static let turnFunctions = #"""
    -- Records further attempts before they go upstream.
    -- Outcomes: added (also when it was added before), not_running, quota_denied.
    CREATE FUNCTION add_attempts(
      p_tenant text[], p_generation uuid[], p_incarnation uuid[], p_number smallint[],
      p_attempt uuid[], p_relay text[], p_upstream_model text[], p_service_tier text[],
      p_reserves boolean[])
    RETURNS TABLE (ord integer, outcome text, scope text, scope_id text, unit text,
      limit_amount text, available text, required text, resets_at timestamptz)
    LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    DECLARE
      v_good integer[];
      v_quota quota_answer[];
    BEGIN
      PERFORM 1 FROM turn AS t
      WHERE (t.tenant_id, t.generation_id) IN (
        SELECT o.t, o.g FROM unnest(p_tenant, p_generation) AS o (t, g))
      ORDER BY t.tenant_id, t.generation_id
      FOR NO KEY UPDATE;
      v_good := ARRAY(
        SELECT DISTINCT ON (o.tenant, o.generation) o.ord::integer
        FROM unnest(p_tenant, p_generation, p_incarnation, p_number)
          WITH ORDINALITY AS o (tenant, generation, incarnation, number, ord)
        JOIN turn AS t ON t.tenant_id = o.tenant AND t.generation_id = o.generation
        JOIN replica AS r ON r.incarnation = o.incarnation AND r.lease_until > now()
        WHERE t.state = 'running' AND t.incarnation = o.incarnation
          AND o.number = t.attempts + 1
        ORDER BY o.tenant, o.generation, o.ord);
      v_quota := ARRAY(SELECT a FROM reserve_quota(ARRAY(
        SELECT ROW(g.ord, t.tenant_id, t.key_id, t.model_id, t.reserved,
          t.bound_tokens + t.output_tokens_max)::quota_ask
        FROM unnest(v_good) AS g (ord)
        JOIN turn AS t ON t.tenant_id = p_tenant[g.ord] AND t.generation_id = p_generation[g.ord]
        WHERE p_reserves[g.ord] ORDER BY g.ord)) AS a);
      INSERT INTO attempt (tenant_id, generation_id, attempt_number, attempt_id, relay_id,
        upstream_model, service_tier, reserves, reserved, leg_account, leg_period, leg_amount)
      SELECT t.tenant_id, t.generation_id, p_number[g.ord], p_attempt[g.ord], p_relay[g.ord],
        p_upstream_model[g.ord], p_service_tier[g.ord], p_reserves[g.ord],
        CASE WHEN p_reserves[g.ord] THEN t.reserved ELSE 0 END, a.leg_account, a.leg_period,
        a.leg_amount
      FROM unnest(v_good) AS g (ord)
      JOIN turn AS t ON t.tenant_id = p_tenant[g.ord] AND t.generation_id = p_generation[g.ord]
      LEFT JOIN unnest(v_quota) AS a ON a.ord = g.ord
      WHERE a.granted IS NOT FALSE;
      UPDATE turn AS t SET attempts = p_number[g.ord]
      FROM unnest(v_good) AS g (ord)
      LEFT JOIN unnest(v_quota) AS a ON a.ord = g.ord
      WHERE a.granted IS NOT FALSE AND t.tenant_id = p_tenant[g.ord]
        AND t.generation_id = p_generation[g.ord];
      RETURN QUERY
      SELECT o.ord::integer,
        CASE WHEN x.attempt_id = o.attempt THEN 'added' WHEN a.granted = false
          THEN 'quota_denied' ELSE 'not_running' END,
        a.scope, a.scope_id, a.unit, a.limit_amount::text, a.available::text,
        a.required::text, a.resets_at
      FROM unnest(p_tenant, p_generation, p_number, p_attempt)
        WITH ORDINALITY AS o (tenant, generation, number, attempt, ord)
      LEFT JOIN attempt AS x ON x.tenant_id = o.tenant AND x.generation_id = o.generation
        AND x.attempt_number = o.number
      LEFT JOIN unnest(v_quota) AS a ON a.ord = o.ord;
    END $$;

    -- Registers or renews a lease. One that has lapsed is not renewed: alive is false.
    CREATE FUNCTION heartbeat(p_replica text, p_incarnation uuid, p_lease_seconds double precision,
      p_oldest uuid, p_first boolean)
    RETURNS TABLE (alive boolean, config_version bigint) LANGUAGE plpgsql AS $$
    BEGIN
      IF p_first THEN
        INSERT INTO replica (incarnation, replica_id, lease_until)
        VALUES (p_incarnation, p_replica, now() + make_interval(secs => p_lease_seconds))
        ON CONFLICT DO NOTHING;
      END IF;
      UPDATE replica AS r
      SET lease_until = now() + make_interval(secs => p_lease_seconds),
        oldest_running = greatest(r.oldest_running, p_oldest)
      WHERE r.incarnation = p_incarnation AND r.lease_until > now();
      RETURN QUERY SELECT FOUND, (SELECT v.version FROM config_version AS v);
    END $$;

    -- The active messages of a branch up to p_last whose tokens, newest first, fit p_tokens;
    -- whole groups; the newest group in any case. Reads at most four times the window's rows,
    -- never the history.
    CREATE FUNCTION view_messages(p_tenant text, p_segment uuid, p_last bigint, p_total bigint,
      p_tokens bigint)
    RETURNS SETOF message LANGUAGE plpgsql STABLE AS $$
    #variable_conflict use_column
    DECLARE
      v_floor bigint := p_total - p_tokens;
      v_segment uuid := p_segment;
      v_high bigint := p_last;
      v_parent uuid;
      v_low bigint;
      v_start bigint := p_last + 1;
      v_probes integer;
      v_chain uuid[] := '{}';
      v_highs bigint[] := '{}';
    BEGIN
      LOOP
        SELECT s.parent_segment_id, s.fork_seq + 1 INTO v_parent, v_low
        FROM segment AS s WHERE s.tenant_id = p_tenant AND s.segment_id = v_segment;
        v_chain := v_chain || v_segment;
        v_highs := v_highs || v_high;
        v_probes := 16;
        LOOP
          SELECT coalesce(min(x.seq) FILTER (WHERE x.tokens_before >= v_floor), v_start)
          INTO v_start
          FROM (
            SELECT m.seq, m.tokens_before FROM message AS m
            WHERE m.tenant_id = p_tenant AND m.segment_id = v_segment AND m.seq <= v_high
            ORDER BY m.seq DESC LIMIT v_probes) AS x;
          EXIT WHEN v_start > greatest(v_low, v_high - v_probes + 1) OR v_start <= v_low;
          v_probes := v_probes * 4;
        END LOOP;
        EXIT WHEN v_start > v_low OR v_parent IS NULL;
        v_segment := v_parent;
        v_high := v_low - 1;
      END LOOP;
      IF NOT EXISTS (SELECT 1 FROM message AS m WHERE m.tenant_id = p_tenant
        AND m.segment_id = p_segment AND m.seq BETWEEN v_start AND p_last
        AND m.state = 'active' AND m.group_seq >= v_start) AND cardinality(v_chain) = 1 THEN
        SELECT m.group_seq INTO v_start FROM message AS m
        WHERE m.tenant_id = p_tenant AND m.segment_id = p_segment AND m.seq <= p_last
          AND m.state = 'active'
        ORDER BY m.seq DESC LIMIT 1;
      END IF;
      -- A group that begins before the window is not cut but left out.
      FOR i IN REVERSE cardinality(v_chain)..1 LOOP
        RETURN QUERY SELECT m.* FROM message AS m
        WHERE m.tenant_id = p_tenant AND m.segment_id = v_chain[i]
          AND m.seq BETWEEN v_start AND v_highs[i] AND m.state = 'active'
          AND m.group_seq >= v_start
        ORDER BY m.seq;
      END LOOP;
    END $$;

    -- The views of turns that have just begun; others give no rows.
    -- p_tokens: what the budget leaves beside tools and the like; the system prompt is taken off.
    CREATE FUNCTION read_views(p_tenant text[], p_conversation text[], p_generation uuid[],
      p_tokens bigint[])
    RETURNS TABLE (ord integer, seq bigint, group_seq bigint, role text, name text,
      tool_call_id text, body bytea, metadata bytea, tokens bigint, vocabulary text,
      count_method text, state text, created_at timestamptz, generation_id uuid)
    LANGUAGE sql STABLE AS $$
      SELECT o.ord::integer, m.seq, m.group_seq, m.role, m.name, m.tool_call_id, m.body,
        m.metadata, m.tokens, m.vocabulary, m.count_method, m.state, m.created_at,
        m.generation_id
      FROM unnest(p_tenant, p_conversation, p_generation, p_tokens)
        WITH ORDINALITY AS o (tenant, conversation, generation, tokens, ord)
      JOIN conversation AS c ON c.tenant_id = o.tenant AND c.conversation_id = o.conversation
        AND c.running_turn = o.generation
      CROSS JOIN LATERAL view_messages(c.tenant_id, c.segment_id, c.last_seq, c.token_sum,
        greatest(o.tokens - c.system_tokens, 0)) AS m
    $$;

    -- Raw history over a branch's segments, ascending, failed messages included.
    CREATE FUNCTION list_messages(p_tenant text, p_conversation text, p_after bigint,
      p_limit integer)
    RETURNS SETOF message LANGUAGE sql STABLE AS $$
      WITH RECURSIVE branch AS (
        SELECT s.segment_id, s.parent_segment_id, s.fork_seq, c.last_seq AS high
        FROM conversation AS c
        JOIN segment AS s ON s.tenant_id = c.tenant_id AND s.segment_id = c.segment_id
        WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation
        UNION ALL
        SELECT s.segment_id, s.parent_segment_id, s.fork_seq, b.fork_seq
        FROM branch AS b
        JOIN segment AS s ON s.tenant_id = p_tenant AND s.segment_id = b.parent_segment_id
        WHERE b.fork_seq > p_after)
      SELECT x.* FROM branch AS b
      CROSS JOIN LATERAL (
        SELECT m.* FROM message AS m
        WHERE m.tenant_id = p_tenant AND m.segment_id = b.segment_id
          AND m.seq > greatest(p_after, b.fork_seq) AND m.seq <= b.high
        ORDER BY m.seq LIMIT p_limit) AS x
      ORDER BY x.seq LIMIT p_limit
    $$;

    -- A tombstone: the id stays taken, a running turn is told to stop and is still billed.
    CREATE FUNCTION delete_conversation(p_tenant text, p_conversation text) RETURNS boolean
    LANGUAGE plpgsql AS $$
    DECLARE
      v_turn uuid;
    BEGIN
      UPDATE conversation AS c SET deleted_at = now(), version = c.version + 1
      WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation
        AND c.deleted_at IS NULL
      RETURNING c.running_turn INTO v_turn;
      IF NOT FOUND THEN
        RETURN false;
      END IF;
      UPDATE turn AS t SET stop_requested_at = now()
      WHERE t.tenant_id = p_tenant AND t.generation_id = v_turn AND t.state = 'running';
      RETURN true;
    END $$;

    -- The ledger by period and group; a page is the groups after p_after.
    CREATE FUNCTION usage_report(p_tenant text, p_from timestamptz, p_before timestamptz,
      p_group text, p_time_zone text, p_after text, p_limit integer, p_key text, p_model text,
      p_conversation text)
    RETURNS TABLE (grp text, requests bigint, attempts bigint, class text[], tokens text[],
      cost text, list_cost text, currency text)
    LANGUAGE sql STABLE AS $$
      WITH event AS (
        SELECT e.*, CASE p_group
            WHEN 'day' THEN to_char(e.occurred_at AT TIME ZONE p_time_zone, 'YYYY-MM-DD')
            WHEN 'model' THEN e.model_id WHEN 'key' THEN e.key_id
            WHEN 'conversation' THEN e.conversation_id ELSE '' END COLLATE "C" AS grp
        FROM usage_event AS e
        WHERE e.tenant_id = p_tenant AND e.occurred_at >= p_from AND e.occurred_at < p_before
          AND (p_key IS NULL OR e.key_id = p_key)
          AND (p_model IS NULL OR e.model_id = p_model)
          AND (p_conversation IS NULL OR e.conversation_id = p_conversation)),
      page AS (
        SELECT e.grp, e.currency, count(DISTINCT e.generation_id) AS requests,
          count(*) FILTER (WHERE e.kind <> 'correction') AS attempts, sum(e.cost) AS cost,
          sum(e.list_cost) AS list_cost
        FROM event AS e
        WHERE p_after IS NULL OR e.grp > p_after
        GROUP BY e.grp, e.currency ORDER BY e.grp, e.currency LIMIT p_limit),
      token AS (
        SELECT e.grp, e.currency, l.class, sum(l.quantity)::text AS quantity
        FROM event AS e JOIN page AS p ON p.grp = e.grp AND p.currency = e.currency,
          unnest(e.line_class, e.line_quantity) AS l (class, quantity)
        GROUP BY e.grp, e.currency, l.class)
      SELECT p.grp, p.requests, p.attempts,
        ARRAY(SELECT t.class FROM token AS t WHERE t.grp = p.grp AND t.currency = p.currency
          ORDER BY t.class),
        ARRAY(SELECT t.quantity FROM token AS t WHERE t.grp = p.grp AND t.currency = p.currency
          ORDER BY t.class),
        p.cost::text, p.list_cost::text, p.currency
      FROM page AS p ORDER BY p.grp, p.currency
    $$;
    """#
}
