/// When to try again: exponential backoff with full jitter, a pure function.
public struct RetryPolicy: Sendable, Hashable {
  /// Attempts in all, the first included.
  public var attemptsMax: Int
  /// The longest wait before the second attempt; it doubles for each further one.
  public var base: Duration
  /// The longest wait of our own choice.
  public var ceiling: Duration
  /// Whether to try again when the relay may have billed the last attempt.
  public var retriesUnknown: Bool

  public init(
    attemptsMax: Int = 3, base: Duration = .seconds(1), ceiling: Duration = .seconds(30),
    retriesUnknown: Bool = false
  ) {
    self.attemptsMax = attemptsMax
    self.base = base
    self.ceiling = ceiling
    self.retriesUnknown = retriesUnknown
  }

  /// How long to wait before the next attempt; nil to give up.
  ///
  /// - Parameters:
  ///   - attempts: attempts made so far, at least 1.
  ///   - error: why the last one failed.
  ///   - remaining: what is left of the generation's limit; no attempt begins after it.
  ///   - random: from 0 up to but not including 1.
  public func delay(
    afterAttempt attempts: Int, error: RelayError, remaining: Duration, random: Double
  ) -> Duration? {
    precondition(attempts >= 1 && (0..<1).contains(random), "attempts from 1, random below 1")
    let mayBill = error.outcome == .unknown && error.kind != .cancelled && error.partial == nil
    guard attempts < attemptsMax, error.isRetryable || (retriesUnknown && mayBill) else {
      return nil
    }
    var window = base
    for _ in 1..<attempts where window < ceiling { window = min(window * 2, ceiling) }
    let wait = max(window * random, error.retryAfter ?? .zero)
    return wait < remaining ? wait : nil
  }
}
