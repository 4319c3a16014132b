import Postgres
import Store
import TestSupport
import Testing

@Suite struct OwnershipTests {
  /// Ends a lease as time would.
  private func lapse(_ fixture: Fixture, _ owner: RowID = incarnation) throws {
    try fixture.sql().run(
      script: """
        UPDATE replica SET lease_until = now() - interval '1 minute'
        WHERE incarnation = '\(owner)'
        """)
  }

  @Test func aLapsedLeaseIsNotRevived() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      try await store.register()
      let alive = try await store.store.heartbeat(
        "replica-1", incarnation: incarnation, lease: .seconds(60))
      #expect(alive != .dead)
      try lapse(fixture)
      let dead = try await store.store.heartbeat(
        "replica-1", incarnation: incarnation, lease: .seconds(60))
      #expect(dead == .dead)
      await #expect(throws: ProgramFailure.self) { try await store.register() }
      try await store.register(id(2))
      try await store.store.endReplica(incarnation: id(2))
      let ended = try await store.store.heartbeat(
        "replica-1", incarnation: id(2), lease: .seconds(60))
      #expect(ended == .dead)
    }
  }

  @Test func theReaperBooksTheWorstCaseAndTheTruthCorrectsIt() async throws {
    let fixture = try Fixture()
    try fixture.quota(limit: 10_000)
    try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await store.create(creation("c1"))
      let begin = beginning("c1", request: request("g1"), config: config)
      guard case .begun(let begun) = try await store.begin(begin) else {
        Issue.record("not begun")
        return
      }
      let further = AddAttempt(
        tenant: "acme", generation: begin.generation, incarnation: incarnation, number: 2,
        attempt: randomID(), relay: "sim2", upstreamModel: "gpt-4.1", serviceTier: "default",
        reserves: true)
      #expect(try await store.store.addAttempt(further) == .added)
      #expect(try await store.store.addAttempt(further) == .added)
      #expect(try await store.reap() == 0)
      try lapse(fixture)
      #expect(try await store.begin(beginning("c1", config: config)) == .fenced)
      let reaped = try await atOnce([1, 2, 3]) { _ in try await store.reap() }
      #expect(reaped.reduce(0, +) == 1)
      #expect(try await store.reap() == 0)
      #expect(try fixture.broken() == [])
      let booked = try fixture.sql().query(
        "SELECT sum(cost)::text, count(*) FROM usage_event WHERE kind = 'unknown'")[0]
      #expect(Int128(booked.text(0)) == begun.reserved * 2)
      #expect(booked.int64(1) == 2)
      #expect(try fixture.spent() == begun.reserved * 2)

      // The caller's repeat is given the reaper's result; the conversation goes on.
      var repeated = begin
      repeated.generation = randomID()
      guard case .finished(let turn) = try await store.begin(repeated) else {
        Issue.record("no replay")
        return
      }
      #expect(turn.state == .unknown && turn.result == [9] && turn.errorReason == "UNKNOWN")

      // The owner was alive after all: its answer is an orphan, the truth is booked.
      #expect(try await store.settle(settling(begin)) == .late)
      #expect(try await store.settle(settling(begin)) == .late)
      #expect(try fixture.broken() == [])
      #expect(try fixture.spent() == 70)
      let orphan = try await store.store.turn(tenant: "acme", generation: begin.generation)
      #expect(orphan?.state == .unknown && orphan?.orphan == Array("result".utf8))
      #expect(orphan?.result == [9])

      try await store.register(id(2))
      guard
        case .begun(let next) = try await store.begin(
          beginning("c1", config: config, incarnation: id(2)))
      else {
        Issue.record("the conversation does not go on")
        return
      }
      #expect(next.view.count == 1)
    }
  }

  @Test func aStrangerDoesNotSettle() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let config = try await store.register()
      try await store.register(id(2))
      _ = try await store.create(creation("c1"))
      let begin = beginning("c1", config: config)
      _ = try await store.begin(begin)
      #expect(try await store.settle(settling(begin, owner: id(2))) == .unknownTurn)
      #expect(try await store.settle(settling(beginning("c1", config: config))) == .unknownTurn)
    }
    #expect(try fixture.broken() == [])
    #expect(try fixture.sql().query("SELECT count(*) FROM usage_event")[0].int64(0) == 0)
  }

  @Test func killedBackendsLoseAndDoubleNothing() async throws {
    let fixture = try Fixture()
    try fixture.quota(limit: 1_000_000)
    let conninfo = fixture.database.conninfo()
    // Every fifth of the first writes takes its own connection with it, before its commit; the
    // killer below comes at any time.
    try fixture.sql().run(
      script: """
        CREATE SEQUENCE kills;
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        DECLARE
          n bigint := nextval('kills');
        BEGIN
          IF n % 5 = 0 AND n < 60 THEN
            PERFORM pg_terminate_backend(pg_backend_pid());
          END IF;
          RETURN NULL;
        END $$;
        CREATE TRIGGER die AFTER INSERT OR UPDATE ON turn
        FOR EACH STATEMENT EXECUTE FUNCTION die();
        """)
    let lost = try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await atOnce((0..<32).map { creation("c\($0)") }) { try await store.create($0) }
      let killer = Task.detached {
        let admin = try BlockingConnection.open(conninfo: conninfo)
        for _ in 0..<8 {
          try await Task.sleep(for: .milliseconds(40))
          try admin.query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND usename = 'recount_server'
            """)
        }
      }
      for round in 0..<6 {
        let turns = (0..<32).map {
          beginning("c\($0)", request: request("r\(round)-\($0)"), config: config)
        }
        let outcomes = try await atOnce(turns) { turn in
          guard case .begun = try await store.begin(turn) else { return false }
          guard case .settled = try await store.settle(settling(turn)) else { return false }
          return true
        }
        #expect(outcomes.allSatisfy { $0 })
      }
      try await killer.value
      return store.database.figures.lost
    }
    #expect(lost > 0)
    #expect(try fixture.broken() == [])
    #expect(try fixture.spent() == 6 * 32 * 70)
    let counts = try fixture.sql().query(
      """
      SELECT count(*), (SELECT count(*) FROM message), (SELECT count(*) FROM turn)
      FROM usage_event
      """
    )[0]
    #expect(counts.int64(0) == 192)
    #expect(counts.int64(1) == 384)
    #expect(counts.int64(2) == 192)
  }
}

extension Fixture {
  /// A budget of money for the tenant `acme`.
  func quota(limit: Int, scope: String = "tenant", of id: String = "acme", unit: String = "money")
    throws
  {
    try sql().run(
      script: """
        INSERT INTO quota_account (tenant_id, account_id, scope, scope_id, unit, period,
          time_zone, limit_each)
        VALUES ('acme', gen_random_uuid(), '\(scope)', '\(id)', '\(unit)', 'month',
          'Europe/Berlin', \(limit))
        """)
  }

  /// What all budgets have settled.
  func spent() throws -> Int128 {
    let row = try sql().query("SELECT sum(settled + overrun)::text FROM quota_period")[0]
    return Int128(row.text(0))!
  }
}
