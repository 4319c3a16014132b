public import Reactor

/// A connected TCP socket as a byte stream.
///
/// ```
/// open ──finish──► finishing (output left) ──► halfClosed (FIN sent) ──peer's FIN──► closed
///   └───────────────── error, abort ─────────────────────────────────────────────────► closed
/// ```
///
/// - Isolation: its reactor's thread.
/// - Ownership: the socket; it is closed when the stream is.
public final class TCPStream: ByteStream, ReadinessHandler, Flushable {
  private enum State { case open, finishing, halfClosed, closed }

  public weak var owner: (any ByteStreamOwner)?
  public let peer: String
  private let reactor: Reactor
  private let limits: TransportLimits
  private let readBuffer: ReadBuffer
  private var socket: Socket?
  private var registration: Registration?
  private var interest: Interest = .read
  private var state = State.open
  private var output: [UInt8] = []
  private var sentBytes = 0
  private var isFlushQueued = false
  private var isBlocked = false

  /// Takes over a connected socket; nothing is read before `start`.
  public init(
    _ socket: consuming Socket, peer: String, reactor: Reactor, readBuffer: ReadBuffer,
    limits: TransportLimits
  ) {
    socket.setNoDelay()
    self.socket = consume socket
    self.peer = peer
    self.reactor = reactor
    self.readBuffer = readBuffer
    self.limits = limits
  }

  public func start() throws(TransportError) {
    guard let descriptor = socket?.descriptor else { return }
    do {
      registration = try reactor.register(descriptor, for: interest, handler: self)
    } catch {
      close()
      throw TransportError(.system)
    }
  }

  public func requestWrite() {
    guard state != .closed, !isFlushQueued, !isBlocked else { return }
    isFlushQueued = true
    reactor.flushAtTickEnd(self)
  }

  public func finish() {
    guard state == .open else { return }
    state = .finishing
    requestWrite()
  }

  public func abort() { close() }

  public func ready(_ readiness: Readiness) {
    if readiness.contains(.write), isBlocked {
      isBlocked = false
      watch(interest.subtracting(.write))
      requestWrite()
    }
    // A hang-up or an error is told by the read.
    if !readiness.isDisjoint(with: [.read, .hangup, .error]) { read() }
  }

  private func read() {
    switch socket?.read(into: &readBuffer.bytes) {
    case nil, .wouldBlock: break
    case .bytes(0):
      guard state == .open || state == .finishing else { return fail(nil) }
      watch(interest.subtracting(.read))
      owner?.receivedEnd()
    case .bytes(let count):
      let bytes = readBuffer.bytes
      owner?.received(bytes.span.extracting(0..<count))
    case .failed(let code): fail(TransportError(.connectionLost, errno: code))
    }
  }

  public func flush() {
    isFlushQueued = false
    guard state == .open || state == .finishing, !isBlocked else { return }
    for _ in 0..<limits.writesPerTick {
      if output.isEmpty {
        owner?.fill(&output, limit: limits.writeBytes)
        // Filling may have closed the stream.
        guard state != .closed else { return }
        if output.isEmpty { return endIfFinishing() }
      }
      guard writeOnce() else { return }
    }
    requestWrite()
  }

  /// Writes once; false if that is all for now.
  private func writeOnce() -> Bool {
    switch socket?.write(output, from: sentBytes) {
    case .bytes(let count):
      sentBytes += count
      guard sentBytes == output.count else { return block() }
      let keep = output.capacity <= 2 * limits.writeBytes
      output.removeAll(keepingCapacity: keep)
      sentBytes = 0
      return true
    case .wouldBlock: return block()
    case .failed(let code):
      fail(TransportError(.connectionLost, errno: code))
      return false
    case nil: return false
    }
  }

  private func block() -> Bool {
    isBlocked = true
    watch(interest.union(.write))
    return false
  }

  private func endIfFinishing() {
    guard state == .finishing else { return }
    state = .halfClosed
    socket?.shutdownWrite()
    // If the peer ended first, nothing more can come.
    if !interest.contains(.read) { fail(nil) }
  }

  private func watch(_ interest: Interest) {
    guard interest != self.interest, let registration else { return }
    self.interest = interest
    reactor.setInterest(interest, of: registration)
  }

  private func fail(_ error: TransportError?) {
    guard state != .closed else { return }
    let owner = owner
    close()
    owner?.closed(error)
  }

  private func close() {
    guard state != .closed else { return }
    state = .closed
    if let registration { reactor.deregister(registration) }
    registration = nil
    socket = nil
    output = []
  }
}
