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
      ord integer, line integer, amount numeric, tenant_id text, account_id uuid,
      period_start timestamptz, scope text, scope_id text, unit text);

    -- Which limits each ask falls under, in the period of now; line numbers their quota rows.
    CREATE FUNCTION quota_legs(p_asks quota_ask[]) RETURNS quota_leg[]
    LANGUAGE plpgsql STABLE AS $$
    BEGIN
      RETURN ARRAY(
        SELECT ROW(x.ord,
          dense_rank() OVER (ORDER BY a.tenant_id, a.account_id, p.period_start),
          CASE a.unit WHEN 'money' THEN x.money ELSE x.tokens END, a.tenant_id, a.account_id,
          p.period_start, a.scope, a.scope_id, a.unit)::quota_leg
        FROM unnest(p_asks) AS x
        CROSS JOIN LATERAL (VALUES ('tenant', x.tenant_id), ('key', x.key_id),
          ('model', x.model_id)) AS s (scope, id)
        JOIN quota_account AS a ON a.tenant_id = x.tenant_id AND a.scope = s.scope
          AND a.scope_id = s.id AND a.removed_at IS NULL
        LEFT JOIN LATERAL (
          SELECT q.period_start FROM quota_period AS q
          WHERE q.tenant_id = a.tenant_id AND q.account_id = a.account_id
            AND q.period_start <= now() AND now() < q.period_end
          ORDER BY q.period_start DESC LIMIT 1) AS p ON true
        ORDER BY x.ord);
    END $$;

    -- Grants each ask at all its scopes or none, in order; each quota row is written once.
    CREATE FUNCTION reserve_quota(p_asks quota_ask[]) RETURNS SETOF quota_answer
    LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    DECLARE
      v_legs quota_leg[] := quota_legs(p_asks);
      v_free numeric[];
      v_take numeric[];
      v_bad quota_leg;
      v_refused integer[] := '{}';
      v_ask quota_ask;
      v_leg quota_leg;
    BEGIN
      IF cardinality(v_legs) = 0 THEN
        RETURN QUERY SELECT x.ord, true, NULL::uuid[], NULL::timestamptz[], NULL::numeric[],
          NULL, NULL, NULL, NULL::numeric, NULL::numeric, NULL::numeric, NULL::timestamptz
        FROM unnest(p_asks) AS x;
        RETURN;
      END IF;
      IF EXISTS (SELECT 1 FROM unnest(v_legs) AS g WHERE g.period_start IS NULL) THEN
        PERFORM ensure_quota_periods(
          ARRAY(SELECT DISTINCT x.tenant_id FROM unnest(p_asks) AS x), now());
        v_legs := quota_legs(p_asks);
      END IF;
      PERFORM 1 FROM quota_period AS p
      WHERE (p.tenant_id, p.account_id, p.period_start) IN (
        SELECT g.tenant_id, g.account_id, g.period_start FROM unnest(v_legs) AS g)
      ORDER BY p.tenant_id, p.account_id, p.period_start
      FOR NO KEY UPDATE;
      SELECT array_agg(p.limit_amount - p.reserved - p.settled - p.overrun ORDER BY l.line),
        array_agg(l.amount ORDER BY l.line)
      INTO v_free, v_take
      FROM (
        SELECT g.line, g.tenant_id, g.account_id, g.period_start, sum(g.amount) AS amount
        FROM unnest(v_legs) AS g GROUP BY 1, 2, 3, 4) AS l
      JOIN quota_period AS p ON p.tenant_id = l.tenant_id AND p.account_id = l.account_id
        AND p.period_start = l.period_start;
      IF EXISTS (SELECT 1 FROM unnest(v_take, v_free) AS l (take, free)
        WHERE l.take > l.free) THEN
        -- Not all fit: decide in order.
        v_take := array_fill(0::numeric, ARRAY[cardinality(v_take)]);
        FOREACH v_ask IN ARRAY p_asks LOOP
          SELECT g.* INTO v_bad FROM unnest(v_legs) AS g
          WHERE g.ord = v_ask.ord AND g.amount > v_free[g.line] - v_take[g.line]
          ORDER BY g.line LIMIT 1;
          IF v_bad.line IS NOT NULL THEN
            v_refused := v_refused || v_ask.ord;
            RETURN QUERY SELECT v_ask.ord, false, NULL::uuid[], NULL::timestamptz[],
              NULL::numeric[], v_bad.scope, v_bad.scope_id, v_bad.unit, p.limit_amount,
              v_free[v_bad.line] - v_take[v_bad.line], v_bad.amount,
              nullif(p.period_end, 'infinity')
            FROM quota_period AS p
            WHERE p.tenant_id = v_bad.tenant_id AND p.account_id = v_bad.account_id
              AND p.period_start = v_bad.period_start;
          ELSE
            FOR v_leg IN SELECT g.* FROM unnest(v_legs) AS g WHERE g.ord = v_ask.ord LOOP
              v_take[v_leg.line] := v_take[v_leg.line] + v_leg.amount;
            END LOOP;
          END IF;
        END LOOP;
      END IF;
      RETURN QUERY SELECT x.ord, true, g.accounts, g.periods, g.amounts,
        NULL::text, NULL::text, NULL::text, NULL::numeric, NULL::numeric, NULL::numeric,
        NULL::timestamptz
      FROM unnest(p_asks) AS x
      LEFT JOIN (
        SELECT l.ord, array_agg(l.account_id ORDER BY l.line) AS accounts,
          array_agg(l.period_start ORDER BY l.line) AS periods,
          array_agg(l.amount ORDER BY l.line) AS amounts
        FROM unnest(v_legs) AS l GROUP BY l.ord) AS g ON g.ord = x.ord
      WHERE NOT x.ord = ANY (v_refused);
      UPDATE quota_period AS p SET reserved = p.reserved + v_take[l.line]
      FROM (SELECT DISTINCT g.line, g.tenant_id, g.account_id, g.period_start
        FROM unnest(v_legs) AS g) AS l
      WHERE v_take[l.line] > 0 AND p.tenant_id = l.tenant_id
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
