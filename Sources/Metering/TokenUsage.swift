/// A class of tokens that has a price of its own; a token is of exactly one.
public enum TokenClass: String, Sendable, CaseIterable {
  /// Of the prompt, neither read from a cache nor written to one.
  case input
  case cacheRead = "cache_read"
  case cacheWrite = "cache_write"
  /// Of the answer, visible.
  case output
  case reasoning
}

/// How many tokens of each class a call used.
///
/// - Units: tokens; not negative, and far fewer than would overflow when added up.
public struct TokenUsage: Sendable, Hashable {
  public var input: Int64
  public var cacheRead: Int64
  public var cacheWrite: Int64
  public var output: Int64
  public var reasoning: Int64

  public init(
    input: Int64 = 0, cacheRead: Int64 = 0, cacheWrite: Int64 = 0, output: Int64 = 0,
    reasoning: Int64 = 0
  ) {
    self.input = input
    self.cacheRead = cacheRead
    self.cacheWrite = cacheWrite
    self.output = output
    self.reasoning = reasoning
  }

  /// What selects a price tier.
  public var promptTokens: Int64 { input + cacheRead + cacheWrite }
  public var outputTokens: Int64 { output + reasoning }
  public var total: Int64 { promptTokens + outputTokens }

  public subscript(tokenClass: TokenClass) -> Int64 {
    switch tokenClass {
    case .input: input
    case .cacheRead: cacheRead
    case .cacheWrite: cacheWrite
    case .output: output
    case .reasoning: reasoning
    }
  }
}
