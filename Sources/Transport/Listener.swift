import Glibc
public import Reactor

/// Accepts TCP connections on one reactor.
///
/// - Isolation: its reactor's thread.
/// - Ownership: the listening socket; each accepted one belongs to whom it is handed.
public final class Listener: ReadinessHandler {
  /// Where it listens, with the port that the system chose.
  public let address: SocketAddress
  /// Connections accepted so far.
  public private(set) var acceptedCount = 0

  private let reactor: Reactor
  private let limits: TransportLimits
  private let onAccept: (_ socket: consuming Socket, _ peer: String) -> Void
  private var socket: Socket?
  private var registration: Registration?
  private var pause: TimerID?

  /// Listens and accepts from the next tick on.
  ///
  /// - Throws: `.cannotBind` if the address is in use or not ours, `.system` otherwise.
  public init(
    _ address: SocketAddress, on reactor: Reactor, limits: TransportLimits = TransportLimits(),
    onAccept: @escaping (_ socket: consuming Socket, _ peer: String) -> Void
  ) throws(TransportError) {
    let socket = try Socket.listening(on: address, backlog: limits.backlog)
    guard let bound = socket.boundAddress else { throw TransportError(.system, errno: errno) }
    self.address = bound
    self.reactor = reactor
    self.limits = limits
    self.onAccept = onAccept
    self.socket = consume socket
    try watch()
  }

  /// Stops listening; connections in the kernel's queue are refused.
  public func close() {
    if let pause { reactor.cancel(pause) }
    pause = nil
    if let registration { reactor.deregister(registration) }
    registration = nil
    socket = nil
  }

  public func ready(_ readiness: Readiness) {
    for _ in 0..<limits.acceptsPerTick {
      guard let (descriptor, peer) = socket?.accept() else { return }
      if descriptor >= 0 {
        acceptedCount += 1
        onAccept(Socket(owning: descriptor), peer?.description ?? "unknown")
        continue
      }
      switch errno {
      case EAGAIN: return
      case EMFILE, ENFILE, ENOBUFS, ENOMEM: return rest()
      // What befell that one connection before we took it (accept(2), "Error handling").
      default: continue
      }
    }
  }

  /// Out of descriptors: look away for a while, else the readiness would spin the loop.
  private func rest() {
    if let registration { reactor.deregister(registration) }
    registration = nil
    pause = reactor.schedule(after: limits.acceptPause) { [weak self] in
      guard let self else { return }
      pause = nil
      do { try watch() } catch { rest() }
    }
  }

  private func watch() throws(TransportError) {
    guard let descriptor = socket?.descriptor else { return }
    do {
      registration = try reactor.register(descriptor, for: .read, handler: self)
    } catch {
      throw TransportError(.system)
    }
  }
}
