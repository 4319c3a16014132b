import Messages
public import Reactor
public import Store
import Synchronization

/// This process as the database knows it: an incarnation with a lease, renewed by heartbeats, and a
/// reaper of the turns that dead incarnations left.
///
/// Turns begin under the incarnation, and go upstream only while its lease surely lasts: until a
/// third of it is left, on a monotonic clock read before the heartbeat left. A lease that lapsed is
/// never revived: the process goes on under a new incarnation.
///
/// - Isolation: `incarnation` and `mayDispatch` from any reactor; the rest on the one that it is
///   given.
public final class Replica: Sendable {
  private struct State {
    var incarnation: RowID?
    var dispatchUntil: ContinuousClock.Instant?
    var isEnded = false
  }

  private let name: String
  private let lease: Duration
  private let log: ServiceLog
  private let limits: ServiceLimits
  private let state = Mutex(State())

  /// - Parameter lease: heartbeats and reaping happen each third of it.
  public init(
    name: String, lease: Duration = .seconds(15), limits: ServiceLimits = ServiceLimits(),
    log: ServiceLog
  ) {
    self.name = name
    self.lease = lease
    self.limits = limits
    self.log = log
  }

  /// The incarnation that turns begin under; nil before the first heartbeat.
  var incarnation: RowID? { state.withLock { $0.incarnation } }

  /// Whether the lease surely lasts long enough to send something upstream.
  func mayDispatch(_ incarnation: RowID, at now: ContinuousClock.Instant) -> Bool {
    state.withLock { state in
      state.incarnation == incarnation && (state.dispatchUntil.map { now < $0 } ?? false)
    }
  }

  /// Gives an incarnation up: its lease runs out, and its turns are the reaper's. The next
  /// heartbeat takes a new one.
  func renounce(_ incarnation: RowID) {
    state.withLock { state in
      guard state.incarnation == incarnation else { return }
      state.incarnation = nil
      state.dispatchUntil = nil
    }
    log.warning("gave an incarnation up", ["incarnation": "\(incarnation)"])
  }

  /// Takes a lease, and keeps it and reaps until `end`.
  public func start(_ store: Store, on reactor: Reactor) async throws(StoreError) {
    try await register(store, reactor)
    beat(LoopBound(store, on: reactor), reactor)
  }

  /// Gives the lease back; what still runs under it is the next reaper's.
  public func end(_ store: Store) async {
    let incarnation = state.withLock { state in
      state.isEnded = true
      state.dispatchUntil = nil
      return state.incarnation
    }
    guard let incarnation else { return }
    do throws(StoreError) {
      try await store.endReplica(incarnation: incarnation)
    } catch {
      log.warning("the lease could not be given back", ["error": "\(error)"])
    }
  }

  private func register(_ store: Store, _ reactor: Reactor) async throws(StoreError) {
    let incarnation = RowID.minted()
    let before = reactor.now
    guard
      case .alive = try await store.registerReplica(name, incarnation: incarnation, lease: lease)
    else { return }
    state.withLock { state in
      state.incarnation = incarnation
      state.dispatchUntil = before + lease * 2 / 3
    }
    log.info("took a lease", ["incarnation": "\(incarnation)"])
  }

  private func beat(_ store: LoopBound<Store>, _ reactor: Reactor) {
    reactor.schedule(after: lease / 3) { [self] in
      guard !state.withLock({ $0.isEnded }) else { return }
      reactor.spawn { [self] core in
        await heartbeat(store, core)
        beat(store, reactor)
      }
    }
  }

  private func heartbeat(_ bound: LoopBound<Store>, _ core: isolated Core) async {
    let store = bound.value
    do throws(StoreError) {
      try await renew(store, core.reactor)
      try await reap(store)
    } catch {
      log.warning("a heartbeat failed", ["error": "\(error)"])
    }
  }

  private func renew(_ store: Store, _ reactor: Reactor) async throws(StoreError) {
    guard let incarnation else { return try await register(store, reactor) }
    let before = reactor.now
    switch try await store.heartbeat(name, incarnation: incarnation, lease: lease) {
    case .alive: state.withLock { $0.dispatchUntil = before + lease * 2 / 3 }
    case .dead:
      log.warning("the lease had lapsed", ["incarnation": "\(incarnation)"])
      try await register(store, reactor)
    }
  }

  private func reap(_ store: Store) async throws(StoreError) {
    while true {
      let count = try await store.reap(
        grace: lease / 3, limit: limits.reapedPerCallMax, result: StoredResult.reaped,
        reason: Wire.ErrorReason.upstreamOutcomeUnknown.name)
      if count > 0 { log.warning("resolved turns of dead owners", ["count": "\(count)"]) }
      if count < limits.reapedPerCallMax { return }
    }
  }
}

extension RowID {
  /// A fresh UUIDv7.
  static func minted() -> RowID {
    var random = SystemRandomNumberGenerator()
    return RowID(milliseconds: UInt64(clamping: WallClock.microseconds / 1000), using: &random)
  }
}
