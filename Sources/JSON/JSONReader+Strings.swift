// The string part of the reader: RFC 8259 §7 and §8.

extension JSONReader {
  /// Consumes a string, from its opening to its closing quote.
  mutating func string(_ input: borrowing Span<UInt8>) throws(JSONError) -> String {
    let start = offset + 1
    var hasEscape = false
    var at = start
    scan: while true {
      guard at < input.count else { throw JSONError(.unexpectedEnd, at: input.count) }
      switch input[at] {
      case UInt8(ascii: "\""): break scan
      case UInt8(ascii: "\\"):
        hasEscape = true
        at += 2
      case 0..<0x20: throw JSONError(.controlCharacter, at: at)
      default: at += 1
      }
    }
    let raw = input.extracting(start..<at)
    let text: String
    do {
      text = String(copying: try UTF8Span(validating: raw))
    } catch {
      throw JSONError(.invalidUTF8, at: start + error.byteOffsets.lowerBound)
    }
    defer { offset = at + 1 }
    return hasEscape ? try unescaped(raw, startingAt: start) : text
  }

  /// Text that is known to be ASCII.
  static func ascii(_ input: Span<UInt8>) -> String {
    var text = ""
    text.reserveCapacity(input.count)
    for index in input.indices { text.unicodeScalars.append(Unicode.Scalar(input[index])) }
    return text
  }

  /// The string that `raw`, valid UTF-8, stands for.
  private func unescaped(
    _ raw: Span<UInt8>, startingAt start: Int
  ) throws(JSONError) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(raw.count)
    var at = 0
    while at < raw.count {
      guard raw[at] == UInt8(ascii: "\\") else {
        bytes.append(raw[at])
        at += 1
        continue
      }
      guard at + 1 < raw.count else { throw JSONError(.invalidEscape, at: start + at) }
      if raw[at + 1] == UInt8(ascii: "u") {
        let (scalar, length) = try scalar(raw, at: at, startingAt: start)
        bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
        at += length
      } else {
        guard let byte = JSONReader.shortEscape(raw[at + 1]) else {
          throw JSONError(.invalidEscape, at: start + at)
        }
        bytes.append(byte)
        at += 2
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func shortEscape(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): byte
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
  }

  /// The scalar of the `\u` escape (or pair of them) at `at`, and how many bytes it took.
  private func scalar(
    _ raw: Span<UInt8>, at: Int, startingAt start: Int
  ) throws(JSONError) -> (Unicode.Scalar, length: Int) {
    guard let first = JSONReader.codeUnit(raw, at: at) else {
      throw JSONError(.invalidEscape, at: start + at)
    }
    if first == 0 {
      guard options.nul == .sanitise else { throw JSONError(.nul, at: start + at) }
      return (JSONReader.replacement, 6)
    }
    if let scalar = Unicode.Scalar(first) { return (scalar, 6) }
    if first < 0xDC00, let second = JSONReader.codeUnit(raw, at: at + 6),
      (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(
        0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(second - 0xDC00))
    {
      return (scalar, 12)
    }
    guard options.loneSurrogate == .sanitise else {
      throw JSONError(.loneSurrogate, at: start + at)
    }
    return (JSONReader.replacement, 6)
  }

  /// The four hexadecimal digits of a `\u` escape at `at`; nil if it is none.
  private static func codeUnit(_ raw: Span<UInt8>, at: Int) -> UInt16? {
    guard at + 6 <= raw.count, raw[at] == UInt8(ascii: "\\"), raw[at + 1] == UInt8(ascii: "u")
    else { return nil }
    var unit: UInt16 = 0
    for index in at + 2..<at + 6 {
      let digit: UInt8
      switch raw[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = raw[index] - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = raw[index] - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = raw[index] - UInt8(ascii: "A") + 10
      default: return nil
      }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  private static let replacement: Unicode.Scalar = "\u{FFFD}"
}
