import JSON
import Testing

@Suite struct ReaderTests {
  /// Texts that RFC 8259 allows, and what they are in canonical form.
  static let accepted: [(String, String)] = [
    ("null", "null"), (" \t\r\n true \n", "true"), ("false", "false"),
    ("0", "0"), ("-0", "-0"), ("1.50", "1.50"), ("1e5", "1e5"), ("1E+05", "1E+05"),
    ("-12.5e-3", "-12.5e-3"), ("123456789012345678901234567890", "123456789012345678901234567890"),
    ("\"\"", "\"\""), ("[]", "[]"), ("{}", "{}"), ("[ ]", "[]"), ("{ }", "{}"),
    ("[1, [2, {\"a\" : [ ]}]]", "[1,[2,{\"a\":[]}]]"),
    ("{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}"),
    ("{\"\":0}", "{\"\":0}"),
    (#""\"\\\/\b\f\n\r\t""#, #""\"\\/\b\f\n\r\t""#),
    (#""\u00e9\u20AC\ud83d\ude00""#, "\"é€😀\""),
    (#""\u001f\u007f""#, "\"\\u001f\u{7F}\""),
    ("\"\u{2028}\u{FFFF}\"", "\"\u{2028}\u{FFFF}\""),
  ]

  @Test(arguments: accepted) func accepts(text: String, canonical: String) throws {
    let value = try JSONValue(parsing: text)
    #expect(String(decoding: value.canonical, as: UTF8.self) == canonical)
    #expect(try JSONValue(parsing: value.canonical) == value)
  }

  /// Texts that are refused, why, and at which byte.
  static let refused: [(String, JSONError.Code, Int)] = [
    ("", .unexpectedEnd, 0), ("  ", .unexpectedEnd, 2), ("nul", .unexpectedEnd, 3),
    ("nulL", .unexpectedByte, 3), ("True", .unexpectedByte, 0), ("NaN", .unexpectedByte, 0),
    ("Infinity", .unexpectedByte, 0), ("'a'", .unexpectedByte, 0),
    ("\u{FEFF}1", .unexpectedByte, 0),
    ("+1", .unexpectedByte, 0), (".5", .unexpectedByte, 0), ("01", .invalidNumber, 0),
    ("-", .invalidNumber, 0), ("1.", .invalidNumber, 0), ("1.e3", .invalidNumber, 0),
    ("1e", .invalidNumber, 0), ("1e+", .invalidNumber, 0), ("-01", .invalidNumber, 0),
    ("0x1", .trailingBytes, 1), ("1 2", .trailingBytes, 2), ("1.2.3", .invalidNumber, 0),
    ("[", .unexpectedEnd, 1), ("[1", .unexpectedEnd, 2), ("[1,", .unexpectedEnd, 3),
    ("[1,]", .unexpectedByte, 3), ("[,1]", .unexpectedByte, 1), ("[1 2]", .unexpectedByte, 3),
    ("[1}", .unexpectedByte, 2), ("]", .unexpectedByte, 0), ("{", .unexpectedEnd, 1),
    ("{a:1}", .unexpectedByte, 1), ("{\"a\"}", .unexpectedByte, 4),
    ("{\"a\":}", .unexpectedByte, 5),
    ("{\"a\":1,}", .unexpectedByte, 7), ("{\"a\" 1}", .unexpectedByte, 5),
    ("{1:1}", .unexpectedByte, 1), ("{\"a\":1", .unexpectedEnd, 6), ("{}}", .trailingBytes, 2),
    ("{\"a\":1,\"b\":2,\"a\":3}", .duplicateKey, 13),
    (#"{"a":1,"\u0061":2}"#, .duplicateKey, 7),
    ("\"", .unexpectedEnd, 1), ("\"a", .unexpectedEnd, 2), ("\"\\", .unexpectedEnd, 2),
    ("\"\\\"", .unexpectedEnd, 3), ("\"a\nb\"", .controlCharacter, 2),
    ("\"\u{0}\"", .controlCharacter, 1), (#""\x41""#, .invalidEscape, 1),
    (#""a\u12""#, .invalidEscape, 2), (#""\u12G4""#, .invalidEscape, 1),
    (#""\u 123""#, .invalidEscape, 1), ("\"\\\n\"", .invalidEscape, 1),
    (#""\ud800""#, .loneSurrogate, 1), (#""ab\udc00""#, .loneSurrogate, 3),
    (#""\ud800\u0041""#, .loneSurrogate, 1), (#""\ud800\ud800\udc00""#, .loneSurrogate, 1),
    (#""a\u0000""#, .nul, 2), ("/* */1", .unexpectedByte, 0), ("1//", .trailingBytes, 1),
  ]

  @Test(arguments: refused) func refuses(text: String, code: JSONError.Code, offset: Int) {
    #expect(throws: JSONError(code, at: offset)) { try JSONValue(parsing: text) }
  }

  @Test(
    arguments: [
      [0x80], [0xC3], [0xC3, 0x28], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
      [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFF], [0xE2, 0x82],
    ] as [[UInt8]])
  func refusesBadUTF8(bytes: [UInt8]) {
    let text = Array("[\"ab".utf8) + bytes + Array("\"]".utf8)
    #expect(throws: JSONError(.invalidUTF8, at: 4)) { try JSONValue(parsing: text) }
  }

  @Test func sanitises() throws {
    let text = #"["\ud800","\udc00x","\ud800\u0041","\u0000","\ud83d\ude00"]"#
    let value = try JSONValue(parsing: text, options: .lenientCharacters)
    let strings = value.array?.compactMap(\.string)
    #expect(strings == ["\u{FFFD}", "\u{FFFD}x", "\u{FFFD}A", "\u{FFFD}", "😀"])
  }

  @Test func keysThatOnlyLookAlikeAreDifferent() throws {
    let value = try JSONValue(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2}")
    #expect(value["\u{E9}"]?.integer == 1)
    #expect(value["e\u{301}"]?.integer == 2)
    #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
  }

  @Test func rangesTellWhereValuesStood() throws {
    let bytes = Array(#" { "a" : [ 1, 2 ] ,"b":"x\n"} "#.utf8)
    let (object, ranges) = try JSONObject.parsing(bytes)
    #expect(object.members.map(\.name) == ["a", "b"])
    let texts = ranges.map { String(decoding: bytes[$0], as: UTF8.self) }
    #expect(texts == ["[ 1, 2 ]", #""x\n""#])
    #expect(throws: JSONError(.unexpectedByte, at: 0)) { try JSONObject.parsing(Array("[]".utf8)) }
    #expect(throws: JSONError(.trailingBytes, at: 2)) { try JSONObject.parsing(Array("{}x".utf8)) }
  }

  @Test func duplicatesAreFoundInLargeObjects() throws {
    let names = (0..<300).map { "\"k\($0)\":\($0)" }
    let unique = try JSONValue(parsing: "{" + names.joined(separator: ",") + "}")
    #expect(unique.object?.count == 300)
    #expect(unique["k299"]?.integer == 299)
    let error = #expect(throws: JSONError.self) {
      try JSONValue(parsing: "{" + (names + ["\"k7\":0"]).joined(separator: ",") + "}")
    }
    #expect(error?.code == .duplicateKey)
  }
}

@Suite struct LimitTests {
  @Test func depthIsInclusive() throws {
    func nested(_ levels: Int) -> String {
      String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
    }
    let options = JSONOptions(depthMax: 3)
    _ = try JSONValue(parsing: nested(3), options: options)
    #expect(throws: JSONError(.tooDeep, at: 3)) {
      try JSONValue(parsing: nested(4), options: options)
    }
    #expect(throws: JSONError(.tooDeep, at: JSONOptions.defaultDepthMax)) {
      try JSONValue(parsing: String(repeating: "[", count: 1_000_000))
    }
    let deepest = JSONOptions(depthMax: JSONOptions.depthCeiling)
    _ = try JSONValue(parsing: nested(JSONOptions.depthCeiling), options: deepest)
  }

  @Test func siblingsDoNotAddDepth() throws {
    let text = "[" + Array(repeating: "[{}]", count: 100).joined(separator: ",") + "]"
    #expect(try JSONValue(parsing: text, options: JSONOptions(depthMax: 3)).array?.count == 100)
  }

  @Test func sizeIsInclusive() throws {
    let options = JSONOptions(bytesMax: 4)
    _ = try JSONValue(parsing: "1234", options: options)
    #expect(throws: JSONError(.tooLarge, at: 4)) {
      try JSONValue(parsing: "12345", options: options)
    }
  }

  @Test func valuesAreCounted() throws {
    let options = JSONOptions(valuesMax: 4)
    _ = try JSONValue(parsing: "[1,2,3]", options: options)
    #expect(throws: JSONError(.tooManyValues, at: 7)) {
      try JSONValue(parsing: "[1,2,3,4]", options: options)
    }
  }
}

@Suite struct NumberTests {
  @Test func integersAreExact() throws {
    #expect(try JSONValue(parsing: "9223372036854775807").integer == .max)
    #expect(try JSONValue(parsing: "-9223372036854775808").integer == .min)
    #expect(try JSONValue(parsing: "9223372036854775808").integer == nil)
    #expect(try JSONValue(parsing: "1.0").integer == nil)
    #expect(try JSONValue(parsing: "1e2").integer == nil)
    #expect(try JSONValue(parsing: "-0").integer == 0)
  }

  @Test func doublesKeepTheirShortestText() {
    #expect(JSONNumber(0.7)?.text == "0.7")
    #expect(JSONNumber(2.0)?.text == "2")
    #expect(JSONNumber(1e-7).flatMap { JSONNumber(text: $0.text) }?.double == 1e-7)
    #expect(JSONNumber(Double.infinity) == nil)
    #expect(JSONNumber(Double.nan) == nil)
  }

  @Test func textIsChecked() {
    #expect(JSONNumber(text: "1.25")?.text == "1.25")
    for text in ["", "1 ", "0x1", "--1", "1.", "١"] { #expect(JSONNumber(text: text) == nil) }
  }
}
