import Domain
import Foundation
import Metering
import Postgres
import Store
import TestSupport
import Testing

/// Holds SQL's reserve and Swift's worst case equal over random curves.
@Suite struct PriceDifferentialTests {
  @Test func theReserveIsTheWorstCase() throws {
    let fixture = try Fixture()
    let sql = try fixture.sql()
    let given = ProcessInfo.processInfo.environment["RECOUNT_TEST_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 0...UInt64.max)
    print("PriceDifferentialTests: RECOUNT_TEST_SEED=\(seed)")
    var random = SplitMix(state: seed)
    for _ in 0..<1500 {
      // From a few tokens, where bounds and boundaries meet, to the largest figures there are.
      let scale = [8, 100, 200_000, Int64.max].randomElement(using: &random)!
      let prices = Self.prices(scale: scale, using: &random)
      let boundaries = prices.tiers.flatMap { [$0.promptFrom, max(0, $0.promptFrom - 1)] }
      let bound =
        Bool.random(using: &random)
        ? boundaries.randomElement(using: &random)! : Int64.random(in: 0...scale, using: &random)
      let most = Int64.random(in: 0...scale, using: &random)
      var p = Parameters()
      p.int64(bound)
      p.int64(most)
      p.int64s(prices.curve.map { $0.promptFrom })
      p.int64s(prices.curve.map { $0.input })
      p.int64s(prices.curve.map { $0.output })
      p.bool(prices.isMarginal)
      let row = try sql.query(
        "SELECT amount::text, class, quantity, price FROM price_worst_case($1, $2, $3, $4, $5, $6)",
        p)[0]
      let worst = prices.worstCase(promptTokens: bound, maxOutputTokens: most)
      let story = "seed \(seed): \(prices), \(bound) and \(most) tokens"
      #expect(Int128(row.text(0)) == worst.pico, "\(story)")
      // The reaper books these lines.
      let lines = zip(row.int64s(2), row.int64s(3)).reduce(Int128(0)) {
        $0 + Int128($1.0) * Int128($1.1)
      }
      #expect(lines == worst.pico, "\(story)")
      #expect(row.texts(1).last == "output", "\(story)")
    }
  }

  /// Bill and ledger agree: what Swift prices, the table's CHECK accepts.
  @Test func theLedgerAcceptsEveryBill() throws {
    let fixture = try Fixture()
    let sql = try fixture.sql()
    let given = ProcessInfo.processInfo.environment["RECOUNT_TEST_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 0...UInt64.max)
    print("PriceDifferentialTests: RECOUNT_TEST_SEED=\(seed)")
    var random = SplitMix(state: seed)
    for _ in 0..<300 {
      let prices = Self.prices(scale: 200_000, using: &random)
      let list = Self.prices(scale: 200_000, using: &random)
      let figures = (0..<5).map { _ in Int64.random(in: 0...100_000, using: &random) }
      let usage = TokenUsage(
        input: figures[0], cacheRead: figures[1], cacheWrite: figures[2], output: figures[3],
        reasoning: figures[4])
      let lines = prices.lines(for: usage, list: list)
      var p = Parameters()
      p.texts(lines.map { $0.tokenClass.rawValue })
      p.int64s(lines.map { $0.quantity })
      p.int64s(lines.map { $0.price })
      p.texts(lines.map { "\($0.cost.pico)" })
      p.int64s(lines.map { $0.listPrice! })
      p.texts(lines.map { "\($0.listCost!.pico)" })
      p.text("\(prices.cost(of: usage).pico)")
      p.text("\(list.cost(of: usage).pico)")
      let row = try sql.query(
        """
        SELECT lines_agree($1::text[], $2, $3, $4::text[]::numeric[], $5, $6::text[]::numeric[],
          array_fill('counted'::text, ARRAY[cardinality($1::text[])]), $7::text::numeric,
          $8::text::numeric)
        """, p)[0]
      #expect(row.bool(0), "seed \(seed): \(prices) \(list) \(usage)")
    }
  }

  private static func prices(scale: Int64, using random: inout SplitMix) -> ModelPrices {
    var froms: Set<Int64> = [0]
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      froms.insert(Int64.random(in: 1...scale, using: &random))
    }
    let top = min(scale, Int64.max / 2)
    let tiers = froms.sorted().map { from in
      PriceTier(
        promptFrom: from, input: .random(in: 0...top, using: &random),
        cacheRead: .random(in: 0...top, using: &random),
        cacheWrite: .random(in: 0...top, using: &random),
        output: .random(in: 0...top, using: &random),
        reasoning: .random(in: 0...top, using: &random))
    }
    return ModelPrices(tiers: tiers, isMarginal: .random(using: &random))!
  }
}
