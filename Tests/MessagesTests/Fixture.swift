import Messages
import Testing

/// A message that Python's protobuf wrote.
struct Fixture: Sendable, CustomTestStringConvertible {
  var type: any WireMessage.Type
  var kind: String
  /// How many proper prefixes of the bytes are messages too.
  var validPrefixes: Int
  var bytes: [UInt8]

  var testDescription: String { "\(type.protoName) \(kind)" }

  static let all: [Fixture] = {
    let types = Dictionary(uniqueKeysWithValues: wireTypes.map { ($0.protoName, $0) })
    var fixtures: [Fixture] = []
    for line in wireFixtures.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 3, let type = types[String(words[0])], let prefixes = Int(words[2]) {
        fixtures.append(
          Fixture(type: type, kind: String(words[1]), validPrefixes: prefixes, bytes: []))
      } else {
        fixtures[fixtures.count - 1].bytes += hex(line)
      }
    }
    return fixtures
  }()
}

/// The bytes of a text of hexadecimal digits; anything else stops the test.
func hex(_ text: some StringProtocol) -> [UInt8] {
  let digits = text.utf8.filter { $0 != UInt8(ascii: " ") }.map { Character(UnicodeScalar($0)) }
  precondition(digits.count.isMultiple(of: 2), "odd number of digits")
  return stride(from: 0, to: digits.count, by: 2).map { at in
    guard let high = digits[at].hexDigitValue, let low = digits[at + 1].hexDigitValue else {
      preconditionFailure("not a digit")
    }
    return UInt8(high * 16 + low)
  }
}

/// Decodes and encodes again: what was understood.
func reencoded(_ type: any WireMessage.Type, _ bytes: [UInt8]) throws(MessageError) -> [UInt8] {
  try type.init(decoding: bytes).encode()
}

/// One field of wire type 2.
func field(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
  [number << 3 | 2] + varint(payload.count) + payload
}

/// One field of wire type 2 with a text.
func field(_ number: UInt8, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }

func varint(_ value: Int) -> [UInt8] {
  var rest = UInt64(bitPattern: Int64(value))
  var bytes: [UInt8] = []
  while rest > 0x7F {
    bytes.append(UInt8(rest & 0x7F) | 0x80)
    rest >>= 7
  }
  return bytes + [UInt8(rest)]
}
