internal import Postgres

/// A conversation's row.
public struct Conversation: Sendable, Equatable {
  public var tenant: String
  public var id: String
  public var key: String
  /// These four never change, and may be cached.
  public var model: String
  public var vocabulary: String
  public var system: [UInt8]?
  public var policy: [UInt8]
  public var metadata: [UInt8]?
  public var systemTokens: Int64
  public var segment: RowID
  public var version: Int64
  public var lastSeq: Int64
  /// Tokens of the messages that are not failed.
  public var tokenSum: Int64
  /// What the view may cost at most, before the budget caps it.
  public var viewTokensBound: Int64
  public var openToolCalls: [String]
  public var runningTurn: RowID?
  public var createdAt: Timestamp
  public var lastTurnAt: Timestamp?
  public var expiresAt: Timestamp
  public var deletedAt: Timestamp?
  /// Past its time, with no turn running.
  public var isExpired: Bool
}

/// Which conversations a list gives.
public struct ConversationFilter: Sendable {
  public enum State: String, Sendable { case active, expired, any }

  public var state: State
  public var createdFrom: Timestamp?
  public var createdBefore: Timestamp?

  public init(
    state: State = .active, createdFrom: Timestamp? = nil, createdBefore: Timestamp? = nil
  ) {
    self.state = state
    self.createdFrom = createdFrom
    self.createdBefore = createdBefore
  }
}

extension Store {
  public func createConversation(
    _ operation: CreateConversation
  ) async throws(StoreError) -> CreateOutcome {
    try await submit(operation)
  }

  public func appendMessages(
    _ operation: AppendMessages
  ) async throws(StoreError) -> AppendOutcome {
    try await submit(operation)
  }

  /// One conversation, also a deleted or expired one; nil if there is none.
  public func conversation(
    tenant: String, id: String
  ) async throws(StoreError) -> Conversation? {
    var p = Parameters()
    p.text(tenant)
    p.text(id)
    let rows = try await query(Self.getConversation, p)
    return rows.count == 0 ? nil : Conversation(rows[0])
  }

  /// Newest first, deleted ones left out; a page begins after the conversation `after`.
  public func conversations(
    tenant: String, _ filter: ConversationFilter,
    after: (createdAt: Timestamp, id: String)? = nil, limit: Int
  ) async throws(StoreError) -> [Conversation] {
    var p = Parameters()
    p.text(tenant)
    p.text(filter.state.rawValue)
    p.timestamp(filter.createdFrom?.microseconds)
    p.timestamp(filter.createdBefore?.microseconds)
    p.timestamp(after?.createdAt.microseconds)
    p.text(after?.id)
    p.int32(Int32(clamping: limit))
    return try await query(Self.listConversations, p).map { Conversation($0) }
  }

  /// Raw history, failed messages included, ascending.
  public func messages(
    tenant: String, conversation: String, after seq: Int64, limit: Int
  ) async throws(StoreError) -> [StoredMessage] {
    var p = Parameters()
    p.text(tenant)
    p.text(conversation)
    p.int64(seq)
    p.int32(Int32(clamping: limit))
    return try await query(Self.listMessages, p).map { StoredMessage($0, from: 0) }
  }

  private static let columns = """
    SELECT c.tenant_id, c.conversation_id, c.key_id, c.model_id, c.vocabulary, c.system_body,
      c.policy, c.metadata, c.system_tokens, c.segment_id, c.version, c.last_seq, c.token_sum,
      c.view_tokens_bound, coalesce(c.open_tool_calls, '{}'), c.running_turn, c.created_at,
      c.last_turn_at, c.expires_at, c.deleted_at,
      c.expires_at <= now() AND c.running_turn IS NULL
    FROM conversation AS c
    """
  private static let getConversation = Statement(
    name: "get_conversation",
    sql: columns + " WHERE c.tenant_id = $1 AND c.conversation_id = $2")
  private static let listConversations = Statement(
    name: "list_conversations",
    sql: columns + """
       WHERE c.tenant_id = $1 AND c.deleted_at IS NULL
        AND ($2::text = 'any'
          OR ($2 = 'expired') = (c.expires_at <= now() AND c.running_turn IS NULL))
        AND ($3::timestamptz IS NULL OR c.created_at >= $3)
        AND ($4::timestamptz IS NULL OR c.created_at < $4)
        AND ($5::timestamptz IS NULL OR (c.created_at, c.conversation_id) < ($5, $6))
      ORDER BY c.created_at DESC, c.conversation_id DESC
      LIMIT $7::integer
      """)
  private static let listMessages = Statement(
    name: "list_messages",
    sql: """
      SELECT m.seq, m.group_seq, m.role, m.name, m.tool_call_id, m.body, m.metadata, m.tokens,
        m.vocabulary, m.count_method, m.state, m.created_at, m.generation_id
      FROM list_messages($1, $2, $3, $4) AS m
      """)
}

extension Conversation {
  init(_ row: Row) {
    tenant = row.text(0)
    id = row.text(1)
    key = row.text(2)
    model = row.text(3)
    vocabulary = row.text(4)
    system = row.optional(5) { $0.bytes($1) }
    policy = row.bytes(6)
    metadata = row.optional(7) { $0.bytes($1) }
    systemTokens = row.int64(8)
    segment = RowID(row.uuid(9))
    version = row.int64(10)
    lastSeq = row.int64(11)
    tokenSum = row.int64(12)
    viewTokensBound = row.int64(13)
    openToolCalls = row.texts(14)
    runningTurn = row.optional(15) { RowID($0.uuid($1)) }
    createdAt = Timestamp(microseconds: row.timestamp(16))
    lastTurnAt = row.optional(17) { Timestamp(microseconds: $0.timestamp($1)) }
    expiresAt = Timestamp(microseconds: row.timestamp(18))
    deletedAt = row.optional(19) { Timestamp(microseconds: $0.timestamp($1)) }
    isExpired = row.bool(20)
  }
}
