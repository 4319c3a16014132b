/// Version 2: an attempt that was booked as unknown, corrected and booked anew counts once.
extension Schema {
  static let usageReport = #"""
    CREATE OR REPLACE FUNCTION usage_report(p_tenant text, p_from timestamptz, p_before timestamptz,
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
          count(DISTINCT (e.generation_id, e.attempt_number)) AS attempts, sum(e.cost) AS cost,
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
