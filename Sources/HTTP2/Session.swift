/// One HTTP/2 connection's protocol, client or server: bytes in, events out, bytes out.
///
/// Feed received bytes with `receive`, take what happened with `takeEvents`, act, then collect what
/// is to be sent with `fill`. `fill` makes events too (streams that ended): take them again.
///
/// - Isolation: none; belongs to one connection on one reactor.
/// - Ownership: input is borrowed; events own their bytes until they are recycled.
/// - Source: RFC 9113, by libnghttp2.
public final class Session {
  private let inbox: Inbox
  private let native: NativeSession
  private let limits: HTTP2Limits
  private var bodies: [StreamID: OutgoingBody] = [:]
  private var spareBodies: [OutgoingBody] = []
  private var spareBatch: EventBatch?

  /// A session whose first bytes (the preface, SETTINGS) wait to be sent.
  public init(_ role: Role, limits: HTTP2Limits = HTTP2Limits()) {
    self.limits = limits
    inbox = Inbox(limits)
    native = NativeSession(role, limits, inbox)
  }

  /// Takes bytes from the peer, at any cut.
  ///
  /// - Throws: the session is over. Faults that HTTP/2 answers with GOAWAY do not throw: `fill`
  ///   carries the frame and `isFinished` becomes true.
  public func receive(_ bytes: borrowing Span<UInt8>) throws(SessionError) {
    try native.receive(bytes)
  }

  /// Whether there is something to take.
  public var hasEvents: Bool { !inbox.batch.events.isEmpty }

  /// What happened since the last time.
  public func takeEvents() -> EventBatch {
    var batch = spareBatch.take() ?? EventBatch()
    swap(&batch, &inbox.batch)
    inbox.batch.continueBlock(of: &batch)
    for case .closed(let stream, _) in batch.events { release(stream) }
    return batch
  }

  /// Gives a batch back, so that its memory is used again.
  public func recycle(_ batch: consuming EventBatch) {
    batch.clear(keepingBytes: limits.spareEventBytesMax)
    spareBatch = batch
  }

  /// Appends what is to be sent to `output`, until there is no more or `output` holds `limit`
  /// bytes; it may pass the limit by a frame.
  public func fill(_ output: inout [UInt8], limit: Int) throws(SessionError) {
    while output.count < limit {
      if try native.send(appendingTo: &output) { continue }
      if inbox.bodiesAtEnd.isEmpty { return }
      for body in inbox.bodiesAtEnd {
        if let trailers = body.trailers { native.trailers(body.stream, trailers) }
      }
      inbox.bodiesAtEnd.removeAll(keepingCapacity: true)
    }
  }

  /// Whether `fill` has something to add.
  public var wantsWrite: Bool { native.wantsWrite || !inbox.bodiesAtEnd.isEmpty }

  /// Whether the connection has nothing more to say or hear.
  public var isFinished: Bool { !native.wantsRead && !wantsWrite }

  /// Sends headers that end the stream.
  public func respond(_ stream: StreamID, _ headers: HeaderList) {
    _ = native.respond(stream.rawValue, headers, nil)
  }

  /// Sends headers that a body follows: `write` it, then `finish`.
  public func respondWithBody(_ stream: StreamID, _ headers: HeaderList) {
    let body = makeBody()
    body.stream = stream.rawValue
    if native.respond(stream.rawValue, headers, body) {
      bodies[stream] = body
    } else {
      keep(body)
    }
  }

  /// Begins a stream that a body follows: `write` it, then `finish`.
  ///
  /// - Returns: nil when this connection has no more identifiers.
  public func request(_ headers: HeaderList) -> StreamID? {
    let body = makeBody()
    guard let id = native.request(headers, body) else {
      keep(body)
      return nil
    }
    body.stream = id
    bodies[StreamID(rawValue: id)] = body
    return StreamID(rawValue: id)
  }

  /// Adds to a stream's body; nothing happens if the stream is over.
  public func write(_ stream: StreamID, _ append: (inout [UInt8]) -> Void) {
    guard let body = bodies[stream], !body.isFinished else { return }
    append(&body.bytes)
    resume(body)
  }

  /// Ends a stream's body, with trailers or without; nothing happens if the stream is over.
  public func finish(_ stream: StreamID, trailers: HeaderList? = nil) {
    guard let body = bodies[stream], !body.isFinished else { return }
    body.trailers = trailers
    body.isFinished = true
    resume(body)
  }

  /// The bytes of a stream's body that were not sent yet; 0 if the stream is over.
  public func pendingBytes(_ stream: StreamID) -> Int { bodies[stream]?.pendingBytes ?? 0 }

  /// Asks for one `Event.drained`, when the body's unsent bytes next fall below the low-water mark.
  public func notifyWhenDrained(_ stream: StreamID) { bodies[stream]?.wantsDrained = true }

  /// Ends a stream at once.
  public func reset(_ stream: StreamID, _ code: ErrorCode) { native.reset(stream.rawValue, code) }

  /// Opens the peer's window again by this many bytes of body.
  public func consume(_ stream: StreamID, bytes: Int) { native.consume(stream.rawValue, bytes) }

  /// Sends a PING; its answer is `Event.pingAcknowledged`.
  public func ping() { native.ping() }

  /// Tells the client that the end is near; streams that it begins meanwhile are still served.
  public func sendShutdownNotice() { native.shutdownNotice() }

  /// Refuses streams that come after the last one seen; those under way go on.
  public func sendGoAway(_ code: ErrorCode = .noError) { native.goAway(code) }

  /// Ends the connection: GOAWAY is the last thing sent.
  public func terminate(_ code: ErrorCode) { native.terminate(code) }

  private func resume(_ body: OutgoingBody) {
    guard body.isDeferred else { return }
    body.isDeferred = false
    native.resume(body.stream)
  }

  private func makeBody() -> OutgoingBody { spareBodies.popLast() ?? OutgoingBody() }

  private func release(_ stream: StreamID) {
    guard let body = bodies.removeValue(forKey: stream) else { return }
    // A stream may be reset after its body was sent and before its trailers were.
    if !inbox.bodiesAtEnd.isEmpty { inbox.bodiesAtEnd.removeAll { $0 === body } }
    keep(body)
  }

  private func keep(_ body: OutgoingBody) {
    guard spareBodies.count < limits.spareBodiesMax,
      body.bytes.capacity <= limits.spareBodyBytesMax
    else { return }
    body.clear()
    spareBodies.append(body)
  }
}
