import Foundation
import GRPCServer
import GRPCWire
import Messages
import Relay
import Store
import Testing

@testable import Service

@Suite struct AnswerTests {
  @Test func aCallThatWasCutOffIsLeftOut() {
    let answer = RelayAnswer(
      content: nil,
      toolCalls: [
        RelayToolCall(id: "a", name: "f", arguments: "{}"),
        RelayToolCall(id: "b", name: "f", arguments: #"{"x": "#),
      ], finishReason: .length, usage: nil)
    #expect(AnswerMessage.make(answer).toolCalls.map(\.id) == ["a"])
  }

  @Test func callsWithOneIDAreToldApart() {
    let call = RelayToolCall(id: "a", name: "f", arguments: "{}")
    let answer = RelayAnswer(
      content: nil, toolCalls: [call, call, call], finishReason: .toolCalls, usage: nil)
    #expect(AnswerMessage.make(answer).toolCalls.map(\.id) == ["a", "a_", "a__"])
  }

  @Test func nulsAreReplacedAndNothingIsAnEmptyText() {
    let answer = RelayAnswer(content: "a\0b", finishReason: .stop, usage: nil)
    #expect(AnswerMessage.make(answer).text == "a\u{FFFD}b")
    let empty = RelayAnswer(content: nil, finishReason: .stop, usage: nil)
    #expect(AnswerMessage.make(empty).text == "")
    let refusal = RelayAnswer(content: nil, refusal: "No.", finishReason: .stop, usage: nil)
    #expect(AnswerMessage.make(refusal).text == "No.")
  }
}

@Suite struct FailureTests {
  /// Every reason has the code that the API's reference, made from the protos' comments, names.
  @Test func everyReasonHasItsCode() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = root.appending(path: "docs/reference/api.md")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    var compared = 0
    for reason in Wire.ErrorReason.known where reason != .unspecified {
      let row = "| \(reason.name) | \(reason.rawValue) | "
      let line = try #require(lines.first { $0.hasPrefix(row) }, "no row for \(reason.name)")
      let code = line.dropFirst(row.count).prefix { $0 != ":" }
      #expect(Self.codes[Failure(reason, "x").code] == String(code), "\(reason.name)")
      compared += 1
    }
    #expect(compared == Wire.ErrorReason.known.count - 1)
  }

  private static let codes: [StatusCode: String] = [
    .invalidArgument: "INVALID_ARGUMENT", .deadlineExceeded: "DEADLINE_EXCEEDED",
    .notFound: "NOT_FOUND", .alreadyExists: "ALREADY_EXISTS",
    .permissionDenied: "PERMISSION_DENIED", .resourceExhausted: "RESOURCE_EXHAUSTED",
    .failedPrecondition: "FAILED_PRECONDITION", .aborted: "ABORTED",
    .unimplemented: "UNIMPLEMENTED", .internalError: "INTERNAL", .unavailable: "UNAVAILABLE",
    .unauthenticated: "UNAUTHENTICATED",
  ]

  @Test func everyRelayErrorHasAReason() throws {
    let generation = RowID.minted()
    for kind in RelayError.Kind.allCases {
      let failure = Failure(RelayError(kind, .unknown), generation)
      #expect(failure.metadata["generation_id"] == "\(generation)")
      #expect(failure.reason != .internal)
    }
  }

  @Test func trailersSayWhenToTryAgain() throws {
    var failure = Failure(.overloaded, "x", retryAfter: .milliseconds(1500))
    #expect(failure.rpcError.metadata["grpc-retry-pushback-ms"] == "1500")
    let status = try Wire.Status(decoding: failure.rpcError.details)
    let retry = try status.detail(Wire.RetryInfo.self)
    #expect(retry?.retryDelay?.duration == .milliseconds(1500))
    failure = Failure(.budgetExceeded, "x")
    failure.forbidsRetry = true
    #expect(failure.rpcError.metadata["grpc-retry-pushback-ms"] == "-1")
  }

  @Test func aStoredFailureComesBackAsItWas() throws {
    let failure = Failure(.upstreamTimeout, "slow", metadata: ["outcome": "unknown"])
    let turn = turn(StoredResult.encode(failure))
    guard case .failure(let error) = StoredResult.replay(turn, log: .silent) else {
      return #expect(Bool(false), "an answer")
    }
    #expect(error.code == .deadlineExceeded)
    #expect(error.message == "slow")
    #expect(error.details == failure.rpcError.details)
  }

  @Test func whatTheReaperResolvedNamesItsGeneration() throws {
    let turn = turn(StoredResult.reaped)
    guard case .failure(let error) = StoredResult.replay(turn, log: .silent) else {
      return #expect(Bool(false), "an answer")
    }
    let info = try Wire.Status(decoding: error.details).detail(Wire.ErrorInfo.self)
    #expect(info?.reason == "UPSTREAM_OUTCOME_UNKNOWN")
    #expect(info?.metadata["generation_id"] == "\(turn.generation)")
  }

  @Test(arguments: [[], [9], [1, 0xFF], [2, 0xFF]] as [[UInt8]])
  func brokenResultsAreNoCrash(result: [UInt8]) {
    guard case .failure = StoredResult.replay(turn(result), log: .silent) else {
      return #expect(Bool(false), "an answer")
    }
  }

  private func turn(_ result: [UInt8]) -> StoredTurn {
    StoredTurn(generation: .minted(), conversation: "c", key: "k", state: .failed, result: result)
  }
}

@Suite struct ClockTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
    (1_798_761_599, "2026-12-31T23:59:59Z"), (-1, "1969-12-31T23:59:59Z"),
    (4_107_542_400, "2100-03-01T00:00:00Z"),
  ])
  func momentsAreWritten(seconds: Int64, text: String) {
    #expect(WallClock.text(seconds * 1_000_000) == text)
  }

  @Test func monthsBeginOnTheirFirst() {
    let moment: Int64 = 1_795_530_762_123_456
    #expect(WallClock.text(moment) == "2026-11-24T14:32:42Z")
    #expect(WallClock.text(WallClock.startOfMonth(moment)) == "2026-11-01T00:00:00Z")
  }
}
