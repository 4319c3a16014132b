import Foundation
import HTTPClient
import JSON
import Reactor
import Testing

@testable import Relay

/// Who stops taking deltas stops the relay's writes.
@Suite struct BackPressureTests {
  static let streamBytes = 64 << 20

  /// What the kernel may hold for one connection: the greatest send and receive buffers.
  static func kernelBytesMax() throws -> Int {
    try ["tcp_rmem", "tcp_wmem"].reduce(0) { sum, name in
      let text = try String(contentsOfFile: "/proc/sys/net/ipv4/\(name)", encoding: .utf8)
      return sum
        + (try #require(text.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }))
    }
  }

  @Test func aStoppedTakerStopsTheRelay() async throws {
    let bound = try (1 << 20) + Self.kernelBytesMax()
    try #require(bound < Self.streamBytes, "the kernel's buffers would hold the whole stream")
    let simulator = try SimulatorProcess()
    let url = simulator.url
    let limits = HTTPLimits(idle: .milliseconds(300), responseBytesMax: 2 * Self.streamBytes)
    let (error, stuckAt) = try await SimulatorTests.withRelay(simulator, limits: limits) {
      core, relay, http in
      try await SimulatorTests.script(
        #"{"stream_bytes":\#(Self.streamBytes)}"#, url, http, isolation: core)
      var stuckAt: Int64?
      do throws(RelayError) {
        _ = try await relay.stream(SimulatorTests.request(), attempt: "a1") { _ in
          if stuckAt != nil { return }
          stuckAt = await stuckBytes(url, http, isolation: core)
          // Why `unsafe`: the handle is used inside the call only.
          unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        }
        return (RelayError?.none, stuckAt)
      } catch {
        return (error, stuckAt)
      }
    }
    let stuck = try #require(stuckAt)
    #expect(stuck > 0 && stuck < Int64(bound))
    #expect(error?.kind == .cancelled)
    #expect(error?.partial?.content?.isEmpty == false)
    let end = try JSONValue(parsing: try await Self.lastLine(of: simulator, lines: 2))
    #expect(end["stream"]?.string == "gone")
    #expect((end["bytes"]?.integer ?? .max) < Int64(bound))
  }

  /// A taker that stops and goes on loses nothing, though it stops for longer than the idle limit.
  @Test func aSlowTakerGetsEverything() async throws {
    let simulator = try SimulatorProcess()
    let url = simulator.url
    let limits = HTTPLimits(idle: .milliseconds(300))
    let (count, answer) = try await SimulatorTests.withRelay(simulator, limits: limits) {
      core, relay, http in
      try await SimulatorTests.script(
        #"{"stream_bytes":2000000,"content":"."}"#, url, http, isolation: core)
      var count = 0
      var stops = 0
      let answer = try await relay.stream(SimulatorTests.request(), attempt: "a1") { delta in
        if case .text(let text) = delta { count += text.utf8.count }
        if count > stops * 1_000_000 {
          stops += 1
          try? await Task.sleep(for: .milliseconds(450))
        }
      }
      return (count, answer)
    }
    #expect(count == 1 + (2_000_000 + 4095) / 4096 * 4096)
    #expect(answer.content?.utf8.count == count)
    #expect(answer.usage?.output == 1)
  }

  /// The last line of the log when it has so many; a killed write is noticed a little later.
  private static func lastLine(of simulator: SimulatorProcess, lines: Int) async throws -> String {
    for _ in 0..<500 where simulator.log.count < lines {
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(simulator.log.count == lines)
    return try #require(simulator.log.last)
  }
}

/// What the simulator's streams have written when that has not grown for ten looks.
private func stuckBytes(
  _ url: String, _ http: HTTPClient, isolation: isolated Core
) async -> Int64? {
  var last: Int64 = -1
  var looks = 0
  for _ in 0..<1000 {
    let state = try? await http.send(HTTPRequest(.get, url + "/sim/state"))
    let json = state.flatMap { try? JSONValue(parsing: $0.body) }
    guard let now = json?["streamed_bytes"]?.integer else { return nil }
    looks = now == last ? looks + 1 : 0
    if looks == 10 { return now }
    last = now
    try? await Task.sleep(for: .milliseconds(50))
  }
  return nil
}
