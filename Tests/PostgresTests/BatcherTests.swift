import Postgres
import Reactor
import TestSupport
import Testing

@Suite struct BatcherTests {
  /// Submits operations at once and gives their results in order.
  static func all(
    _ reactor: Reactor, _ database: Database, _ operations: [Add]
  ) async -> [Result<Int64, PostgresError>] {
    let shared = OnLoop(value: database)
    return await withTaskGroup(of: (Int, Result<Int64, PostgresError>).self) { group in
      for (index, operation) in operations.enumerated() {
        group.addTask {
          let result = try? await reactor.run { core in
            await submit(core, shared.value, operation)
          }
          return (index, result ?? .failure(.unavailable))
        }
      }
      var results = [Result<Int64, PostgresError>](
        repeating: .failure(.unavailable), count: operations.count)
      for await (index, result) in group { results[index] = result }
      return results
    }
  }

  @Test func operationsThatWaitShareACommit() async throws {
    let database = try addingDatabase()
    let figures = try await withDatabase(.init(conninfo: database.conninfo())) { reactor, store in
      let operations = (0..<256).map { Add(id: Int64($0), value: Int64($0)) }
      let results = await Self.all(reactor, store, operations)
      #expect(results == (0..<256).map { .success(Int64($0)) })
      return store.figures
    }
    #expect(figures.operations == 256)
    #expect(figures.batches <= 32)
  }

  @Test func aLoneOperationIsNotHeldBack() async throws {
    let database = try addingDatabase()
    let figures = try await withDatabase(.init(conninfo: database.conninfo())) { _, store in
      for id in 0..<20 { _ = try await store.submit(Add(id: Int64(id), value: 1)) }
      return store.figures
    }
    #expect(figures.batches == 20)
  }

  @Test func whatTheServerRefusesFailsAlone() async throws {
    let database = try addingDatabase()
    try await withDatabase(.init(conninfo: database.conninfo())) { reactor, store in
      var operations = (0..<40).map { Add(id: Int64($0), value: Int64($0)) }
      operations[7].value = 5000
      operations[9].value = 5000
      operations[9].reducedTo = 99
      let results = await Self.all(reactor, store, operations)
      for (index, result) in results.enumerated() {
        switch index {
        case 7: #expect(result == .failure(.server(SQLState("23514"))))
        case 9: #expect(result == .success(99))
        default: #expect(result == .success(Int64(index)))
        }
      }
    }
  }

  @Test func aConflictThatDoesNotEndIsGivenUp() async throws {
    let database = try addingDatabase()
    try await withDatabase(.init(conninfo: database.conninfo())) { reactor, store in
      let results = await Self.all(
        reactor, store, [Add(id: 1, value: 1), Add(id: 2, value: 666), Add(id: 3, value: 3)])
      #expect(results[0] == .success(1))
      #expect(results[1] == .failure(.server(.serializationFailure)))
      #expect(results[2] == .success(3))
    }
  }

  @Test func whatALostConnectionHadIsSentAgain() async throws {
    let database = try addingDatabase()
    let lost = try await withDatabase(.init(conninfo: database.conninfo())) { reactor, store in
      var operations = (0..<40).map { Add(id: Int64($0), value: Int64($0)) }
      operations[3].value = 777
      let results = await Self.all(reactor, store, operations)
      #expect(results == operations.map { .success($0.value) })
      return store.figures.lost
    }
    #expect(lost == 3)
  }

  @Test func killedConnectionsLoseAndDoubleNothing() async throws {
    let database = try addingDatabase()
    let conninfo = database.conninfo()
    try await withDatabase(.init(conninfo: conninfo)) { reactor, store in
      _ = try await store.submit(Add(id: 1_000_000, value: 1))
      let killer = Task.detached {
        let admin = try BlockingConnection.open(conninfo: conninfo)
        for _ in 0..<10 {
          try await Task.sleep(for: .milliseconds(20))
          try admin.query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """)
        }
      }
      for round in 0..<40 {
        let base = Int64(round * 64)
        let operations = (0..<64).map { Add(id: base + Int64($0), value: Int64($0)) }
        let results = await Self.all(reactor, store, operations)
        #expect(results == (0..<64).map { .success(Int64($0)) })
        if round % 4 == 0 { try await Task.sleep(for: .milliseconds(10)) }
      }
      try await killer.value
    }
    let admin = try BlockingConnection.open(conninfo: conninfo)
    #expect(try admin.query("SELECT count(*) FROM added")[0].int64(0) == 40 * 64 + 1)
  }

  @Test(.timeLimit(.minutes(1)))
  func withoutAServerAnOperationEndsWithItsPatience() async throws {
    var configuration = DatabaseConfiguration(conninfo: "host=/nonexistent user=nobody")
    configuration.patience = .milliseconds(200)
    try await withDatabase(configuration) { _, store in
      await #expect(throws: PostgresError.unavailable) {
        _ = try await store.submit(Add(id: 1, value: 1))
      }
      #expect(!store.isUp)
    }
  }

  @Test func theNamedLimitOfWaitingOperationsHolds() async throws {
    var configuration = DatabaseConfiguration(conninfo: "host=/nonexistent user=nobody")
    configuration.patience = .milliseconds(200)
    configuration.waitingOperationsMax = 3
    try await withDatabase(configuration) { reactor, store in
      let results = await Self.all(
        reactor, store, (0..<5).map { Add(id: Int64($0), value: 1) })
      #expect(results.filter { $0 == .failure(.overloaded) }.count == 2)
      #expect(results.filter { $0 == .failure(.unavailable) }.count == 3)
    }
  }

  @Test func queriesFailOneByOne() async throws {
    let database = try addingDatabase()
    try await withDatabase(.init(conninfo: database.conninfo())) { _, store in
      let bad = Statement(name: "bad", sql: "SELECT 1 / $1::int8")
      var zero = Parameters()
      zero.int64(0)
      await #expect(throws: PostgresError.server(SQLState("22012"))) {
        _ = try await store.query(bad, zero)
      }
      let wrong = Statement(name: "wrong", sql: "SELECT no_such_column")
      for _ in 0..<2 {
        await #expect(throws: PostgresError.server(SQLState("42703"))) {
          _ = try await store.query(wrong)
        }
      }
      var one = Parameters()
      one.int64(1)
      let rows = try await store.query(bad, one)
      #expect(rows[0].int64(0) == 1)
    }
  }

  @Test func theSessionIsDurable() async throws {
    let database = try addingDatabase()
    try database.cluster.run("ALTER DATABASE \(database.name) SET synchronous_commit = off")
    try await withDatabase(.init(conninfo: database.conninfo())) { _, store in
      let show = Statement(name: "show", sql: "SELECT current_setting('synchronous_commit')")
      let rows = try await store.query(show)
      #expect(rows[0].text(0) == "on")
    }
  }
}

/// On the core, so that the non-Sendable database may be used.
private func submit(
  _ core: isolated Core, _ database: Database, _ operation: Add
) async -> Result<Int64, PostgresError> {
  do {
    return .success(try await database.submit(operation))
  } catch {
    return .failure(error)
  }
}
