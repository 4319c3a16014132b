import HTTPClient
import Testing

@testable import Relay

/// A stream cut after each of its bytes, and with each of its bytes changed, without a socket.
@Suite struct StreamPrefixTests {
  static let stream = Array(
    ([
      #"{"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
      #"{"choices":[{"index":0,"delta":{"content":"hé "}}]}"#,
      #"{"choices":[{"index":0,"delta":{"content":"😀"}}]}"#,
      #"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}}]}"#,
      #"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}}]}"#,
      #"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}}]}"#,
      #"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
      #"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":0}}"#, "[DONE]",
    ].map { "data: \($0)\r\n\r\n" }).joined().utf8)

  /// What the events of these bytes make; nil if one of them is refused.
  private static func read(_ bytes: [UInt8]) -> (assembler: StreamAssembler, text: String)? {
    var assembler = StreamAssembler()
    var text = ""
    for event in events([bytes]).events {
      do throws(StreamAssembler.Failure) {
        for case .text(let piece) in try assembler.accept(event) { text += piece }
      } catch {
        return nil
      }
    }
    return (assembler, text)
  }

  @Test func everyCutKeepsWhatCame() throws {
    let head = HTTPResponseHead(status: 200, headers: [])
    var completeAt: [Int] = []
    var usageAt: [Int] = []
    var wholeCallAt: [Int] = []
    for count in 0...Self.stream.count {
      let read = try #require(Self.read(Array(Self.stream[..<count])))
      let partial = read.assembler.partial(head: head)
      #expect((partial?.content ?? "") == read.text)
      #expect("hé 😀".hasPrefix(read.text))
      let answer = read.assembler.answer(head: head, timings: .none)
      #expect((answer != nil) == read.assembler.isComplete)
      if answer != nil { completeAt.append(count) }
      if partial?.usage != nil { usageAt.append(count) }
      if partial?.toolCalls == [RelayToolCall(id: "a", name: "f", arguments: #"{"a":1}"#)] {
        wholeCallAt.append(count)
      } else {
        #expect(partial?.toolCalls.isEmpty ?? true)
      }
    }
    // Once there, it stays: each is an unbroken run up to the end.
    for run in [completeAt, usageAt, wholeCallAt] {
      let first = try #require(run.first)
      #expect(run == Array(first...Self.stream.count))
    }
    #expect(wholeCallAt.count > completeAt.count && completeAt.count > usageAt.count)
  }

  /// A changed byte makes another stream or a refused one, never a trap, and text stays text.
  @Test func everyChangedByteIsHeldOut() {
    var refused = 0
    for index in Self.stream.indices {
      for byte: UInt8 in [0, 0x0A, 0x22, 0x7B, 0xFF, Self.stream[index] ^ 1] {
        var bytes = Self.stream
        bytes[index] = byte
        guard let read = Self.read(bytes) else {
          refused += 1
          continue
        }
        let partial = read.assembler.partial(head: HTTPResponseHead(status: 200, headers: []))
        #expect((partial?.content ?? "") == read.text)
      }
    }
    #expect(refused > Self.stream.count)
  }
}
