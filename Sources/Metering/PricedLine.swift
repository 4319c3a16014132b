public import Domain

/// Tokens of one class at one price.
public struct PricedLine: Sendable, Hashable {
  public var tokenClass: TokenClass
  public var quantity: Int64
  /// Pico-currency per token.
  public var price: Int64
  /// The list book's price of the same tokens, if a list book was given.
  public var listPrice: Int64?

  /// Exactly quantity × price.
  public var cost: Money { Money(pico: Int128(quantity) * Int128(price)) }
  public var listCost: Money? {
    listPrice.map { Money(pico: Int128(quantity) * Int128($0)) }
  }
}

extension ModelPrices {
  /// What a usage costs, line by line; a class without tokens has no line, and one that reaches
  /// over marginal tiers has several.
  ///
  /// - Parameter list: the list book's prices, whose marginal tiers then divide lines as well, so
  ///   that each line has one price in both.
  public func lines(for usage: TokenUsage, list: ModelPrices? = nil) -> [PricedLine] {
    let books = [self] + (list.map { [$0] } ?? [])
    let cuts = books.filter(\.isMarginal).flatMap { $0.tiers.map(\.promptFrom) }.sorted()
    let prompt = usage.promptTokens
    var lines: [PricedLine] = []
    var position: Int64 = 0
    for tokenClass in [TokenClass.cacheRead, .cacheWrite, .input] {
      let end = position + usage[tokenClass]
      while position < end {
        let next = min(end, cuts.first { $0 > position } ?? end)
        lines.append(
          PricedLine(
            tokenClass: tokenClass, quantity: next - position,
            price: price(of: tokenClass, at: position, prompt: prompt),
            listPrice: list?.price(of: tokenClass, at: position, prompt: prompt)))
        position = next
      }
    }
    for tokenClass in [TokenClass.output, .reasoning] where usage[tokenClass] > 0 {
      lines.append(
        PricedLine(
          tokenClass: tokenClass, quantity: usage[tokenClass],
          price: tier(at: prompt)[tokenClass], listPrice: list?.tier(at: prompt)[tokenClass]))
    }
    return lines
  }

  public func cost(of usage: TokenUsage) -> Money {
    lines(for: usage).reduce(into: .zero) { $0 += $1.cost }
  }

  /// The price of the prompt's token at a position, counted from 0.
  private func price(of tokenClass: TokenClass, at position: Int64, prompt: Int64) -> Int64 {
    tier(at: isMarginal ? position : prompt)[tokenClass]
  }
}
