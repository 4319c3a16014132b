import FoundationEssentials
import Tokenizer

/// `--jsonl`: one object in, one object out, in order.
///
/// Uses Foundation's decoder and not our own reader, which refuses U+0000: every text has a count.
enum TokensLines {
  /// The longest line: a message of 4 MiB with every byte escaped fits several times.
  static let lineBytesMax = 256 << 20

  struct Line: Decodable {
    var text: String?
    var ids: [UInt32]?

    func required() throws(TokensFailure) -> String {
      guard let text else { throw TokensFailure("no member \"text\"") }
      return text
    }

    func requiredIDs() throws(TokensFailure) -> [UInt32] {
      guard let ids else { throw TokensFailure("no member \"ids\"") }
      return ids
    }
  }

  struct Answer: Encodable {
    var count: Int?
    var ids: [UInt32]?
    var text: String?
  }

  /// Answers each line of the inputs; the first that is not understood ends the work.
  static func convert(
    _ options: Tokens.Options, _ answer: (Tokenizer.Encoding, Line) throws -> Answer
  ) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    for path in options.inputs {
      var number = 0
      var output: [UInt8] = []
      func convert(_ line: ArraySlice<UInt8>) throws {
        number += 1
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { return }
        do {
          let repaired = Data(String(decoding: line, as: UTF8.self).utf8)
          let parsed = try JSONDecoder().decode(Line.self, from: repaired)
          output.append(contentsOf: try encoder.encode(answer(options.encoding, parsed)))
          output.append(0x0A)
        } catch let error as TokensFailure {
          throw TokensFailure("\(path), line \(number): \(error)")
        } catch let error as TokenizerError {
          throw TokensFailure("\(path), line \(number): \(error)")
        } catch {
          throw TokensFailure("\(path), line \(number): not such a JSON object")
        }
      }
      defer { try? TokensInput.write(output) }
      try forEachLine(of: path) { line in
        try convert(line)
        if output.count >= 1 << 16 {
          try TokensInput.write(output)
          output.removeAll(keepingCapacity: true)
        }
      }
    }
  }

  private static func forEachLine(
    of path: String, _ body: (ArraySlice<UInt8>) throws -> Void
  ) throws {
    var pending: [UInt8] = []
    try TokensInput.read(path) { part in
      var start = part.startIndex
      while let end = part[start...].firstIndex(of: 0x0A) {
        pending.append(contentsOf: part[start..<end])
        try body(pending[...])
        pending.removeAll(keepingCapacity: true)
        start = end + 1
      }
      pending.append(contentsOf: part[start...])
      if pending.count > lineBytesMax { throw TokensFailure("\(path): a line is too long") }
    }
    if !pending.isEmpty { try body(pending[...]) }
  }
}
