public import Postgres

/// Creates a conversation, with or without first messages.
public struct CreateConversation: Sendable {
  public var request: RequestKey
  /// Minted by the caller before the first sending.
  public var operation: RowID
  public var conversation: String
  public var segment: RowID
  public var model: String
  public var vocabulary: String
  public var system: [UInt8]?
  public var systemTokens: Int64
  public var policy: [UInt8]
  public var metadata: [UInt8]?
  public var ttl: Duration
  public var messages: [NewMessage]

  public init(
    request: RequestKey, operation: RowID, conversation: String, segment: RowID, model: String,
    vocabulary: String, system: [UInt8]?, systemTokens: Int64, policy: [UInt8],
    metadata: [UInt8]?, ttl: Duration, messages: [NewMessage]
  ) {
    self.request = request
    self.operation = operation
    self.conversation = conversation
    self.segment = segment
    self.model = model
    self.vocabulary = vocabulary
    self.system = system
    self.systemTokens = systemTokens
    self.policy = policy
    self.metadata = metadata
    self.ttl = ttl
    self.messages = messages
  }
}

public enum CreateOutcome: Sendable, Equatable {
  /// `replayed`: it was created by an earlier sending of the same request.
  case created(createdAt: Timestamp, lastSeq: Int64, replayed: Bool)
  case exists
  case refused(Refusal)
}

extension CreateConversation: BatchOperation {
  public typealias Outcome = CreateOutcome

  public static let statement = Statement.function("create_conversations", parameters: 24)

  public static func parameters(_ operations: [Self]) -> Parameters {
    var p = Parameters()
    p.texts(operations.map { $0.request.tenant })
    p.texts(operations.map { $0.conversation })
    p.texts(operations.map { $0.request.key })
    p.texts(operations.map { $0.request.claim($0.operation) })
    p.byteas(operations.map { $0.request.hash })
    p.uuids(operations.map { $0.segment.pair })
    p.texts(operations.map { $0.model })
    p.texts(operations.map { $0.vocabulary })
    p.byteas(operations.map { $0.system })
    p.int64s(operations.map { $0.systemTokens })
    p.byteas(operations.map { $0.policy })
    p.byteas(operations.map { $0.metadata })
    p.int64s(operations.map { $0.ttl.components.seconds })
    let messages = operations.map { $0.messages }
    p.messages(messages)
    p.toolCalls(messages)
    return p
  }

  public static func outcomes(
    _ operations: [Self], _ rows: Rows, followUp: Rows?
  ) -> [CreateOutcome] {
    rows.ordered(operations.count) { row in
      switch row.text(1) {
      case let outcome where outcome == "created" || outcome == "replayed":
        .created(
          createdAt: Timestamp(microseconds: row.timestamp(3)), lastSeq: row.int64(2),
          replayed: outcome == "replayed")
      case "exists": .exists
      case let outcome:
        .refused(
          Refusal(
            outcome, generation: RowID(high: 0, low: 0), lastSeq: 0, index: Int(row.int32(4)),
            ids: row.optional(5) { $0.texts($1) } ?? [])!)
      }
    }
  }

  public var weightBytes: Int {
    messages.reduce((system?.count ?? 0) + policy.count + 512) { $0 + $1.weightBytes }
  }
}
