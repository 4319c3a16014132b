import Testing

@testable import Tokenizer

/// Texts that make careless tokenizers slow, deep or large. 200 kB each here; the benchmark times
/// a megabyte of each in a release build.
@Suite struct HostileTextTests {
  static let bytes = 200_000

  static let texts: [(name: String, unit: String)] = [
    ("letter", "a"), ("space", " "), ("newline", "\n"), ("ideograph", "中"),
    ("family", "👨‍👩‍👧‍👦\u{200D}"), ("mark", "\u{0301}"), ("case", "aA"), ("nul", "\0"),
    ("space and tab", "   \t"), ("apostrophe", "'"), ("slash", "!\n/"),
  ]

  @Test(arguments: Encoding.allCases)
  func everyTextEnds(encoding: Encoding) throws {
    for (name, unit) in Self.texts {
      let text = String(repeating: unit, count: Self.bytes / unit.utf8.count)
      let count = encoding.count(text)
      #expect(count > 0 && count <= text.utf8.count, "\(name)")
      let ids = encoding.encode(text)
      #expect(ids.count == count, "\(name)")
      #expect(try encoding.decode(ids) == Array(text.utf8), "\(name)")
    }
  }

  /// A million spaces make the reference engine fail; the pattern means one piece.
  @Test func whitespaceRunIsOnePiece() {
    let text = String(repeating: " ", count: 128 * 100)
    #expect(Encoding.cl100kBase.count(text) == 100)
  }

  @Test func limitStopsEarly() {
    let text = String(repeating: "word ", count: 40_000)
    #expect(!Encoding.o200kBase.isWithin(10, text))
  }
}
