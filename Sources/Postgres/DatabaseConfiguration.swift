/// How a process reaches PostgreSQL, and the limits of what it asks for.
public struct DatabaseConfiguration: Sendable {
  /// A libpq connection string, keywords or URI. A password comes from `passfile` or the
  /// environment that libpq reads; this text is never logged.
  ///
  /// A host that is a name is resolved by libpq while the loop waits: give a socket folder or
  /// `hostaddr` where that matters.
  public var conninfo: String
  /// Connections that carry batches, per reactor.
  public var batchConnections = 2
  /// Connections that carry single statements, per reactor.
  public var queryConnections = 1
  /// Operations in one transaction at most.
  public var batchOperationsMax = 64
  /// Bytes of bodies in one transaction at most; one larger operation goes alone.
  public var batchBytesMax = 8 << 20
  /// Operations of one kind that may wait, per reactor.
  public var waitingOperationsMax = 8192
  /// Single statements sent in one flush at most.
  public var queriesPerFlushMax = 16
  /// How long an operation without its own patience is tried while the server is away.
  public var patience = Duration.seconds(5)
  /// A connection that has not answered for so long is given up.
  public var exchangeTimeout = Duration.seconds(20)
  /// A connection that is not set up within this time is given up.
  public var connectTimeout = Duration.seconds(5)
  /// Waiting before the n-th new try to connect: this, doubled each time, up to the maximum.
  public var backoffFirst = Duration.milliseconds(50)
  public var backoffMax = Duration.seconds(2)
  /// `statement_timeout` of each session, in milliseconds.
  public var statementTimeoutMilliseconds = 15_000
  /// `lock_timeout` of each session, in milliseconds.
  public var lockTimeoutMilliseconds = 5_000

  public init(conninfo: String) { self.conninfo = conninfo }

  /// Shares a process's connections out to its reactors: one for single statements, so that a
  /// heartbeat never waits behind batches, and two for batches where that many are to be had. With
  /// one in all, both take turns on it.
  public mutating func share(connectionsMax: Int = 8, reactors: Int) {
    let each = max(1, connectionsMax / max(1, reactors))
    queryConnections = each > 1 ? 1 : 0
    batchConnections = min(2, each - queryConnections)
  }
}
