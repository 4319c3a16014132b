/// A connection that waits: for the admin commands, migrations and tests. Never on a reactor.
public struct BlockingConnection: ~Copyable {
  private let handle: PGHandle

  /// Connects.
  ///
  /// - Throws: `.unavailable`.
  public static func open(conninfo: String) throws(PostgresError) -> BlockingConnection {
    guard let handle = PGHandle.waiting(conninfo) else { throw .unavailable }
    let connection = BlockingConnection(handle: handle)
    try connection.run(script: "SET client_min_messages = error; SET synchronous_commit = on")
    return connection
  }

  private init(handle: consuming PGHandle) { self.handle = handle }

  /// Runs SQL text that may hold several statements; they are one transaction.
  public func run(script: String) throws(PostgresError) {
    _ = try rows(of: handle.execute(script: script))
  }

  /// Runs one statement.
  @discardableResult
  public func query(
    _ sql: String, _ parameters: Parameters = Parameters()
  ) throws(PostgresError) -> Rows {
    try rows(of: handle.execute(sql, parameters))
  }

  private func rows(of event: PGHandle.Event) throws(PostgresError) -> Rows {
    switch event {
    case .rows(let rows): return rows
    case .failed(let state):
      throw state.isConnectionLost || handle.isFailed ? .unavailable : .server(state)
    case .end, .done, .sync, .aborted:
      return Rows(count: 0, columns: 0, bytes: [], starts: [], lengths: [])
    }
  }
}
