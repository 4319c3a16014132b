public import Postgres

/// Appends messages of any role to a conversation.
public struct AppendMessages: Sendable {
  public var request: RequestKey
  /// Minted by the caller before the first sending.
  public var operation: RowID
  public var conversation: String
  /// Guard: refused unless the conversation's last sequence number is this.
  public var expectedLastSeq: Int64?
  /// At least one.
  public var messages: [NewMessage]

  public init(
    request: RequestKey, operation: RowID, conversation: String, expectedLastSeq: Int64?,
    messages: [NewMessage]
  ) {
    self.request = request
    self.operation = operation
    self.conversation = conversation
    self.expectedLastSeq = expectedLastSeq
    self.messages = messages
  }
}

public enum AppendOutcome: Sendable, Equatable {
  /// `replayed`: an earlier sending of the same request appended them.
  case appended(firstSeq: Int64, lastSeq: Int64, replayed: Bool)
  case refused(Refusal)
}

extension AppendMessages: BatchOperation {
  public typealias Outcome = AppendOutcome

  public static let statement = Statement.function("append_messages", parameters: 17)

  public static func parameters(_ operations: [Self]) -> Parameters {
    var p = Parameters()
    p.texts(operations.map { $0.request.tenant })
    p.texts(operations.map { $0.conversation })
    p.texts(operations.map { $0.request.key })
    p.texts(operations.map { $0.request.claim($0.operation) })
    p.byteas(operations.map { $0.request.hash })
    p.int64s(operations.map { $0.expectedLastSeq })
    let messages = operations.map { $0.messages }
    p.messages(messages)
    p.toolCalls(messages)
    return p
  }

  public static func outcomes(
    _ operations: [Self], _ rows: Rows, followUp: Rows?
  ) -> [AppendOutcome] {
    rows.ordered(operations.count) { row in
      let outcome = row.text(1)
      let refusal = Refusal(
        outcome, generation: RowID(row.uuid(4)), lastSeq: row.int64(3),
        index: Int(row.int32(5)), ids: row.optional(6) { $0.texts($1) } ?? [])
      if let refusal { return .refused(refusal) }
      return .appended(
        firstSeq: row.int64(2), lastSeq: row.int64(3), replayed: outcome == "replayed")
    }
  }

  public var weightBytes: Int { messages.reduce(512) { $0 + $1.weightBytes } }
}
