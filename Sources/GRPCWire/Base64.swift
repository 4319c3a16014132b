/// Base64 as `-bin` metadata uses it: written without padding, read with or without.
///
/// - Source: RFC 4648, section 4; gRPC over HTTP/2, "Binary-Header".
enum Base64 {
  static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count * 4 + 2) / 3)
    var bits: UInt32 = 0
    var held = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      held += 8
      while held >= 6 {
        held -= 6
        text.append(digit(UInt8(bits >> UInt32(held) & 0x3F)))
      }
    }
    if held > 0 { text.append(digit(UInt8(bits << UInt32(6 - held) & 0x3F))) }
    return text
  }

  /// The bytes, or nil if the text is not base64.
  static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var digits = text
    if digits.count % 4 == 0, digits.last == pad {
      digits = digits.dropLast()
      if digits.last == pad { digits = digits.dropLast() }
    }
    guard digits.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count * 3 / 4)
    var bits: UInt32 = 0
    var held = 0
    for character in digits {
      guard let value = value(character) else { return nil }
      bits = bits << 6 | UInt32(value)
      held += 6
      if held >= 8 {
        held -= 8
        bytes.append(UInt8(bits >> UInt32(held) & 0xFF))
      }
    }
    return bytes
  }

  private static let pad = UInt8(ascii: "=")

  private static func digit(_ value: UInt8) -> UInt8 {
    switch value {
    case 0..<26: UInt8(ascii: "A") + value
    case 26..<52: UInt8(ascii: "a") + value - 26
    case 52..<62: UInt8(ascii: "0") + value - 52
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
