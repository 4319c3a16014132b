/// A JSON number, kept as the decimal text in which it was written.
///
/// Equality is of the text: `1.0` is not `1`.
public struct JSONNumber: Sendable, Hashable {
  /// The digits, as RFC 8259 §6 allows them.
  public let text: String

  public init(_ integer: some FixedWidthInteger) { text = String(integer) }

  /// The shortest decimal that reads back as `double`; nil for an infinity or not-a-number.
  public init?(_ double: Double) {
    guard double.isFinite else { return nil }
    let text = double.description
    self.text = text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// A number from its text; nil if RFC 8259 does not allow it.
  public init?(text: String) {
    let bytes = Array(text.utf8)
    guard NumberGrammar.end(in: bytes.span, from: 0) == bytes.count else { return nil }
    self.text = text
  }

  /// For the reader, which has checked the text.
  init(checked text: String) { self.text = text }

  /// The exact value, if there is neither fraction nor exponent and it fits.
  public var integer: Int64? { Int64(text) }

  /// The nearest binary value, perhaps infinite. Never for money.
  public var double: Double { Double(text) ?? .infinity }
}

/// The grammar of RFC 8259 §6.
enum NumberGrammar {
  /// The offset after the number that starts at `start`; nil if there is none.
  static func end(in input: borrowing Span<UInt8>, from start: Int) -> Int? {
    var at = start
    if at < input.count, input[at] == UInt8(ascii: "-") { at += 1 }
    guard at < input.count else { return nil }
    if input[at] == UInt8(ascii: "0") {
      at += 1
    } else {
      guard let end = digits(in: input, from: at) else { return nil }
      at = end
    }
    if at < input.count, input[at] == UInt8(ascii: ".") {
      guard let end = digits(in: input, from: at + 1) else { return nil }
      at = end
    }
    if at < input.count, input[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      if at < input.count, input[at] == UInt8(ascii: "+") || input[at] == UInt8(ascii: "-") {
        at += 1
      }
      guard let end = digits(in: input, from: at) else { return nil }
      at = end
    }
    return at
  }

  /// The offset after one or more digits; nil if there are none.
  private static func digits(in input: borrowing Span<UInt8>, from start: Int) -> Int? {
    var at = start
    while at < input.count, input[at] >= UInt8(ascii: "0"), input[at] <= UInt8(ascii: "9") {
      at += 1
    }
    return at > start ? at : nil
  }
}
