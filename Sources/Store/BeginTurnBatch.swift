internal import Postgres

/// What a batch of begins answers, before a repeat's stored result is fetched.
enum BeginAnswer: Sendable {
  case outcome(BeginOutcome)
  case finished(generation: RowID)
}

/// The operation as the batcher knows it.
struct BeginTurnBatch: BatchOperation {
  typealias Outcome = BeginAnswer

  let begin: BeginTurn

  static let statement = Statement.function("begin_turns", parameters: 41)
  static let followUp: Statement? = Statement.function("read_views", parameters: 4)

  var weightBytes: Int { begin.messages.reduce(1024) { $0 + $1.weightBytes } }

  static func parameters(_ operations: [Self]) -> Parameters {
    let begins = operations.map { $0.begin }
    var p = Parameters()
    p.texts(begins.map { $0.request.tenant })
    p.texts(begins.map { $0.conversation })
    p.texts(begins.map { $0.request.key })
    p.texts(begins.map { $0.request.claim($0.generation) })
    p.byteas(begins.map { $0.request.hash })
    p.int64s(begins.map { $0.configVersion })
    p.int64s(begins.map { $0.expectedLastSeq })
    p.texts(begins.map { $0.model })
    p.bools(begins.map { $0.modelOverride })
    p.uuids(begins.map { $0.generation.pair })
    p.uuids(begins.map { $0.attempt.pair })
    p.uuids(begins.map { $0.incarnation.pair })
    p.texts(begins.map { $0.relay })
    p.texts(begins.map { $0.upstreamModel })
    p.texts(begins.map { $0.serviceTier })
    p.int64s(begins.map { $0.budgetTokens })
    p.int64s(begins.map { $0.extraTokens })
    p.int64s(begins.map { $0.maxOutputTokens })
    p.bools(begins.map { $0.marginal })
    p.uuids(begins.map { $0.contractedSet.pair })
    p.uuids(begins.map { $0.listSet?.pair })
    p.texts(begins.map { $0.currency })
    p.byteas(begins.map { $0.abandonTools?.body })
    p.int64s(begins.map { $0.abandonTools?.tokens })
    p.texts(begins.map { $0.abandonTools?.vocabulary })
    p.texts(begins.map { $0.abandonTools?.method })
    let tiers = begins.enumerated().flatMap { index, begin in
      begin.curve.map { (Int32(index + 1), $0) }
    }
    p.int32s(tiers.map { $0.0 })
    p.int64s(tiers.map { $0.1.promptFrom })
    p.int64s(tiers.map { $0.1.input })
    p.int64s(tiers.map { $0.1.output })
    p.messages(begins.map { $0.messages })
    p.toolCalls(begins.map { $0.messages })
    return p
  }

  static func followUpParameters(_ operations: [Self]) -> Parameters {
    var p = Parameters()
    p.texts(operations.map { $0.begin.request.tenant })
    p.texts(operations.map { $0.begin.conversation })
    p.uuids(operations.map { $0.begin.generation.pair })
    p.int64s(operations.map { $0.begin.budgetTokens - $0.begin.extraTokens })
    return p
  }

  static func outcomes(
    _ operations: [Self], _ rows: Rows, followUp: Rows?
  ) -> [BeginAnswer] {
    var views = [[StoredMessage]](repeating: [], count: operations.count)
    if let followUp {
      for index in 0..<followUp.count {
        let row = followUp[index]
        views[Int(row.int32(0)) - 1].append(StoredMessage(row, from: 1))
      }
    }
    return rows.ordered(operations.count) { row in
      answer(row, view: views[Int(row.int32(0)) - 1])
    }
  }

  private static func answer(_ row: Row, view: [StoredMessage]) -> BeginAnswer {
    let outcome = row.text(1)
    let refusal = Refusal(
      outcome, generation: RowID(row.uuid(2)), lastSeq: row.int64(6),
      index: Int(row.int32(10)), ids: row.optional(11) { $0.texts($1) } ?? [])
    if let refusal { return .outcome(.refused(refusal)) }
    switch outcome {
    case "begun":
      let begun = Begun(
        generation: RowID(row.uuid(2)), configVersion: row.int64(3), version: row.int64(4),
        firstSeq: row.optional(5) { $0.int64($1) }, lastSeq: row.int64(6),
        boundTokens: row.int64(7), reserved: wholeAmount(row.text(8)), view: view)
      return .outcome(.begun(begun))
    case "finished": return .finished(generation: RowID(row.uuid(2)))
    case "running": return .outcome(.running(generation: RowID(row.uuid(2))))
    case "config_stale": return .outcome(.configStale(current: row.int64(3)))
    case "model_changed": return .outcome(.modelChanged(model: row.text(9)))
    case "quota_denied": return .outcome(.quotaDenied(QuotaDenial(row, from: 12)))
    default:
      precondition(outcome == "fenced", outcome)
      return .outcome(.fenced)
    }
  }
}

extension QuotaDenial {
  /// Columns scope, scope_id, unit, limit_amount, available, required, resets_at.
  init(_ row: Row, from first: Int) {
    scope = row.text(first)
    scopeID = row.text(first + 1)
    unit = row.text(first + 2)
    limit = wholeAmount(row.text(first + 3))
    available = wholeAmount(row.text(first + 4))
    required = wholeAmount(row.text(first + 5))
    resetsAt = row.optional(first + 6) { Timestamp(microseconds: $0.timestamp($1)) }
  }
}

/// Reads a `numeric` that is a whole number, with or without a scale. What no `Int128` holds is
/// given as the nearest one: the table keeps the truth, and nothing stops.
func wholeAmount(_ text: String) -> Int128 {
  let digits = text.split(separator: ".", omittingEmptySubsequences: false)[0]
  return Int128(digits) ?? (digits.hasPrefix("-") ? .min : .max)
}
