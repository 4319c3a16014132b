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
    let lines = worstCaseLines(promptTokens: promptTokens, maxOutputTokens: maxOutputTokens)
    return Money(pico: cost(of: lines))
  }

  /// The lines whose sum is the worst case: what is booked for an attempt whose outcome is unknown.
  public func worstCaseLines(promptTokens: Int64, maxOutputTokens: Int64) -> [PricedLine] {
    precondition(promptTokens >= 0 && maxOutputTokens >= 0)
    var whole: [PricedLine] = []
    var marginal: [PricedLine] = []
    var dearestOutput: Int64 = 0
    let curve = curve
    for (index, point) in curve.enumerated() where point.promptFrom <= promptTokens {
      let next = index + 1 < curve.count ? curve[index + 1].promptFrom : nil
      let size = min(promptTokens, next.map { $0 - 1 } ?? promptTokens)
      let lines = [
        PricedLine(tokenClass: .input, quantity: size, price: point.input),
        PricedLine(tokenClass: .output, quantity: maxOutputTokens, price: point.output),
      ]
      if whole.isEmpty || cost(of: lines) > cost(of: whole) { whole = lines }
      let part = min(promptTokens, next ?? promptTokens) - point.promptFrom
      marginal.append(PricedLine(tokenClass: .input, quantity: part, price: point.input))
      dearestOutput = max(dearestOutput, point.output)
    }
    guard isMarginal else { return whole }
    let output = PricedLine(
      tokenClass: .output, quantity: maxOutputTokens, price: dearestOutput)
    return marginal + [output]
  }

  private func cost(of lines: [PricedLine]) -> Int128 {
    lines.reduce(0) { $0 + product($1.quantity, $1.price) }
  }
}

/// A product that cannot overflow.
private func product(_ a: Int64, _ b: Int64) -> Int128 { Int128(a) * Int128(b) }
