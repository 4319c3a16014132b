/// Conversations, their messages, and the requests that made them.
///
/// - Source: DESIGN §5. `tenant_id` leads every key; columns that a turn changes are not indexed,
///   so that their updates stay on the page (HOT).
extension Schema {
  static let conversationTables = #"""
    -- token_sum: tokens of messages that are not failed, up to last_seq.
    -- view_tokens_bound: what the view may cost at most, before the budget caps it.
    CREATE TABLE conversation (
      tenant_id         text COLLATE "C" NOT NULL,
      conversation_id   text COLLATE "C" NOT NULL,
      key_id            text COLLATE "C" NOT NULL,
      model_id          text COLLATE "C" NOT NULL,
      vocabulary        text NOT NULL,
      policy            bytea NOT NULL,
      metadata          bytea,
      system_body       bytea,
      system_tokens     bigint NOT NULL CHECK (system_tokens >= 0),
      segment_id        uuid NOT NULL,
      ttl               interval NOT NULL,
      created_at        timestamptz NOT NULL DEFAULT now(),
      version           bigint NOT NULL DEFAULT 1,
      last_seq          bigint NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
      token_sum         bigint NOT NULL DEFAULT 0 CHECK (token_sum >= 0),
      view_tokens_bound bigint NOT NULL CHECK (view_tokens_bound >= 0),
      context_epoch     bigint NOT NULL DEFAULT 0,
      open_tool_calls   text[],
      open_group_seq    bigint,
      running_turn      uuid,
      last_turn_at      timestamptz,
      expires_at        timestamptz NOT NULL,
      deleted_at        timestamptz,
      PRIMARY KEY (tenant_id, conversation_id),
      CHECK ((open_tool_calls IS NULL) = (open_group_seq IS NULL))
    ) WITH (fillfactor = 60);
    CREATE INDEX conversation_created ON conversation (tenant_id, created_at, conversation_id);

    -- A branch continues its parent after fork_seq; a conversation's first segment has no parent.
    CREATE TABLE segment (
      tenant_id         text COLLATE "C" NOT NULL,
      segment_id        uuid NOT NULL,
      conversation_id   text COLLATE "C" NOT NULL,
      parent_segment_id uuid,
      fork_seq          bigint NOT NULL DEFAULT 0 CHECK (fork_seq >= 0),
      depth             smallint NOT NULL DEFAULT 0 CHECK (depth BETWEEN 0 AND 32),
      created_at        timestamptz NOT NULL DEFAULT now(),
      hidden_at         timestamptz,
      PRIMARY KEY (tenant_id, segment_id),
      CHECK ((parent_segment_id IS NULL) = (depth = 0))
    );

    -- body: what the server encodes; opaque here. group_seq: the group's first sequence number.
    -- tokens_before: tokens of the messages before this one that are not failed.
    CREATE TABLE message (
      tenant_id     text COLLATE "C" NOT NULL,
      segment_id    uuid NOT NULL,
      seq           bigint NOT NULL CHECK (seq > 0),
      group_seq     bigint NOT NULL,
      tokens        bigint NOT NULL CHECK (tokens >= 0),
      tokens_before bigint NOT NULL CHECK (tokens_before >= 0),
      created_at    timestamptz NOT NULL DEFAULT now(),
      generation_id uuid,
      role          text NOT NULL
        CHECK (role IN ('system', 'developer', 'user', 'assistant', 'tool')),
      state         text NOT NULL CHECK (state IN ('active', 'failed')),
      vocabulary    text NOT NULL,
      count_method  text NOT NULL,
      name          text,
      tool_call_id  text,
      body          bytea NOT NULL,
      metadata      bytea,
      PRIMARY KEY (tenant_id, segment_id, seq),
      CHECK (group_seq BETWEEN 1 AND seq)
    );

    CREATE TABLE pin (
      tenant_id       text COLLATE "C" NOT NULL,
      conversation_id text COLLATE "C" NOT NULL,
      seq             bigint NOT NULL,
      pinned_at       timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (tenant_id, conversation_id, seq)
    );

    -- A node of the summary tree: immutable, over messages first_seq to last_seq of a segment.
    CREATE TABLE summary_node (
      tenant_id      text COLLATE "C" NOT NULL,
      segment_id     uuid NOT NULL,
      node_id        uuid NOT NULL,
      level          smallint NOT NULL CHECK (level >= 0),
      first_seq      bigint NOT NULL,
      last_seq       bigint NOT NULL,
      tokens         bigint NOT NULL CHECK (tokens >= 0),
      vocabulary     text NOT NULL,
      count_method   text NOT NULL,
      prompt_version text NOT NULL,
      body           bytea NOT NULL,
      generation_id  uuid,
      created_at     timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (tenant_id, segment_id, node_id),
      CHECK (first_seq BETWEEN 1 AND last_seq)
    );

    -- The rows that a view is rendered from: nodes, pins, and the tail from tail_from_seq.
    CREATE TABLE context_epoch (
      tenant_id       text COLLATE "C" NOT NULL,
      conversation_id text COLLATE "C" NOT NULL,
      epoch           bigint NOT NULL CHECK (epoch > 0),
      segment_id      uuid NOT NULL,
      model_id        text NOT NULL,
      vocabulary      text NOT NULL,
      node_ids        uuid[] NOT NULL,
      pins            bigint[] NOT NULL,
      tail_from_seq   bigint NOT NULL CHECK (tail_from_seq > 0),
      inputs          bytea NOT NULL,
      plan_hash       bytea NOT NULL,
      created_at      timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (tenant_id, conversation_id, epoch)
    );

    -- The claim of a request id and the first result; never changed. An operation without a
    -- caller's id is claimed under '~' and its operation id, so that repeating it is harmless.
    CREATE TABLE request (
      tenant_id       text COLLATE "C" NOT NULL,
      key_id          text COLLATE "C" NOT NULL,
      request_id      text COLLATE "C" NOT NULL,
      method          text NOT NULL,
      payload_hash    bytea NOT NULL,
      conversation_id text COLLATE "C" NOT NULL,
      generation_id   uuid,
      first_seq       bigint,
      last_seq        bigint,
      created_at      timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (tenant_id, key_id, request_id)
    );
    """#
}
