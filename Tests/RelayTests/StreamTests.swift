import Foundation
import HTTPClient
import JSON
import Reactor
import Testing

@testable import Relay

/// What a stream gave: its deltas in their order, and how it ended.
struct StreamOutcome: Sendable {
  var deltas: [RelayDelta] = []
  var answer: RelayAnswer?
  var error: RelayError?

  var text: String {
    deltas.reduce(into: "") { text, delta in
      if case .text(let piece) = delta { text += piece }
    }
  }

  /// Makes one streamed attempt.
  static func of(
    _ relay: RelayClient, _ request: RelayRequest = SimulatorTests.request(),
    isolation: isolated Core
  ) async -> StreamOutcome {
    var outcome = StreamOutcome()
    var deltas: [RelayDelta] = []
    do throws(RelayError) {
      outcome.answer = try await relay.stream(request, attempt: "a1") { deltas.append($0) }
    } catch {
      outcome.error = error
    }
    outcome.deltas = deltas
    return outcome
  }

  /// One streamed attempt at a simulator with this step.
  static func of(
    _ simulator: SimulatorProcess, _ step: String = "{}", limits: HTTPLimits = HTTPLimits()
  ) async throws -> StreamOutcome {
    let url = simulator.url
    return try await SimulatorTests.withRelay(simulator, limits: limits) { core, relay, http in
      try await SimulatorTests.script(step, url, http, isolation: core)
      return await of(relay, isolation: core)
    }
  }
}

/// The client's streams against relay-sim, over a socket.
@Suite struct StreamTests {
  static let text = #""content":"one two three four, hé 😀, five six seven eight nine""#

  @Test func aStreamIsTheUnstreamedAnswer() async throws {
    let simulator = try SimulatorProcess()
    let (plain, streamed) = try await SimulatorTests.withRelay(simulator) { core, relay, _ in
      let plain = try await relay.complete(SimulatorTests.request(), attempt: "a0")
      return (plain, await StreamOutcome.of(relay, isolation: core))
    }
    let answer = try #require(streamed.answer)
    #expect(streamed.deltas.count > 3)
    #expect(streamed.text == plain.content)
    #expect(answer.content == plain.content)
    #expect(answer.finishReason == .stop)
    #expect(answer.model == "gpt-4.1")
    #expect(answer.upstreamID == "req-sim-2")
    #expect(answer.usage == plain.usage)
    #expect(answer.timings.reusedConnection && answer.timings.total > .zero)
    #expect(simulator.log.count == 3)
    let call = try JSONValue(parsing: simulator.log[1])
    let end = try JSONValue(parsing: simulator.log[2])
    #expect(RelayUsage(try #require(call["usage"])) == answer.usage)
    #expect(end["attempt"]?.string == "a1")
    #expect(end["stream"]?.string == "complete")
    #expect((end["bytes"]?.integer ?? 0) > Int64(streamed.text.utf8.count))
  }

  @Test func toolCallsComeByIndex() async throws {
    let calls = #"""
      [{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"place\":\"Zürich 😀\"}"}},
       {"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]
      """#
    let streamed = try await StreamOutcome.of(
      try SimulatorProcess(), #"{"chunk_bytes":3,"tool_calls":\#(calls)}"#)
    let expected = [
      RelayToolCall(id: "c1", name: "f", arguments: #"{"place":"Zürich 😀"}"#),
      RelayToolCall(id: "c2", name: "g", arguments: "{}"),
    ]
    #expect(streamed.answer?.toolCalls == expected)
    #expect(streamed.answer?.content == nil)
    #expect(streamed.answer?.finishReason == .toolCalls)
    #expect(streamed.answer?.usage != nil)
    var joined: [RelayToolCall] = []
    for case .toolCall(let index, let id, let name, let arguments) in streamed.deltas {
      if let id { joined.append(RelayToolCall(id: id, name: "", arguments: "")) }
      joined[index].name += name ?? ""
      joined[index].arguments += arguments
    }
    #expect(joined == expected)
    #expect(streamed.deltas.count > 6)
  }

  @Test func usageMayBeGivenOrMissing() async throws {
    let simulator = try SimulatorProcess()
    let given = try await StreamOutcome.of(
      simulator, #"{"usage":{"prompt_tokens":0,"completion_tokens":5}}"#)
    #expect(given.answer?.usage == RelayUsage(inputUncached: 0, outputVisible: 5))
    let missing = try await StreamOutcome.of(simulator, #"{"usage":null}"#)
    #expect(missing.answer?.content != nil)
    #expect(missing.answer?.usage == nil)
  }

  @Test func anUnstreamedAnswerIsOneDelta() async throws {
    let streamed = try await StreamOutcome.of(try SimulatorProcess(), #"{"unstreamed":true}"#)
    #expect(streamed.answer?.content?.isEmpty == false)
    #expect(streamed.deltas == [.text(streamed.answer?.content ?? "")])
    #expect(streamed.answer?.usage != nil)
  }

  @Test(arguments: [
    (#"{"status":429,"headers":{"Retry-After":"2"}}"#, RelayError.Kind.rateLimited),
    (#"{"status":500}"#, .unavailable),
    (#"{"status":400,"error":{"code":"content_filter"}}"#, .contentFiltered),
  ])
  func refusalsAreAsUnstreamed(step: String, kind: RelayError.Kind) async throws {
    let error = try await StreamOutcome.of(try SimulatorProcess(), step).error
    #expect(error?.kind == kind)
    #expect(error?.outcome == .refused)
    #expect(error?.isRetryable == (kind != .contentFiltered))
    #expect(error?.partial == nil)
  }

  @Test func theHeadIsTold() async throws {
    let heads = try await SimulatorTests.withRelay(try SimulatorProcess()) { _, relay, _ in
      var heads: [Int] = []
      var deltas = 0
      _ = try await relay.stream(
        SimulatorTests.request(), attempt: "a1", onHead: { heads.append(deltas) },
        onDelta: { _ in deltas += 1 })
      return heads
    }
    #expect(heads == [0])
  }
}
