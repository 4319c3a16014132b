import Postgres
import Store
import TestSupport
import Testing

@Suite struct MigrationTests {
  private func empty() throws -> TestDatabase {
    try PostgresCluster.shared().database(template: "nothing") { _ in }
  }

  @Test func migratesOnceAndAgainDoesNothing() throws {
    let database = try empty()
    let admin = try AdminStore.open(conninfo: database.conninfo())
    #expect(try admin.schemaVersion() == nil)
    #expect(throws: StoreError.schema(.absent)) { () throws in try admin.checkSchema() }
    let first = try admin.migrate()
    #expect((first.from, first.to) == (0, 2))
    let second = try admin.migrate()
    #expect((second.from, second.to) == (2, 2))
    try admin.checkSchema()
  }

  @Test func twoAtOnceTakeTurns() async throws {
    let database = try empty()
    let conninfo = database.conninfo()
    let reports = try await atOnce([1, 2, 3, 4]) { _ in
      try AdminStore.open(conninfo: conninfo).migrate()
    }
    #expect(reports.filter { $0.from == 0 }.count == 1)
    #expect(reports.filter { $0.from == 2 }.count == 3)
  }

  @Test func aNewerOrChangedDatabaseIsRefused() throws {
    let database = try empty()
    let admin = try AdminStore.open(conninfo: database.conninfo())
    _ = try admin.migrate()
    let sql = try BlockingConnection.open(conninfo: database.conninfo())
    try sql.run(script: "INSERT INTO schema_version (version, checksum) VALUES (99, '')")
    #expect(throws: StoreError.schema(.newer(found: 99))) { () throws in _ = try admin.migrate() }
    #expect(throws: StoreError.schema(.newer(found: 99))) { () throws in try admin.checkSchema() }
    try sql.run(
      script: """
        DELETE FROM schema_version WHERE version = 99;
        UPDATE schema_version SET checksum = 'x'
        """)
    #expect(throws: StoreError.schema(.changed(version: 1))) { () throws in
      _ = try admin.migrate()
    }
  }

  @Test func theServerMayNotRewriteHistoryNorTheLedger() throws {
    let fixture = try Fixture()
    let server = try BlockingConnection.open(
      conninfo: fixture.database.conninfo(user: "recount_server"))
    for sql in [
      "UPDATE usage_event SET cost = 0", "DELETE FROM usage_event", "DELETE FROM message",
      "UPDATE message SET body = ''", "DELETE FROM turn", "UPDATE tenant SET name = ''",
      "UPDATE config_version SET version = 9", "INSERT INTO audit_log SELECT * FROM audit_log",
      "SELECT * FROM admin_revoke_key('k', 'server')", "TRUNCATE message",
    ] {
      #expect(throws: PostgresError.server(SQLState("42501")), "\(sql)") { () throws in
        try server.query(sql)
      }
    }
    try server.run(script: "UPDATE message SET state = 'failed' WHERE false")
    let billing = try BlockingConnection.open(
      conninfo: fixture.database.conninfo(user: "recount_billing"))
    try billing.query("SELECT count(*) FROM usage_event")
    #expect(throws: PostgresError.server(SQLState("42501"))) { () throws in
      try billing.query("SELECT body FROM message")
    }
  }
}
