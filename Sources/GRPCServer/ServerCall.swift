public import GRPCWire
import HTTP2
public import Reactor

/// One call, as its handler sees it.
///
/// A handler may outlive its call (the client went away, the deadline passed): then nothing that it
/// does here has an effect, and `write` throws.
///
/// - Isolation: the core of its reactor.
public final class ServerCall {
  /// `/package.Service/Method`.
  public var path: String { route.path }
  /// The caller's address.
  public let peer: String
  /// What the caller sent besides the request.
  public let metadata: Metadata
  /// When the caller stops waiting; nil without a limit.
  public let deadline: ContinuousClock.Instant?
  /// Where the call lives.
  public let reactor: Reactor
  /// Whether nobody waits any more: reset, connection lost, deadline passed, or server stopped.
  public private(set) var isCancelled = false
  /// Sent before the first message; later changes have no effect.
  public var initialMetadata = Metadata()
  /// Sent after the last message or with the error.
  public var trailingMetadata = Metadata()

  let stream: StreamID
  let route: Router.Route
  var state = ServerCallState()
  var framer: MessageFramer
  /// Request bytes that its connection counts against its limit.
  var countedBytes = 0
  var request: [UInt8] = []
  /// Nil as soon as the call is over; that makes everything below harmless.
  private var connection: ServerConnection?
  private var task: Task<Void, Never>?
  private var timer: TimerID?
  private var writer: CheckedContinuation<Void, Never>?

  init(
    _ route: Router.Route, stream: StreamID, metadata: Metadata,
    deadline: ContinuousClock.Instant?, connection: ServerConnection
  ) {
    self.route = route
    self.stream = stream
    self.metadata = metadata
    self.deadline = deadline
    self.connection = connection
    peer = connection.peer
    reactor = connection.reactor
    framer = MessageFramer(messageBytesMax: connection.limits.messageBytesMax)
  }

  /// Sends one message of a stream and waits while the client does not read.
  ///
  /// - Throws: `.cancelled` when the call is over; the handler should end.
  public func write(_ message: [UInt8]) async throws(RPCError) {
    guard let connection, connection.write(message, of: self) else { throw Self.over }
    guard connection.mustWait(self) else { return }
    precondition(writer == nil, "one write at a time")
    await withCheckedContinuation { continuation in
      // Suspending may have taken a turn of the loop, in which the client read or went away.
      guard let connection = self.connection, connection.mustWait(self) else {
        return continuation.resume()
      }
      writer = continuation
    }
    if self.connection == nil { throw Self.over }
  }

  private static var over: RPCError { RPCError(.cancelled, "the call is over") }

  /// Begins to count towards the deadline.
  func startTimer(_ timeout: Duration) {
    timer = reactor.schedule(after: timeout) { [weak self] in
      guard let self else { return }
      timer = nil
      connection?.fail(self, RPCError(.deadlineExceeded, "the deadline passed"))
    }
  }

  /// Starts the handler.
  func start() {
    let call = LoopBound(self, on: reactor)
    let core = reactor.core
    // As `Reactor.spawn`, without its second closure.
    task = Task(executorPreference: reactor) { await call.value.run(core) }
  }

  private func run(_ core: isolated Core) async {
    let request = request
    self.request = []
    do throws(RPCError) {
      switch route.handler {
      case .unary(let handler):
        let response = try await handler(request, self)
        connection?.finish(self, response)
      case .serverStream(let handler):
        try await handler(request, self)
        connection?.finish(self, nil)
      }
    } catch {
      connection?.fail(self, error)
    }
  }

  func resumeWriter() { writer.take()?.resume() }

  /// Cuts the call from its connection. `isCancelled` tells a handler that still runs.
  func detach(isCancelled: Bool) {
    connection = nil
    state.reset()
    if let timer { reactor.cancel(timer) }
    timer = nil
    let task = task.take()
    if isCancelled {
      self.isCancelled = true
      task?.cancel()
    }
    resumeWriter()
  }
}
