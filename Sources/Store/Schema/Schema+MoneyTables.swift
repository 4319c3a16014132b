/// Turns, their attempts, quotas and the ledger.
///
/// - Units: amounts are pico-currency in `numeric`; prices pico-currency per token in `bigint`.
/// - Source: DESIGN §4 and §5. The ledger references no row that can be deleted.
extension Schema {
  static let turnTables = #"""
    -- reserved_*: the lines of the worst case; leg_*: the quota rows that hold it.
    CREATE TABLE turn (
      tenant_id         text COLLATE "C" NOT NULL,
      generation_id     uuid NOT NULL,
      conversation_id   text COLLATE "C" NOT NULL,
      segment_id        uuid NOT NULL,
      key_id            text COLLATE "C" NOT NULL,
      request_id        text COLLATE "C" NOT NULL,
      kind              text NOT NULL DEFAULT 'generate' CHECK (kind IN ('generate', 'summarize')),
      incarnation       uuid NOT NULL,
      config_version    bigint NOT NULL,
      model_id          text NOT NULL,
      currency          text NOT NULL,
      first_seq         bigint,
      last_seq          bigint NOT NULL,
      message_tokens    bigint NOT NULL,
      open_before       text[],
      open_group_before bigint,
      attempt_id        uuid NOT NULL,
      relay_id          text NOT NULL,
      upstream_model    text NOT NULL,
      service_tier      text NOT NULL,
      contracted_set    uuid NOT NULL,
      list_set          uuid,
      bound_tokens      bigint NOT NULL,
      output_tokens_max bigint NOT NULL,
      reserved          numeric NOT NULL CHECK (reserved >= 0),
      reserved_class    text[] NOT NULL,
      reserved_quantity bigint[] NOT NULL,
      reserved_price    bigint[] NOT NULL,
      leg_account       uuid[],
      leg_period        timestamptz[],
      leg_amount        numeric[],
      started_at        timestamptz NOT NULL DEFAULT now(),
      state             text NOT NULL CHECK (state IN ('running', 'finished', 'failed', 'unknown')),
      reservation       text NOT NULL CHECK (reservation IN ('pending', 'settled', 'voided')),
      attempts          smallint NOT NULL DEFAULT 1,
      stop_requested_at timestamptz,
      finished_at       timestamptz,
      late_at           timestamptz,
      answer_seq        bigint,
      error_reason      text,
      result            bytea,
      orphan            bytea,
      quarantine        bytea,
      PRIMARY KEY (tenant_id, generation_id),
      CHECK ((state = 'running') = (finished_at IS NULL))
    ) WITH (fillfactor = 40);
    CREATE INDEX turn_incarnation ON turn (incarnation, generation_id);

    -- Attempts after the first. One without legs of its own runs on the reservation before it.
    CREATE TABLE attempt (
      tenant_id      text COLLATE "C" NOT NULL,
      generation_id  uuid NOT NULL,
      attempt_number smallint NOT NULL CHECK (attempt_number > 1),
      attempt_id     uuid NOT NULL,
      relay_id       text NOT NULL,
      upstream_model text NOT NULL,
      service_tier   text NOT NULL,
      reserves       boolean NOT NULL,
      reserved       numeric NOT NULL,
      leg_account    uuid[],
      leg_period     timestamptz[],
      leg_amount     numeric[],
      started_at     timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (tenant_id, generation_id, attempt_number)
    );

    -- What a running stream has said so far.
    CREATE TABLE turn_delta (
      tenant_id     text COLLATE "C" NOT NULL,
      generation_id uuid NOT NULL,
      delta_seq     bigint NOT NULL CHECK (delta_seq > 0),
      body          bytea NOT NULL,
      PRIMARY KEY (tenant_id, generation_id, delta_seq)
    );
    """#

  static let quotaTables = #"""
    CREATE TABLE quota_account (
      tenant_id  text COLLATE "C" NOT NULL,
      account_id uuid NOT NULL,
      scope      text NOT NULL CHECK (scope IN ('tenant', 'key', 'model')),
      scope_id   text COLLATE "C" NOT NULL,
      unit       text NOT NULL CHECK (unit IN ('money', 'tokens')),
      period     text NOT NULL CHECK (period IN ('day', 'week', 'month', 'total')),
      time_zone  text NOT NULL,
      limit_each numeric NOT NULL CHECK (limit_each >= 0),
      created_at timestamptz NOT NULL DEFAULT now(),
      removed_at timestamptz,
      PRIMARY KEY (tenant_id, account_id),
      UNIQUE (tenant_id, scope, scope_id, unit, period)
    );

    -- A call is admitted when reserved + settled + overrun + its worst case <= limit_amount.
    CREATE TABLE quota_period (
      tenant_id    text COLLATE "C" NOT NULL,
      account_id   uuid NOT NULL,
      period_start timestamptz NOT NULL,
      period_end   timestamptz NOT NULL,
      limit_amount numeric NOT NULL,
      reserved     numeric NOT NULL DEFAULT 0 CHECK (reserved >= 0),
      settled      numeric NOT NULL DEFAULT 0,
      overrun      numeric NOT NULL DEFAULT 0 CHECK (overrun >= 0),
      PRIMARY KEY (tenant_id, account_id, period_start),
      CHECK (period_start < period_end)
    ) WITH (fillfactor = 25);
    """#

  static let ledgerTables = #"""
    -- Whether every line's costs are quantity x price, and the totals are the lines' sums.
    CREATE FUNCTION lines_agree(
      class text[], quantity bigint[], price bigint[], line_cost numeric[],
      list_price bigint[], line_list_cost numeric[], source text[],
      cost numeric, list_cost numeric)
    RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    DECLARE
      n integer := cardinality(class);
      total numeric := 0;
      list_total numeric := 0;
    BEGIN
      IF cardinality(quantity) <> n OR cardinality(price) <> n OR cardinality(line_cost) <> n
        OR cardinality(list_price) <> n OR cardinality(line_list_cost) <> n
        OR cardinality(source) <> n THEN
        RETURN false;
      END IF;
      FOR i IN 1..n LOOP
        IF (line_cost[i] = quantity[i]::numeric * price[i]) IS NOT TRUE
          OR (line_list_cost[i] = quantity[i]::numeric * list_price[i]) IS NOT TRUE
          OR (class[i] IN ('input', 'cache_read', 'cache_write', 'output', 'reasoning'))
            IS NOT TRUE
          OR (source[i] IN ('upstream', 'counted', 'estimated')) IS NOT TRUE THEN
          RETURN false;
        END IF;
        total := total + line_cost[i];
        list_total := list_total + line_list_cost[i];
      END LOOP;
      RETURN cost = total AND list_cost = list_total;
    END $$;

    -- The ledger: one row per generation, attempt and kind; event_number tells corrections apart.
    CREATE TABLE usage_event (
      tenant_id           text COLLATE "C" NOT NULL,
      generation_id       uuid NOT NULL,
      attempt_number      smallint NOT NULL,
      kind                text NOT NULL CHECK (kind IN
        ('generate', 'retry', 'abandoned', 'summarize', 'unknown', 'correction')),
      event_number        smallint NOT NULL DEFAULT 0,
      occurred_at         timestamptz NOT NULL DEFAULT now(),
      attempt_id          uuid NOT NULL,
      conversation_id     text COLLATE "C" NOT NULL,
      key_id              text COLLATE "C" NOT NULL,
      model_id            text NOT NULL,
      model_answered      text,
      relay_id            text NOT NULL,
      upstream_request_id text,
      service_tier        text NOT NULL,
      currency            text NOT NULL,
      outcome             text NOT NULL CHECK (outcome IN ('known', 'estimated', 'unknown')),
      contracted_set      uuid NOT NULL,
      list_set            uuid,
      line_class          text[] NOT NULL,
      line_quantity       bigint[] NOT NULL,
      line_price          bigint[] NOT NULL,
      line_cost           numeric[] NOT NULL,
      line_list_price     bigint[] NOT NULL,
      line_list_cost      numeric[] NOT NULL,
      line_source         text[] NOT NULL,
      cost                numeric NOT NULL,
      list_cost           numeric NOT NULL,
      PRIMARY KEY (tenant_id, generation_id, attempt_number, kind, event_number),
      CHECK (lines_agree(line_class, line_quantity, line_price, line_cost, line_list_price,
        line_list_cost, line_source, cost, list_cost))
    );
    CREATE INDEX usage_event_time ON usage_event (tenant_id, occurred_at);

    CREATE TABLE usage_hour (
      tenant_id    text COLLATE "C" NOT NULL,
      hour         timestamptz NOT NULL,
      key_id       text COLLATE "C" NOT NULL,
      model_id     text COLLATE "C" NOT NULL,
      relay_id     text COLLATE "C" NOT NULL,
      service_tier text NOT NULL,
      kind         text NOT NULL,
      token_class  text NOT NULL,
      price        bigint NOT NULL,
      list_price   bigint NOT NULL,
      currency     text NOT NULL,
      events       bigint NOT NULL,
      quantity     numeric NOT NULL,
      cost         numeric NOT NULL,
      list_cost    numeric NOT NULL,
      PRIMARY KEY (tenant_id, hour, key_id, model_id, relay_id, service_tier, kind,
        token_class, price, list_price),
      CHECK (cost = quantity * price AND list_cost = quantity * list_price)
    );

    CREATE TABLE billing_period (
      tenant_id    text COLLATE "C" NOT NULL,
      period_start timestamptz NOT NULL,
      period_end   timestamptz NOT NULL,
      closed_at    timestamptz,
      closed_by    text,
      total_cost   numeric,
      export_hash  bytea,
      PRIMARY KEY (tenant_id, period_start),
      CHECK (period_start < period_end)
    );
    """#
}
