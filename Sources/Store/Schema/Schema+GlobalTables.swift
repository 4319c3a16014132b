/// Tables that every tenant shares: small, read through the configuration snapshot.
///
/// - Source: DESIGN §5. On a distributed engine these are reference tables.
extension Schema {
  static let globalTables = #"""
    CREATE TABLE config_version (
      only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      version    bigint NOT NULL CHECK (version > 0),
      changed_at timestamptz NOT NULL DEFAULT now()
    );
    INSERT INTO config_version (version) VALUES (1);

    CREATE TABLE tenant (
      tenant_id    text COLLATE "C" PRIMARY KEY CHECK (tenant_id ~ '^[A-Za-z0-9._-]{1,128}$'),
      name         text NOT NULL,
      currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
      suspended_at timestamptz,
      created_at   timestamptz NOT NULL DEFAULT now()
    );

    CREATE TABLE api_key (
      key_id         text COLLATE "C" PRIMARY KEY CHECK (key_id ~ '^[A-Za-z0-9._-]{1,128}$'),
      tenant_id      text COLLATE "C" NOT NULL REFERENCES tenant,
      name           text NOT NULL,
      scopes         text[] NOT NULL,
      allowed_models text[],
      expires_at     timestamptz,
      revoked_at     timestamptz,
      created_at     timestamptz NOT NULL DEFAULT now()
    );

    -- Two slots, so that a new secret overlaps the old one while callers change over.
    CREATE TABLE api_key_secret (
      key_id      text COLLATE "C" NOT NULL REFERENCES api_key,
      slot        smallint NOT NULL CHECK (slot IN (1, 2)),
      secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) >= 32),
      expires_at  timestamptz,
      created_at  timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (key_id, slot)
    );

    CREATE TABLE model (
      model_id          text COLLATE "C" PRIMARY KEY,
      vocabulary        text NOT NULL,
      window_tokens     bigint NOT NULL CHECK (window_tokens > 0),
      output_tokens_max bigint CHECK (output_tokens_max > 0),
      extra_fields      text[] NOT NULL DEFAULT '{}',
      created_at        timestamptz NOT NULL DEFAULT now()
    );

    CREATE TABLE relay (
      relay_id    text COLLATE "C" PRIMARY KEY,
      base_url    text NOT NULL,
      credential  text NOT NULL,
      weight      integer NOT NULL DEFAULT 100 CHECK (weight >= 0),
      settings    jsonb NOT NULL DEFAULT '{}',
      disabled_at timestamptz,
      created_at  timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE relay_model (
      relay_id       text COLLATE "C" NOT NULL REFERENCES relay,
      model_id       text COLLATE "C" NOT NULL,
      upstream_model text NOT NULL,
      PRIMARY KEY (relay_id, model_id)
    );

    -- Immutable once published; the set in force is the newest that has started.
    CREATE TABLE price_set (
      price_set_id uuid PRIMARY KEY,
      book         text NOT NULL CHECK (book IN ('list', 'contracted')),
      currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
      starts_at    timestamptz NOT NULL,
      published_at timestamptz NOT NULL DEFAULT now(),
      published_by text NOT NULL,
      provenance   text NOT NULL,
      source_hash  bytea NOT NULL,
      UNIQUE (book, currency, starts_at)
    );
    -- price: micro-currency per 1,000,000 tokens, which is pico-currency per token.
    CREATE TABLE price (
      price_set_id uuid NOT NULL REFERENCES price_set,
      model_id     text COLLATE "C" NOT NULL,
      token_class  text NOT NULL
        CHECK (token_class IN ('input', 'cache_read', 'cache_write', 'output', 'reasoning')),
      service_tier text NOT NULL,
      prompt_from  bigint NOT NULL CHECK (prompt_from >= 0),
      marginal     boolean NOT NULL,
      price        bigint NOT NULL CHECK (price >= 0),
      derived_from text,
      PRIMARY KEY (price_set_id, model_id, service_tier, token_class, prompt_from)
    );

    CREATE TABLE fx_rate (
      base_currency  text NOT NULL CHECK (base_currency ~ '^[A-Z]{3}$'),
      quote_currency text NOT NULL CHECK (quote_currency ~ '^[A-Z]{3}$'),
      as_of          timestamptz NOT NULL,
      rate           numeric NOT NULL CHECK (rate > 0),
      provenance     text NOT NULL,
      PRIMARY KEY (base_currency, quote_currency, as_of)
    );

    -- One row per process. A lease that has lapsed is never revived: the process takes a new
    -- incarnation. No turn of this incarnation that began before oldest_running still runs.
    CREATE TABLE replica (
      incarnation    uuid PRIMARY KEY,
      replica_id     text NOT NULL,
      lease_until    timestamptz NOT NULL,
      oldest_running uuid,
      started_at     timestamptz NOT NULL DEFAULT now()
    ) WITH (fillfactor = 50);

    -- Who changed what. Append-only; the subject is an id, never a secret or a text of a caller.
    CREATE TABLE audit_log (
      audit_id       uuid PRIMARY KEY,
      tenant_id      text COLLATE "C",
      at             timestamptz NOT NULL DEFAULT now(),
      actor          text NOT NULL,
      action         text NOT NULL,
      subject        text NOT NULL,
      config_version bigint NOT NULL,
      detail         jsonb NOT NULL DEFAULT '{}'
    );
    CREATE INDEX audit_log_at ON audit_log (at, audit_id);
    """#
}
