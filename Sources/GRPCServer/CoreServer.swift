import Reactor
import Synchronization
import Transport

/// What a server has on one reactor: its router and its connections.
///
/// - Isolation: made anywhere; everything but `load`, `callsStarted` and `reactor` belongs to the
///   reactor's thread, which each entry checks. That is why it may be shared.
final class CoreServer: @unchecked Sendable {
  let reactor: Reactor
  /// Connections here or on their way here.
  let load = Atomic<Int>(0)
  let callsStarted = Atomic<Int>(0)

  private let limits: GRPCServerLimits
  private var router = Router()
  private var readBuffer = ReadBuffer(bytes: 0)
  private var connections: [ObjectIdentifier: ServerConnection] = [:]
  private var listeners: [Listener] = []
  private var onDrained: (() -> Void)?
  private var graceTimer: TimerID?
  private var isDraining = false

  init(_ reactor: Reactor, _ limits: GRPCServerLimits) {
    self.reactor = reactor
    self.limits = limits
  }

  /// Makes the core's own objects.
  func open(_ makeRouter: (Reactor) -> Router) {
    reactor.preconditionOnLoop()
    router = makeRouter(reactor)
    readBuffer = ReadBuffer(bytes: limits.transport.readBytes)
  }

  /// Accepts here and hands each connection to the core that `choose` names.
  func listen(
    _ address: SocketAddress, choose: @escaping () -> CoreServer?
  ) throws(TransportError) -> SocketAddress {
    reactor.preconditionOnLoop()
    let listener = try Listener(address, on: reactor, limits: limits.transport) { socket, peer in
      // Without a core the socket is closed here, by going out of scope.
      guard let target = choose() else { return }
      target.load.add(1, ordering: .relaxed)
      if target === self { return self.adopt(socket, peer) }
      let descriptor = socket.release()
      target.reactor.execute { target.adopt(Socket(owning: descriptor), peer) }
    }
    listeners.append(listener)
    return listener.address
  }

  private func adopt(_ socket: consuming Socket, _ peer: String) {
    reactor.preconditionOnLoop()
    guard !isDraining else {
      load.subtract(1, ordering: .relaxed)
      return
    }
    let stream = TCPStream(
      socket, peer: peer, reactor: reactor, readBuffer: readBuffer, limits: limits.transport)
    let connection = ServerConnection(
      stream, reactor: reactor, limits: limits,
      hooks: .init(
        route: { [unowned self] path in router.route(path) },
        callStarted: { [unowned self] in _ = callsStarted.add(1, ordering: .relaxed) },
        closed: { [unowned self] in closed($0) }))
    connections[ObjectIdentifier(connection)] = connection
    do {
      try connection.start()
    } catch {
      connection.close()
    }
  }

  private func closed(_ connection: ServerConnection) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    load.subtract(1, ordering: .relaxed)
    endDrainIfDone()
  }

  /// Accepts no more, lets calls end, and closes what is left after `grace`.
  func drain(grace: Duration, _ onDrained: @escaping () -> Void) {
    reactor.preconditionOnLoop()
    isDraining = true
    self.onDrained = onDrained
    for listener in listeners { listener.close() }
    listeners = []
    for connection in connections.values { connection.drain() }
    graceTimer = reactor.schedule(after: grace) { [self] in
      graceTimer = nil
      for connection in connections.values { connection.close() }
      endDrainIfDone()
    }
    endDrainIfDone()
  }

  private func endDrainIfDone() {
    guard isDraining, connections.isEmpty, let done = onDrained.take() else { return }
    if let graceTimer { reactor.cancel(graceTimer) }
    graceTimer = nil
    done()
  }
}
