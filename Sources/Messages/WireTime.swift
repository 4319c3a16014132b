extension Wire.Timestamp {
  /// A moment in microseconds since 1970, UTC.
  public init(microseconds: Int64) {
    let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    // The nanoseconds count forward, before 1970 too.
    let borrowed: Int64 = rest < 0 ? 1 : 0
    self.init(
      seconds: seconds - borrowed, nanos: Int32((rest + borrowed * 1_000_000) * 1000))
  }

  /// Microseconds since 1970, what is finer cut off; nil outside the years 1 to 9999 or where the
  /// nanoseconds are not below one second.
  public var microseconds: Int64? {
    guard (-62_135_596_800...253_402_300_799).contains(seconds), (0..<1_000_000_000).contains(nanos)
    else { return nil }
    return seconds * 1_000_000 + Int64(nanos / 1000)
  }
}

extension Wire.Duration {
  /// The largest size, in seconds: about ten thousand years.
  private static let secondsMax: Int64 = 315_576_000_000

  /// The same span, what is finer than a nanosecond cut off; at most about ten thousand years.
  public init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    if abs(Double(seconds)) >= Double(Self.secondsMax) {
      self.init(seconds: seconds < 0 ? -Self.secondsMax : Self.secondsMax, nanos: 0)
    } else {
      self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }
  }

  /// The span as Swift's own type; nil where it is over the limits or the signs differ.
  public var duration: Duration? {
    guard (-Self.secondsMax...Self.secondsMax).contains(seconds),
      (-999_999_999...999_999_999).contains(nanos),
      seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0)
    else { return nil }
    return .seconds(seconds) + .nanoseconds(Int64(nanos))
  }
}
