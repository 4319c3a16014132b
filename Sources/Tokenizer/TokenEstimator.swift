/// Estimates a prompt's tokens as its upstream will report them, and learns from what it reports.
///
/// One value for each (relay, model, tool set). The local figure is the count by the vocabulary
/// of the model's family (or by a similar one), with the chat overhead. The reported figure is
/// taken to be `ratio · local + constant + perMessage · messages`. The ratio is fitted only where
/// the family has no public vocabulary; elsewhere it stays 1 and the difference is additive.
///
/// - Units: tokens; cached tokens belong to the reported figure.
/// - Isolation: none; a value. Equal observations in equal order give an equal value, so a plan
///   that recorded `version` and the fit can be rebuilt.
/// - Limits: keeps the last `residualsMax` errors; older observations fade by `memory`.
public struct TokenEstimator: Sendable, Equatable {
  /// Raised whenever the arithmetic changes.
  public static let version = 1
  /// How many of the last errors make up the quantile.
  public static let residualsMax = 64
  /// The weight that an observation keeps when the next one comes.
  public static let memory = 0.98

  public let counting: ModelFamily.Counting
  public private(set) var ratio: Double
  public private(set) var constant = 0.0
  public private(set) var perMessage = 0.0
  public private(set) var observations = 0

  /// Reported minus estimated, oldest first, before each observation was learnt.
  private var residuals: [Double] = []
  private var normal: NormalEquations

  public init(_ counting: ModelFamily.Counting) {
    self.counting = counting
    ratio = if case .estimated(_, let ratio) = counting { ratio } else { 1 }
    normal = NormalEquations(prior: [0, 0, ratio])
  }

  /// The encoding that the local figure is counted with.
  public var encoding: Encoding {
    switch counting {
    case .exact(let encoding), .estimated(by: let encoding, _): encoding
    }
  }

  /// The tokens to expect for a whole prompt. Never below the local count where that is exact.
  public func estimate(local: Int, messages: Int) -> Int {
    let value = ratio * Double(local) + constant + perMessage * Double(messages)
    return clamp(value, local)
  }

  /// The tokens to expect when a known prefix was reported: that figure and what was appended.
  public func estimate(reportedPrefix: Int, appendedLocal: Int, appendedMessages: Int) -> Int {
    let value = ratio * Double(appendedLocal) + perMessage * Double(appendedMessages)
    let least = if case .exact = counting { appendedLocal } else { 0 }
    return reportedPrefix + max(least, Int(max(0, min(value, 1e15)).rounded(.up)))
  }

  /// An upper bound that holds for `quantile` (0...1) of the recent errors; for admission.
  ///
  /// Before 8 observations the errors say too little: then a sixteenth is added.
  public func upperBound(local: Int, messages: Int, quantile: Double = 0.99) -> Int {
    let expected = estimate(local: local, messages: messages)
    if observations < 8 { return expected + (expected + 15) / 16 }
    let sorted = residuals.sorted()
    let rank = Int((quantile * Double(sorted.count)).rounded(.up)) - 1
    let margin = sorted[max(0, min(sorted.count - 1, rank))]
    return expected + max(0, Int(margin.rounded(.up)))
  }

  /// The mean size of the recent errors, in tokens; nil before the first observation.
  public var meanAbsoluteError: Double? {
    residuals.isEmpty ? nil : residuals.reduce(0) { $0 + abs($1) } / Double(residuals.count)
  }

  /// Learns what the upstream reported for a prompt; call it once for each report.
  ///
  /// A report that is not positive says nothing and is ignored.
  public mutating func observe(reported: Int, local: Int, messages: Int) {
    if reported <= 0 || local < 0 || messages < 0 { return }
    residuals.append(Double(reported - estimate(local: local, messages: messages)))
    if residuals.count > Self.residualsMax { residuals.removeFirst() }
    observations += 1
    let fitsRatio = if case .estimated = counting { true } else { false }
    normal.add(
      [1, Double(messages), Double(local)], Double(reported), memory: Self.memory)
    let fit = normal.solve(free: fitsRatio ? 3 : 2)
    (constant, perMessage) = (fit[0], fit[1])
    if fitsRatio { ratio = max(0.1, fit[2]) }
  }

  /// Forgets everything; for a model that changed behind its name.
  public mutating func reset() { self = TokenEstimator(counting) }

  private func clamp(_ value: Double, _ local: Int) -> Int {
    // Far beyond any window; keeps the conversion from trapping.
    let rounded = Int(max(0, min(value, 1e15)).rounded(.up))
    if case .exact = counting { return max(local, rounded) }
    return rounded
  }
}

/// Least squares for three coefficients that are drawn towards a prior, with fading memory.
private struct NormalEquations: Equatable {
  private var prior: [Double]
  private var matrix = [[Double]](repeating: [0, 0, 0], count: 3)
  private var vector: [Double] = [0, 0, 0]
  /// The weight of the prior for each coefficient: how strange it is to differ from it.
  private static let priorWeight: [Double] = [0.05, 4, 40_000]

  init(prior: [Double]) { self.prior = prior }

  /// Adds one observation of `inputs` and `output` (kept as the difference from the prior).
  mutating func add(_ inputs: [Double], _ output: Double, memory: Double) {
    var rest = output
    for index in 0..<3 { rest -= prior[index] * inputs[index] }
    for row in 0..<3 {
      for column in 0..<3 {
        matrix[row][column] = matrix[row][column] * memory + inputs[row] * inputs[column]
      }
      vector[row] = vector[row] * memory + inputs[row] * rest
    }
  }

  /// The coefficients; the first `free` are fitted, the others stay at the prior.
  ///
  /// Gauss elimination. The prior's weight makes the matrix positive definite: no pivot is 0.
  func solve(free: Int) -> [Double] {
    var (left, right) = (matrix, vector)
    for index in 0..<free { left[index][index] += Self.priorWeight[index] }
    for pivot in 0..<free {
      for row in (pivot + 1)..<max(free, pivot + 1) {
        let factor = left[row][pivot] / left[pivot][pivot]
        for column in pivot..<free { left[row][column] -= factor * left[pivot][column] }
        right[row] -= factor * right[pivot]
      }
    }
    var result = prior
    for row in stride(from: free - 1, through: 0, by: -1) {
      var value = right[row]
      for column in (row + 1)..<max(free, row + 1) {
        value -= left[row][column] * (result[column] - prior[column])
      }
      result[row] = prior[row] + value / left[row][row]
    }
    return result
  }
}
