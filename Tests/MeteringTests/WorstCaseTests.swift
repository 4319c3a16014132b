import Domain
import Foundation
import Metering
import Testing

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

@Suite struct WorstCaseTests {
  @Test func aSmallerPromptMayBeDearer() {
    // From 100 on a volume discount applies: 99 tokens are the worst of up to 120.
    let prices = ModelPrices(
      tiers: [
        PriceTier(promptFrom: 0, input: 10, output: 30),
        PriceTier(promptFrom: 100, input: 5, output: 15),
      ], isMarginal: false)!
    #expect(prices.worstCase(promptTokens: 120, maxOutputTokens: 2) == Money(pico: 99 * 10 + 60))
    #expect(prices.worstCase(promptTokens: 0, maxOutputTokens: 0) == .zero)
  }

  @Test func theLargestFiguresDoNotOverflow() {
    let most = Int64.max
    for marginal in [false, true] {
      let prices = ModelPrices(
        tiers: [PriceTier(promptFrom: 0, input: most, output: most)], isMarginal: marginal)!
      let expected = Int128(most) * Int128(most) * 2
      #expect(prices.worstCase(promptTokens: most, maxOutputTokens: most).pico == expected)
    }
  }

  /// No usage within the bounds costs more, and the bill is what a token-by-token sum gives.
  @Test func noUsageWithinTheBoundsCostsMore() {
    let given = ProcessInfo.processInfo.environment["RECOUNT_TEST_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 0...UInt64.max)
    print("WorstCaseTests: RECOUNT_TEST_SEED=\(seed)")
    var random = SplitMix(state: seed)
    for _ in 0..<2000 {
      let prices = Self.prices(using: &random)
      let bound = Int64.random(in: 0...60, using: &random)
      let most = Int64.random(in: 0...20, using: &random)
      let worst = prices.worstCase(promptTokens: bound, maxOutputTokens: most)
      let usage = Self.usage(promptMax: bound, outputMax: most, using: &random)
      let cost = prices.cost(of: usage)
      #expect(cost <= worst, "seed \(seed): \(prices) \(usage)")
      #expect(cost.pico == Self.slowCost(prices, usage), "seed \(seed): \(prices) \(usage)")
      let list = Self.prices(using: &random)
      let lines = prices.lines(for: usage, list: list)
      #expect(lines.reduce(into: .zero) { $0 += $1.cost } == cost, "seed \(seed)")
      #expect(
        lines.reduce(into: .zero) { $0 += $1.listCost! } == list.cost(of: usage), "seed \(seed)")
      for tokenClass in TokenClass.allCases {
        let tokens = lines.filter { $0.tokenClass == tokenClass }.reduce(0) { $0 + $1.quantity }
        #expect(tokens == usage[tokenClass], "seed \(seed)")
      }
    }
  }

  static func prices(using random: inout SplitMix) -> ModelPrices {
    var froms: Set<Int64> = [0]
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      froms.insert(Int64.random(in: 1...60, using: &random))
    }
    let tiers = froms.sorted().map { from in
      PriceTier(
        promptFrom: from, input: .random(in: 0...9, using: &random),
        cacheRead: .random(in: 0...9, using: &random),
        cacheWrite: .random(in: 0...9, using: &random),
        output: .random(in: 0...9, using: &random),
        reasoning: .random(in: 0...9, using: &random))
    }
    return ModelPrices(tiers: tiers, isMarginal: .random(using: &random))!
  }

  static func usage(
    promptMax: Int64, outputMax: Int64, using random: inout SplitMix
  ) -> TokenUsage {
    let prompt = Int64.random(in: 0...promptMax, using: &random)
    let answer = Int64.random(in: 0...outputMax, using: &random)
    let cached = Int64.random(in: 0...prompt, using: &random)
    let read = Int64.random(in: 0...cached, using: &random)
    let output = Int64.random(in: 0...answer, using: &random)
    return TokenUsage(
      input: prompt - cached, cacheRead: read, cacheWrite: cached - read, output: output,
      reasoning: answer - output)
  }

  /// One token at a time.
  static func slowCost(_ prices: ModelPrices, _ usage: TokenUsage) -> Int128 {
    let prompt =
      Array(repeating: TokenClass.cacheRead, count: Int(usage.cacheRead))
      + Array(repeating: .cacheWrite, count: Int(usage.cacheWrite))
      + Array(repeating: .input, count: Int(usage.input))
    func tier(_ size: Int) -> PriceTier { prices.tiers.last { $0.promptFrom <= size }! }
    var cost: Int128 = 0
    for (position, tokenClass) in prompt.enumerated() {
      cost += Int128(tier(prices.isMarginal ? position : prompt.count)[tokenClass])
    }
    cost += Int128(usage.output * tier(prompt.count).output)
    return cost + Int128(usage.reasoning * tier(prompt.count).reasoning)
  }
}
