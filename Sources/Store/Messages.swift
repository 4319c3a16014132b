internal import Postgres

/// A message to append.
public struct NewMessage: Sendable, Equatable {
  /// system, developer, user, assistant or tool.
  public var role: String
  public var name: String?
  /// Of a tool result: the call that it answers.
  public var toolCallID: String?
  /// What the server encodes; opaque to the store.
  public var body: [UInt8]
  public var metadata: [UInt8]?
  /// Tokens of the message in its vocabulary, its overhead included.
  public var tokens: Int64
  public var vocabulary: String
  /// How they were counted: bytes_upper_bound, estimate or exact.
  public var method: String
  /// Of an assistant's message: ids of the calls that it makes.
  public var toolCalls: [String]

  public init(
    role: String, name: String? = nil, toolCallID: String? = nil, body: [UInt8],
    metadata: [UInt8]? = nil, tokens: Int64, vocabulary: String, method: String,
    toolCalls: [String] = []
  ) {
    self.role = role
    self.name = name
    self.toolCallID = toolCallID
    self.body = body
    self.metadata = metadata
    self.tokens = tokens
    self.vocabulary = vocabulary
    self.method = method
    self.toolCalls = toolCalls
  }

  var weightBytes: Int { body.count + (metadata?.count ?? 0) + 256 }
}

/// A message as stored.
public struct StoredMessage: Sendable, Equatable {
  public enum State: String, Sendable { case active, failed }

  /// Dense from 1.
  public var seq: Int64
  /// The sequence number of the first message of its group.
  public var groupSeq: Int64
  public var role: String
  public var name: String?
  public var toolCallID: String?
  public var body: [UInt8]
  public var metadata: [UInt8]?
  public var tokens: Int64
  public var vocabulary: String
  public var method: String
  public var state: State
  public var createdAt: Timestamp
  /// The turn that appended it, if one did.
  public var generation: RowID?

  /// Columns as in `read_views`, from `first`.
  init(_ row: Row, from first: Int) {
    seq = row.int64(first)
    groupSeq = row.int64(first + 1)
    role = row.text(first + 2)
    name = row.optional(first + 3) { $0.text($1) }
    toolCallID = row.optional(first + 4) { $0.text($1) }
    body = row.bytes(first + 5)
    metadata = row.optional(first + 6) { $0.bytes($1) }
    tokens = row.int64(first + 7)
    vocabulary = row.text(first + 8)
    method = row.text(first + 9)
    state = State(rawValue: row.text(first + 10))!
    createdAt = Timestamp(microseconds: row.timestamp(first + 11))
    generation = row.optional(first + 12) { RowID($0.uuid($1)) }
  }
}

/// Who asks, and under which id a repeat is known.
public struct RequestKey: Sendable, Equatable {
  public var tenant: String
  public var key: String
  /// The caller's request id, if it gave one.
  public var request: String?
  /// Hash of the canonical request.
  public var hash: [UInt8]

  public init(tenant: String, key: String, request: String?, hash: [UInt8]) {
    self.tenant = tenant
    self.key = key
    self.request = request
    self.hash = hash
  }

  /// The claimed id. A caller's id never begins with '~'.
  func claim(_ operation: RowID) -> String { request ?? "~\(operation)" }
}

/// Why an operation on a conversation was refused; nothing was stored.
public enum Refusal: Sendable, Equatable {
  case requestMismatch
  case conversationNotFound
  case conversationDeleted
  case conversationExpired
  case turnInProgress(generation: RowID)
  case conversationChanged(lastSeq: Int64)
  /// Open tool calls: only their results may be appended, and no turn may begin.
  case toolResultsMissing(ids: [String])
  /// A tool result that no open call asked for; which of the operation's messages.
  case orphanToolResult(message: Int)

  /// Nil for an outcome that is not a refusal.
  init?(
    _ outcome: String, generation: @autoclosure () -> RowID, lastSeq: @autoclosure () -> Int64,
    index: @autoclosure () -> Int, ids: @autoclosure () -> [String]
  ) {
    switch outcome {
    case "request_mismatch": self = .requestMismatch
    case "conversation_not_found": self = .conversationNotFound
    case "conversation_deleted": self = .conversationDeleted
    case "conversation_expired": self = .conversationExpired
    case "turn_in_progress": self = .turnInProgress(generation: generation())
    case "conversation_changed": self = .conversationChanged(lastSeq: lastSeq())
    case "tool_results_missing": self = .toolResultsMissing(ids: ids())
    case "orphan_tool_result": self = .orphanToolResult(message: index() - 1)
    default: return nil
    }
  }
}

extension Parameters {
  /// The messages of several operations as the arrays `m_op` to `m_method`.
  mutating func messages(_ operations: [[NewMessage]]) {
    let all = operations.joined()
    int32s(
      operations.enumerated().flatMap { index, messages in
        messages.map { _ in Int32(index + 1) }
      })
    texts(all.map { $0.role })
    texts(all.map { $0.name })
    texts(all.map { $0.toolCallID })
    byteas(all.map { $0.body })
    byteas(all.map { $0.metadata })
    int64s(all.map { $0.tokens })
    texts(all.map { $0.vocabulary })
    texts(all.map { $0.method })
  }

  /// Their tool calls as the arrays `c_message` (numbered over all operations) and `c_id`.
  mutating func toolCalls(_ operations: [[NewMessage]]) {
    let calls = operations.joined().enumerated().flatMap { index, message in
      message.toolCalls.map { (Int32(index + 1), $0) }
    }
    int32s(calls.map { $0.0 })
    texts(calls.map { $0.1 })
  }
}

extension Statement {
  /// `SELECT * FROM function($1, …)`.
  static func function(_ name: String, parameters count: Int) -> Statement {
    let places = (1...count).map { "$\($0)" }.joined(separator: ", ")
    return Statement(name: name, sql: "SELECT * FROM \(name)(\(places))")
  }
}

extension Rows {
  /// One value per operation, from rows whose first column is the operation's number from 1.
  func ordered<T>(_ count: Int, _ body: (Row) -> T) -> [T] {
    var values = [T?](repeating: nil, count: count)
    for index in 0..<self.count {
      let row = self[index]
      values[Int(row.int32(0)) - 1] = body(row)
    }
    return values.map { $0! }
  }
}
