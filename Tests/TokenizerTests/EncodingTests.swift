import Testing

@testable import Tokenizer

@Suite struct EncodingTests {
  /// The example of the documentation, as a stranger would write it.
  @Test func example() throws {
    let encoding = try #require(Encoding.named("o200k_base"))
    #expect(encoding.count("Recount keeps conversations") == 4)
    #expect(encoding.isWithin(100, "Recount keeps conversations"))
    let ids = encoding.encode("hello world")
    #expect(ids == [24912, 2375])
    #expect(try encoding.decode(ids) == Array("hello world".utf8))

    var counter = IncrementalCounter(encoding)
    counter.append("hello ")
    #expect(counter.count == 2)
    counter.append("world")
    #expect(counter.count == 2)
  }

  @Test func namesAreThePublishedOnes() {
    #expect(Encoding.allCases.map(\.name) == ["cl100k_base", "o200k_base", "deepseek_v3"])
    #expect(Encoding.named("p50k_base") == nil)
  }

  @Test(arguments: Encoding.allCases)
  func emptyTextHasNoTokens(encoding: Encoding) throws {
    #expect(encoding.count("") == 0)
    #expect(encoding.count(utf8: []) == 0)
    #expect(encoding.encode("") == [])
    #expect(try encoding.decode([]) == [])
    #expect(encoding.isWithin(0, ""))
  }

  @Test(arguments: Encoding.allCases)
  func limitIsInclusive(encoding: Encoding) {
    let text = "One two three, four five six: seven\n\neight 九十"
    let count = encoding.count(text)
    #expect(encoding.isWithin(count, text))
    #expect(!encoding.isWithin(count - 1, text))
    #expect(!encoding.isWithin(count - 1, utf8: Array(text.utf8)))
  }

  @Test(arguments: Encoding.allCases)
  func invalidBytesBecomeReplacementCharacters(encoding: Encoding) {
    // One U+FFFD for each maximal subpart (Unicode 16.0, table 3-11).
    let cases: [([UInt8], String)] = [
      ([0x61, 0xFF, 0x62], "a\u{FFFD}b"),
      ([0xF1, 0x80, 0x80, 0xE1, 0x80, 0xC2, 0x62], "\u{FFFD}\u{FFFD}\u{FFFD}b"),
      ([0xC0, 0xAF], "\u{FFFD}\u{FFFD}"),
      ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
      ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
      ([0x20, 0xE4, 0xB8], " \u{FFFD}"),
    ]
    for (bytes, text) in cases {
      #expect(encoding.encode(utf8: bytes) == encoding.encode(text))
      #expect(encoding.count(utf8: bytes) == encoding.count(text))
    }
  }

  @Test func validityAgreesWithTheStandardLibrary() {
    var state: UInt64 = 88_172_645_463_325_252
    for _ in 0..<20_000 {
      var bytes: [UInt8] = []
      for _ in 0..<5 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        let edge: [UInt8] = [
          0x7F, 0x80, 0x9F, 0xA0, 0xBF, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0x8F, 0x90,
        ]
        bytes.append(
          state & 3 == 0 ? UInt8(truncatingIfNeeded: state >> 8) : edge[Int(state >> 8 % 12) % 12])
      }
      let expected = String(validating: bytes, as: UTF8.self) != nil
      let found = unsafe bytes.withUnsafeBufferPointer {
        isValidUTF8(unsafe ByteText($0.baseAddress!, count: $0.count))
      }
      #expect(found == expected, "\(bytes)")
    }
  }

  /// DeepSeek's third split works within the CJK runs of the second one: what is unassigned or
  /// punctuation there is a piece of its own, and takes no line break with it.
  @Test func deepSeekSplitsWithinRuns() {
    #expect(Encoding.deepSeekV3.encode("フ\u{3098}") == [15_587, 665, 249])
    #expect(Encoding.deepSeekV3.encode("a  123").count == 3)
  }

  @Test func unknownTokensAreRefused() throws {
    #expect(throws: TokenizerError.unknownToken(100_256)) {
      try Encoding.cl100kBase.decode([1, 100_256])
    }
    #expect(throws: TokenizerError.unknownToken(.max)) {
      try Encoding.deepSeekV3.decode([.max])
    }
    #expect(try Encoding.cl100kBase.decode([100_257]) == Array("<|endoftext|>".utf8))
    #expect(Encoding.cl100kBase.count("<|endoftext|>") > 1)
  }

  @Test func everyTokenStandsForItself() throws {
    // Every 97th, so that an unoptimised build stays quick; the vocabulary script checks them all.
    for encoding in Encoding.allCases {
      let vocabulary = encoding.vocabulary
      for index in stride(from: 0, to: vocabulary.count, by: 97) {
        let bytes = try encoding.decode([UInt32(index + vocabulary.firstID)])
        let found = unsafe bytes.withUnsafeBufferPointer { buffer in
          let text = unsafe ByteText(buffer.baseAddress!, count: buffer.count)
          #expect(vocabulary.index(text, 0, text.count) == index)
          return PieceMerger(vocabulary: vocabulary, cache: nil).withTokens(text, 0, text.count) {
            ($0.count, $0[0])
          }
        }
        #expect(found == (1, index))
      }
    }
  }
}
