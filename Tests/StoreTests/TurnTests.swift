import Postgres
import Store
import TestSupport
import Testing

@Suite struct TurnTests {
  @Test func aTurnFromBeginToSettle() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await store.create(creation("c1", messages: [message("first")], system: "sys"))
      let begin = beginning("c1", [message("hello")], request: request("g1"), config: config)
      guard case .begun(let begun) = try await store.begin(begin) else {
        Issue.record("not begun")
        return
      }
      #expect(begun.firstSeq == 2 && begun.lastSeq == 2)
      // system 3, first 5, hello 5, extra 10; 100 output.
      #expect(begun.boundTokens == 23)
      #expect(begun.reserved == 23 * 2 + 100 * 3)
      #expect(begun.view.map { $0.body } == [Array("first".utf8), Array("hello".utf8)])

      // A repeat while it runs: by the same sending, and by a new one of the caller.
      #expect(try await store.begin(begin) == .begun(begun))
      var repeated = begin
      repeated.generation = randomID()
      #expect(try await store.begin(repeated) == .running(generation: begin.generation))
      #expect(
        try await store.begin(beginning("c1", config: config))
          == .refused(.turnInProgress(generation: begin.generation)))
      #expect(
        try await store.append(appending("c1", [message("x")]))
          == .refused(.turnInProgress(generation: begin.generation)))

      let settle = settling(begin)
      let settled = SettleOutcome.settled(
        answerSeq: 3, cost: 20 * 2 + 10 * 3, listCost: 20 * 20 + 10 * 30)
      #expect(try await store.settle(settle) == settled)
      #expect(try await store.settle(settle) == settled)
      guard case .finished(let turn) = try await store.begin(repeated) else {
        Issue.record("no replay")
        return
      }
      #expect(turn.result == Array("result".utf8))
      #expect(turn.state == .finished && turn.answerSeq == 3)
      let conversation = try await store.store.conversation(tenant: "acme", id: "c1")
      #expect(conversation?.runningTurn == nil)
      #expect(conversation?.lastSeq == 3)
      #expect(conversation?.tokenSum == 16)
      #expect(conversation?.viewTokensBound == 19)
    }
    #expect(try fixture.broken() == [])
    let events = try fixture.sql().query("SELECT count(*) FROM usage_event")[0].int64(0)
    #expect(events == 1)
  }

  @Test func refusals() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await store.create(creation("c1", messages: [message("first")]))
      #expect(
        try await store.begin(beginning("c1", config: config - 1))
          == .configStale(current: config))
      #expect(
        try await store.begin(beginning("c1", config: config, incarnation: id(7))) == .fenced)
      #expect(
        try await store.begin(beginning("nope", config: config))
          == .refused(.conversationNotFound))
      #expect(
        try await store.begin(beginning("c1", config: config, expected: 4))
          == .refused(.conversationChanged(lastSeq: 1)))
      #expect(
        try await store.begin(beginning("c1", config: config, model: "other"))
          == .modelChanged(model: "gpt-4.1"))
      let key = request("r1")
      _ = try await store.append(appending("c1", [message("x")], request: key))
      #expect(
        try await store.begin(beginning("c1", request: key, config: config))
          == .refused(.requestMismatch))
      // None of these stored anything.
      let again = try await store.begin(
        beginning("c1", request: request("r2"), config: config - 1))
      #expect(again == .configStale(current: config))
      guard
        case .begun = try await store.begin(
          beginning("c1", request: request("r2", hash: 2), config: config))
      else {
        Issue.record("a refusal was stored")
        return
      }
    }
    #expect(try fixture.broken() == [])
  }

  @Test func aFailedTurnLeavesTheViewAsItWas() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await store.create(
        creation(
          "c1",
          messages: [message("q"), message("call", role: "assistant", calls: ["x", "y"])]))
      let before = try await store.store.conversation(tenant: "acme", id: "c1")
      let results = [
        message("rx", role: "tool", tool: "x"), message("ry", role: "tool", tool: "y"),
      ]
      let begin = beginning("c1", results, config: config)
      guard case .begun = try await store.begin(begin) else {
        Issue.record("not begun")
        return
      }
      let failed = try await store.settle(settling(begin, "part", state: .failed))
      #expect(failed == .settled(answerSeq: 5, cost: 70, listCost: 700))
      let after = try await store.store.conversation(tenant: "acme", id: "c1")
      #expect(after?.openToolCalls == ["x", "y"])
      #expect(after?.tokenSum == before?.tokenSum)
      #expect(after?.viewTokensBound == before?.viewTokensBound)
      #expect(after?.lastSeq == 5)
      let states = try await store.store.messages(
        tenant: "acme", conversation: "c1", after: 0, limit: 10
      ).map { $0.state }
      #expect(states == [.active, .active, .failed, .failed, .failed])
      // The same results again: the model sees them once.
      guard case .begun(let begun) = try await store.begin(beginning("c1", results, config: config))
      else {
        Issue.record("not begun again")
        return
      }
      #expect(begun.view.map { $0.seq } == [1, 2, 6, 7])
      #expect(begun.view.map { $0.groupSeq } == [1, 2, 2, 2])
    }
    #expect(try fixture.broken() == [])
  }

  @Test func anOpenGroupIsClosedOnDemand() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await store.create(
        creation(
          "c1",
          messages: [message("q"), message("call", role: "assistant", calls: ["x", "y"])]))
      #expect(
        try await store.begin(beginning("c1", [], config: config))
          == .refused(.toolResultsMissing(ids: ["x", "y"])))
      #expect(
        try await store.begin(
          beginning("c1", [message("rx", role: "tool", tool: "x")], config: config))
          == .refused(.toolResultsMissing(ids: ["y"])))
      let synthetic = message("abandoned", role: "tool", tokens: 9)
      let begin = beginning(
        "c1", [message("rx", role: "tool", tool: "x"), message("next")], config: config,
        abandon: synthetic)
      guard case .begun(let begun) = try await store.begin(begin) else {
        Issue.record("not begun")
        return
      }
      #expect(begun.view.map { $0.toolCallID } == [nil, nil, "y", "x", nil])
      #expect(begun.view.map { $0.groupSeq } == [1, 2, 2, 2, 5])
      // The answer opens a group of its own.
      _ = try await store.settle(settling(begin, "again", calls: ["z"]))
      #expect(
        try await store.begin(beginning("c1", [], config: config))
          == .refused(.toolResultsMissing(ids: ["z"])))
    }
    #expect(try fixture.broken() == [])
  }

  @Test func ofManyCallersOnOneConversationOneWins() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await store.create(creation("c1"))
      let outcomes = try await atOnce((0..<64).map { _ in beginning("c1", config: config) }) {
        try await store.begin($0)
      }
      let winners = outcomes.compactMap { outcome -> RowID? in
        guard case .begun(let begun) = outcome else { return nil }
        return begun.generation
      }
      #expect(winners.count == 1)
      let losers = outcomes.filter {
        $0 == .refused(.turnInProgress(generation: winners[0]))
      }
      #expect(losers.count == 63)
    }
    #expect(try fixture.broken() == [])
  }

  @Test func ofManySendingsOfOneRequestOneRuns() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await store.create(creation("c1"))
      let outcomes = try await atOnce(
        (0..<32).map { _ in beginning("c1", request: request("same"), config: config) }
      ) { try await store.begin($0) }
      var begun = 0
      var running: Set<RowID> = []
      for outcome in outcomes {
        switch outcome {
        case .begun(let turn):
          begun += 1
          running.insert(turn.generation)
        case .running(let generation): running.insert(generation)
        default: Issue.record("\(outcome)")
        }
      }
      #expect(begun == 1 && running.count == 1)
    }
  }

  @Test func theViewIsTheNewestThatFitsInWholeGroups() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let config = try await store.register()
      var messages = (1...400).map { message("m\($0)", tokens: 10) }
      messages.append(message("call", role: "assistant", tokens: 10, calls: ["x"]))
      messages.append(message("rx", role: "tool", tokens: 10, tool: "x"))
      _ = try await store.create(creation("c1", messages: messages))
      // 15 tokens for messages beside the new one: the group of 20 does not fit, and is not cut.
      let tight = beginning("c1", [message("new", tokens: 5)], config: config, budget: 30)
      guard case .begun(let first) = try await store.begin(tight) else {
        Issue.record("not begun")
        return
      }
      #expect(first.view.map { $0.seq } == [403])
      #expect(first.boundTokens == 30)
      _ = try await store.settle(settling(tight, nil, state: .failed, sent: false))
      for budget in [40, 60, 215, 1000, 4030, 100_000] {
        let begin = beginning(
          "c1", [message("new", tokens: 5)], config: config, budget: Int64(budget))
        guard case .begun(let begun) = try await store.begin(begin) else {
          Issue.record("not begun")
          return
        }
        let tokens = begun.view.reduce(0) { $0 + $1.tokens }
        #expect(tokens <= budget - 10)
        // One more message would not have fitted, but for a group that may not be cut.
        let isWhole = begun.view.first?.seq == 1
        #expect(isWhole || tokens + 20 > budget - 10)
        #expect(begun.view.map { $0.seq }.sorted() == begun.view.map { $0.seq })
        _ = try await store.settle(settling(begin, nil, state: .failed, sent: false))
      }
    }
    #expect(try fixture.broken() == [])
  }

  @Test func aRefusedSettleCommitsWhatMatters() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await store.create(creation("c1"))
      let begin = beginning("c1", config: config)
      _ = try await store.begin(begin)
      var settle = settling(begin, "the answer")
      // The conversation's sum cannot hold it.
      settle.answer[0].tokens = .max
      settle.events[0].upstreamRequestID = "up\u{0}"
      settle.quarantineResult = Array("kept aside".utf8)
      #expect(
        try await store.settle(settle) == .settled(answerSeq: nil, cost: 70, listCost: 700))
      let turn = try await store.store.turn(tenant: "acme", generation: begin.generation)
      #expect(turn?.state == .failed)
      #expect(turn?.errorReason == "ANSWER_QUARANTINED")
      // A repeat must not be told of an answer that the conversation does not hold.
      #expect(turn?.result == Array("kept aside".utf8))
    }
    #expect(try fixture.broken() == [])
    let kept = try fixture.sql().query("SELECT quarantine FROM turn")[0].bytes(0)
    #expect(kept == Array("the answer".utf8))
  }
}
