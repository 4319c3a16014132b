/// The prices from a size of the prompt on.
///
/// - Units: pico-currency per token, which is micro-currency per 1,000,000 tokens.
public struct PriceTier: Sendable, Hashable {
  /// In tokens of the prompt, inclusive.
  public var promptFrom: Int64
  public var input: Int64
  public var cacheRead: Int64
  public var cacheWrite: Int64
  public var output: Int64
  public var reasoning: Int64

  /// An absent cache price is the input price, an absent reasoning price the output price.
  public init(
    promptFrom: Int64, input: Int64, cacheRead: Int64? = nil, cacheWrite: Int64? = nil,
    output: Int64, reasoning: Int64? = nil
  ) {
    self.promptFrom = promptFrom
    self.input = input
    self.cacheRead = cacheRead ?? input
    self.cacheWrite = cacheWrite ?? input
    self.output = output
    self.reasoning = reasoning ?? output
  }

  public subscript(tokenClass: TokenClass) -> Int64 {
    switch tokenClass {
    case .input: input
    case .cacheRead: cacheRead
    case .cacheWrite: cacheWrite
    case .output: output
    case .reasoning: reasoning
    }
  }

  /// The most that a token of the prompt can cost.
  public var dearestInput: Int64 { max(input, cacheRead, cacheWrite) }
  /// The most that a token of the answer can cost.
  public var dearestOutput: Int64 { max(output, reasoning) }
}

/// One price as it is stored: of a class, from a size of the prompt on.
public struct PriceEntry: Sendable, Hashable {
  public var tokenClass: TokenClass
  public var promptFrom: Int64
  /// Pico-currency per token.
  public var price: Int64

  public init(tokenClass: TokenClass, promptFrom: Int64, price: Int64) {
    self.tokenClass = tokenClass
    self.promptFrom = promptFrom
    self.price = price
  }
}

/// The prices of one model in one service tier of one book.
///
/// - Whole-request: the prompt's size (all its classes) selects one tier, which prices every token
///   of the call.
/// - Marginal: each token of the prompt pays the tier of its place in it. Cached tokens stand
///   first, as a cache holds a prefix: read, then written, then the rest. The answer pays the tier
///   of the whole prompt.
public struct ModelPrices: Sendable, Hashable {
  /// Ascending by `promptFrom`; the first is 0.
  public let tiers: [PriceTier]
  public let isMarginal: Bool

  /// Nil if there is no tier, the first is not from 0, or they do not ascend; or for a negative
  /// price.
  public init?(tiers: [PriceTier], isMarginal: Bool) {
    guard tiers.first?.promptFrom == 0,
      zip(tiers, tiers.dropFirst()).allSatisfy({ $0.promptFrom < $1.promptFrom }),
      tiers.allSatisfy({ tier in TokenClass.allCases.allSatisfy { tier[$0] >= 0 } })
    else { return nil }
    self.tiers = tiers
    self.isMarginal = isMarginal
  }

  /// Makes tiers of stored prices, in any order; a class keeps its price until its next entry.
  /// Nil if input or output have none from 0.
  public init?(entries: [PriceEntry], isMarginal: Bool) {
    let bounds = Set(entries.map(\.promptFrom)).sorted()
    var tiers: [PriceTier] = []
    for bound in bounds {
      func price(_ tokenClass: TokenClass) -> Int64? {
        entries.filter { $0.tokenClass == tokenClass && $0.promptFrom <= bound }
          .max { $0.promptFrom < $1.promptFrom }?.price
      }
      guard let input = price(.input), let output = price(.output) else { return nil }
      tiers.append(
        PriceTier(
          promptFrom: bound, input: input, cacheRead: price(.cacheRead),
          cacheWrite: price(.cacheWrite), output: output, reasoning: price(.reasoning)))
    }
    self.init(tiers: tiers, isMarginal: isMarginal)
  }

  /// The tier that a prompt of that size selects.
  public func tier(at promptTokens: Int64) -> PriceTier {
    tiers.last { $0.promptFrom <= promptTokens } ?? tiers[0]
  }
}
