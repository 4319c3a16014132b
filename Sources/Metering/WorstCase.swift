public import Domain

extension ModelPrices {
  /// A tier as a reservation sees it: the dearest class of the prompt and of the answer.
  public struct CurvePoint: Sendable, Hashable {
    public var promptFrom: Int64
    /// Pico-currency per token.
    public var input: Int64
    public var output: Int64
  }

  /// What `begin_turns` reserves by; ascending.
  public var curve: [CurvePoint] {
    tiers.map {
      CurvePoint(promptFrom: $0.promptFrom, input: $0.dearestInput, output: $0.dearestOutput)
    }
  }

  /// The dearest that a call can become whose prompt has at most so many tokens, and its answer at
  /// most so many: a smaller prompt may select a dearer tier. No usage within the bounds costs
  /// more.
  ///
  /// - Source: equal to SQL's `price_worst_case`, which reserves; `PriceDifferentialTests` hold
  ///   both together.
  public func worstCase(promptTokens: Int64, maxOutputTokens: Int64) -> Money {
    precondition(promptTokens >= 0 && maxOutputTokens >= 0)
    var whole: Int128 = 0
    var marginal: Int128 = 0
    var dearestOutput: Int64 = 0
    let curve = curve
    for (index, point) in curve.enumerated() where point.promptFrom <= promptTokens {
      let next = index + 1 < curve.count ? curve[index + 1].promptFrom : nil
      let size = min(promptTokens, next.map { $0 - 1 } ?? promptTokens)
      whole = max(whole, product(size, point.input) + product(maxOutputTokens, point.output))
      let part = min(promptTokens, next ?? promptTokens) - point.promptFrom
      marginal += product(part, point.input)
      dearestOutput = max(dearestOutput, point.output)
    }
    if isMarginal { return Money(pico: marginal + product(maxOutputTokens, dearestOutput)) }
    return Money(pico: whole)
  }
}

/// A product that cannot overflow.
private func product(_ a: Int64, _ b: Int64) -> Int128 { Int128(a) * Int128(b) }
