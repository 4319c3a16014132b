/// A 128-bit row id: a generation, an attempt, a segment, an incarnation, a price set.
///
/// - Shape: printed as a UUID in lower case.
public struct RowID: Sendable, Hashable {
  public let high: UInt64
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`; nil for anything else.
  public init?(_ text: String) {
    let characters = Array(text.utf8)
    guard characters.count == 36 else { return nil }
    var digits: [UInt64] = []
    for (index, character) in characters.enumerated() {
      if [8, 13, 18, 23].contains(index) {
        guard character == UInt8(ascii: "-") else { return nil }
        continue
      }
      guard let digit = Self.digit(character) else { return nil }
      digits.append(digit)
    }
    high = digits[..<16].reduce(0) { $0 << 4 | $1 }
    low = digits[16...].reduce(0) { $0 << 4 | $1 }
  }

  /// A UUID of version 7: 48 bits of milliseconds since the Unix epoch, then random bits.
  ///
  /// - Source: RFC 9562, section 5.7.
  public init(
    milliseconds: UInt64, using random: inout some RandomNumberGenerator
  ) {
    high = milliseconds << 16 | 0x7000 | random.next() & 0x0FFF
    low = 0x8000_0000_0000_0000 | random.next() & 0x3FFF_FFFF_FFFF_FFFF
  }

  init(_ pair: (UInt64, UInt64)) { self.init(high: pair.0, low: pair.1) }
  var pair: (UInt64, UInt64) { (high, low) }

  private static func digit(_ character: UInt8) -> UInt64? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(character - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(character - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(character - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}

extension RowID: CustomStringConvertible {
  public var description: String {
    var text = ""
    for index in 0..<32 {
      if [8, 12, 16, 20].contains(index) { text.append("-") }
      let word = index < 16 ? high : low
      text.append(String(word >> UInt64(60 - 4 * (index % 16)) & 0xF, radix: 16))
    }
    return text
  }
}

/// A time on the database's clock: microseconds since the Unix epoch, UTC.
public struct Timestamp: Sendable, Hashable, Comparable {
  public let microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }
}
