import GRPCWire
import HTTP2
import Reactor
import Transport

/// One client's connection: its byte stream, its session and its calls.
///
/// Bytes go into the session; the events that come out are acted upon when the session has
/// returned; what the calls said leaves in one write at the end of the tick.
///
/// - Isolation: its reactor's thread.
final class ServerConnection: ByteStreamOwner {
  private enum State {
    /// The HTTP/2 preface is not complete: nothing is sent, since the peer may speak HTTP/1.1.
    case preface(receivedBytes: Int)
    case open
    /// The shutdown notice was sent; the final GOAWAY follows.
    case noticed
    /// The final GOAWAY was sent; calls under way go on.
    case draining
    /// These bytes are the last ones; what comes in is dropped.
    case finishing([UInt8])
    case closed
  }

  /// What a connection's core wants to know of it.
  struct Hooks {
    var route: (_ path: borrowing Span<UInt8>) -> Router.Route?
    var callStarted: () -> Void
    var closed: (ServerConnection) -> Void
  }

  let reactor: Reactor
  let limits: GRPCServerLimits
  let peer: String
  private let stream: any ByteStream
  private let session: Session
  private let hooks: Hooks
  private var state = State.preface(receivedBytes: 0)
  private var calls: [StreamID: ServerCall] = [:]
  private var requestBytes = 0
  private var timer: TimerID?

  /// The client's half of the preface (RFC 9113, section 3.4).
  private static let prefaceBytes = 24

  init(_ stream: any ByteStream, reactor: Reactor, limits: GRPCServerLimits, hooks: Hooks) {
    self.stream = stream
    self.reactor = reactor
    self.limits = limits
    self.hooks = hooks
    peer = stream.peer
    session = Session(.server, limits: limits.http2)
  }

  /// Begins to read.
  func start() throws(TransportError) {
    stream.owner = self
    try stream.start()
    setTimer(limits.prefaceTimeout) { $0.close() }
  }

  /// Lets calls under way end and refuses new ones.
  func drain() {
    switch state {
    case .preface: close()
    case .open:
      state = .noticed
      session.sendShutdownNotice()
      session.ping()
      setTimer(limits.shutdownNoticeTimeout) { $0.sendGoAway() }
      stream.requestWrite()
    case .noticed, .draining, .finishing, .closed: break
    }
  }

  /// Closes now; handlers that still run are cancelled.
  func close() {
    if case .closed = state { return }
    state = .closed
    setTimer(nil) { _ in }
    let calls = calls.values
    self.calls = [:]
    for call in calls { call.detach(isCancelled: true) }
    stream.abort()
    hooks.closed(self)
  }

  // MARK: Bytes

  func received(_ bytes: borrowing Span<UInt8>) {
    switch state {
    case .finishing, .closed: return
    case .preface(let before): state = .preface(receivedBytes: before + bytes.count)
    case .open, .noticed, .draining: break
    }
    do throws(SessionError) {
      try session.receive(bytes)
    } catch {
      return rejected(error, firstByte: bytes[0])
    }
    if case .preface(let count) = state, count >= Self.prefaceBytes {
      state = .open
      setTimer(nil) { _ in }
    }
    drainEvents()
    stream.requestWrite()
  }

  func receivedEnd() { close() }

  func closed(_ error: TransportError?) { close() }

  func fill(_ output: inout [UInt8], limit: Int) {
    switch state {
    case .preface, .closed: return
    case .finishing(let last):
      output += last
      state = .finishing([])
      return
    case .open, .noticed, .draining: break
    }
    do throws(SessionError) {
      try session.fill(&output, limit: limit)
    } catch {
      return close()
    }
    drainEvents()
    // A session that refused its peer has a GOAWAY left to say.
    if session.isFinished { finish(with: []) }
  }

  private func rejected(_ error: SessionError, firstByte: UInt8) {
    guard case .preface = state, error == .notHTTP2, 0x41...0x5A ~= firstByte else {
      return close()
    }
    finish(
      with: Array(
        "HTTP/1.1 505 HTTP Version Not Supported\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
          .utf8))
  }

  private func finish(with last: [UInt8]) {
    if case .finishing = state { return }
    state = .finishing(last)
    setTimer(limits.lingerTimeout) { $0.close() }
    stream.finish()
  }

  private func sendGoAway() {
    guard case .noticed = state else { return }
    state = .draining
    setTimer(nil) { _ in }
    session.sendGoAway()
    stream.requestWrite()
  }

  private func setTimer(_ delay: Duration?, _ body: @escaping (ServerConnection) -> Void) {
    if let timer { reactor.cancel(timer) }
    timer = nil
    guard let delay else { return }
    timer = reactor.schedule(after: delay) { [weak self] in
      guard let self else { return }
      timer = nil
      body(self)
    }
  }

  // MARK: Events

  private func drainEvents() {
    while session.hasEvents {
      let batch = session.takeEvents()
      for index in batch.events.indices { handle(batch, index) }
      session.recycle(batch)
    }
  }

  private func handle(_ batch: borrowing EventBatch, _ index: Int) {
    switch batch.events[index] {
    case .headers(let id, let fields, let isTruncated):
      // A second block is the client's trailers, which mean nothing to gRPC.
      guard calls[id] == nil else { return }
      begin(id, batch, fields, isTruncated: isTruncated)
    case .data(let id, let bytes):
      session.consume(id, bytes: bytes.count)
      guard let call = calls[id], call.state.isReceiving else { return }
      batch.withBytes(bytes) { take($0, for: call) }
    case .ended(let id):
      guard let call = calls[id] else { return }
      act(call.state.requestEnded(isInsideMessage: call.framer.isInsideMessage), call)
    case .drained(let id): calls[id]?.resumeWriter()
    case .closed(let id, _):
      if let call = calls[id] { remove(call, isCancelled: true) }
    case .pingAcknowledged: sendGoAway()
    case .goAway: break
    }
  }

  private func begin(
    _ id: StreamID, _ batch: borrowing EventBatch, _ fields: Range<Int>, isTruncated: Bool
  ) {
    var request = RequestHeaders()
    var route: Router.Route?
    batch.forEachField(fields) { name, value in
      if name.count == 5, name[1] == UInt8(ascii: "p"), name[0] == UInt8(ascii: ":") {
        route = hooks.route(value)
      }
      request.take(name: name, value: value)
    }
    if isTruncated {
      return refuse(id, .resourceExhausted, "the metadata is too large")
    }
    switch request.verdict {
    case .http(let status):
      return session.respond(id, ResponseHeaders.http(status: status))
    case .refused(let code, let message): return refuse(id, code, message)
    case .call: break
    }
    guard let route else {
      return refuse(id, .unimplemented, "no such method")
    }
    let timeout = request.timeout
    let call = ServerCall(
      route, stream: id, metadata: request.metadata, deadline: timeout.map { reactor.now + $0 },
      connection: self)
    calls[id] = call
    hooks.callStarted()
    if let timeout, timeout <= limits.deadlineTimerMax { call.startTimer(timeout) }
  }

  private func refuse(_ id: StreamID, _ code: StatusCode, _ message: String) {
    var error = RPCError(code, message)
    if code == .unimplemented { error.metadata.add("grpc-accept-encoding", "identity") }
    session.respond(id, ResponseHeaders.trailersOnly(error, Metadata()))
  }

  private func take(_ bytes: borrowing Span<UInt8>, for call: ServerCall) {
    var offset = 0
    do throws(MessageFramer.Failure) {
      while let message = try call.framer.next(bytes, from: &offset) {
        guard !message.isCompressed else {
          return fail(
            call, RPCError(.internalError, "a message is compressed without grpc-encoding"))
        }
        act(call.state.receivedMessage(), call)
        guard call.state.isReceiving else { return }
        call.request = message.bytes
      }
    } catch {
      return fail(call, Self.error(error, limits))
    }
    count(call, call.framer.bufferedBytes + call.request.count)
    if requestBytes > limits.requestBytesPerConnectionMax {
      fail(call, RPCError(.resourceExhausted, "too many request bytes on this connection"))
    }
  }

  /// What a call's unfinished request holds now.
  private func count(_ call: ServerCall, _ bytes: Int) {
    requestBytes += bytes - call.countedBytes
    call.countedBytes = bytes
  }

  private static func error(
    _ failure: MessageFramer.Failure, _ limits: GRPCServerLimits
  ) -> RPCError {
    switch failure {
    case .messageTooLarge(let length):
      RPCError(
        .resourceExhausted,
        "a message of \(length) bytes is above the limit of \(limits.messageBytesMax)")
    case .badCompressionFlag: RPCError(.invalidArgument, "the body is not a gRPC message")
    }
  }

  private func act(_ action: ServerCallState.Action, _ call: ServerCall) {
    switch action {
    case .startHandler:
      count(call, 0)
      call.start()
    case .refuse(let code, let message): fail(call, RPCError(code, message))
    default: break
    }
  }

  // MARK: Answers, called by calls
  //
  // An answer that comes before the request has ended is not followed by RST_STREAM: stock C-core
  // clients then lose the status of Trailers-Only. They end their side when they have read it;
  // until then what they send is dropped.

  /// Queues a message of a stream; false if the call is over.
  func write(_ message: [UInt8], of call: ServerCall) -> Bool {
    switch call.state.wrote() {
    case .sendHeadersAndMessage:
      session.respondWithBody(call.stream, ResponseHeaders.initial(call.initialMetadata))
    case .sendMessage: break
    default: return false
    }
    append(message, to: call.stream)
    stream.requestWrite()
    return true
  }

  /// Whether so much is unsent that the handler must wait for `resumeWriter`.
  func mustWait(_ call: ServerCall) -> Bool {
    guard session.pendingBytes(call.stream) > limits.responseHighWaterBytes else { return false }
    session.notifyWhenDrained(call.stream)
    return true
  }

  /// The call succeeded, with a message or with those already written.
  func finish(_ call: ServerCall, _ message: [UInt8]?) {
    let action = call.state.finished()
    if action == .sendHeadersAndTrailers {
      session.respondWithBody(call.stream, ResponseHeaders.initial(call.initialMetadata))
    }
    if let message { append(message, to: call.stream) }
    session.finish(call.stream, trailers: ResponseHeaders.success(call.trailingMetadata))
    remove(call, isCancelled: false)
    stream.requestWrite()
  }

  /// The call failed; a handler that still runs is cancelled.
  func fail(_ call: ServerCall, _ error: RPCError) {
    switch call.state.failed() {
    case .sendTrailersOnly:
      session.respond(
        call.stream, ResponseHeaders.trailersOnly(error, call.trailingMetadata))
    case .sendTrailers:
      session.finish(
        call.stream, trailers: ResponseHeaders.failure(error, call.trailingMetadata))
    default: break
    }
    remove(call, isCancelled: true)
    stream.requestWrite()
  }

  private func append(_ message: [UInt8], to id: StreamID) {
    session.write(id) { body in
      let prefix = MessageFramer.prefix(length: message.count)
      body.reserveCapacity(body.count + prefix.count + message.count)
      for index in prefix.indices { body.append(prefix[index]) }
      body += message
    }
  }

  private func remove(_ call: ServerCall, isCancelled: Bool) {
    count(call, 0)
    calls[call.stream] = nil
    call.detach(isCancelled: isCancelled)
  }
}
