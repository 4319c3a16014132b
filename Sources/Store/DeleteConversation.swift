internal import Postgres

public enum DeleteOutcome: Sendable, Equatable {
  /// A tombstone is left, which keeps the id taken; the turn was told to stop.
  case deleted(stopped: RowID?)
  case refused(Refusal)
}

extension Store {
  /// Deletes a conversation. A repeat under the same request id gives the first outcome.
  ///
  /// - Parameter operation: minted by the caller before the first sending.
  public func deleteConversation(
    _ id: String, request: RequestKey, operation: RowID
  ) async throws(StoreError) -> DeleteOutcome {
    var p = Parameters()
    p.text(request.tenant)
    p.text(id)
    p.text(request.key)
    p.text(request.claim(operation))
    p.bytea(request.hash)
    let row = try await query(.function("delete_conversation", parameters: 5), p)[0]
    let refusal = Refusal(
      row.text(0), generation: RowID(high: 0, low: 0), lastSeq: 0, index: 0, ids: [])
    if let refusal { return .refused(refusal) }
    return .deleted(stopped: row.optional(1) { RowID($0.uuid($1)) })
  }

  /// Which of these running turns were told to stop.
  public func stopRequests(
    among turns: [(tenant: String, generation: RowID)]
  ) async throws(StoreError) -> [RowID] {
    var p = Parameters()
    p.texts(turns.map { $0.tenant })
    p.uuids(turns.map { $0.generation.pair })
    return try await query(Self.stopRequests, p).map { RowID($0.uuid(0)) }
  }

  private static let stopRequests = Statement(
    name: "stop_requests",
    sql: """
      SELECT t.generation_id FROM unnest($1::text[], $2::uuid[]) AS o (tenant_id, generation_id)
      JOIN turn AS t USING (tenant_id, generation_id)
      WHERE t.state = 'running' AND t.stop_requested_at IS NOT NULL
      """)
}
