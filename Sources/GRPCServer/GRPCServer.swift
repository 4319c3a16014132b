public import Reactor
import Synchronization
public import Transport

/// A gRPC server on any number of reactors.
///
/// The first reactor accepts and hands each connection to the one that has the fewest; a connection
/// never moves, so nothing of a call is shared between threads.
///
/// - Isolation: any; calls live on their connection's reactor.
public final class GRPCServer: Sendable {
  /// What it has done, at one moment.
  public struct Counters: Sendable, Equatable {
    /// Open connections.
    public var connections: Int
    /// Calls whose headers were accepted, since the beginning.
    public var callsStarted: Int
  }

  private let cores: [CoreServer]
  private let limits: GRPCServerLimits

  /// A server that listens nowhere yet.
  ///
  /// - Parameter makeRouter: called once for each reactor, on its loop; the handlers that it
  ///   registers may share objects of that core.
  /// - Precondition: there is a reactor.
  public init(
    reactors: [Reactor], limits: GRPCServerLimits = GRPCServerLimits(),
    makeRouter: @escaping @Sendable (Reactor) -> Router
  ) {
    precondition(!reactors.isEmpty, "a server needs a reactor")
    self.limits = limits
    cores = reactors.map { CoreServer($0, limits) }
    for core in cores { core.reactor.execute { core.open(makeRouter) } }
  }

  /// Listens on an address too.
  ///
  /// - Returns: the address with the port that it got.
  /// - Throws: `.cannotBind` if it is in use or not ours.
  public func listen(_ address: SocketAddress) async throws(TransportError) -> SocketAddress {
    let result = await withCheckedContinuation { continuation in
      cores[0].reactor.execute { [self] in
        continuation.resume(
          returning: Result { () throws(TransportError) in
            try cores[0].listen(address) { [self] in leastLoaded }
          })
      }
    }
    return try result.get()
  }

  private var leastLoaded: CoreServer? {
    var total = 0
    var least = cores[0]
    for core in cores {
      let load = core.load.load(ordering: .relaxed)
      total += load
      if load < least.load.load(ordering: .relaxed) { least = core }
    }
    return total < limits.connectionsMax ? least : nil
  }

  /// Stops for good: no new connection, a shutdown notice and a final GOAWAY on each open one,
  /// calls under way go on. Returns when all connections are closed; those that are left after
  /// `grace` are closed and their handlers cancelled.
  public func drain(grace: Duration) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let countdown = Countdown(cores.count)
      for core in cores {
        core.reactor.execute {
          core.drain(grace: grace) { if countdown.isLast() { continuation.resume() } }
        }
      }
    }
  }

  private final class Countdown: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) { left = Atomic(count) }

    func isLast() -> Bool { left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
  }

  /// What it has done so far.
  public var counters: Counters {
    Counters(
      connections: cores.reduce(0) { $0 + $1.load.load(ordering: .relaxed) },
      callsStarted: cores.reduce(0) { $0 + $1.callsStarted.load(ordering: .relaxed) })
  }
}
