import Foundation
import HTTPClient
import JSON
import Reactor
import Testing

@testable import Relay

/// The relay's client against relay-sim, over a socket.
@Suite struct SimulatorTests {
  /// Runs `body` with a client of `simulator` and an HTTP client to control it by.
  static func withRelay<Result: Sendable>(
    _ simulator: SimulatorProcess, keyFile: String? = nil, limits: HTTPLimits = HTTPLimits(),
    _ body: @escaping @Sendable (isolated Core, RelayClient, HTTPClient) async throws -> Result
  ) async throws -> Result {
    let configuration = try RelayConfiguration(
      name: "sim", baseURL: simulator.url + "/v1",
      models: ["ours": "gpt-4.1", "small": "sim-small"], credentialFile: keyFile,
      allowsPlainHTTP: true, limits: limits)
    let reactor = try Reactor(name: "relay-test")
    reactor.start()
    defer { reactor.stop() }
    return try await reactor.run { core in
      let http = try HTTPClient(on: reactor)
      defer { http.close() }
      return try await body(core, RelayClient(configuration, http: http), http)
    }
  }

  /// Scripts the next calls.
  static func script(
    _ steps: String, _ url: String, _ http: HTTPClient, isolation: isolated Core
  ) async throws {
    let body = Array(#"{"steps":[\#(steps)]}"#.utf8)
    let response = try await http.send(HTTPRequest(.post, url + "/sim/script", body: body))
    #expect(response.status == 200)
  }

  static func request(_ text: String = "hello\nworld", model: String = "ours") -> RelayRequest {
    RelayRequest(
      model: model, messages: [RelayMessage(.user, .text(text))], outputTokensMax: 100)
  }

  @Test func anAnswerAndItsLogAgree() async throws {
    let simulator = try SimulatorProcess()
    let answer = try await Self.withRelay(simulator) { _, relay, _ in
      try await relay.complete(Self.request(), attempt: "attempt-1")
    }
    #expect(answer.content?.hasPrefix("first user line: hello\nmessages: 1\nsha256: ") == true)
    #expect(answer.finishReason == .stop)
    #expect(answer.model == "gpt-4.1")
    #expect(answer.upstreamID == "req-sim-1")
    #expect(answer.usage?.inputUncached == 9)
    let line = try JSONValue(parsing: try #require(simulator.log.first))
    #expect(line["attempt"]?.string == "attempt-1")
    #expect(line["outcome"]?.string == "answered")
    #expect(RelayUsage(try #require(line["usage"])) == answer.usage)
    let sha256 = try #require(line["sha256"]?.string)
    #expect(answer.content?.hasSuffix(sha256) == true)
  }

  @Test func aLongPrefixIsCachedTheSecondTime() async throws {
    let simulator = try SimulatorProcess()
    let usages = try await Self.withRelay(simulator) { _, relay, _ in
      var request = Self.request(String(repeating: "long ", count: 2000))
      let first = try await relay.complete(request, attempt: "a1").usage
      request.append(RelayMessage(.assistant, .text("ok")).canonical)
      request.append(RelayMessage(.user, .text("more")).canonical)
      return [first, try await relay.complete(request, attempt: "a2").usage]
    }
    #expect(usages[0]?.cacheRead == 0)
    #expect(usages[1]?.cacheRead == 2048)
    #expect(usages[1]?.isContradictory == false)
  }

  @Test func theKeyIsReadFromItsFile() async throws {
    let keyFile = NSTemporaryDirectory() + "relay-key-\(UUID().uuidString)"
    try "  sk-test \n".write(toFile: keyFile, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: keyFile) }
    let simulator = try SimulatorProcess(arguments: ["--key-file", keyFile])
    let content = try await Self.withRelay(simulator, keyFile: keyFile) { _, relay, _ in
      try await relay.complete(Self.request(), attempt: "a1").content
    }
    #expect(content != nil)
    let refused = try await Self.withRelay(simulator) { core, relay, _ in
      await failure(of: relay, isolation: core)
    }
    #expect(refused?.kind == .authentication)
    let missing = try await Self.withRelay(simulator, keyFile: keyFile + ".gone") {
      core, relay, _ in
      await failure(of: relay, isolation: core)
    }
    #expect(missing?.kind == .configuration)
    #expect(missing?.outcome == .notSent)
    #expect(simulator.log.count == 2)
    #expect(!simulator.log.contains { $0.contains("sk-test") })
  }

  static let scripted: [(String, RelayError.Kind, RelayError.Outcome)] = [
    (#"{"status":429,"headers":{"Retry-After":"2"}}"#, .rateLimited, .refused),
    (#"{"status":429,"error":{"code":"insufficient_quota"}}"#, .creditExhausted, .refused),
    (#"{"status":500}"#, .unavailable, .refused),
    (#"{"status":504}"#, .timedOut, .unknown),
    (#"{"status":400,"error":{"code":"content_filter"}}"#, .contentFiltered, .refused),
    (#"{"cut":"before_headers"}"#, .connectionLost, .unknown),
    (#"{"cut":"before_headers","reset":true}"#, .connectionLost, .unknown),
    (#"{"cut":"inside_headers"}"#, .connectionLost, .unknown),
    (#"{"cut":"before_body"}"#, .connectionLost, .unknown),
    (#"{"cut":"inside_body","reset":true}"#, .connectionLost, .unknown),
    (#"{"body":"<html>","content_type":"text/html"}"#, .malformedAnswer, .unknown),
    (#"{"content_bytes":300000}"#, .answerTooLarge, .unknown),
    (#"{"latency_ms":3000}"#, .timedOut, .unknown),
    (#"{"body_delay_ms":3000}"#, .timedOut, .unknown),
  ]

  @Test(arguments: scripted)
  func failuresAreTyped(
    step: String, kind: RelayError.Kind, outcome: RelayError.Outcome
  ) async throws {
    let simulator = try SimulatorProcess()
    let url = simulator.url
    let limits = HTTPLimits(
      firstByte: .milliseconds(500), idle: .milliseconds(500), responseBytesMax: 200_000)
    let error = try await Self.withRelay(simulator, limits: limits) { core, relay, http in
      try await Self.script(step, url, http, isolation: core)
      return await failure(of: relay, tokens: 1_000_000, isolation: core)
    }
    #expect(error?.kind == kind)
    #expect(error?.outcome == outcome)
    #expect(error?.retryAfter == (step.contains("Retry-After") ? .seconds(2) : nil))
    #expect(simulator.log.count == 1)
  }

  @Test func theWindowsLimitIsTold() async throws {
    let simulator = try SimulatorProcess()
    let error = try await Self.withRelay(simulator) { core, relay, _ in
      await failure(
        of: relay, Self.request(String(repeating: "x", count: 40_000), model: "small"),
        isolation: core)
    }
    #expect(error?.kind == .contextTooLong)
    #expect(error?.outcome == .refused)
  }

  /// A held call is on the log before it is answered, and waits until it is told.
  @Test func heldCallsWaitUntilTold() async throws {
    let simulator = try SimulatorProcess()
    let url = simulator.url
    let contents = try await Self.withRelay(simulator) { core, relay, http in
      _ = try await http.send(HTTPRequest(.post, url + "/sim/hold"))
      let bound = LoopBound(relay, on: http.reactor)
      return try await withThrowingTaskGroup(of: String?.self) { group in
        for number in 0..<3 {
          group.addTask { try await answer(of: bound, "a\(number)", isolation: core) }
        }
        try await waitForHeld(3, url, http, isolation: core)
        #expect(simulator.log.count == 3)
        let one = Array(#"{"count":1}"#.utf8)
        _ = try await http.send(HTTPRequest(.post, url + "/sim/release", body: one))
        var contents = [try await group.next() ?? nil]
        try await waitForHeld(2, url, http, isolation: core)
        _ = try await http.send(HTTPRequest(.post, url + "/sim/release"))
        for try await content in group { contents.append(content) }
        return contents
      }
    }
    #expect(contents.count == 3)
    #expect(contents.allSatisfy { $0?.isEmpty == false })
  }

  /// The client that gives up closes its connection, which the simulator sees.
  @Test func aCancelledCallLeavesTheRelay() async throws {
    let simulator = try SimulatorProcess()
    let url = simulator.url
    let error = try await Self.withRelay(simulator) { core, relay, http in
      try await Self.script(#"{"hold":true}"#, url, http, isolation: core)
      let bound = LoopBound(relay, on: http.reactor)
      return try await withThrowingTaskGroup(of: RelayError?.self) { group in
        group.addTask { await failure(of: bound.value, isolation: core) }
        try await waitForHeld(1, url, http, isolation: core)
        group.cancelAll()
        let error = try await group.next() ?? nil
        try await waitForHeld(0, url, http, isolation: core)
        return error
      }
    }
    #expect(error?.kind == .cancelled)
    #expect(error?.outcome == .unknown)
  }

  @Test func anOrphanToolResultIsRefused() async throws {
    let simulator = try SimulatorProcess()
    let error = try await Self.withRelay(simulator) { core, relay, _ in
      let request = RelayRequest(
        model: "ours", messages: [RelayMessage(.tool, .text("1"), toolCallID: "c1")],
        outputTokensMax: 1)
      return await failure(of: relay, request, isolation: core)
    }
    #expect(error?.kind == .invalidRequest)
  }

  @Test func usageMayBeMissing() async throws {
    let simulator = try SimulatorProcess()
    let url = simulator.url
    let answer = try await Self.withRelay(simulator) { core, relay, http in
      try await Self.script(#"{"usage":null}"#, url, http, isolation: core)
      return try await relay.complete(Self.request(), attempt: "a1")
    }
    #expect(answer.content != nil)
    #expect(answer.usage == nil)
  }

  @Test func theHeadIsTold() async throws {
    let simulator = try SimulatorProcess()
    let heads = try await Self.withRelay(simulator) { _, relay, _ in
      var heads = 0
      _ = try await relay.complete(Self.request(), attempt: "a1") { heads += 1 }
      return heads
    }
    #expect(heads == 1)
  }
}

/// The content of an answer.
private func answer(
  of relay: LoopBound<RelayClient>, _ attempt: String, isolation: isolated Core
) async throws -> String? {
  try await relay.value.complete(SimulatorTests.request(), attempt: attempt).content
}

/// Waits until the simulator holds so many calls.
private func waitForHeld(
  _ count: Int, _ url: String, _ http: HTTPClient, isolation: isolated Core
) async throws {
  for _ in 0..<500 {
    let state = try await http.send(HTTPRequest(.get, url + "/sim/state"))
    if try JSONValue(parsing: state.body)["held"]?.integer == Int64(count) { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  Issue.record("never held \(count)")
}

/// The error of a call that must fail.
func failure(
  of relay: RelayClient, _ request: RelayRequest? = nil, tokens: Int = 100,
  isolation: isolated Core
) async -> RelayError? {
  var request = request ?? SimulatorTests.request()
  request.outputTokensMax = min(tokens, 100_000)
  do throws(RelayError) {
    _ = try await relay.complete(request, attempt: "a1")
    return nil
  } catch {
    return error
  }
}
