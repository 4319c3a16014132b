import Domain
import Foundation
import Postgres
import Store
import TestSupport
import Testing

@Suite struct KeyTests {
  @Test func tenantsAreCreatedAndListed() async throws {
    let desk = try Desk()
    defer { desk.end() }
    let name = "A\u{1B}[31m \"x\",\u{202E}y\nz"
    let made = try await desk.recount("tenant", "create", "acme", "--name", name, "--actor", "ann")
    #expect(made.status == 0 && made.errors.isEmpty)
    let again = try await desk.recount("tenant", "create", "acme")
    #expect(again.status == 6 && again.output.isEmpty)
    let json = try await desk.recount("tenant", "list", "-o", "json").list()
    #expect(json.map { $0["name"] as? String } == [name])
    #expect(json[0]["currency"] as? String == "USD" && json[0]["state"] as? String == "active")
    let table = try await desk.recount("tenant", "list").output
    #expect(table.contains("A\\u{1b}[31m \"x\",\\u{202e}y\\u{a}z"))
    #expect(!table.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
    #expect(table.split(separator: "\n").count == 2)
    let csv = try await desk.recount("tenant", "list", "-o", "csv").output
    #expect(csv.hasPrefix("id,name,currency,state,created_at\r\nacme,\"A\u{1B}[31m \"\"x\"\","))
    let audit = try await desk.recount("audit", "list", "-o", "json").list()
    #expect(audit.map { $0["actor"] as? String } == ["ann"])
    #expect(audit.map { $0["action"] as? String } == ["tenant.create"])
  }

  @Test func aKeyIsShownOnceAndNeverAgain() async throws {
    let desk = try Desk()
    defer { desk.end() }
    _ = try await desk.recount("tenant", "create", "acme")
    let made = try await desk.recount("key", "create", "--tenant", "acme", "--name", "one")
    #expect(made.status == 0)
    let first = try APIKey(parsing: made.output.dropLast())
    #expect(made.output == first.text + "\n" && !made.errors.contains(first.text))
    let json = try await desk.recount(
      "key", "create", "--tenant", "acme", "-o", "json", "--scope", "usage", "--scope", "read",
      "--model", "b", "--model", "a", "--expires", "2099-12-31T23:59:59.5+01:30"
    ).record()
    let second = try APIKey(parsing: try #require(json["key"] as? String))
    #expect(json["id"] as? String == second.id)
    #expect(json["scopes"] as? [String] == ["read", "usage"])
    #expect(json["models"] as? [String] == ["a", "b"])
    #expect(json["expires_at"] as? String == "2099-12-31T22:29:59.5Z")
    let rows = try AdminStore.open(conninfo: desk.database.conninfo()).keys(tenant: "acme")
    #expect(rows.first { $0.id == second.id }?.expiresAt?.microseconds == 4_102_439_399_500_000)
    #expect(rows.first { $0.id == first.id }?.secrets.map { $0.hash } == [first.secretHash])
    for format in ["table", "json", "csv"] {
      let list = try await desk.recount("key", "list", "-o", format)
      #expect(list.status == 0 && list.output.contains(first.id) && list.output.contains(second.id))
      let audit = try await desk.recount("audit", "list", "-o", format)
      for key in [first, second] {
        let secret = key.text.split(separator: "_")[2].prefix(32)
        let hash = key.secretHash.map { byte in
          (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        for text in [list.output, list.errors, audit.output] {
          #expect(!text.contains(secret) && !text.contains(hash) && !text.contains("hash"))
        }
      }
    }
  }

  @Test func aSecretFileIsNewAndItsOwners() async throws {
    let desk = try Desk()
    defer { desk.end() }
    _ = try await desk.recount("tenant", "create", "acme")
    let path = desk.folder.appendingPathComponent("key").path
    let none = try await desk.recount(
      "key", "create", "--tenant", "none", "--secret-file", path)
    #expect(none.status == 5 && !FileManager.default.fileExists(atPath: path))
    let made = try await desk.recount("key", "create", "--tenant", "acme", "--secret-file", path)
    #expect(made.status == 0)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let key = try APIKey(parsing: text.dropLast())
    #expect(made.output.contains(key.id))
    #expect(!(made.output + made.errors).contains(key.text.suffix(40)))
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    let again = try await desk.recount("key", "create", "--tenant", "acme", "--secret-file", path)
    #expect(again.status == 6 && again.output.isEmpty)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    #expect(try await desk.recount("key", "list", "-o", "json").list().count == 1)
  }

  @Test func aKeyIsRevokedOnce() async throws {
    let desk = try Desk()
    defer { desk.end() }
    _ = try await desk.recount("tenant", "create", "acme")
    let made = try await desk.recount("key", "create", "--tenant", "acme", "-o", "json").record()
    let id = try #require(made["id"] as? String)
    // There is no terminal to ask on.
    let unasked = try await desk.recount("key", "revoke", id, input: "y\n")
    #expect(unasked.status == 7 && unasked.output.isEmpty && unasked.errors.contains("--yes"))
    #expect(try await desk.recount("key", "revoke", id, "--yes").status == 0)
    #expect(try await desk.recount("key", "revoke", id, "--yes").status == 6)
    #expect(try await desk.recount("key", "revoke", "none", "--yes").status == 5)
    #expect(try await desk.recount("key", "list", "--tenant", "none").status == 5)
    let list = try await desk.recount("key", "list", "--tenant", "acme", "-o", "json").list()
    #expect(list.map { $0["state"] as? String } == ["revoked"])
    try BlockingConnection.open(conninfo: desk.database.conninfo()).run(
      script: "UPDATE api_key SET revoked_at = NULL, expires_at = now()")
    let expired = try await desk.recount("key", "list", "-o", "json").list()
    #expect(expired.map { $0["state"] as? String } == ["expired"])
    let audit = try await desk.recount("audit", "list", "-o", "json", "--limit", "1").list()
    #expect(audit.map { $0["action"] as? String } == ["key.revoke"])
    #expect((audit[0]["actor"] as? String)?.isEmpty == false)
  }
}
