import HTTPClient
import JSON
import Testing

@testable import Relay

/// Decodes a reply as the client would.
func decode(
  _ status: Int, _ body: String, headers: [HTTPHeader] = []
) -> Result<RelayAnswer, RelayError> {
  let response = HTTPResponse(
    head: HTTPResponseHead(status: status, headers: headers), body: Array(body.utf8),
    timings: .none)
  do throws(RelayError) {
    return .success(try RelayClient.decode(response))
  } catch {
    return .failure(error)
  }
}

@Suite struct DecodingTests {
  @Test func aFullAnswer() throws {
    let body = #"""
      {"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4.1-2025","choices":[
       {"index":0,"message":{"role":"assistant","content":"hé 😀","refusal":null},
        "finish_reason":"stop"}],
       "usage":{"prompt_tokens":2000,"completion_tokens":50,"total_tokens":2050,
        "prompt_tokens_details":{"cached_tokens":1024},
        "completion_tokens_details":{"reasoning_tokens":20}}}
      """#
    let answer = try decode(200, body, headers: [HTTPHeader("X-Request-ID", "req_1")]).get()
    #expect(answer.content == "hé 😀")
    #expect(answer.refusal == nil)
    #expect(answer.toolCalls.isEmpty)
    #expect(answer.finishReason == .stop)
    #expect(answer.model == "gpt-4.1-2025")
    #expect(answer.upstreamID == "req_1")
    #expect(
      answer.usage
        == RelayUsage(inputUncached: 976, cacheRead: 1024, outputVisible: 30, reasoning: 20))
    #expect(answer.usage?.total == 2050)
    #expect(try decode(200, body).get().upstreamID == "chatcmpl-1")
  }

  @Test func toolCalls() throws {
    let body = #"""
      {"choices":[{"message":{"content":null,"tool_calls":[
       {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1"}},
       {"function":{"name":"g","arguments":{"b":[1,2]}}}]},"finish_reason":"tool_calls"}]}
      """#
    let answer = try decode(200, body).get()
    #expect(answer.content == nil)
    #expect(answer.finishReason == .toolCalls)
    #expect(
      answer.toolCalls == [
        RelayToolCall(id: "c1", name: "f", arguments: "{\"a\":1"),
        RelayToolCall(id: "call_1", name: "g", arguments: "{\"b\":[1,2]}"),
      ])
    #expect(answer.usage == nil)
  }

  @Test func troublesomeCharactersDoNotLoseAnAnswer() throws {
    let body =
      #"{"model":"a\u0000b","choices":[{"message":{"content":"x\u0000y\ud800"},"#
      + #""finish_reason":"stop"}]}"#
    let answer = try decode(200, body).get()
    #expect(answer.content == "x\u{FFFD}y\u{FFFD}")
    #expect(answer.model == "ab")
  }

  @Test(arguments: [
    ("stop", RelayAnswer.FinishReason.stop), ("length", .length), ("tool_calls", .toolCalls),
    ("function_call", .toolCalls), ("content_filter", .contentFilter), ("eos", .other),
  ])
  func finishReasons(text: String, reason: RelayAnswer.FinishReason) throws {
    let body = #"{"choices":[{"message":{"content":"x"},"finish_reason":"\#(text)"}]}"#
    #expect(try decode(200, body).get().finishReason == reason)
  }

  @Test(arguments: [
    "", "<html>busy</html>", "null", "[]", "{}", #"{"choices":[]}"#, #"{"choices":[{}]}"#,
    #"{"choices":[{"message":"x"}]}"#, #"{"choices":[{"message":{}}]}"#,
    #"{"choices":[{"message":{"tool_calls":[{}]}}]}"#, #"{"choices":[{"message":{"content":"x"}"#,
    #"{"choices":[{"message":{"content":"x"}}],"choices":[]}"#,
  ])
  func whatIsNoCompletionMayHaveBeenBilled(body: String) {
    guard case .failure(let error) = decode(200, body) else {
      Issue.record("decoded \(body)")
      return
    }
    #expect(error.kind == .malformedAnswer)
    #expect(error.outcome == .unknown)
    #expect(!error.isRetryable)
  }

  @Test func deepNestingIsRefused() {
    let deep = String(repeating: "[", count: 100_000)
    guard case .failure(let error) = decode(200, #"{"choices":\#(deep)"#) else {
      Issue.record("decoded")
      return
    }
    #expect(error.kind == .malformedAnswer)
  }
}

@Suite struct UsageTests {
  static let cases: [(String, RelayUsage?)] = [
    (#"{"prompt_tokens":0,"completion_tokens":0}"#, RelayUsage(inputUncached: 0, outputVisible: 0)),
    (
      #"{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14}"#,
      RelayUsage(inputUncached: 10, outputVisible: 4)
    ),
    (
      #"{"prompt_tokens":10,"completion_tokens":4,"prompt_tokens_details":null}"#,
      RelayUsage(inputUncached: 10, outputVisible: 4)
    ),
    (
      #"{"prompt_tokens":10,"completion_tokens":4,"prompt_cache_hit_tokens":6}"#,
      RelayUsage(inputUncached: 4, cacheRead: 6, outputVisible: 4)
    ),
    (
      #"{"prompt_tokens":10,"completion_tokens":4,"cache_read_input_tokens":3,"#
        + #""cache_creation_input_tokens":5}"#,
      RelayUsage(inputUncached: 2, cacheRead: 3, cacheWrite: 5, outputVisible: 4)
    ),
    (
      #"{"prompt_tokens":10,"completion_tokens":4,"prompt_cache_hit_tokens":9,"#
        + #""prompt_tokens_details":{"cached_tokens":0}}"#,
      RelayUsage(inputUncached: 10, outputVisible: 4)
    ),
    (
      #"{"prompt_tokens":10,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":20}}"#,
      RelayUsage(inputUncached: 30, outputVisible: 4, isContradictory: true)
    ),
    (
      #"{"prompt_tokens":10,"completion_tokens":4,"#
        + #""completion_tokens_details":{"reasoning_tokens":9}}"#,
      RelayUsage(inputUncached: 10, outputVisible: 4, reasoning: 9, isContradictory: true)
    ),
    (
      #"{"prompt_tokens":10,"completion_tokens":4,"total_tokens":100}"#,
      RelayUsage(inputUncached: 10, outputVisible: 4, reasoning: 86, isContradictory: true)
    ),
    (
      #"{"prompt_tokens":10,"completion_tokens":4,"total_tokens":3}"#,
      RelayUsage(inputUncached: 10, outputVisible: 4, isContradictory: true)
    ),
    (#"{"prompt_tokens":10}"#, nil), (#"{"completion_tokens":1}"#, nil), ("{}", nil),
    ("null", nil), (#"{"prompt_tokens":-1,"completion_tokens":4}"#, nil),
    (#"{"prompt_tokens":"10","completion_tokens":4}"#, nil),
    (#"{"prompt_tokens":99999999999999,"completion_tokens":4}"#, nil),
    (#"{"prompt_tokens":9223372036854775807,"completion_tokens":9223372036854775807}"#, nil),
  ]

  @Test(arguments: cases) func normalises(text: String, usage: RelayUsage?) throws {
    let read = RelayUsage(try JSONValue(parsing: text))
    #expect(read == usage)
  }
}
