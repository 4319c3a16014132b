import Postgres
import Reactor
import TestSupport

/// A value of the loop that a test's tasks hand to each other; they all run on the same core.
struct OnLoop<Value>: @unchecked Sendable {
  let value: Value
}

/// An empty database with a counter table and a function that adds to it in batches.
func addingDatabase() throws -> TestDatabase {
  try PostgresCluster.shared().database(template: "adding") { conninfo in
    let connection = try BlockingConnection.open(conninfo: conninfo)
    try connection.run(
      script: """
        CREATE TABLE added (id bigint PRIMARY KEY, value bigint NOT NULL CHECK (value < 1000));
        CREATE SEQUENCE kills;
        CREATE FUNCTION add_all(p_id bigint[], p_value bigint[])
        RETURNS TABLE (ord integer, value bigint) LANGUAGE plpgsql AS $$
        BEGIN
          IF 666 = ANY (p_value) THEN
            RAISE EXCEPTION 'conflict' USING ERRCODE = '40001';
          END IF;
          -- The first three of these take their own connection with them.
          IF 777 = ANY (p_value) AND nextval('kills') <= 3 THEN
            PERFORM pg_terminate_backend(pg_backend_pid());
          END IF;
          INSERT INTO added AS a SELECT * FROM unnest(p_id, p_value) ON CONFLICT DO NOTHING;
          RETURN QUERY SELECT o.ord::integer, a.value
          FROM unnest(p_id) WITH ORDINALITY AS o (id, ord) JOIN added AS a ON a.id = o.id;
        END $$;
        """)
  }
}

/// Adds a value under an id; a repeat gives the first value.
struct Add: BatchOperation {
  typealias Outcome = Int64

  var id: Int64
  var value: Int64
  var patience: Duration?
  var reducedTo: Int64?

  static let statement = Statement(name: "add_all", sql: "SELECT * FROM add_all($1, $2)")

  static func parameters(_ operations: [Add]) -> Parameters {
    var p = Parameters()
    p.int64s(operations.map { $0.id })
    p.int64s(operations.map { $0.value })
    return p
  }

  static func outcomes(_ operations: [Add], _ rows: Rows, followUp: Rows?) -> [Int64] {
    var values = [Int64](repeating: -1, count: operations.count)
    for index in 0..<rows.count { values[Int(rows[index].int32(0)) - 1] = rows[index].int64(1) }
    return values
  }

  var weightBytes: Int { 16 }
  var reduced: Add? { reducedTo.map { Add(id: id, value: $0) } }
}

/// Runs a body on a new reactor with a database of its own.
func withDatabase<R: Sendable>(
  _ configuration: DatabaseConfiguration,
  _ body: @escaping @Sendable (Reactor, Database) async throws -> R
) async throws -> R {
  let reactor = try Reactor(name: "test")
  reactor.start()
  defer { reactor.stop() }
  return try await reactor.run { core in
    let database = Database(reactor: reactor, configuration: configuration)
    database.start()
    defer { database.close() }
    return try await inherit(core, reactor, database, body)
  }
}

private func inherit<R: Sendable>(
  _ core: isolated Core, _ reactor: Reactor, _ database: Database,
  _ body: (Reactor, Database) async throws -> R
) async throws -> R {
  try await body(reactor, database)
}
