import HTTP2
import Testing

@Suite struct FlowControlTests {
  @Test func windowStaysShutUntilConsumed() throws {
    var limits = HTTP2Limits()
    limits.streamWindowBytes = 1000
    let wire = Wire(serverLimits: limits)
    try wire.settle()
    var heard = Heard()
    let stream = try #require(wire.client.request(Wire.request))
    wire.client.write(stream) { $0 += [UInt8](repeating: 7, count: 5000) }
    wire.client.finish(stream)
    try wire.settle()
    heard.take(from: wire.server, consuming: false)
    #expect(heard.body.count == 1000)
    #expect(wire.client.pendingBytes(stream) == 4000)
    wire.server.consume(stream, bytes: 1000)
    while heard.body.count < 5000 {
      let before = heard.body.count
      try wire.settle()
      heard.take(from: wire.server)
      try #require(heard.body.count > before, "the window did not open")
    }
  }

  @Test func drainedIsToldOnceBelowTheMark() throws {
    var limits = HTTP2Limits()
    limits.streamWindowBytes = 10_000
    let wire = Wire(clientLimits: limits)
    try wire.settle()
    var atServer = Heard()
    var atClient = Heard()
    let stream = try #require(wire.client.request(Wire.request))
    wire.client.finish(stream)
    try wire.settle()
    wire.server.respondWithBody(stream, Wire.response)
    wire.server.write(stream) { $0 += [UInt8](repeating: 1, count: 100_000) }
    wire.server.notifyWhenDrained(stream)
    try wire.settle()
    atServer.take(from: wire.server)
    #expect(!atServer.events.contains(.drained(stream)))
    for _ in 0..<100 {
      atClient.take(from: wire.client)
      try wire.settle()
    }
    atServer.take(from: wire.server)
    #expect(atClient.body.count == 100_000)
    #expect(atServer.events.filter { $0 == .drained(stream) }.count == 1)
  }

  @Test func fillStopsAtItsLimit() throws {
    let wire = Wire()
    let stream = try #require(wire.client.request(Wire.request))
    wire.client.finish(stream)
    try wire.settle()
    wire.server.respondWithBody(stream, Wire.response)
    wire.server.write(stream) { $0 += [UInt8](repeating: 1, count: 60_000) }
    var output: [UInt8] = []
    try wire.server.fill(&output, limit: 20_000)
    #expect(output.count >= 20_000)
    #expect(output.count < 40_000)
    #expect(wire.server.wantsWrite)
  }

  @Test func tooManyAcknowledgementsEndTheSession() throws {
    let wire = Wire()
    try wire.settle()
    let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    let flood = (0..<2000).flatMap { _ in ping }
    #expect(throws: SessionError.flooded) { try wire.server.receive(flood.span) }
  }
}
