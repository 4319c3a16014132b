import Foundation
import Testing

@testable import Relay

/// Every event that a parser gives for these pieces; `fails` is whether it threw.
func events(
  _ pieces: [[UInt8]], bytesMax: Int = SSEParser.eventBytesMax, finishes: Bool = false
) -> (events: [SSEParser.Event], fails: Bool) {
  var parser = SSEParser(eventBytesMax: bytesMax)
  var found: [SSEParser.Event] = []
  do throws(SSEParser.Failure) {
    for piece in pieces {
      parser.append(piece)
      while let event = try parser.next() { found.append(event) }
    }
    if finishes, let event = try parser.finish() { found.append(event) }
    return (found, false)
  } catch {
    return (found, true)
  }
}

@Suite struct SSEParserTests {
  static let streams: [(text: String, data: [String])] = [
    ("data: a\n\n", ["a"]),
    ("data:a\n\ndata:  b\n\n", ["a", " b"]),
    ("data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
    ("data: a\r\rdata: b\r\r", ["a", "b"]),
    ("data: a\r\n\ndata: b\n\r\n", ["a", "b"]),
    ("data: a\ndata: b\r\ndata\n\n", ["a\nb\n"]),
    (": hello\n\n:\n\ndata: a\n: inside\ndata: b\n\n", ["a\nb"]),
    ("\u{FEFF}data: a\n\n\u{FEFF}data: b\n\n", ["a"]),
    ("data\n\n", [""]),
    ("event: ping\n\nid: 1\nretry: 5\ndata: a\n\n", ["a"]),
    ("data: a\n\ndata: b\n", ["a"]),
    ("data: a\n\ndata: b", ["a"]),
    ("dataa: a\nDATA: b\n data: c\n\ndata: é😀:x\n\n", ["é😀:x"]),
    ("", []),
  ]

  @Test(arguments: streams)
  func anySplitGivesTheSame(text: String, data: [String]) {
    let bytes = Array(text.utf8)
    let expected = data.map { Array($0.utf8) }
    #expect(events([bytes]).events.map(\.data) == expected)
    #expect(events(bytes.map { [$0] }).events.map(\.data) == expected)
    for at in 0...bytes.count {
      let pieces = [Array(bytes[..<at]), Array(bytes[at...])]
      #expect(events(pieces).events.map(\.data) == expected, "split at \(at)")
    }
  }

  @Test func theNameIsTheEventsOwn() {
    let found = events([Array("event: x\nevent: error\ndata: a\n\ndata: b\n\n".utf8)]).events
    #expect(found.map { String(decoding: $0.name, as: UTF8.self) } == ["error", ""])
  }

  @Test(arguments: ["data: b", "data: b\n", "data: b\r", "data: b\r\n"])
  func theEndGivesTheLastEvent(tail: String) {
    let text = Array(("data: a\n\n" + tail).utf8)
    #expect(events([text], finishes: true).events.map(\.data) == [[0x61], [0x62]])
    #expect(events([Array("data: a\n\n".utf8)], finishes: true).events.count == 1)
  }

  @Test func theLimitIsInclusive() {
    let fits = "data: 23456789\n\n"
    #expect(!events([Array(fits.utf8)], bytesMax: 14).fails)
    #expect(events([Array("data: a\n\n\(fits)".utf8)], bytesMax: 13).fails)
    #expect(events([Array("data: a\n\n\(fits)".utf8)], bytesMax: 13).events.count == 1)
    // A line without an end is refused as soon as it is too long, not kept.
    #expect(events([Array("data: 23456789".utf8)], bytesMax: 13).fails)
    let joined = "data: 1234\ndata: 1234\n\n"
    #expect(!events([Array(joined.utf8)], bytesMax: 10).fails)
    #expect(
      events(["data: 1234\ndata: 12345\n\ndata: 1\n\n"].map { Array($0.utf8) }, bytesMax: 11).events
        .count == 2)
    #expect(events([Array("data: 123\ndata: 123\ndata: 123\n\n".utf8)], bytesMax: 10).fails)
  }

  /// Random events, written in random ways and cut at random places, come out as they went in.
  @Test func randomStreams() {
    let given = ProcessInfo.processInfo.environment["RECOUNT_TEST_SEED"].flatMap { UInt64($0) }
    let seed = given ?? .random(in: 1...UInt64(UInt32.max))
    print("RECOUNT_TEST_SEED=\(seed)")
    var random = SplitMix(state: seed)
    for _ in 0..<300 {
      let ends = ["\n", "\r\n", "\r"]
      var expected: [String] = []
      var text = Bool.random(using: &random) ? "\u{FEFF}" : ""
      for _ in 0..<Int.random(in: 0...8, using: &random) {
        let lines = (0..<Int.random(in: 1...3, using: &random)).map { _ in
          String(
            (0..<Int.random(in: 0...9, using: &random)).map { _ in
              "ab: é😀{}".randomElement(using: &random) ?? "a"
            })
        }
        // One kind of line end for an event: CR before LF would be one end.
        let end = ends.randomElement(using: &random) ?? "\n"
        for line in lines {
          if Bool.random(using: &random) { text += ":note\(end)" }
          text += "data: \(line)\(end)"
        }
        text += end
        expected.append(lines.joined(separator: "\n"))
      }
      let bytes = Array(text.utf8)
      var pieces: [[UInt8]] = []
      var at = 0
      while at < bytes.count {
        let next = min(at + Int.random(in: 0...7, using: &random), bytes.count)
        pieces.append(Array(bytes[at..<next]))
        at = next
      }
      #expect(events(pieces).events.map { String(decoding: $0.data, as: UTF8.self) } == expected)
    }
  }
}

/// A small generator with a seed (SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
