import Foundation
import Testing

@testable import Tokenizer

/// Random texts; a failure prints the seed, and RECOUNT_TEST_SEED replays it.
@Suite struct PropertyTests {
  static let seed: UInt64 =
    ProcessInfo.processInfo.environment["RECOUNT_TEST_SEED"].flatMap { UInt64($0) }
    ?? UInt64.random(in: 1 ... .max)

  struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      // SplitMix64: every seed is a good one.
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
      return mixed ^ mixed >> 31
    }
  }

  static let atoms: [String] = [
    "the", "you're", "I'LL", "HTTPServer", "camelCase", "'ſ", "'s", "中文", "日本ABC", "にほん",
    "한국어", "Привет", "é", "👍🏽", "👨‍👩‍👧", "\u{0301}", "\u{200D}", " ", " ", "  ", "\n", "\r\n", "\t",
    "\u{A0}", "\u{3000}", "\u{85}", "\u{200B}", "123", "4", "/", "//", "...", "!", "\0", "ǅ", "Ⅷ",
  ]

  static func text(_ random: inout Generator) -> String {
    (0..<Int.random(in: 1...12, using: &random)).map { _ in
      atoms.randomElement(using: &random)!
    }.joined()
  }

  @Test(arguments: Encoding.allCases)
  func cutsAddUpAndTextComesBack(encoding: Encoding) throws {
    var random = Generator(state: Self.seed)
    for _ in 0..<300 {
      let text = Self.text(&random)
      let bytes = Array(text.utf8)
      let ids = encoding.encode(text)
      let note = "seed \(Self.seed): \(text.debugDescription)"
      #expect(try encoding.decode(ids) == bytes, "\(note)")
      #expect(encoding.count(text) == ids.count, "\(note)")
      for cut in bytes.indices {
        var counter = IncrementalCounter(encoding)
        counter.append(utf8: Array(bytes[..<cut]))
        let left = counter.count
        #expect(left == encoding.count(utf8: Array(bytes[..<cut])), "\(note)")
        counter.append(utf8: Array(bytes[cut...]))
        #expect(counter.count == ids.count, "cut \(cut), \(note)")
        if Encoding.lastSafeCut(in: bytes.span, after: cut - 1, atOrBefore: cut) == cut {
          #expect(left + encoding.count(utf8: Array(bytes[cut...])) == ids.count, "\(note)")
        }
      }
    }
  }

  /// Merging in the order of ranks, as slowly and plainly as it can be written.
  static func slowTokens(_ bytes: ArraySlice<UInt8>, _ vocabulary: Vocabulary) -> [Int] {
    var tokens = bytes.map { byte in
      unsafe withUnsafePointer(to: byte) {
        vocabulary.index(unsafe ByteText($0, count: 1), 0, 1)!
      }
    }
    while true {
      var best = (rank: Int.max, at: 0)
      for at in tokens.indices.dropLast() {
        let rank = vocabulary.merges.merged(tokens[at], tokens[at + 1])
        if rank < best.rank { best = (rank, at) }
      }
      if best.rank == .max { return tokens }
      tokens.replaceSubrange(best.at...(best.at + 1), with: [best.rank])
    }
  }

  @Test(arguments: Encoding.allCases)
  func backtrackingEqualsMerging(encoding: Encoding) {
    var random = Generator(state: Self.seed)
    let vocabulary = encoding.vocabulary
    for _ in 0..<300 {
      let bytes = Array(Self.text(&random).utf8)
      let found = unsafe bytes.withUnsafeBufferPointer { buffer in
        let text = unsafe ByteText(buffer.baseAddress!, count: buffer.count)
        return PieceMerger(vocabulary: vocabulary, cache: nil).withTokens(text, 0, text.count) {
          run in
          (0..<run.count).map { run[$0] }
        }
      }
      #expect(found == Self.slowTokens(bytes[...], vocabulary), "seed \(Self.seed): \(bytes)")
    }
  }

  @Test func manyTasksShareOneEncoding() async {
    let texts = (0..<50).map { number -> String in
      var random = Generator(state: Self.seed &+ UInt64(number))
      return Self.text(&random)
    }
    let expected = texts.map { Encoding.o200kBase.encode($0).count }
    await withTaskGroup(of: [Int].self) { group in
      for _ in 0..<16 {
        group.addTask { texts.map { Encoding.o200kBase.count($0) } }
      }
      for await counts in group { #expect(counts == expected, "seed \(Self.seed)") }
    }
  }
}
