import Foundation
import TestSupport
import Testing

/// `recount tokens` as a process: files, standard input, lines of JSON, and what it refuses.
@Suite struct TokensTests {
  private func desk() throws -> Desk { try Desk(migrated: false) }

  private func file(_ desk: Desk, _ name: String, _ bytes: [UInt8]) throws -> String {
    let url = desk.folder.appendingPathComponent(name)
    try Data(bytes).write(to: url)
    return url.path
  }

  @Test func standardInputAndFiles() async throws {
    let desk = try desk()
    defer { desk.end() }
    let one = try desk.file("one", "hello world")
    let none = try desk.file("none", "")
    let ids = ["cl100k_base": "15339 1917", "o200k_base": "24912 2375"]
    for (encoding, expected) in ids {
      let flags = ["--encoding", encoding]
      let read = try await desk.run(["tokens", "encode"] + flags, input: "hello world")
      #expect(read.status == 0 && read.output == "\(expected)\n" && read.errors.isEmpty)
      #expect(try await desk.run(["tokens", "encode", one] + flags).output == "\(expected)\n")
      let back = try await desk.run(["tokens", "decode"] + flags, input: "[\(expected)]\n")
      #expect(back.status == 0 && back.output == "hello world")
      #expect(try await desk.run(["tokens", "count", one] + flags).output == "2\n")
    }
    let flags = ["--encoding", "deepseek_v3", one, "-", none]
    let several = try await desk.run(["tokens", "count"] + flags, input: "a  123")
    #expect(several.output == "2\t\(one)\n3\t-\n0\t\(none)\n5\ttotal\n")
  }

  @Test func linesOfJSON() async throws {
    let desk = try desk()
    defer { desk.end() }
    let flags = ["--encoding", "o200k_base", "--jsonl"]
    // U+0000 has a count too; empty lines have no answer, and the last one needs no line feed.
    let lines = """
      {"text": "hello world"}\r

      {"other": [1], "text": "\\u0000"}
      {"text": ""}
      """
    let counts = try await desk.run(["tokens", "count"] + flags, input: lines)
    #expect(counts.status == 0, "\(counts.errors)")
    #expect(counts.output == "{\"count\":2}\n{\"count\":1}\n{\"count\":0}\n")
    let encoded = try await desk.run(["tokens", "encode"] + flags, input: lines)
    #expect(encoded.output.hasPrefix(#"{"count":2,"ids":[24912,2375]}"#))
    #expect(encoded.output.hasSuffix("{\"count\":0,\"ids\":[]}\n"))
    let decoded = try await desk.run(["tokens", "decode"] + flags, input: encoded.output)
    #expect(
      decoded.output == #"{"text":"hello world"}"# + "\n{\"text\":\"\\u0000\"}\n{\"text\":\"\"}\n")
  }

  @Test func bytesThatAreNotUTF8BecomeReplacements() async throws {
    let desk = try desk()
    defer { desk.end() }
    // One for each maximal part: a cut emoji, a lone continuation, an impossible byte, a cut end.
    let broken: [UInt8] = [0x61, 0xF0, 0x9F, 0x98, 0x62, 0x80, 0xFF, 0x63, 0xE4, 0xBD]
    let repaired = "a\u{FFFD}b\u{FFFD}\u{FFFD}c\u{FFFD}"
    let path = try file(desk, "broken", broken)
    for encoding in ["cl100k_base", "o200k_base", "deepseek_v3"] {
      let flags = ["--encoding", encoding]
      let expected = try await desk.run(["tokens", "encode"] + flags, input: repaired)
      let found = try await desk.run(["tokens", "encode", path] + flags)
      #expect(found.status == 0 && found.output == expected.output)
      let back = try await desk.run(["tokens", "decode"] + flags, input: found.output)
      #expect(back.output == repaired)
      let count = found.output.split(separator: " ").count
      #expect(try await desk.run(["tokens", "count", path] + flags).output == "\(count)\n")
      let line = Array(#"{"text": ""#.utf8) + broken + Array(#""}"#.utf8)
      let lines = try file(desk, "lines", line)
      let answer = try await desk.run(["tokens", "count", "--jsonl", lines] + flags)
      #expect(answer.output == "{\"count\":\(count)}\n")
    }
  }

  @Test func aFileIsCountedPartByPartAsAWhole() async throws {
    let desk = try desk()
    defer { desk.end() }
    // Reads end within a character of 3 bytes, within words and within runs of spaces.
    let text = String(repeating: "x日本語 words   and\n\n spaces ", count: 40_000)
    #expect(text.utf8.count > 1 << 20)
    let path = try desk.file("long", text)
    let flags = ["--encoding", "o200k_base", path]
    let ids = try await desk.run(["tokens", "encode"] + flags)
    let count = try await desk.run(["tokens", "count"] + flags)
    #expect(count.output == "\(ids.output.split(separator: " ").count)\n")
  }

  @Test func whatIsWrongIsSaid() async throws {
    let desk = try desk()
    defer { desk.end() }
    let flags = ["--encoding", "cl100k_base"]
    let usage: [[String]] = [
      ["count"], ["encode", "--encoding", "gpt-4o"], ["decode", "--encoding", ""],
      ["count", "--nope"] + flags,
    ]
    for arguments in usage {
      let run = try await desk.run(["tokens"] + arguments)
      #expect(run.status == 2 && run.output.isEmpty, "\(arguments) \(run)")
    }
    let failures: [([String], String, String)] = [
      (["count", "/none"], "", "cannot open /none"), (["count", "/"], "", "cannot read /"),
      (["decode"], "1 word", "not an id"), (["decode"], "4294967296", "not an id"),
      (["decode"], "100256", "unknown token 100256"),
      (["decode", "--jsonl"], #"{"text": "a"}"#, #"line 1: no member "ids""#),
      (["count", "--jsonl"], "{\"ids\": [1]}", #"line 1: no member "text""#),
      (["encode", "--jsonl"], "{\"text\": 1}", "line 1: not such a JSON object"),
    ]
    for (arguments, input, why) in failures {
      let run = try await desk.run(["tokens"] + arguments + flags, input: input)
      #expect(run.status == 1 && run.output.isEmpty, "\(arguments) \(run)")
      #expect(run.errors.contains(why), "\(arguments) \(run.errors)")
    }
    let late = try await desk.run(
      ["tokens", "count", "--jsonl"] + flags, input: "{\"text\": \"a\"}\nsecret words")
    #expect(late.status == 1 && late.output == "{\"count\":1}\n")
    #expect(late.errors.contains("-, line 2") && !late.errors.contains("secret"))
  }
}
