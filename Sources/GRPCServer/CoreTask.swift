public import Reactor

/// Starts tasks on a reactor's core from its loop.
public enum CoreTask {
  /// Runs `body` isolated to the reactor's core, with the reactor as its executor preference, so
  /// that neither its start nor any suspension leaves the thread.
  ///
  /// Use it for work that outlives the call that began it: nothing but its own code ends it.
  ///
  /// - Isolation: the reactor's thread; traps elsewhere.
  @discardableResult
  public static func start(
    on reactor: Reactor, _ body: @escaping @Sendable (isolated Core) async -> Void
  ) -> Task<Void, Never> {
    reactor.preconditionOnLoop()
    let core = reactor.core
    return Task(executorPreference: reactor) { await body(core) }
  }
}
