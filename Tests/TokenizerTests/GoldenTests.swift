import Foundation
import Testing

@testable import Tokenizer

/// The texts of `Tests/Fuzz/tokenizer/golden`, made with the reference engines; see its licences.
@Suite struct GoldenTests {
  struct Case: Decodable {
    let text: String
    let cl100k: [UInt32]
    let o200k: [UInt32]
    let deepSeek: [UInt32]

    enum CodingKeys: String, CodingKey {
      case text
      case cl100k = "ids_cl100k"
      case o200k = "ids_o200k"
      case deepSeek = "ids_deepseek_v3"
    }

    func ids(_ encoding: Encoding) -> [UInt32] {
      switch encoding {
      case .cl100kBase: cl100k
      case .o200kBase: o200k
      case .deepSeekV3: deepSeek
      }
    }
  }

  static func load() throws -> [Case] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fuzz/tokenizer/golden")
    return try ["unit", "text"].flatMap { name in
      try String(contentsOf: folder.appending(path: "\(name).jsonl"), encoding: .utf8)
        .split(separator: "\n")
        .map { try JSONDecoder().decode(Case.self, from: Data($0.utf8)) }
    }
  }

  @Test(arguments: Encoding.allCases)
  func idsAndCountsEqualTheReference(encoding: Encoding) throws {
    let cases = try Self.load()
    #expect(cases.count == 420)
    for golden in cases {
      let expected = golden.ids(encoding)
      #expect(encoding.encode(golden.text) == expected, "\(golden.text.debugDescription)")
      // Twice: the second answer comes from the cache.
      #expect(encoding.count(golden.text) == expected.count)
      #expect(encoding.count(golden.text) == expected.count)
      #expect(try encoding.decode(expected) == Array(golden.text.utf8))
    }
  }

  @Test(arguments: Encoding.allCases)
  func growingTextCountsAsTheWhole(encoding: Encoding) throws {
    for golden in try Self.load() where golden.text.utf8.count < 200 {
      var counter = IncrementalCounter(encoding)
      for byte in golden.text.utf8 { counter.append(utf8: [byte]) }
      #expect(counter.count == golden.ids(encoding).count, "\(golden.text.debugDescription)")
    }
  }
}
