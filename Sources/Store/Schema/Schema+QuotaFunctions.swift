/// Prices of a worst case, and the reservation of quota.
extension Schema {
  static let quotaFunctions = #"""
    -- The dearest that a call can become: every prompt size up to the bound is possible.
    -- tier_from: lower bounds in tokens of the prompt, ascending, the first 0.
    -- Whole: the prompt's size selects one tier for all of it; marginal: each part pays its tier.
    CREATE FUNCTION price_worst_case(
      bound bigint, output_max bigint, tier_from bigint[], tier_input bigint[],
      tier_output bigint[], marginal boolean,
      OUT class text[], OUT quantity bigint[], OUT price bigint[], OUT amount numeric)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    DECLARE
      n integer := cardinality(tier_from);
      best numeric;
      size bigint;
      out_price bigint := 0;
    BEGIN
      IF n = 1 OR NOT marginal THEN
        FOR i IN 1..n LOOP
          EXIT WHEN i > 1 AND tier_from[i] > bound;
          size := CASE WHEN i < n THEN least(bound, tier_from[i + 1] - 1) ELSE bound END;
          best := size::numeric * tier_input[i] + output_max::numeric * tier_output[i];
          IF amount IS NULL OR best > amount THEN
            amount := best;
            class := ARRAY['input', 'output'];
            quantity := ARRAY[size, output_max];
            price := ARRAY[tier_input[i], tier_output[i]];
          END IF;
        END LOOP;
        RETURN;
      END IF;
      amount := 0;
      class := '{}';
      FOR i IN 1..n LOOP
        EXIT WHEN i > 1 AND tier_from[i] > bound;
        size := CASE WHEN i < n THEN least(bound, tier_from[i + 1]) ELSE bound END - tier_from[i];
        class := class || 'input'::text;
        quantity := quantity || size;
        price := price || tier_input[i];
        amount := amount + size::numeric * tier_input[i];
        out_price := greatest(out_price, tier_output[i]);
      END LOOP;
      class := class || 'output'::text;
      quantity := quantity || output_max;
      price := price || out_price;
      amount := amount + output_max::numeric * out_price;
    END $$;

    -- Makes the period of each account that has none at that time.
    CREATE FUNCTION ensure_quota_periods(p_tenant text[], p_at timestamptz) RETURNS void
    LANGUAGE sql AS $$
      INSERT INTO quota_period (tenant_id, account_id, period_start, period_end, limit_amount)
      SELECT a.tenant_id, a.account_id,
        CASE a.period WHEN 'total' THEN '-infinity'
          ELSE date_trunc(a.period, p_at AT TIME ZONE a.time_zone) AT TIME ZONE a.time_zone END,
        CASE a.period WHEN 'total' THEN 'infinity'
          ELSE (date_trunc(a.period, p_at AT TIME ZONE a.time_zone)
            + ('1 ' || a.period)::interval) AT TIME ZONE a.time_zone END,
        a.limit_each
      FROM quota_account AS a
      WHERE a.tenant_id = ANY (p_tenant) AND a.removed_at IS NULL
        AND NOT EXISTS (
          SELECT 1 FROM quota_period AS p
          WHERE p.tenant_id = a.tenant_id AND p.account_id = a.account_id
            AND p.period_start <= p_at AND p_at < p.period_end)
      ORDER BY a.tenant_id, a.account_id
      ON CONFLICT DO NOTHING
    $$;

    CREATE TYPE quota_ask AS (
      ord integer, tenant_id text, key_id text, model_id text, money numeric, tokens numeric);
    CREATE TYPE quota_answer AS (
      ord integer, granted boolean, leg_account uuid[], leg_period timestamptz[],
      leg_amount numeric[], scope text, scope_id text, unit text, limit_amount numeric,
      available numeric, required numeric, resets_at timestamptz);
    CREATE TYPE quota_leg AS (
      ord integer, line integer, amount numeric, account_id uuid, period_start timestamptz);
    CREATE TYPE quota_line AS (
      tenant_id text, account_id uuid, period_start timestamptz, period_end timestamptz,
      limit_amount numeric, free numeric, scope text, scope_id text, unit text);

    -- Grants each ask at all its scopes or none, in order; each quota row is written once.
    CREATE FUNCTION reserve_quota(p_asks quota_ask[]) RETURNS SETOF quota_answer
    LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    DECLARE
      v_tenants text[] := ARRAY(SELECT DISTINCT x.tenant_id FROM unnest(p_asks) AS x);
      v_lines quota_line[];
      v_legs quota_leg[];
      v_take numeric[];
      v_bad integer;
      v_refused integer[] := '{}';
      v_ask quota_ask;
      v_leg quota_leg;
      v_line quota_line;
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM quota_account AS a
        WHERE a.tenant_id = ANY (v_tenants) AND a.removed_at IS NULL) THEN
        RETURN QUERY SELECT x.ord, true, NULL::uuid[], NULL::timestamptz[], NULL::numeric[],
          NULL, NULL, NULL, NULL::numeric, NULL::numeric, NULL::numeric, NULL::timestamptz
        FROM unnest(p_asks) AS x;
        RETURN;
      END IF;
      PERFORM ensure_quota_periods(v_tenants, now());
      PERFORM 1 FROM quota_period AS p
      WHERE (p.tenant_id, p.account_id) IN (
          SELECT a.tenant_id, a.account_id FROM quota_account AS a
          JOIN unnest(p_asks) AS x ON x.tenant_id = a.tenant_id
            AND CASE a.scope WHEN 'tenant' THEN a.scope_id = x.tenant_id
              WHEN 'key' THEN a.scope_id = x.key_id ELSE a.scope_id = x.model_id END
          WHERE a.removed_at IS NULL)
        AND p.period_start <= now() AND now() < p.period_end
      ORDER BY p.tenant_id, p.account_id, p.period_start
      FOR NO KEY UPDATE;
      v_lines := ARRAY(
        SELECT ROW(p.tenant_id, p.account_id, p.period_start, p.period_end, p.limit_amount,
          p.limit_amount - p.reserved - p.settled - p.overrun, a.scope, a.scope_id,
          a.unit)::quota_line
        FROM quota_account AS a
        JOIN quota_period AS p ON p.tenant_id = a.tenant_id AND p.account_id = a.account_id
          AND p.period_start <= now() AND now() < p.period_end
        WHERE a.tenant_id = ANY (v_tenants) AND a.removed_at IS NULL
          AND EXISTS (SELECT 1 FROM unnest(p_asks) AS x WHERE x.tenant_id = a.tenant_id
            AND CASE a.scope WHEN 'tenant' THEN a.scope_id = x.tenant_id
              WHEN 'key' THEN a.scope_id = x.key_id ELSE a.scope_id = x.model_id END)
        ORDER BY p.tenant_id, p.account_id, p.period_start);
      v_legs := ARRAY(
        SELECT ROW(x.ord, l.number, CASE l.unit WHEN 'money' THEN x.money ELSE x.tokens END,
          l.account_id, l.period_start)::quota_leg
        FROM unnest(p_asks) AS x
        JOIN unnest(v_lines) WITH ORDINALITY AS l (tenant_id, account_id, period_start,
            period_end, limit_amount, free, scope, scope_id, unit, number)
          ON l.tenant_id = x.tenant_id AND CASE l.scope WHEN 'tenant' THEN true
            WHEN 'key' THEN l.scope_id = x.key_id ELSE l.scope_id = x.model_id END
        ORDER BY x.ord, l.number);
      v_take := ARRAY(
        SELECT coalesce(sum(g.amount), 0)
        FROM generate_subscripts(v_lines, 1) AS l (number)
        LEFT JOIN unnest(v_legs) AS g ON g.line = l.number
        GROUP BY l.number ORDER BY l.number);
      IF EXISTS (SELECT 1 FROM unnest(v_lines) WITH ORDINALITY AS l (tenant_id, account_id,
          period_start, period_end, limit_amount, free, scope, scope_id, unit, number)
        WHERE v_take[l.number] > l.free) THEN
        -- Not all fit: decide in order.
        v_take := array_fill(0::numeric, ARRAY[cardinality(v_lines)]);
        FOREACH v_ask IN ARRAY p_asks LOOP
          SELECT g.line INTO v_bad FROM unnest(v_legs) AS g
          WHERE g.ord = v_ask.ord AND g.amount > (v_lines[g.line]).free - v_take[g.line]
          ORDER BY g.line LIMIT 1;
          IF v_bad IS NOT NULL THEN
            v_line := v_lines[v_bad];
            v_refused := v_refused || v_ask.ord;
            RETURN NEXT ROW(v_ask.ord, false, NULL, NULL, NULL, v_line.scope, v_line.scope_id,
              v_line.unit, v_line.limit_amount, v_line.free - v_take[v_bad],
              CASE v_line.unit WHEN 'money' THEN v_ask.money ELSE v_ask.tokens END,
              nullif(v_line.period_end, 'infinity'))::quota_answer;
          ELSE
            FOR v_leg IN SELECT g.* FROM unnest(v_legs) AS g WHERE g.ord = v_ask.ord LOOP
              v_take[v_leg.line] := v_take[v_leg.line] + v_leg.amount;
            END LOOP;
          END IF;
        END LOOP;
      END IF;
      RETURN QUERY SELECT x.ord, true, array_agg(g.account_id ORDER BY g.line),
        array_agg(g.period_start ORDER BY g.line), array_agg(g.amount ORDER BY g.line),
        NULL::text, NULL::text, NULL::text, NULL::numeric, NULL::numeric, NULL::numeric,
        NULL::timestamptz
      FROM unnest(p_asks) AS x
      LEFT JOIN unnest(v_legs) AS g ON g.ord = x.ord
      WHERE NOT x.ord = ANY (v_refused)
      GROUP BY x.ord;
      UPDATE quota_period AS p SET reserved = p.reserved + t.take
      FROM unnest(v_lines) WITH ORDINALITY AS l (tenant_id, account_id, period_start,
          period_end, limit_amount, free, scope, scope_id, unit, number),
        unnest(v_take) WITH ORDINALITY AS t (take, number)
      WHERE t.number = l.number AND t.take > 0 AND p.tenant_id = l.tenant_id
        AND p.account_id = l.account_id AND p.period_start = l.period_start;
    END $$;

    -- One reservation's end. released: it was pending; else it was booked before and is corrected.
    CREATE TYPE quota_end AS (
      tenant_id text, leg_account uuid[], leg_period timestamptz[], leg_amount numeric[],
      released boolean, money numeric, tokens numeric, booked_money numeric,
      booked_tokens numeric);

    -- Settles in the periods in which it was reserved; each quota row is written once.
    CREATE FUNCTION settle_quota(p_ends quota_end[]) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM unnest(p_ends) AS e WHERE e.leg_account IS NOT NULL) THEN
        RETURN;
      END IF;
      PERFORM 1 FROM quota_period AS p
      WHERE (p.tenant_id, p.account_id, p.period_start) IN (
        SELECT e.tenant_id, l.account, l.period
        FROM unnest(p_ends) AS e, unnest(e.leg_account, e.leg_period) AS l (account, period))
      ORDER BY p.tenant_id, p.account_id, p.period_start
      FOR NO KEY UPDATE;
      UPDATE quota_period AS p
      SET reserved = p.reserved - x.released, settled = p.settled + x.settled,
        overrun = p.overrun + x.overrun
      FROM (
        SELECT y.tenant_id, y.account, y.period,
          sum(CASE WHEN y.released THEN y.amount ELSE 0 END) AS released,
          sum(least(y.actual, y.amount) - least(y.booked, y.amount)) AS settled,
          sum(greatest(y.actual - y.amount, 0) - greatest(y.booked - y.amount, 0)) AS overrun
        FROM (
          SELECT e.tenant_id, l.account, l.period, l.amount, e.released,
            CASE a.unit WHEN 'money' THEN e.money ELSE e.tokens END AS actual,
            CASE a.unit WHEN 'money' THEN e.booked_money ELSE e.booked_tokens END AS booked
          FROM unnest(p_ends) AS e
          CROSS JOIN LATERAL unnest(e.leg_account, e.leg_period, e.leg_amount)
            AS l (account, period, amount)
          JOIN quota_account AS a ON a.tenant_id = e.tenant_id AND a.account_id = l.account) AS y
        GROUP BY y.tenant_id, y.account, y.period) AS x
      WHERE p.tenant_id = x.tenant_id AND p.account_id = x.account AND p.period_start = x.period;
    END $$;
    """#
}
