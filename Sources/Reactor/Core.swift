/// The actor that everything on a reactor is isolated to.
///
/// Enter it once, by `Reactor.run` or a task with the reactor as its executor preference, and pass
/// it on as an `isolated` parameter.
public actor Core {
  /// The reactor that it runs on, which must outlive it.
  public nonisolated unowned let reactor: Reactor

  init(_ reactor: Reactor) { self.reactor = reactor }

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe reactor.asUnownedSerialExecutor()
  }
}

/// A value of a reactor's thread that other threads may carry, but not look into.
public struct LoopBound<Value>: @unchecked Sendable {
  private let bound: Value
  /// Whose thread it belongs to.
  public let reactor: Reactor

  public init(_ value: Value, on reactor: Reactor) {
    bound = value
    self.reactor = reactor
  }

  /// The value; traps off the reactor's thread.
  public var value: Value {
    reactor.preconditionOnLoop()
    return bound
  }
}
