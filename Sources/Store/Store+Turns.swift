internal import Postgres

extension Store {
  /// Begins a turn; its view is read after the commit.
  public func beginTurn(_ operation: BeginTurn) async throws(StoreError) -> BeginOutcome {
    switch try await submit(BeginTurnBatch(begin: operation)) {
    case .outcome(let outcome): return outcome
    case .finished(let generation):
      let turn = try await turn(tenant: operation.request.tenant, generation: generation)
      // Turns are kept as long as the claims that name them.
      guard let turn else { return .running(generation: generation) }
      return .finished(turn)
    }
  }

  public func addAttempt(
    _ operation: AddAttempt
  ) async throws(StoreError) -> AddAttemptOutcome {
    try await submit(operation)
  }

  /// Settles a turn; tried for 30 s over lost connections, and in a minimal form if it is refused.
  public func settleTurn(_ operation: SettleTurn) async throws(StoreError) -> SettleOutcome {
    try await submit(operation)
  }

  public func turn(
    tenant: String, generation: RowID
  ) async throws(StoreError) -> StoredTurn? {
    var p = Parameters()
    p.text(tenant)
    p.uuid(generation.pair)
    let rows = try await query(Self.getTurn, p)
    return rows.count == 0 ? nil : StoredTurn(rows[0])
  }

  private static let getTurn = Statement(
    name: "get_turn",
    sql: """
      SELECT generation_id, conversation_id, key_id, state, result, orphan, error_reason,
        answer_seq, started_at, finished_at
      FROM turn WHERE tenant_id = $1 AND generation_id = $2
      """)
}

extension StoredTurn {
  init(_ row: Row) {
    generation = RowID(row.uuid(0))
    conversation = row.text(1)
    key = row.text(2)
    state = State(rawValue: row.text(3))!
    result = row.optional(4) { $0.bytes($1) }
    orphan = row.optional(5) { $0.bytes($1) }
    errorReason = row.optional(6) { $0.text($1) }
    answerSeq = row.optional(7) { $0.int64($1) }
    startedAt = Timestamp(microseconds: row.timestamp(8))
    finishedAt = row.optional(9) { Timestamp(microseconds: $0.timestamp($1)) }
  }
}
