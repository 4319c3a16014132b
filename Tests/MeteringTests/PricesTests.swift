import Domain
import Metering
import Testing

@Suite struct PricesTests {
  static let flat = ModelPrices(
    tiers: [
      PriceTier(promptFrom: 0, input: 10, cacheRead: 1, cacheWrite: 12, output: 30, reasoning: 40)
    ], isMarginal: false)!

  /// Dearer from 100 tokens of the prompt on.
  static func tiered(marginal: Bool) -> ModelPrices {
    ModelPrices(
      tiers: [
        PriceTier(promptFrom: 0, input: 10, cacheRead: 1, output: 30),
        PriceTier(promptFrom: 100, input: 20, cacheRead: 2, output: 60),
      ], isMarginal: marginal)!
  }

  private func brief(_ lines: [PricedLine]) -> [String] {
    lines.map { line in
      let list = line.listPrice.map { "/\($0)" } ?? ""
      return "\(line.tokenClass.rawValue) \(line.quantity)@\(line.price)\(list)"
    }
  }

  @Test func aClassWithoutTokensHasNoLine() {
    #expect(Self.flat.lines(for: TokenUsage()) == [])
    #expect(Self.flat.cost(of: TokenUsage()) == .zero)
    let usage = TokenUsage(input: 5, cacheRead: 7, cacheWrite: 2, output: 3, reasoning: 1)
    #expect(usage.promptTokens == 14 && usage.outputTokens == 4 && usage.total == 18)
    #expect(
      brief(Self.flat.lines(for: usage))
        == ["cache_read 7@1", "cache_write 2@12", "input 5@10", "output 3@30", "reasoning 1@40"])
    #expect(Self.flat.cost(of: usage) == Money(pico: 7 + 24 + 50 + 90 + 40))
  }

  @Test func theWholePromptSelectsATier() {
    let prices = Self.tiered(marginal: false)
    #expect(
      brief(prices.lines(for: TokenUsage(input: 40, cacheRead: 59, output: 1)))
        == ["cache_read 59@1", "input 40@10", "output 1@30"])
    #expect(
      brief(prices.lines(for: TokenUsage(input: 40, cacheRead: 60, output: 1)))
        == ["cache_read 60@2", "input 40@20", "output 1@60"])
  }

  @Test func eachPartOfAMarginalPromptPaysItsTier() {
    let prices = Self.tiered(marginal: true)
    #expect(
      brief(prices.lines(for: TokenUsage(input: 50, cacheRead: 80, output: 1)))
        == ["cache_read 80@1", "input 20@10", "input 30@20", "output 1@60"])
    #expect(
      brief(prices.lines(for: TokenUsage(input: 10, cacheRead: 130)))
        == ["cache_read 100@1", "cache_read 30@2", "input 10@20"])
    // At the boundary no token of the prompt is in the dearer tier, but the answer is.
    #expect(
      brief(prices.lines(for: TokenUsage(input: 100, reasoning: 1)))
        == ["input 100@10", "reasoning 1@60"])
  }

  @Test func aLineHasOnePriceInBothBooks() {
    let list = ModelPrices(
      tiers: [
        PriceTier(promptFrom: 0, input: 100, output: 300),
        PriceTier(promptFrom: 120, input: 200, output: 600),
      ], isMarginal: true)!
    let lines = Self.tiered(marginal: true).lines(
      for: TokenUsage(input: 150, output: 2), list: list)
    #expect(
      brief(lines) == ["input 100@10/100", "input 20@20/100", "input 30@20/200", "output 2@60/600"])
    #expect(lines[1].cost == Money(pico: 400) && lines[1].listCost == Money(pico: 2000))
    #expect(Self.flat.lines(for: TokenUsage(input: 1))[0].listCost == nil)
  }

  @Test func storedPricesBecomeTiers() {
    let entries = [
      PriceEntry(tokenClass: .output, promptFrom: 0, price: 30),
      PriceEntry(tokenClass: .input, promptFrom: 100, price: 20),
      PriceEntry(tokenClass: .input, promptFrom: 0, price: 10),
      PriceEntry(tokenClass: .cacheRead, promptFrom: 0, price: 1),
    ]
    let tiers = ModelPrices(entries: entries, isMarginal: false)?.tiers
    #expect(
      tiers == [
        PriceTier(promptFrom: 0, input: 10, cacheRead: 1, cacheWrite: 10, output: 30),
        PriceTier(promptFrom: 100, input: 20, cacheRead: 1, cacheWrite: 20, output: 30),
      ])
    #expect(ModelPrices(entries: [], isMarginal: false) == nil)
    #expect(ModelPrices(entries: Array(entries[1...]), isMarginal: false) == nil)
    #expect(ModelPrices(entries: [entries[0], entries[1]], isMarginal: true) == nil)
  }

  @Test func tiersThatDoNotAscendAreRefused() {
    let tier = PriceTier(promptFrom: 0, input: 1, output: 1)
    let later = PriceTier(promptFrom: 9, input: 1, output: 1)
    for tiers in [[], [later], [tier, tier], [tier, later, later], [later, tier]] {
      #expect(ModelPrices(tiers: tiers, isMarginal: false) == nil)
    }
    let negative = PriceTier(promptFrom: 0, input: 1, cacheRead: -1, output: 1)
    #expect(ModelPrices(tiers: [negative], isMarginal: false) == nil)
  }
}
