import JSON
import Testing

@testable import Relay

@Suite struct RequestTests {
  @Test func aFullRequestIsTheseBytes() throws {
    var extra = JSONObject()
    extra["top_k"] = .number(JSONNumber(4))
    let request = RelayRequest(
      model: "ours",
      messages: [
        RelayMessage(.system, .text("Be brief.")),
        RelayMessage(
          .user, .parts([.text("see"), .image(url: "data:image/png;base64,AA==", detail: "low")]),
          name: "ann"),
        RelayMessage(
          .assistant, .none, toolCalls: [RelayToolCall(id: "c1", name: "f", arguments: "{\"a\":1}")]
        ),
        RelayMessage(.tool, .text("2"), toolCallID: "c1"),
      ],
      outputTokensMax: 9, tools: Array("[{\"type\":\"function\"}]".utf8),
      toolChoice: Array("\"auto\"".utf8), responseFormat: Array("{\"type\":\"text\"}".utf8),
      temperature: 0.7, topP: 1, stop: ["END"], seed: -3, extra: extra)
    let expected =
      #"{"top_k":4,"messages":[{"role":"system","content":"Be brief."},"#
      + #"{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","#
      + #""image_url":{"url":"data:image/png;base64,AA==","detail":"low"}}],"name":"ann"},"#
      + #"{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","#
      + #""function":{"name":"f","arguments":"{\"a\":1}"}}]},"#
      + #"{"role":"tool","content":"2","tool_call_id":"c1"}],"tools":[{"type":"function"}],"#
      + #""tool_choice":"auto","response_format":{"type":"text"},"temperature":0.7,"top_p":1,"#
      + #""stop":["END"],"seed":-3,"max_tokens":9,"model":"theirs"}"#
    let body = try #require(request.body(upstreamModel: "theirs"))
    #expect(String(decoding: body, as: UTF8.self) == expected)
    #expect(request.body(upstreamModel: "theirs") == body)
    _ = try JSONValue(parsing: body)
  }

  @Test func absentFieldsAreNotWritten() throws {
    let request = RelayRequest(
      model: "m", messages: [RelayMessage(.user, .text("hi"))], outputTokensMax: 5)
    let body = try #require(
      request.body(upstreamModel: "m", outputLimitField: .maxCompletionTokens))
    #expect(
      String(decoding: body, as: UTF8.self)
        == #"{"messages":[{"role":"user","content":"hi"}],"max_completion_tokens":5,"model":"m"}"#)
  }

  @Test func aStreamIsAskedForWithItsUsage() throws {
    let request = RelayRequest(
      model: "m", messages: [RelayMessage(.user, .text("hi"))], outputTokensMax: 5)
    let body = try #require(request.body(upstreamModel: "m", streams: true))
    #expect(
      String(decoding: body, as: UTF8.self)
        == #"{"messages":[{"role":"user","content":"hi"}],"max_tokens":5,"stream":true,"#
        + #""stream_options":{"include_usage":true},"model":"m"}"#)
  }

  @Test func aTurnIsAPrefixOfTheNext() throws {
    let messages = (0..<30).map { number in
      RelayMessage(number % 2 == 0 ? .user : .assistant, .text("turn \(number) \"é\"\n😀"))
    }
    for count in 1..<messages.count {
      let short = RelayRequest(
        model: "m", messages: Array(messages[..<count]), outputTokensMax: 1)
      let long = RelayRequest(
        model: "m", messages: Array(messages[...count]), outputTokensMax: 1)
      #expect(long.messageItems.starts(with: short.messageItems))
      let shortBody = try #require(short.body(upstreamModel: "m"))
      let longBody = try #require(long.body(upstreamModel: "m"))
      let end = #"{"messages":["#.utf8.count + short.messageItems.count
      #expect(longBody.starts(with: shortBody[..<end]))
    }
  }

  @Test(arguments: ["n", "stream", "model", "service_tier", "api_base", "max_tokens", "messages"])
  func reservedFieldsAreRefused(name: String) {
    var extra = JSONObject()
    extra[name] = .number(JSONNumber(1))
    let request = RelayRequest(model: "m", outputTokensMax: 1, extra: extra)
    #expect(request.body(upstreamModel: "m") == nil)
  }

  @Test func numbersMustBeFinite() {
    let request = RelayRequest(model: "m", outputTokensMax: 1, temperature: .nan)
    #expect(request.body(upstreamModel: "m") == nil)
  }
}

@Suite struct ConfigurationTests {
  @Test func baseURLsAreChecked() throws {
    let good = try RelayConfiguration(
      name: "r", baseURL: "https://api.example.com/v1//", models: ["a": "b"])
    #expect(good.baseURL == "https://api.example.com/v1")
    let faults: [(String, RelayConfiguration.Fault)] = [
      ("", .notAURL), ("ftp://x", .notAURL), ("https://", .notAURL), ("https:///v1", .notAURL),
      ("https://a b", .notAURL), ("https://x\r\n", .notAURL), ("http://x", .plainHTTP),
      ("https://u:p@x/v1", .hasUser), ("https://x/v1?k=1", .hasQuery), ("https://x/#f", .hasQuery),
    ]
    for (url, fault) in faults {
      #expect(throws: fault) {
        try RelayConfiguration(name: "r", baseURL: url, models: ["a": "b"])
      }
    }
    #expect(throws: RelayConfiguration.Fault.noModels) {
      try RelayConfiguration(name: "r", baseURL: "https://x", models: [:])
    }
    _ = try RelayConfiguration(
      name: "r", baseURL: "http://x", models: ["a": "b"], allowsPlainHTTP: true)
  }
}
