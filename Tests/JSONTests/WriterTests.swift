import JSON
import Testing

@Suite struct WriterTests {
  @Test func writesWithoutATree() {
    var writer = JSONWriter(capacity: 64)
    writer.beginObject()
    writer.member("model", "gpt-4.1")
    writer.name("messages")
    writer.beginArray()
    writer.beginObject()
    writer.member("role", "user")
    writer.endObject()
    writer.raw(Array("{\"role\":\"assistant\"}".utf8))
    writer.endArray()
    writer.name("n")
    writer.integer(UInt8(1))
    writer.name("t")
    writer.number(JSONNumber(text: "0.70")!)
    writer.name("s")
    writer.bool(false)
    writer.name("e")
    writer.beginObject()
    writer.endObject()
    writer.name("z")
    writer.null()
    writer.endObject()
    #expect(writer.isBalanced)
    let expected =
      #"{"model":"gpt-4.1","messages":[{"role":"user"},{"role":"assistant"}],"n":1,"#
      + #""t":0.70,"s":false,"e":{},"z":null}"#
    #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
  }

  @Test func itemsJoinWhatIsThere() {
    var writer = JSONWriter()
    writer.beginArray()
    writer.rawItems([])
    writer.rawItems(Array("1,2".utf8))
    writer.rawItems(Array("3".utf8))
    writer.endArray()
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "[1,2,3]")
  }

  @Test func everyControlCharacterIsEscapedAndReadsBack() throws {
    for code in UInt32(1)..<0x20 {
      let text = "a\(Unicode.Scalar(code)!)b"
      let bytes = JSONValue.string(text).canonical
      #expect(!bytes.contains { $0 < 0x20 })
      #expect(try JSONValue(parsing: bytes) == .string(text))
    }
    #expect(JSONValue.string("\u{1B}").canonical == Array(#""\u001b""#.utf8))
  }

  /// The eight-bytes-at-a-time scan must agree with a byte-at-a-time one, at every alignment.
  @Test func escapesAtEveryPlaceInAWord() {
    for special in ["\"", "\\", "\n", "\u{1}", "\u{1F}", " ", "!", "é", "\u{7F}", "😀", "\u{80}"] {
      for before in 0..<18 {
        for after in [0, 1, 7, 9] {
          let text =
            String(repeating: "x", count: before) + special + special
            + String(repeating: "#", count: after)
          #expect(JSONValue.string(text).canonical == slowQuoted(text))
        }
      }
    }
  }

  /// The plan's promise: an array without its bracket is a prefix of every longer one.
  @Test func anArrayIsAPrefixOfALongerOne() throws {
    let items = (0..<20).map { JSONValue.string("message \($0) \"quoted\" é") }
    for count in 1..<items.count {
      let short = JSONValue.array(Array(items[..<count])).canonical.dropLast()
      let long = JSONValue.array(items).canonical
      #expect(long.starts(with: short))
    }
  }
}

/// What the writer must produce for a string, written the obvious way.
func slowQuoted(_ text: String) -> [UInt8] {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\u{8}": result += "\\b"
    case "\t": result += "\\t"
    case "\n": result += "\\n"
    case "\u{C}": result += "\\f"
    case "\r": result += "\\r"
    case "\u{0}"..<"\u{20}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return Array((result + "\"").utf8)
}
