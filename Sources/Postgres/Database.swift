public import Reactor

/// PostgreSQL as one reactor sees it: a few connections and the batcher.
///
/// Operations of one kind that arrive while the last commit is under way share the next one; an
/// operation that finds a connection idle waits for nothing but the end of the tick.
///
/// - Isolation: its reactor's thread; async methods run on the caller's isolation, which is the
///   reactor's core.
/// - Limits: `DatabaseConfiguration`.
/// - Throws: `.unavailable` when an operation's patience ends before a connection was to be had;
///   `.overloaded`; `.server` when the server refused the statement.
public final class Database: Flushable {
  private let reactor: Reactor
  private let configuration: DatabaseConfiguration
  private let counters = BatchCounters()
  private var batchConnections: [Connection] = []
  private var queryConnections: [Connection] = []
  private var lanes: [ObjectIdentifier: any Lane] = [:]
  private let queries: QueryLane
  /// With one connection for both, single statements and batches take turns.
  private var areQueriesFirst = false
  private var isFlushing = false
  private var isClosed = false
  private var expiry: TimerID?

  public init(reactor: Reactor, configuration: DatabaseConfiguration) {
    self.reactor = reactor
    self.configuration = configuration
    queries = QueryLane(configuration) { reactor.now }
  }

  /// Begins to connect; operations may be submitted at once.
  public func start() {
    precondition(batchConnections.isEmpty && !isClosed)
    func connection(_: Int) -> Connection {
      Connection(reactor, configuration) { [weak self] in self?.requestFlush() }
    }
    batchConnections = (0..<max(1, configuration.batchConnections)).map(connection)
    queryConnections = (0..<configuration.queryConnections).map(connection)
    for connection in batchConnections + queryConnections { connection.open() }
    watchExpiry()
  }

  /// Ends every connection; what waits fails as unavailable.
  public func close() {
    isClosed = true
    for connection in batchConnections + queryConnections { connection.close() }
    if let expiry { reactor.cancel(expiry) }
    expiry = nil
    for lane in lanes.values { lane.failAll() }
    queries.failAll()
  }

  /// Whether some connection is set up.
  public var isUp: Bool { (batchConnections + queryConnections).contains { $0.isUp } }
  public var figures: BatchFigures { counters.figures }

  /// Runs an operation in a batch of its kind; returns after its commit.
  public func submit<Operation: BatchOperation>(
    _ operation: Operation
  ) async throws(PostgresError) -> Operation.Outcome {
    guard !isClosed else { throw .unavailable }
    let lane = lane(of: Operation.self)
    return try await Waiter.wait { waiter in
      lane.add(operation, waiter)
      requestFlush()
    }
  }

  /// Runs one statement on its own. It must be harmless to repeat.
  public func query(
    _ statement: Statement, _ parameters: Parameters = Parameters(), patience: Duration? = nil
  ) async throws(PostgresError) -> Rows {
    guard !isClosed else { throw .unavailable }
    return try await Waiter.wait { waiter in
      queries.add(statement, parameters, patience, waiter)
      requestFlush()
    }
  }

  /// Gives waiting work to idle connections; called by the reactor at the end of a tick.
  public func flush() {
    isFlushing = false
    guard !isClosed else { return }
    if queryConnections.isEmpty {
      areQueriesFirst.toggle()
      if areQueriesFirst { flushQueries(batchConnections) }
    }
    for connection in batchConnections where connection.isIdle {
      let waiting = lanes.values.filter { $0.oldest != nil }
      guard let next = waiting.min(by: { $0.oldest! < $1.oldest! }) else { break }
      if let exchange = next.take(finished: { [weak self] in self?.requestFlush() }) {
        connection.run(exchange)
      }
    }
    flushQueries(queryConnections.isEmpty ? batchConnections : queryConnections)
  }

  private func flushQueries(_ connections: [Connection]) {
    for connection in connections where connection.isIdle {
      guard let exchange = queries.take(finished: { [weak self] in self?.requestFlush() }) else {
        break
      }
      connection.run(exchange)
    }
  }

  private func requestFlush() {
    guard !isFlushing, !isClosed else { return }
    isFlushing = true
    reactor.flushAtTickEnd(self)
  }

  private func lane<Operation: BatchOperation>(of _: Operation.Type) -> BatchLane<Operation> {
    let id = ObjectIdentifier(Operation.self)
    if let lane = lanes[id] as? BatchLane<Operation> { return lane }
    let lane = BatchLane<Operation>(configuration, counters) { [reactor] in reactor.now }
    lanes[id] = lane
    return lane
  }

  private func watchExpiry() {
    expiry = reactor.schedule(after: .milliseconds(100)) { [weak self] in
      guard let self, !isClosed else { return }
      let now = reactor.now
      for lane in lanes.values { lane.expire(now) }
      queries.expire(now)
      watchExpiry()
    }
  }
}
