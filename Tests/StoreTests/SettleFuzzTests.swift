import Foundation
import Postgres
import Store
import TestSupport
import Testing

/// A paid answer is never lost: whatever a relay made of it, a settle commits.
@Suite struct SettleFuzzTests {
  private func text(_ random: inout SplitMix) -> String {
    let pieces = ["", "\u{0}", "a", "\u{FFFF}", "🌳", "'; --", "{}", "\"", "\\", "\n", "é"]
    return (0..<Int.random(in: 0...5, using: &random))
      .map { _ in pieces.randomElement(using: &random)! }.joined()
  }

  private func number(_ random: inout SplitMix) -> Int64 {
    [0, 1, 7, -1, 1 << 40, .max, .min].randomElement(using: &random)!
  }

  private func settle(_ begin: BeginTurn, _ random: inout SplitMix) -> SettleTurn {
    var settle = settling(begin, text(&random))
    settle.state = Bool.random(using: &random) ? .finished : .failed
    settle.errorReason = text(&random)
    settle.answer = (0..<Int.random(in: 0...2, using: &random)).map { _ in
      NewMessage(
        role: ["assistant", "nonsense", "tool"].randomElement(using: &random)!,
        name: text(&random), toolCallID: text(&random),
        body: Array(text(&random).utf8) + [0xFF, 0], metadata: [0],
        tokens: number(&random), vocabulary: "v", method: "m",
        toolCalls: (0..<Int.random(in: 0...2, using: &random)).map { _ in text(&random) })
    }
    settle.events = (0..<Int.random(in: 0...3, using: &random)).map { _ in
      UsageEvent(
        attemptNumber: 1, attempt: begin.attempt,
        kind: UsageEvent.Kind.allCases.randomElement(using: &random)!,
        certainty: UsageEvent.Certainty.allCases.randomElement(using: &random)!,
        relay: text(&random), modelAsked: text(&random), modelAnswered: text(&random),
        upstreamRequestID: text(&random), serviceTier: text(&random), contractedSet: priceSet,
        listSet: nil,
        lines: (0..<Int.random(in: 0...4, using: &random)).map { _ in
          UsageLine(
            tokenClass: UsageLine.TokenClass.allCases.randomElement(using: &random)!,
            quantity: max(0, number(&random)), price: max(0, number(&random)),
            listPrice: max(0, number(&random)), source: .estimated)
        })
    }
    return settle
  }

  @Test func whateverComesCommitsWithItsCost() async throws {
    let fixture = try Fixture()
    try fixture.quota(limit: 1_000_000_000)
    let seed =
      ProcessInfo.processInfo.environment["RECOUNT_TEST_SEED"].flatMap { UInt64($0) }
      ?? UInt64.random(in: 1...UInt64.max)
    try await fixture.withStore { store in
      let config = try await store.register()
      var random = SplitMix(state: seed)
      for round in 0..<150 {
        let name = "c\(round)"
        _ = try await store.create(creation(name))
        let begin = beginning(name, config: config)
        _ = try await store.begin(begin)
        let settle = settle(begin, &random)
        let outcome = try await store.settle(settle)
        let cost = settle.events.flatMap { $0.lines }.reduce(Int128(0)) {
          let (sum, overflow) = $0.addingReportingOverflow(
            Int128($1.quantity) * Int128($1.price))
          return overflow ? .max : sum
        }
        guard case .settled(_, cost, _) = outcome else {
          Issue.record("seed \(seed) round \(round): \(outcome)")
          return
        }
        // The budget is opened again for the next round.
        try fixture.sql().run(
          script: "UPDATE quota_period SET limit_amount = settled + overrun + 1000000")
      }
    }
    #expect(try fixture.broken() == [], "seed \(seed)")
  }
}
