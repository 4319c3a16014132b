import HTTPClient
import JSON
import Testing

@testable import Relay

/// Streams that end wrong, and what is kept of them.
@Suite struct StreamFailureTests {
  static let whole = "one two three four, hé 😀, five six seven eight nine"

  /// How much of the answer came.
  enum Part: Sendable { case nothing, some, text, finish, usage }

  static let cuts: [(cut: String, part: Part)] = [
    ("before_headers", .nothing), ("inside_headers", .nothing), ("before_body", .nothing),
    ("inside_chunk", .some), ("between_chunks", .some), ("before_finish", .text),
    ("before_usage", .finish), ("before_done", .usage),
  ]

  @Test(arguments: cuts, [false, true])
  func aCutKeepsWhatCame(cut: (cut: String, part: Part), resets: Bool) async throws {
    let simulator = try SimulatorProcess()
    let step = #"{"content":"\#(Self.whole)","cut":"\#(cut.cut)","reset":\#(resets)}"#
    let streamed = try await StreamOutcome.of(simulator, step)
    let error = try #require(streamed.error)
    #expect(error.kind == .connectionLost)
    #expect(error.outcome == .unknown)
    #expect(!error.isRetryable)
    try Self.check(streamed, cut.part)
    let hasBody = !["before_headers", "inside_headers"].contains(cut.cut)
    #expect(simulator.log.count == (hasBody ? 2 : 1))
    if hasBody { #expect(try JSONValue(parsing: simulator.log[1])["stream"]?.string == "cut") }
  }

  /// The connection ends as HTTP wants it; only events are missing.
  @Test(arguments: cuts.dropFirst(2))
  func anOrderlyEndNeedsAReason(cut: (cut: String, part: Part)) async throws {
    let step = #"{"content":"\#(Self.whole)","cut":"\#(cut.cut)","orderly":true}"#
    let streamed = try await StreamOutcome.of(try SimulatorProcess(), step)
    if cut.part == .finish || cut.part == .usage {
      #expect(streamed.answer?.content == Self.whole)
      #expect(streamed.answer?.finishReason == .stop)
      #expect((streamed.answer?.usage != nil) == (cut.part == .usage))
    } else {
      #expect(streamed.error?.kind == .connectionLost)
      #expect(streamed.error?.outcome == .unknown)
      try Self.check(streamed, cut.part)
    }
  }

  static let faults: [(step: String, kind: RelayError.Kind)] = [
    (#""fault":"malformed""#, .malformedAnswer),
    (#""fault":"giant_line""#, .answerTooLarge),
    (#""fault":"error""#, .malformedAnswer),
    (#""fault":"error","error":{"code":"rate_limit_exceeded"}"#, .rateLimited),
    (#""fault":"error","error":{"code":502,"message":"upstream"}"#, .unavailable),
    (#""chunk_ms":3000"#, .timedOut),
  ]

  @Test(arguments: faults)
  func faultsInsideAreTyped(step: String, kind: RelayError.Kind) async throws {
    let streamed = try await StreamOutcome.of(
      try SimulatorProcess(), #"{"content":"\#(Self.whole)",\#(step)}"#,
      limits: HTTPLimits(idle: .milliseconds(400)))
    let error = try #require(streamed.error)
    #expect(error.kind == kind)
    #expect(error.outcome == .unknown)
    #expect(!error.isRetryable)
    #expect(error.status == 200)
    // The first event of the slow stream has only the role.
    try Self.check(streamed, step.contains("chunk_ms") ? .nothing : .some)
  }

  @Test func theTotalLimitHoldsForALivelyStream() async throws {
    let streamed = try await StreamOutcome.of(
      try SimulatorProcess(), #"{"content_bytes":400,"chunk_bytes":1,"chunk_ms":20}"#,
      limits: HTTPLimits(idle: .seconds(30), total: .seconds(1)))
    #expect(streamed.error?.kind == .timedOut)
    #expect(streamed.error?.transport?.cause == .totalTimeout)
    #expect(streamed.error?.partial?.content == streamed.text)
    #expect(!streamed.text.isEmpty)
  }

  @Test func aPartOfAToolCallIsNotKept() async throws {
    let calls =
      #"[{"id":"c1","function":{"name":"f","arguments":"{}"}},"#
      + #"{"id":"c2","function":{"name":"g","arguments":"{\"a\":\"bcdefghijklmnop\"}"}}]"#
    let streamed = try await StreamOutcome.of(
      try SimulatorProcess(), #"{"tool_calls":\#(calls),"chunk_bytes":2,"cut":"between_chunks"}"#)
    let partial = try #require(streamed.error?.partial)
    #expect(partial.toolCalls == [RelayToolCall(id: "c1", name: "f", arguments: "{}")])
    #expect(partial.content == nil)
    let begun = streamed.deltas.contains {
      if case .toolCall(1, _, _, _) = $0 { true } else { false }
    }
    #expect(begun)
  }

  /// A relay may have billed what was delivered: it is not asked again, whatever the policy.
  @Test func aPartialIsNeverRetried() {
    let policy = RetryPolicy(attemptsMax: 5, retriesUnknown: true)
    for kind in RelayError.Kind.allCases {
      var error = RelayError(kind, .unknown)
      error.partial = RelayAnswer(content: "a", finishReason: .other, usage: nil)
      #expect(!error.isRetryable)
      let delay = policy.delay(
        afterAttempt: 1, error: error, remaining: .seconds(600), random: 0.5)
      #expect(delay == nil)
    }
    let lost = RelayError(.connectionLost, .unknown)
    #expect(
      policy.delay(afterAttempt: 1, error: lost, remaining: .seconds(600), random: 0.5) != nil)
  }

  /// The partial is what the deltas gave, and as much of it as this part says.
  private static func check(_ streamed: StreamOutcome, _ part: Part) throws {
    if part == .nothing {
      #expect(streamed.deltas.isEmpty)
      #expect(streamed.error?.partial == nil)
      return
    }
    let partial = try #require(streamed.error?.partial)
    #expect(partial.content == streamed.text)
    #expect(!streamed.text.isEmpty && whole.hasPrefix(streamed.text))
    #expect((streamed.text == whole) == (part != .some))
    #expect(partial.finishReason == (part == .finish || part == .usage ? .stop : .other))
    #expect((partial.usage != nil) == (part == .usage))
  }
}
