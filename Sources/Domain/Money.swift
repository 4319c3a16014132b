/// An amount of a currency that the context names.
///
/// - Units: pico-units, 1e-12 of the currency. Sums of a product of two `Int64` never overflow.
public struct Money: Sendable, Hashable {
  public var pico: Int128

  public static let zero = Money(pico: 0)
  private static let fractionDigits = 12
  private static let picoPerUnit: Int128 = 1_000_000_000_000

  public init(pico: Int128) { self.pico = pico }

  public static func + (a: Money, b: Money) -> Money { Money(pico: a.pico + b.pico) }
  public static func - (a: Money, b: Money) -> Money { Money(pico: a.pico - b.pico) }
  public static func += (a: inout Money, b: Money) { a.pico += b.pico }

  /// The shortest exact decimal: `0`, `-1.5`, `0.00001234`.
  public var decimal: String {
    let unit = UInt128(Self.picoPerUnit)
    let (whole, rest) = pico.magnitude.quotientAndRemainder(dividingBy: unit)
    var text = pico < 0 ? "-\(whole)" : "\(whole)"
    if rest > 0 {
      var fraction = Array(String(rest).utf8)
      fraction.insert(
        contentsOf: repeatElement(UInt8(ascii: "0"), count: Self.fractionDigits - fraction.count),
        at: 0)
      while fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
      text += "." + String(decoding: fraction, as: UTF8.self)
    }
    return text
  }

  /// Reads `-12.50` and the like; nil for an exponent, a `+`, a space, a missing or needless
  /// leading 0, a point without digits, too many digits after it, or more than 128 bits.
  public init?(decimal text: String, maxFractionDigits: Int = 12) {
    precondition((0...Self.fractionDigits).contains(maxFractionDigits))
    var digits = text.utf8[...]
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative { digits.removeFirst() }
    let parts = digits.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = parts.first, !parts.contains(where: \.isEmpty),
      whole.count == 1 || whole.first != UInt8(ascii: "0"),
      parts.count == 1 || parts[1].count <= maxFractionDigits
    else { return nil }
    let fraction = parts.count == 2 ? Array(parts[1]) : []
    let padding = repeatElement(UInt8(ascii: "0"), count: Self.fractionDigits - fraction.count)
    var pico: Int128 = 0
    for character in Array(whole) + fraction + padding {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character) else { return nil }
      let (tenfold, overflows) = pico.multipliedReportingOverflow(by: 10)
      let digit = Int128(character - UInt8(ascii: "0"))
      let (next, carries) =
        isNegative
        ? tenfold.subtractingReportingOverflow(digit) : tenfold.addingReportingOverflow(digit)
      if overflows || carries { return nil }
      pico = next
    }
    self.pico = pico
  }
}

extension Money: Comparable {
  public static func < (a: Money, b: Money) -> Bool { a.pico < b.pico }
}

extension Money: CustomStringConvertible {
  public var description: String { decimal }
}
