import Postgres
import Store
import TestSupport
import Testing

@Suite struct ConversationTests {
  @Test func createsAndReads() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let made = try await store.create(
        creation(
          "c1", messages: [message("one"), message("three", role: "assistant")],
          system: "be kind"))
      guard case .created(let at, 2, replayed: false) = made else {
        Issue.record("\(made)")
        return
      }
      let read = try await store.store.conversation(tenant: "acme", id: "c1")
      #expect(read?.createdAt == at)
      #expect(read?.system == Array("be kind".utf8))
      #expect(read?.lastSeq == 2)
      #expect(read?.tokenSum == 8)
      #expect(read?.viewTokensBound == 15)
      #expect(read?.isExpired == false)
      #expect(try await store.store.conversation(tenant: "zeta", id: "c1") == nil)
      let messages = try await store.store.messages(
        tenant: "acme", conversation: "c1", after: 1, limit: 10)
      #expect(messages.map { $0.seq } == [2])
      #expect(messages[0].body == Array("three".utf8))
    }
    #expect(try fixture.broken() == [])
  }

  @Test func aRepeatGivesTheFirstResult() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let first = try await store.create(
        creation("c1", request: request("r1"), messages: [message("hi")]))
      let again = try await store.create(creation("c1", request: request("r1")))
      guard case .created(let at, 1, false) = first, case .created(let at2, 1, true) = again
      else {
        Issue.record("\(first) \(again)")
        return
      }
      #expect(at == at2)
      #expect(
        try await store.create(creation("c1", request: request("r1", hash: 2)))
          == .refused(.requestMismatch))
      #expect(try await store.create(creation("c1", request: request("r2"))) == .exists)
      // The refusal stored nothing: the same request id may be used again.
      guard case .created = try await store.create(creation("c2", request: request("r2"))) else {
        Issue.record("r2 was kept")
        return
      }
      guard
        case .created = try await store.create(
          creation("c1", request: request("r1", tenant: "zeta")))
      else {
        Issue.record("tenants share ids")
        return
      }
    }
  }

  @Test func appendsInOrderAndGuards() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      _ = try await store.create(creation("c1"))
      #expect(
        try await store.append(appending("c1", [message("a"), message("bb")]))
          == .appended(firstSeq: 1, lastSeq: 2, replayed: false))
      let key = request("r1")
      #expect(
        try await store.append(appending("c1", [message("c")], request: key, expected: 2))
          == .appended(firstSeq: 3, lastSeq: 3, replayed: false))
      #expect(
        try await store.append(appending("c1", [message("c")], request: key, expected: 2))
          == .appended(firstSeq: 3, lastSeq: 3, replayed: true))
      #expect(
        try await store.append(appending("c1", [message("c")], expected: 2))
          == .refused(.conversationChanged(lastSeq: 3)))
      #expect(
        try await store.append(appending("c1", [message("d")], request: request("r1", hash: 9)))
          == .refused(.requestMismatch))
      #expect(
        try await store.append(appending("c9", [message("d")])) == .refused(.conversationNotFound))
      #expect(try await store.delete("c1", request("d1")) == .deleted(stopped: nil))
      // A repeat gives the first outcome; another deletion finds nothing.
      #expect(try await store.delete("c1", request("d1")) == .deleted(stopped: nil))
      #expect(try await store.delete("c1", request("d2")) == .refused(.conversationDeleted))
      #expect(try await store.delete("c1", request(nil)) == .refused(.conversationDeleted))
      #expect(try await store.delete("c9", request("d3")) == .refused(.conversationNotFound))
      #expect(try await store.delete("c9", request("d1", hash: 2)) == .refused(.requestMismatch))
      #expect(
        try await store.append(appending("c1", [message("d")])) == .refused(.conversationDeleted))
      #expect(try await store.create(creation("c1")) == .exists)
    }
    #expect(try fixture.broken() == [])
  }

  @Test func anExpiredConversationTakesNothing() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      _ = try await store.create(creation("c1", ttl: .zero))
      #expect(
        try await store.append(appending("c1", [message("d")])) == .refused(.conversationExpired))
      #expect(try await store.store.conversation(tenant: "acme", id: "c1")?.isExpired == true)
    }
  }

  @Test func toolGroupsAreAtomic() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      _ = try await store.create(creation("c1", messages: [message("q")]))
      #expect(
        try await store.append(appending("c1", [message("r", role: "tool", tool: "x")]))
          == .refused(.orphanToolResult(message: 0)))
      #expect(
        try await store.append(
          appending("c1", [message("call", role: "assistant", calls: ["x", "y"])]))
          == .appended(firstSeq: 2, lastSeq: 2, replayed: false))
      #expect(
        try await store.append(appending("c1", [message("no")]))
          == .refused(.toolResultsMissing(ids: ["x", "y"])))
      // In any order, and over several appends.
      #expect(
        try await store.append(appending("c1", [message("ry", role: "tool", tool: "y")]))
          == .appended(firstSeq: 3, lastSeq: 3, replayed: false))
      #expect(
        try await store.append(
          appending(
            "c1",
            [message("rx", role: "tool", tool: "x"), message("r", role: "tool", tool: "y")]))
          == .refused(.orphanToolResult(message: 1)))
      #expect(
        try await store.store.conversation(tenant: "acme", id: "c1")?.openToolCalls == ["x"])
      #expect(
        try await store.append(
          appending("c1", [message("rx", role: "tool", tool: "x"), message("next")]))
          == .appended(firstSeq: 4, lastSeq: 5, replayed: false))
      let groups = try await store.store.messages(
        tenant: "acme", conversation: "c1", after: 0, limit: 10
      ).map { $0.groupSeq }
      #expect(groups == [1, 2, 2, 2, 5])
    }
    #expect(try fixture.broken() == [])
  }

  @Test func appendsThatWaitShareCommits() async throws {
    let fixture = try Fixture()
    let before = try commits(fixture)
    try await fixture.withStore { store in
      _ = try await atOnce((0..<16).map { creation("c\($0)") }) { try await store.create($0) }
      let outcomes = try await atOnce(
        (0..<256).map { appending("c\($0 % 16)", [message("m\($0)")]) }
      ) { try await store.append($0) }
      for outcome in outcomes {
        guard case .appended(_, _, replayed: false) = outcome else {
          Issue.record("\(outcome)")
          return
        }
      }
    }
    #expect(try fixture.broken() == [])
    #expect(try commits(fixture) - before <= 256 / 8 + 20)
    let sql = try fixture.sql()
    #expect(
      try sql.query("SELECT count(*), sum(last_seq)::int8 FROM conversation")[0].int64(1) == 256)
  }

  /// Commits so far in the fixture's database.
  private func commits(_ fixture: Fixture) throws -> Int64 {
    let sql = try fixture.sql()
    // A backend's counters reach the view when it ends, or a second later at the latest.
    try sql.run(script: "SELECT pg_sleep(1.2); SELECT pg_stat_clear_snapshot()")
    return try sql.query(
      "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")[0].int64(0)
  }

  @Test func listsNewestFirstInPages() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      for index in 0..<5 { _ = try await store.create(creation("c\(index)")) }
      _ = try await store.create(creation("old", ttl: .zero))
      _ = try await store.delete("c2", request(nil))
      let first = try await store.store.conversations(
        tenant: "acme", ConversationFilter(state: .active), limit: 3)
      #expect(first.map { $0.id } == ["c4", "c3", "c1"])
      let rest = try await store.store.conversations(
        tenant: "acme", ConversationFilter(state: .active),
        after: (first[2].createdAt, first[2].id), limit: 3)
      #expect(rest.map { $0.id } == ["c0"])
      let expired = try await store.store.conversations(
        tenant: "acme", ConversationFilter(state: .expired), limit: 3)
      #expect(expired.map { $0.id } == ["old"])
    }
  }
}
