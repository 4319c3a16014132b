import Foundation
import Store
import TestSupport
import Testing

@Suite struct PriceTests {
  /// A file with one contracted model, of these members.
  private func file(_ members: String, more: String = "") -> String {
    """
    {"currency": "USD", "provenance": "test"\(more),
     "books": {"contracted": [{"model": "m"\(members.isEmpty ? "" : ", ")\(members)}]}}
    """
  }

  private func apply(_ desk: Desk, _ text: String, _ flags: String...) async throws -> Run {
    try await desk.run(["price", "apply", "-f", "-", "-o", "json"] + flags, input: text)
  }

  @Test func pricesAreCompletedAndListed() async throws {
    let desk = try Desk()
    defer { desk.end() }
    let text = file(
      """
      "input": "8.00", "output": "0.000001", "cache_write": "10",
      "tiers": [{"prompt_from": 200000, "marginal": true, "input": "0", "output": "1"}]
      """)
    let dry = try await apply(desk, text, "--dry-run")
    #expect(dry.status == 0)
    #expect(try await desk.recount("price", "list", "-o", "json").output == "[]\n")
    let unasked = try await apply(desk, text)
    #expect(unasked.status == 7 && unasked.errors.contains("--yes"))
    let done = try await apply(desk, text, "--yes")
    #expect(done.status == 0 && done.output == dry.output)
    let rows = try AdminStore.open(conninfo: desk.database.conninfo()).priceSets()[0].prices
    let found = rows.map { row in
      "\(row.promptFrom) \(row.tokenClass) \(row.price) \(row.derivedFrom ?? "-") \(row.isMarginal)"
    }
    #expect(
      Set(found) == [
        "0 input 8000000 - true", "0 cache_read 8000000 input true",
        "0 cache_write 10000000 - true", "0 output 1 - true", "0 reasoning 1 output true",
        "200000 input 0 - true", "200000 cache_read 0 input true",
        "200000 cache_write 0 input true", "200000 output 1000000 - true",
        "200000 reasoning 1000000 output true",
      ])
    let list = try await desk.recount("price", "list", "-o", "json", "--model", "m").list()
    #expect(list.count == 10)
    let input = list.first { $0["class"] as? String == "input" }
    #expect(input?["price"] as? String == "8" && input?["state"] as? String == "current")
    #expect(try await desk.recount("price", "list", "-o", "json", "--book", "list").list().isEmpty)
    let flipped = try await apply(desk, text.replacing("true", with: "false"), "--dry-run")
    #expect(flipped.status == 0 && flipped.errors.contains("how the tiers apply"))
    let again = try await apply(desk, text, "--yes")
    #expect(again.status == 0 && again.output == "[]\n" && again.errors.contains("already"))
    #expect(try AdminStore.open(conninfo: desk.database.conninfo()).priceSets().count == 1)
  }

  @Test func theShippedFileIsAccepted() async throws {
    let desk = try Desk()
    defer { desk.end() }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let path = root.appendingPathComponent("deploy/prices/catalogue.json").path
    let run = try await desk.recount("price", "apply", "-f", path, "--yes")
    #expect(run.status == 0, "\(run.errors)")
    let list = try await desk.recount("price", "list", "-o", "json").list()
    #expect(list.count == 40)
    let pairs = list.filter { $0["model"] as? String == "gpt-4.1" }.map { row in
      "\(row["book"] as? String ?? "") \(row["price"] as? String ?? "")"
    }
    #expect(Set(pairs) == ["contracted 8", "list 60"])
  }

  @Test func aMoveOfMoreThanTenfoldIsRefused() async throws {
    let desk = try Desk()
    defer { desk.end() }
    let published = try await apply(desk, file(#""input": "1", "output": "2""#), "--yes")
    #expect(published.status == 0)
    for (input, status) in [("10", 0), ("0.999999", 7), ("100.000001", 7), ("0", 7), ("1", 0)] {
      let run = try await apply(desk, file(#""input": "\#(input)", "output": "2""#), "--yes")
      #expect(run.status == Int32(status), "\(input): \(run.errors)")
      #expect(status == 0 || run.errors.contains("tenfold"))
    }
    let dry = try await apply(desk, file(#""input": "11", "output": "2""#), "--dry-run")
    #expect(dry.status == 7 && dry.output.contains("\"old\":\"1\",\"new\":\"11\""))
    // A new tier is compared with what its prompts pay now.
    let tier =
      #""input": "1", "output": "2", "tiers": [{"prompt_from": 5, "input": "11", "output": "2"}]"#
    #expect(try await apply(desk, file(tier), "--yes").status == 7)
    let allowed = try await apply(
      desk, file(#""input": "0", "output": "2""#), "--yes", "--allow-large-change")
    #expect(allowed.status == 0)
    #expect(try await apply(desk, file(#""input": "1", "output": "2""#), "--yes").status == 7)
    let other = try await apply(
      desk,
      file(#""input": "9", "output": "9""#).replacing(#""m""#, with: #""n""#), "--yes")
    #expect(
      other.status == 0 && other.errors.contains("without a contracted price from then on: m"))
    let all = try await desk.recount("price", "list", "--all", "-o", "json").list()
    let current = try await desk.recount("price", "list", "-o", "json").list()
    #expect(current.count == 5 && all.count == 25, "\(all.count)")
  }

  @Test func bothBooksOrNone() async throws {
    let desk = try Desk()
    defer { desk.end() }
    func both(_ start: String) -> String {
      let models = #"[{"model": "m", "input": "1", "output": "1"}]"#
      return #"{"currency": "USD", "provenance": "t", "starts_at": "\#(start)", "books": {"#
        + #""list": \#(models), "contracted": \#(models)}}"#
    }
    let past = try await apply(desk, both("2020-01-01T00:00:00Z"), "--yes")
    #expect(past.status == 7 && past.errors.contains("not in the past"))
    let later = #", "starts_at": "2098-01-01T00:00:00Z""#
    let one = try await apply(desk, file(#""input": "1", "output": "1""#, more: later), "--yes")
    #expect(one.status == 0, "\(one.errors)")
    // list could start in 2097, contracted could not.
    #expect(try await apply(desk, both("2097-01-01T00:00:00Z"), "--yes").status == 7)
    let store = try AdminStore.open(conninfo: desk.database.conninfo())
    #expect(try store.priceSets().map { $0.book } == ["contracted"])
    #expect(try store.audit(limit: 10).count == 1)
    let future = try await desk.recount("price", "list", "--all", "-o", "json").list()
    #expect(Set(future.map { $0["state"] as? String }) == ["future"])
    #expect(try await desk.recount("price", "list", "-o", "json").output == "[]\n")
    #expect(try await apply(desk, both("2099-01-01T00:00:00Z"), "--yes").status == 0)
  }

  @Test func whatIsWrongWithAFileIsSaid() async throws {
    let desk = try Desk()
    defer { desk.end() }
    let wrong: [(String, String)] = [
      ("", "invalid JSON"), ("[]", "is not an object"), ("{\"a\": 1, \"a\": 2}", "duplicate key"),
      (file(#""output": "1""#), #"books.contracted[0]: "input" is missing"#),
      (file(#""input": 1, "output": "1""#), "is not a string"),
      (file(#""input": "1e3", "output": "1""#), "is not a decimal"),
      (file(#""input": "1.0000000", "output": "1""#), "more than 6 digits"),
      (file(#""input": "-1", "output": "1""#), "is negative"),
      (file(#""input": "1000000000.000001", "output": "1""#), "more than 1000000000"),
      (file(#""input": "1", "output": "1", "cached": "1""#), #""cached" is not known here"#),
      (file(#""input": "1", "output": "1", "tiers": []"#), "is empty"),
      (
        file(#""input": "1", "output": "1", "tiers": [{"prompt_from": 0, "input": "1"}]"#),
        "prompt_from"
      ),
      (
        file(#""input": "1", "output": "1", "tiers": [{"prompt_from": 5, "input": "1"}]"#),
        #"books.contracted[0].tiers[0]: "output" is missing"#
      ),
      (file(#""input": "1", "output": "1""#, more: #", "starts_at": "now""#), "is not a time"),
      (#"{"currency": "usd", "provenance": "t", "books": {}}"#, "three capitals"),
      (#"{"currency": "USD", "provenance": "t", "books": {}}"#, "books is empty"),
      (#"{"currency": "USD", "provenance": "t", "books": {"mine": []}}"#, "not known"),
      (#"{"currency": "USD", "provenance": "t", "books": {"list": []}}"#, "is empty"),
      (#"{"currency": "USD", "books": {}}"#, #""provenance" is missing"#),
      (
        #"{"currency": "USD", "provenance": "t", "books": {"list": ["#
          + #"{"model": "m", "input": "1", "output": "1"}, "#
          + #"{"model": "m", "input": "1", "output": "1"}]}}"#,
        "already"
      ),
    ]
    for (text, why) in wrong {
      let run = try await apply(desk, text, "--yes")
      #expect(run.status == 2 && run.output.isEmpty, "\(text) \(run)")
      #expect(run.errors.contains(why), "\(text) \(run.errors)")
    }
    #expect(try await desk.recount("price", "apply", "-f", "/none").status == 1)
    #expect(try AdminStore.open(conninfo: desk.database.conninfo()).audit(limit: 10) == [])
  }
}
