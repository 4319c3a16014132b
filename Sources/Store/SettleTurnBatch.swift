public import Postgres

extension SettleTurn: BatchOperation {
  public typealias Outcome = SettleOutcome

  public static let statement = Statement.function("settle_turns", parameters: 39)

  public static func parameters(_ operations: [Self]) -> Parameters {
    var p = Parameters()
    p.texts(operations.map { $0.tenant })
    p.texts(operations.map { $0.conversation })
    p.uuids(operations.map { $0.generation.pair })
    p.uuids(operations.map { $0.incarnation.pair })
    p.texts(operations.map { $0.state.rawValue })
    p.texts(operations.map { storableText($0.errorReason) })
    p.byteas(operations.map { $0.result })
    p.byteas(operations.map { $0.quarantine })
    p.bool(false)
    let answers = operations.map { $0.answer.map { $0.storable } }
    p.messages(answers)
    p.texts(
      operations.flatMap { operation in
        operation.answer.map { _ in operation.state == .finished ? "active" : "failed" }
      })
    p.toolCalls(
      zip(operations, answers).map { $0.0.state == .finished ? $0.1 : $0.1.withoutCalls })
    p.events(operations.map { $0.events })
    return p
  }

  public static func outcomes(
    _ operations: [Self], _ rows: Rows, followUp: Rows?
  ) -> [SettleOutcome] {
    rows.ordered(operations.count) { row in
      switch row.text(1) {
      case "settled":
        .settled(
          answerSeq: row.optional(2) { $0.int64($1) }, cost: wholeAmount(row.text(3)),
          listCost: wholeAmount(row.text(4)))
      case "late": .late
      default: .unknownTurn
      }
    }
  }

  public var weightBytes: Int { answer.reduce(result.count + 1024) { $0 + $1.weightBytes } }

  /// A paid answer must not be lost to an outage that ends.
  public var patience: Duration? { .seconds(30) }

  /// The ledger and the turn's state without anything that the database could refuse: the
  /// answer's bodies are kept aside, and events that would share a ledger row are one.
  public var reduced: Self? {
    var least = self
    least.quarantine = answer.flatMap { $0.body }
    least.answer = []
    least.result = quarantineResult
    least.state = .failed
    least.errorReason = "ANSWER_QUARANTINED"
    least.events = []
    for event in events {
      let same = least.events.firstIndex {
        $0.attemptNumber == event.attemptNumber && $0.kind == event.kind
      }
      if let same {
        least.events[same].lines += event.lines
      } else {
        least.events.append(event)
      }
    }
    return least
  }
}

/// PostgreSQL's text holds no U+0000; a relay's answer may.
private func storableText(_ text: String?) -> String? {
  guard let text, text.utf8.contains(0) else { return text }
  return String(text.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : Character($0) })
}

extension NewMessage {
  fileprivate var storable: NewMessage {
    var message = self
    message.name = storableText(name)
    message.toolCallID = storableText(toolCallID)
    message.toolCalls = toolCalls.map { storableText($0) ?? $0 }
    return message
  }
}

extension [NewMessage] {
  /// Calls of an answer that is not active open no group.
  fileprivate var withoutCalls: [NewMessage] {
    map { message in
      var message = message
      message.toolCalls = []
      return message
    }
  }
}

extension Parameters {
  /// Ledger rows as the arrays `e_*`, and their lines as `l_*`.
  fileprivate mutating func events(_ operations: [[UsageEvent]]) {
    let events = operations.enumerated().flatMap { index, events in
      events.map { (Int32(index + 1), $0) }
    }
    int32s(events.map { $0.0 })
    int16s(events.map { $0.1.attemptNumber })
    uuids(events.map { $0.1.attempt.pair })
    texts(events.map { $0.1.kind.rawValue })
    texts(events.map { $0.1.certainty.rawValue })
    texts(events.map { storableText($0.1.relay) })
    texts(events.map { storableText($0.1.modelAsked) })
    texts(events.map { storableText($0.1.modelAnswered) })
    texts(events.map { storableText($0.1.upstreamRequestID) })
    texts(events.map { storableText($0.1.serviceTier) })
    uuids(events.map { $0.1.contractedSet.pair })
    uuids(events.map { $0.1.listSet?.pair })
    let lines = events.enumerated().flatMap { index, event in
      event.1.lines.map { (Int32(index + 1), $0) }
    }
    int32s(lines.map { $0.0 })
    texts(lines.map { $0.1.tokenClass.rawValue })
    int64s(lines.map { $0.1.quantity })
    int64s(lines.map { $0.1.price })
    int64s(lines.map { $0.1.listPrice })
    texts(lines.map { $0.1.source.rawValue })
  }
}
