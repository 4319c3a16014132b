import Foundation
import TestSupport
import Testing

/// What ends a command before it does anything.
@Suite struct UsageTests {
  @Test func wrongUsageIsTwo() async throws {
    let desk = try Desk()
    defer { desk.end() }
    let time = "2020-01-01T00:00:00Z"
    let wrong: [[String]] = [
      ["nope"], ["--nope"], ["tenant", "create"], ["tenant", "create", "a b"],
      ["tenant", "create", String(repeating: "a", count: 129)],
      ["tenant", "create", "a", "--currency", "usd"], ["tenant", "create", "a", "--actor", ""],
      ["tenant", "list", "-o", "xml"], ["tenant", "list", "extra"], ["key", "create"],
      ["key", "create", "--tenant", "a", "--scope", "root"],
      ["key", "create", "--tenant", "a", "--model", ""],
      ["key", "create", "--tenant", "a", "--expires", "soon"],
      ["key", "create", "--tenant", "a", "--expires", "2027-02-29T00:00:00Z"],
      ["key", "create", "--tenant", "a", "--expires", "2027-02-28 00:00:00"],
      ["key", "create", "--tenant", "a", "--expires", time], ["price", "apply"],
      ["price", "list", "--book", "mine"], ["audit", "list", "--limit", "0"],
      ["audit", "list", "--after", "-1"], ["doctor", "--grace", "-1"], ["tokens", "count"],
      ["tokens", "count", "--encoding", "nope"],
      ["tenant", "list", "--database-url", "host=a", "--database-url-file", "b"],
    ]
    for arguments in wrong {
      let run = try await desk.run(arguments)
      #expect(run.status == 2, "\(arguments) \(run.errors)")
      #expect(run.output.isEmpty, "\(arguments)")
      #expect(run.errors.hasPrefix("Error: "), "\(arguments) \(run.errors)")
    }
    #expect(try await desk.recount("tenant", "list", "-o", "json").output == "[]\n")
    #expect(try await desk.recount("key", "list", "-o", "json").output == "[]\n")
  }

  @Test func helpIsData() async throws {
    let desk = try Desk()
    defer { desk.end() }
    for arguments in [["--help"], ["key", "create", "--help"], ["help", "price", "apply"], []] {
      let run = try await desk.run(arguments)
      #expect(run.status == 0 && run.errors.isEmpty && run.output.contains("USAGE"))
    }
    let run = try await desk.recount("version", "-o", "json")
    #expect(try run.record()["version"] as? String == "0.1.0")
    #expect(try await desk.recount("--version").output == "0.1.0\n")
  }

  @Test func aPasswordIsNoArgumentAndIsNotRepeated() async throws {
    let desk = try Desk()
    defer { desk.end() }
    for url in [
      "postgres://u:hunter2@localhost/db", "postgresql://u:hunter2@/db?host=/tmp",
      "host=localhost password=hunter2", "host=localhost PASSWORD = 'hunter2'",
      "postgres://localhost/db?password=hunter2", "host=a sslpassword=hunter2",
    ] {
      for arguments in [["--database-url", url], ["--database-url=\(url)"], [url]] {
        let run = try await desk.run(["tenant", "list"] + arguments)
        #expect(run.status == 2)
        #expect(!(run.output + run.errors).contains("hunter2"), "\(run.errors)")
      }
    }
    let key = "rct_abcdefghijkl_abcdefghijklmnopqrstuvwxyz2345671a984b57"
    for arguments in [
      ["key", "revoke", key], ["key", "list", key], ["tenant", "create", "a", key],
    ] {
      let run = try await desk.run(arguments)
      #expect(run.status == 2)
      #expect(!run.errors.contains("abcdefghijklmnop"), "\(run.errors)")
    }
  }

  @Test func theDatabaseIsNamedByVariableFlagOrFile() async throws {
    let desk = try Desk()
    defer { desk.end() }
    let url = desk.database.conninfo(user: "recount_admin")
    let nowhere = "host=/nonexistent dbname=x user=y"
    #expect(
      try await desk.recount("tenant", "list", "--database-url", url, url: nowhere).status == 0)
    let file = try desk.file("url", "\(url)\n")
    #expect(
      try await desk.recount("tenant", "list", "--database-url-file", file, url: nowhere).status
        == 0)
    let empty = try desk.file("empty", "\n")
    #expect(try await desk.recount("tenant", "list", "--database-url-file", empty).status == 2)
    #expect(try await desk.recount("tenant", "list", "--database-url-file", "/none").status == 1)
    #expect(try await desk.recount("tenant", "list", url: "").status == 2)
  }

  @Test func aDatabaseThatIsAwayIsEight() async throws {
    let desk = try Desk()
    defer { desk.end() }
    for url in [
      "host=/nonexistent dbname=x user=y", "host=127.0.0.1 port=1 dbname=x user=y",
      "no connection string", desk.database.cluster.conninfo(database: "nonexistent_database"),
    ] {
      for command in [["tenant", "list"], ["migrate"], ["doctor"]] {
        let run = try await desk.run(command, url: url)
        #expect(run.status == 8 && run.output.isEmpty, "\(run)")
        #expect(run.errors.contains("PostgreSQL is unavailable"), "\(run)")
      }
    }
  }

  @Test func aRoleThatMayNotIsFour() async throws {
    let desk = try Desk()
    defer { desk.end() }
    let billing = desk.database.conninfo(user: "recount_billing")
    for command in [["tenant", "create", "x"], ["audit", "list"], ["key", "list"]] {
      let run = try await desk.run(command, url: billing)
      #expect(run.status == 4 && run.output.isEmpty, "\(run)")
    }
    let server = desk.database.conninfo(user: "recount_server")
    #expect(try await desk.recount("tenant", "create", "x", url: server).status == 4)
  }
}
