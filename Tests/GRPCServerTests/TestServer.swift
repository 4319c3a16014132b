import GRPCServer
import GRPCWire
import Reactor
import Synchronization
import Testing
import Transport

/// What handlers saw, readable from the test.
final class Record: Sendable {
  enum Event { case started, cancelled, outlived, writtenBytes, drained }

  private let counts = Mutex<[Event: Int]>([:])

  subscript(event: Event) -> Int { counts.withLock { $0[event, default: 0] } }

  func add(_ event: Event, _ count: Int = 1) {
    counts.withLock { $0[event, default: 0] += count }
  }

  /// Waits until `event` was seen `count` times, for a while.
  func wait(_ event: Event, _ count: Int) async throws {
    for _ in 0..<500 where self[event] < count { try await Task.sleep(for: .milliseconds(10)) }
  }
}

/// A server with handlers for every case, on reactors of its own.
final class TestServer: Sendable {
  let reactors: [Reactor]
  let server: GRPCServer
  let record = Record()
  let port: UInt16

  init(limits: GRPCServerLimits = GRPCServerLimits(), reactors count: Int = 1) async throws {
    reactors = try (0..<count).map { try Reactor(name: "grpc-test-\($0)") }
    for reactor in reactors { reactor.start() }
    server = GRPCServer(reactors: reactors, limits: limits) { [record] in
      makeRouter($0, record)
    }
    port = try await server.listen(SocketAddress(host: "127.0.0.1", port: 0)).port
  }

  var foreignEnqueues: Int { reactors.reduce(0) { $0 + Int($1.counters.foreignEnqueues) } }

  /// Closes everything and joins the threads.
  func stop() async {
    await server.drain(grace: .zero)
    for reactor in reactors { reactor.stop() }
  }

  /// Runs `body` beside a fresh server and stops it.
  static func run(
    limits: GRPCServerLimits = GRPCServerLimits(), reactors: Int = 1,
    _ body: (TestServer) async throws -> Void
  ) async throws {
    let server = try await TestServer(limits: limits, reactors: reactors)
    do {
      try await body(server)
    } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }
}

private func makeRouter(_ reactor: Reactor, _ record: Record) -> Router {
  var router = Router()
  router.unary("/t.T/Echo") { request, _ throws(RPCError) in request }
  router.unary("/t.T/Hop") { request, _ throws(RPCError) in
    for _ in 0..<3 { await pause(reactor, .zero) }
    return request
  }
  router.unary("/t.T/Wait") { _, call throws(RPCError) in
    record.add(.started)
    // Ends when the task is cancelled.
    for await _ in AsyncStream<Void>(unfolding: { await untilCancelled() }) {}
    if call.isCancelled && Task.isCancelled { record.add(.cancelled) }
    return [1]
  }
  router.unary("/t.T/Outlive") { request, call throws(RPCError) in
    record.add(.started)
    while !call.isCancelled { await pause(reactor, .milliseconds(1)) }
    await pause(reactor, .milliseconds(20))
    call.trailingMetadata.add("late", "1")
    record.add(.outlived)
    return request
  }
  router.unary("/t.T/Fail") { _, call throws(RPCError) in
    var more = Metadata()
    more.add("grpc-retry-pushback-ms", "250")
    call.trailingMetadata.add("x-more", "trailing")
    throw RPCError(
      .failedPrecondition, "50% é\n🙂", details: [8, 9, 18, 1, 120, 0xFF], metadata: more)
  }
  router.unary("/t.T/Metadata") { _, call throws(RPCError) in
    call.initialMetadata.add("x-first", call.metadata["x-text"] ?? "absent")
    call.trailingMetadata.add(binary: "x-last-bin", call.metadata.binary("x-in-bin") ?? [])
    return Array(call.path.utf8)
  }
  router.serverStream("/t.T/Count") { request, call throws(RPCError) in
    for index in 0..<(request.first ?? 0) { try await call.write([index]) }
  }
  router.serverStream("/t.T/Flood") { _, call throws(RPCError) in
    record.add(.started)
    defer { record.add(.outlived) }
    let part = [UInt8](repeating: 1, count: 16 * 1024)
    for _ in 0..<1000 {
      try await call.write(part)
      record.add(.writtenBytes, part.count)
    }
  }
  router.serverStream("/t.T/BreakOff") { _, call throws(RPCError) in
    try await call.write([1])
    throw RPCError(.aborted, "after one")
  }
  return router
}

/// Suspends for a time on the reactor's own timer, whatever happens to the task.
private func pause(_ reactor: Reactor, _ duration: Duration) async {
  await withCheckedContinuation { continuation in
    _ = reactor.schedule(after: duration) { continuation.resume() }
  }
}

/// Suspends until the task is cancelled, then tells the stream to end.
private func untilCancelled() async -> Void? {
  let (stream, _) = AsyncStream<Void>.makeStream()
  for await _ in stream {}
  return nil
}
