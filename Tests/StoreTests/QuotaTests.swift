import Foundation
import Postgres
import Store
import TestSupport
import Testing

@Suite struct QuotaTests {
  @Test func exactlyAsManyAsFitAreAdmitted() async throws {
    let fixture = try Fixture()
    // hello 5 + extra 10 at 2, 100 at 3: each reserves 330.
    try fixture.quota(limit: 330 * 50 + 100)
    try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await atOnce((0..<100).map { creation("c\($0)") }) { try await store.create($0) }
      let outcomes = try await atOnce((0..<100).map { beginning("c\($0)", config: config) }) {
        try await store.begin($0)
      }
      var begun = 0
      for outcome in outcomes {
        switch outcome {
        case .begun: begun += 1
        case .quotaDenied(let denial):
          #expect(denial.scope == "tenant" && denial.unit == "money")
          #expect(denial.required == 330)
          #expect(denial.available < 330)
          #expect(denial.resetsAt != nil)
        default: Issue.record("\(outcome)")
        }
      }
      #expect(begun == 50)
    }
    #expect(try fixture.broken() == [])
    // A denial stores nothing.
    let claims = try fixture.sql().query(
      "SELECT count(*) FROM request WHERE method = 'generate'")[0].int64(0)
    #expect(claims == 50)
  }

  @Test func allScopesOrNone() async throws {
    let fixture = try Fixture()
    try fixture.quota(limit: 1_000_000)
    try fixture.quota(limit: 330, scope: "key", of: "k1")
    try fixture.quota(limit: 100_000, scope: "model", of: "gpt-4.1", unit: "tokens")
    try await fixture.withStore { store in
      let config = try await store.register()
      for name in ["c1", "c2", "c3"] { _ = try await store.create(creation(name)) }
      let outcomes = try await atOnce([
        beginning("c1", config: config), beginning("c2", config: config),
        beginning("c3", request: request(nil, key: "k2"), config: config),
      ]) { try await store.begin($0) }
      let denied = outcomes.compactMap { outcome -> QuotaDenial? in
        guard case .quotaDenied(let denial) = outcome else { return nil }
        return denial
      }
      #expect(denied.count == 1)
      #expect(denied.first?.scope == "key" && denied.first?.scopeID == "k1")
      guard case .begun = outcomes[2] else {
        Issue.record("another key's budget counted")
        return
      }
    }
    #expect(try fixture.broken() == [])
    let reserved = try fixture.sql().query(
      """
      SELECT sum(reserved)::text FROM quota_period JOIN quota_account USING (tenant_id, account_id)
      WHERE scope <> 'key' GROUP BY unit ORDER BY unit
      """)
    #expect(reserved.map { $0.text(0) } == ["660", "230"])
  }

  @Test func whatIsBilledAboveTheBoundCountsAgainstTheLimit() async throws {
    let fixture = try Fixture()
    try fixture.quota(limit: 1000)
    try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await store.create(creation("c1"))
      let first = beginning("c1", config: config)
      _ = try await store.begin(first)
      _ = try await store.settle(settling(first, input: 300, output: 50))
      let row = try fixture.sql().query(
        "SELECT reserved::text, settled::text, overrun::text FROM quota_period")[0]
      #expect([row.text(0), row.text(1), row.text(2)] == ["0", "330", "420"])
      let second = try await store.begin(beginning("c1", config: config))
      guard case .quotaDenied(let denial) = second else {
        Issue.record("\(second)")
        return
      }
      #expect(denial.available == 250)
      // Nothing was sent: the whole reservation comes back.
      try fixture.sql().run(script: "UPDATE quota_period SET limit_amount = 2000")
      let third = beginning("c1", config: config)
      _ = try await store.begin(third)
      #expect(
        try await store.settle(settling(third, nil, state: .failed, sent: false))
          == .settled(answerSeq: nil, cost: 0, listCost: 0))
      #expect(try fixture.spent() == 750)
    }
    #expect(try fixture.broken() == [])
  }

  @Test func writersWithRandomAmountsNeverExceedTheLimit() async throws {
    let fixture = try Fixture()
    try fixture.quota(limit: 20_000)
    try fixture.quota(limit: 12_000, scope: "key", of: "k1")
    let seed =
      ProcessInfo.processInfo.environment["RECOUNT_TEST_SEED"].flatMap { UInt64($0) }
      ?? UInt64.random(in: 1...UInt64.max)
    var random = SplitMix(state: seed)
    let plans = (0..<64).map { _ in
      (0..<6).map { _ in
        (
          tokens: Int64.random(in: 0...400, using: &random),
          output: Int64.random(in: 0...120, using: &random),
          key: Bool.random(using: &random) ? "k1" : "k2", sent: Bool.random(using: &random)
        )
      }
    }
    let denied = try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await atOnce((0..<64).map { creation("c\($0)") }) { try await store.create($0) }
      return try await atOnce(Array(plans.enumerated())) { index, plan in
        var denied = 0
        for step in plan {
          let begin = beginning(
            "c\(index)", [message("m", tokens: step.tokens)],
            request: request(nil, key: step.key), config: config)
          guard case .begun = try await store.begin(begin) else {
            denied += 1
            continue
          }
          _ = try await store.settle(
            settling(
              begin, step.sent ? "a" : nil, state: step.sent ? .finished : .failed,
              input: step.tokens, output: step.output, sent: step.sent))
        }
        return denied
      }.reduce(0, +)
    }
    #expect(denied > 0, "seed \(seed)")
    #expect(try fixture.broken() == [], "seed \(seed)")
    let over = try fixture.sql().query(
      "SELECT count(*) FROM quota_period WHERE settled > limit_amount OR reserved <> 0")
    #expect(over[0].int64(0) == 0, "seed \(seed)")
  }

  /// The SQL function against its definition, said slowly: the dearest of all prompt sizes.
  @Test func theWorstCaseIsTheDearestOfAllSizes() throws {
    let fixture = try Fixture()
    let sql = try fixture.sql()
    let seed =
      ProcessInfo.processInfo.environment["RECOUNT_TEST_SEED"].flatMap { UInt64($0) }
      ?? UInt64.random(in: 1...UInt64.max)
    var random = SplitMix(state: seed)
    for _ in 0..<300 {
      var from: [Int64] = [0]
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        from.append(from.last! + Int64.random(in: 1...40, using: &random))
      }
      let input = from.map { _ in Int64.random(in: 0...50, using: &random) }
      let output = from.map { _ in Int64.random(in: 0...50, using: &random) }
      let bound = Int64.random(in: 0...150, using: &random)
      let most = Int64.random(in: 0...30, using: &random)
      let marginal = Bool.random(using: &random)
      var dearest: Int64 = 0
      for size in 0...bound {
        let tier = from.lastIndex { $0 <= size }!
        var cost = most * (marginal ? output[...tier].max()! : output[tier])
        for token in 0..<size {
          cost += input[marginal ? from.lastIndex { $0 <= token }! : tier]
        }
        dearest = max(dearest, cost)
      }
      var p = Parameters()
      p.int64(bound)
      p.int64(most)
      p.int64s(from)
      p.int64s(input)
      p.int64s(output)
      p.bool(marginal)
      let row = try sql.query(
        """
        SELECT amount::text, quantity, price FROM price_worst_case($1, $2, $3, $4, $5, $6)
        """, p)[0]
      #expect(Int64(row.text(0)) == dearest, "seed \(seed)")
      let lines = zip(row.int64s(1), row.int64s(2)).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(lines == dearest, "seed \(seed)")
    }
  }
}

/// A small generator whose seed replays a run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
