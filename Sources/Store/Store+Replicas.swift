internal import Postgres

public enum HeartbeatOutcome: Sendable, Equatable {
  /// The lease runs from the database's clock at this heartbeat.
  case alive(configVersion: Int64)
  /// The lease had lapsed. It is never revived: take a new incarnation.
  case dead
}

extension Store {
  /// Takes a lease for a new incarnation.
  public func registerReplica(
    _ replica: String, incarnation: RowID, lease: Duration
  ) async throws(StoreError) -> HeartbeatOutcome {
    try await heartbeat(replica, incarnation, lease, oldestRunning: nil, isFirst: true)
  }

  /// Renews a lease.
  ///
  /// - Parameter oldestRunning: the smallest generation id that this incarnation still runs or is
  ///   about to begin; the reaper looks at none before it. Only for ids that grow with time.
  public func heartbeat(
    _ replica: String, incarnation: RowID, lease: Duration, oldestRunning: RowID? = nil
  ) async throws(StoreError) -> HeartbeatOutcome {
    try await heartbeat(
      replica, incarnation, lease, oldestRunning: oldestRunning, isFirst: false)
  }

  /// Ends a lease; turns that still run under it are the reaper's.
  public func endReplica(incarnation: RowID) async throws(StoreError) {
    var p = Parameters()
    p.uuid(incarnation.pair)
    _ = try await query(Self.endReplica, p)
  }

  /// Resolves turns of dead incarnations as unknown, booked at what they had reserved.
  ///
  /// - Parameters:
  ///   - grace: how long after its lease an incarnation counts as dead.
  ///   - limit: turns at most; call again while as many come back.
  ///   - result: what a repeat of their requests is given.
  /// - Returns: how many were resolved; safe against another reaper at the same time.
  public func reap(
    grace: Duration, limit: Int, result: [UInt8], reason: String
  ) async throws(StoreError) -> Int {
    var p = Parameters()
    p.double(grace.seconds)
    p.int32(Int32(clamping: limit))
    p.bytea(result)
    p.text(reason)
    return Int(try await query(.function("reap_turns", parameters: 4), p)[0].int64(0))
  }

  private func heartbeat(
    _ replica: String, _ incarnation: RowID, _ lease: Duration, oldestRunning: RowID?,
    isFirst: Bool
  ) async throws(StoreError) -> HeartbeatOutcome {
    var p = Parameters()
    p.text(replica)
    p.uuid(incarnation.pair)
    p.double(lease.seconds)
    p.uuid(oldestRunning?.pair)
    p.bool(isFirst)
    let row = try await query(.function("heartbeat", parameters: 5), p)[0]
    return row.bool(0) ? .alive(configVersion: row.int64(1)) : .dead
  }

  private static let endReplica = Statement(
    name: "end_replica",
    sql: "UPDATE replica SET lease_until = least(lease_until, now()) WHERE incarnation = $1")
}

extension Duration {
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
