import Foundation
import Postgres
import Store
import TestSupport
import Testing

@Suite struct MigrateTests {
  @Test func aDryRunChangesNothing() async throws {
    let desk = try Desk(migrated: false)
    defer { desk.end() }
    let owner = desk.database.conninfo()
    let early = try await desk.recount("tenant", "list", url: owner)
    #expect(early.status == 1 && early.errors.contains("recount migrate"))
    for _ in 0..<2 {
      let dry = try await desk.recount("migrate", "--dry-run", "-o", "json", url: owner)
      #expect(dry.status == 0 && dry.errors.contains("dry run"))
      #expect(try dry.record()["from"] as? Int == 0)
    }
    #expect(try AdminStore.open(conninfo: owner).schemaVersion() == nil)
    let first = try await desk.recount("migrate", url: owner)
    #expect(first.status == 0 && first.errors == "migrated\n")
    let again = try await desk.recount("migrate", url: owner)
    #expect(again.status == 0 && again.errors == "the schema is up to date\n")
  }

  @Test func twoAtOnceTakeTurns() async throws {
    let desk = try Desk(migrated: false)
    defer { desk.end() }
    let owner = desk.database.conninfo()
    let froms = try await withThrowingTaskGroup(of: Int?.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let run = try await desk.recount("migrate", "-o", "json", url: owner)
          #expect(run.status == 0, "\(run.errors)")
          return try run.record()["from"] as? Int
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(froms.filter { $0 == 0 }.count == 1, "\(froms)")
    #expect(try await desk.recount("tenant", "list").status == 0)
  }

  @Test func aNewerSchemaIsLeftAlone() async throws {
    let desk = try Desk()
    defer { desk.end() }
    let owner = desk.database.conninfo()
    try BlockingConnection.open(conninfo: owner).run(
      script: "INSERT INTO schema_version (version, checksum) VALUES (999, 'x')")
    for command in [["migrate"], ["migrate", "--dry-run"], ["tenant", "list"]] {
      let run = try await desk.run(command, url: owner)
      #expect(run.status == 1 && run.errors.contains("newer than this program"), "\(run)")
    }
  }

  @Test func theDoctorNamesWhatIsBroken() async throws {
    let desk = try Desk()
    defer { desk.end() }
    let healthy = try await desk.recount("doctor")
    #expect(healthy.status == 0 && healthy.output.isEmpty)
    #expect(healthy.errors == "every invariant holds\n")
    #expect(try await desk.recount("doctor", "-o", "json").output == "[]\n")
    _ = try await desk.recount("tenant", "create", "acme")
    // A reservation without a turn.
    try BlockingConnection.open(conninfo: desk.database.conninfo()).run(
      script: """
        INSERT INTO quota_account (tenant_id, account_id, scope, scope_id, unit, period,
          time_zone, limit_each)
        VALUES ('acme', '00000000-0000-0000-0000-000000000001', 'tenant', 'acme', 'money', 'day',
          'UTC', 100);
        INSERT INTO quota_period (tenant_id, account_id, period_start, period_end, limit_amount,
          reserved)
        VALUES ('acme', '00000000-0000-0000-0000-000000000001', '2026-01-01', '2026-01-02', 100,
          7)
        """)
    let broken = try await desk.recount("doctor", "-o", "json")
    #expect(broken.status == 9)
    let rows = try broken.list()
    #expect(rows.first?["invariant"] as? String == "reserved is the sum of pending legs")
    let row = try #require(rows.first?["row"] as? [String: Any])
    #expect(row["tenant_id"] as? String == "acme" && row["reserved"] as? Int == 7)
    #expect(try await desk.recount("doctor").output.contains("\"tenant_id\":\"acme\""))
  }
}
