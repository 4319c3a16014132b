import HTTPClient
import JSON
import Testing

@testable import Relay

/// What an assembler makes of these events' data.
private struct Assembled {
  var deltas: [RelayDelta] = []
  var answer: RelayAnswer?
  var partial: RelayAnswer?
  var isMalformed = false
  var refusal: JSONValue?

  init(_ events: [String], name: String = "") {
    let head = HTTPResponseHead(status: 200, headers: [])
    var assembler = StreamAssembler()
    do throws(StreamAssembler.Failure) {
      for data in events {
        let event = SSEParser.Event(name: Array(name.utf8), data: Array(data.utf8))
        deltas += try assembler.accept(event)
      }
    } catch {
      switch error {
      case .malformed: isMalformed = true
      case .refused(let json): refusal = json
      }
    }
    answer = assembler.answer(head: head, timings: .none)
    partial = assembler.partial(head: head)
  }
}

private func chunk(_ delta: String, finish: String? = nil, more: String = "") -> String {
  let reason = finish.map { "\"\($0)\"" } ?? "null"
  let choice = #"{"index":0,"delta":\#(delta),"finish_reason":\#(reason)}"#
  return #"{"id":"c-1","model":"m-1","choices":[\#(choice)]\#(more)}"#
}

private func usage(_ prompt: Int, _ completion: Int) -> String {
  #","usage":{"prompt_tokens":\#(prompt),"completion_tokens":\#(completion)}"#
}

private func call(_ fields: String) -> String { chunk(#"{"tool_calls":[\#(fields)]}"#) }

@Suite struct StreamAssemblerTests {
  @Test func textAndItsEnd() throws {
    let made = Assembled([
      chunk(#"{"role":"assistant","content":""}"#), chunk(#"{"content":"hé"}"#),
      chunk(#"{"content":" 😀"}"#), chunk("{}", finish: "length"),
      #"{"id":"c-1","choices":[]\#(usage(7, 3))}"#, "[DONE]", "garbage",
    ])
    let answer = try #require(made.answer)
    #expect(made.deltas == [.text("hé"), .text(" 😀")])
    #expect(answer.content == "hé 😀")
    #expect(answer.finishReason == .length)
    #expect(answer.model == "m-1")
    #expect(answer.upstreamID == "c-1")
    #expect(answer.usage == RelayUsage(inputUncached: 7, outputVisible: 3))
    #expect(answer.refusal == nil && answer.toolCalls.isEmpty && !made.isMalformed)
  }

  @Test func theLastUsageWinsWhereverItIs() {
    let early = Assembled([
      chunk(#"{"content":"a"}"#, more: usage(1, 2)), chunk("{}", finish: "stop"),
    ])
    #expect(early.answer?.usage == RelayUsage(inputUncached: 1, outputVisible: 2))
    let late = Assembled([
      chunk(#"{"content":"a"}"#, more: usage(1, 2)), chunk("{}", finish: "stop", more: usage(0, 0)),
      #"{"choices":[],"usage":null}"#,
    ])
    #expect(late.answer?.usage == RelayUsage(inputUncached: 0, outputVisible: 0))
  }

  @Test func refusals() {
    let made = Assembled([
      chunk(#"{"content":"","refusal":"I "}"#), chunk(#"{"refusal":"won't"}"#, finish: "stop"),
    ])
    #expect(made.answer?.refusal == "I won't")
    #expect(made.answer?.content == nil)
    #expect(made.deltas.isEmpty)
  }

  @Test func toolCallsByIndex() {
    let made = Assembled([
      call(#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}"#),
      call(#"{"index":0,"function":{"arguments":"{\"x\""}}"#),
      call(#"{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}"#),
      call(#"{"index":0,"function":{"arguments":":1}"}},{"index":1,"function":{"arguments":"}"}}"#),
      chunk("{}", finish: "tool_calls"), "[DONE]",
    ])
    #expect(
      made.answer?.toolCalls == [
        RelayToolCall(id: "a", name: "f", arguments: #"{"x":1}"#),
        RelayToolCall(id: "b", name: "g", arguments: "{}"),
      ])
    #expect(made.answer?.content == nil)
    #expect(made.answer?.finishReason == .toolCalls)
    #expect(
      made.deltas == [
        .toolCall(index: 0, id: "a", name: "f", arguments: ""),
        .toolCall(index: 0, id: nil, name: nil, arguments: #"{"x""#),
        .toolCall(index: 1, id: "b", name: "g", arguments: "{"),
        .toolCall(index: 0, id: nil, name: nil, arguments: ":1}"),
        .toolCall(index: 1, id: nil, name: nil, arguments: "}"),
      ])
  }

  /// What gateways do to tool calls: each gives the calls `f({})` and `gg([])`.
  static let oddCalls: [[String]] = [
    // No index.
    [
      #"{"id":"a","function":{"name":"f","arguments":"{"}}"#, #"{"function":{"arguments":"}"}}"#,
      #"{"id":"b","function":{"name":"gg","arguments":"[]"}}"#,
    ],
    // One index for all.
    [
      #"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
      #"{"index":0,"id":"b","function":{"name":"gg","arguments":"[]"}}"#,
    ],
    // Id and name in each fragment; arguments as an object.
    [
      #"{"index":0,"id":"a","function":{"name":"f","arguments":{}}}"#,
      #"{"index":1,"id":"b","function":{"name":"gg","arguments":"["}}"#,
      #"{"index":1,"id":"b","function":{"name":"gg","arguments":"]"}}"#,
    ],
    // A name in pieces, an index out of all bounds.
    [
      #"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
      #"{"index":999999999999,"id":"b","function":{"name":"g"}}"#,
      #"{"index":999999999999,"function":{"name":"g2"}}"#,
    ],
  ]

  @Test(arguments: oddCalls.indices)
  func oddToolCalls(_ index: Int) {
    let events = Self.oddCalls[index].map { call($0) } + [chunk("{}", finish: "tool_calls")]
    let last =
      index == 3
      ? RelayToolCall(id: "b", name: "gg2", arguments: "")
      : RelayToolCall(id: "b", name: "gg", arguments: "[]")
    #expect(
      Assembled(events).answer?.toolCalls
        == [RelayToolCall(id: "a", name: "f", arguments: "{}"), last])
  }

  @Test func tooManyCallsAreRefused() {
    let events = (0...ToolCallAssembler.callsMax).map {
      call(#"{"index":\#($0),"id":"i\#($0)","function":{"name":"f","arguments":"{}"}}"#)
    }
    #expect(!Assembled(events.dropLast()).isMalformed)
    #expect(Assembled(events).isMalformed)
    #expect(Assembled(events).partial?.toolCalls.count == ToolCallAssembler.callsMax)
  }

  @Test func theEndDecides() {
    let text = chunk(#"{"content":"a"}"#)
    #expect(Assembled([text]).answer == nil)
    #expect(Assembled([text]).partial?.content == "a")
    #expect(Assembled([text, "[DONE]"]).answer?.finishReason == .other)
    #expect(Assembled([text, chunk("{}", finish: "stop")]).answer?.finishReason == .stop)
    #expect(Assembled(["[DONE]"]).answer == nil)
    #expect(Assembled([]).partial == nil)
    #expect(Assembled([chunk(#"{"role":"assistant","content":""}"#)]).partial == nil)
    #expect(Assembled([#"{"choices":[]\#(usage(1, 0))}"#]).partial?.usage?.input == 1)
  }

  @Test func aPartialHasOnlyWholeCalls() {
    let whole = call(#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#)
    let begun = call(#"{"index":1,"id":"b","function":{"name":"g","arguments":"{\"a\":"}}"#)
    let made = Assembled([whole, begun])
    #expect(made.partial?.toolCalls == [RelayToolCall(id: "a", name: "f", arguments: "{}")])
    let ended = Assembled([whole, begun, chunk("{}", finish: "tool_calls")])
    #expect(ended.partial?.toolCalls.count == 2)
    #expect(Assembled([begun]).partial?.toolCalls.isEmpty == true)
    #expect(Assembled([call(#"{"index":0,"id":"a"}"#), "[DONE]"]).answer == nil)
  }

  @Test(arguments: [#"{"choices":"#, "[]", "1", "", #"{"choices":[{"delta":{"tool_calls":[1]}}]}"#])
  func malformedEvents(_ data: String) {
    let made = Assembled([chunk(#"{"content":"a"}"#), data])
    #expect(made.isMalformed == !data.isEmpty)
    #expect(made.partial?.content == "a")
  }

  @Test func errorsInsideTheStream() {
    let made = Assembled([chunk(#"{"content":"a"}"#), #"{"error":{"code":"rate_limit_exceeded"}}"#])
    #expect(made.refusal?["error"]?["code"]?.string == "rate_limit_exceeded")
    #expect(made.partial?.content == "a")
    let named = Assembled([#"{"message":"no","code":"overloaded_error"}"#], name: "error")
    #expect(named.refusal != nil)
    #expect(named.partial == nil)
  }

  @Test func theValuesOfAnEventAreLimited() {
    // The object, its array and the ones in it.
    let fits = Array(repeating: "1", count: StreamAssembler.valuesMax - 2).joined(separator: ",")
    #expect(!Assembled([#"{"x":[\#(fits)]}"#]).isMalformed)
    #expect(Assembled([#"{"x":[1,\#(fits)]}"#]).isMalformed)
  }

  /// A further choice, which nobody asked for, is not mixed into the first.
  @Test func onlyTheFirstChoiceCounts() {
    let other =
      #"{"choices":[{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"}}]}"#
    #expect(Assembled([other, "[DONE]"]).answer?.content == "a")
  }
}
