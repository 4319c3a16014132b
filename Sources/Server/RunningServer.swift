import GRPCServer
import Glibc
import Logging
import Reactor
import Service
import Store
import Transport

/// A server with all its parts.
///
/// - Isolation: any.
struct RunningServer: Sendable {
  let address: SocketAddress
  private let reactors: [Reactor]
  private let cores: [LoopBound<CoreParts>]
  private let server: GRPCServer
  private let replica: Replica

  /// Starts everything, in the order in which each needs the one before.
  ///
  /// - Throws: `StoreError` if the database is away or its schema is not this program's,
  ///   `TransportError` if the address is taken.
  init(_ settings: Settings) async throws {
    let log = ServiceLog(Logger(label: "recountd"))
    let replica = Replica(name: Self.hostName, lease: settings.lease, log: log)
    self.replica = replica
    reactors = try (0..<settings.reactors).map { try Reactor(name: "core-\($0)") }
    for reactor in reactors { reactor.start() }
    var cores: [LoopBound<CoreParts>] = []
    for reactor in reactors {
      cores.append(
        try await reactor.run { core in
          LoopBound(try CoreParts(core.reactor, settings, replica, log), on: core.reactor)
        })
    }
    self.cores = cores
    try await reactors[0].run { [first = cores[0]] core in
      try await first.value.store.checkSchema()
      try await replica.start(first.value.store, on: core.reactor)
    }
    for parts in cores {
      try await parts.reactor.run { core in try await parts.value.service.start(isolation: core) }
    }
    server = GRPCServer(reactors: reactors) { [cores] reactor in
      cores.first { $0.reactor === reactor }!.value.router
    }
    address = try await server.listen(settings.listen)
  }

  /// Lets calls and generations end, gives the lease back, and stops.
  func stop(drain: Duration) async {
    let end = ContinuousClock.now + drain
    for parts in cores { try? await parts.reactor.run { _ in parts.value.service.drain() } }
    await server.drain(grace: drain)
    for parts in cores {
      // A little in any case: what is being settled needs a commit.
      let left = max(end - ContinuousClock.now, .seconds(1))
      try? await parts.reactor.run { _ in await parts.value.service.finish(within: left) }
    }
    try? await reactors[0].run { [first = cores[0], replica] _ in
      await replica.end(first.value.store)
    }
    for parts in cores { try? await parts.reactor.run { _ in parts.value.close() } }
    for reactor in reactors { reactor.stop() }
  }

  private static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "recountd" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
