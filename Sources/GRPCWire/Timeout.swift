/// Reads the value of `grpc-timeout`.
///
/// - Shape: one to eight digits, then a unit: `H`, `M`, `S`, `m`, `u` or `n`.
/// - Source: gRPC over HTTP/2, "Timeout".
public enum Timeout {
  /// The duration, or nil if the value is malformed.
  public static func parse(_ value: borrowing Span<UInt8>) -> Duration? {
    let digits = value.count - 1
    guard digits >= 1, digits <= GRPCWireLimits.timeoutDigitsMax else { return nil }
    var amount: Int64 = 0
    for index in 0..<digits {
      guard case 0x30...0x39 = value[index] else { return nil }
      amount = amount * 10 + Int64(value[index] - 0x30)
    }
    switch value[digits] {
    case UInt8(ascii: "H"): return .seconds(amount * 3600)
    case UInt8(ascii: "M"): return .seconds(amount * 60)
    case UInt8(ascii: "S"): return .seconds(amount)
    case UInt8(ascii: "m"): return .milliseconds(amount)
    case UInt8(ascii: "u"): return .microseconds(amount)
    case UInt8(ascii: "n"): return .nanoseconds(amount)
    default: return nil
    }
  }
}
