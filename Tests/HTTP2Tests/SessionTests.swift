import HTTP2
import Testing

@Suite struct SessionTests {
  /// One call with trailers, carried in pieces of `step` bytes; events are taken after each piece
  /// if `isEager`, else at the end.
  private func exchange(step: Int, isEager: Bool) throws -> (server: Heard, client: Heard) {
    let wire = Wire()
    var atServer = Heard()
    var atClient = Heard()
    let stream = try #require(wire.client.request(Wire.request))
    wire.client.write(stream) { $0 += Array("question".utf8) }
    wire.client.finish(stream)
    func take() {
      guard isEager else { return }
      atServer.take(from: wire.server)
      atClient.take(from: wire.client)
    }
    try wire.settle(step: step, after: take)
    atServer.take(from: wire.server)
    wire.server.respondWithBody(stream, Wire.response)
    wire.server.write(stream) { $0 += Array("answer".utf8) }
    wire.server.finish(stream, trailers: HeaderList(["grpc-status": "0"]))
    try wire.settle(step: step, after: take)
    atServer.take(from: wire.server)
    atClient.take(from: wire.client)
    return (atServer, atClient)
  }

  @Test(arguments: [1, 2, 3, 7, 100, Int.max], [false, true])
  func aCallAtAnyCut(_ step: Int, _ isEager: Bool) throws {
    let (server, client) = try exchange(step: step, isEager: isEager)
    #expect(server.headers.count == 1)
    #expect(server.headers.first?.count == 4)
    #expect(server.headers.first?[":path"] == "/s/m")
    #expect(server.body == Array("question".utf8))
    #expect(server.closed == .noError)
    #expect(client.headers == [[":status": "200"], ["grpc-status": "0"]])
    #expect(client.body == Array("answer".utf8))
    #expect(client.closed == .noError)
  }

  /// A piece that ends within a header block, behind a frame that is whole.
  @Test(arguments: 1...120)
  func aHeaderBlockMayBeginInOneBatchAndEndInAnother(_ step: Int) throws {
    let wire = Wire()
    var heard = Heard()
    for number in 0..<5 {
      let path = "/s/m" + String(repeating: "\(number)", count: 20)
      let stream = try #require(
        wire.client.request(
          HeaderList([
            ":method": "POST", ":scheme": "http", ":authority": "a", ":path": path,
            "x-\(number)": "value \(number)",
          ])))
      wire.client.finish(stream)
    }
    try wire.settle(step: step) { heard.take(from: wire.server) }
    #expect(heard.headers.count == 5)
    for (number, block) in heard.headers.enumerated() {
      #expect(block.count == 5)
      #expect(block[":path"] == "/s/m" + String(repeating: "\(number)", count: 20))
      #expect(block["x-\(number)"] == "value \(number)")
    }
  }

  @Test func headersBodyAndTrailersLeaveTogether() throws {
    let wire = Wire()
    let stream = try #require(wire.client.request(Wire.request))
    wire.client.finish(stream)
    try wire.settle()
    wire.server.respondWithBody(stream, Wire.response)
    wire.server.write(stream) { $0 += [1, 2, 3] }
    wire.server.finish(stream, trailers: HeaderList(["grpc-status": "0"]))
    var output: [UInt8] = []
    try wire.server.fill(&output, limit: 64 * 1024)
    var types: [UInt8] = []
    var start = 0
    while start < output.count {
      types.append(output[start + 3])
      let length = output[start..<start + 3].reduce(0) { $0 << 8 | Int($1) }
      start += 9 + length
    }
    // HEADERS, DATA, HEADERS (RFC 9113, section 6).
    #expect(types == [1, 0, 1])
    #expect(!wire.server.wantsWrite)
  }

  @Test func bodyInPartsIsDeferredBetween() throws {
    let wire = Wire()
    var heard = Heard()
    let stream = try #require(wire.client.request(Wire.request))
    wire.client.finish(stream)
    try wire.settle()
    wire.server.respondWithBody(stream, Wire.response)
    for part in 0..<5 {
      wire.server.write(stream) { $0.append(UInt8(part)) }
      try wire.settle()
      heard.take(from: wire.client)
      #expect(heard.body.count == part + 1)
    }
    wire.server.finish(stream)
    try wire.settle()
    heard.take(from: wire.client)
    #expect(heard.events.contains(.ended(stream)))
  }

  @Test func http1IsToldBeforeAnythingIsSent() {
    let server = Session(.server)
    let bytes = Array("GET / HTTP/1.1\r\nhost: x\r\n\r\n".utf8)
    #expect(throws: SessionError.notHTTP2) { try server.receive(bytes.span) }
  }

  @Test func aLargeHeaderBlockIsTruncatedNotFatal() throws {
    let wire = Wire()
    var heard = Heard()
    var headers = Wire.request
    for index in 0..<40 { headers.add("x-\(index)", String(repeating: "v", count: 1000)) }
    let stream = try #require(wire.client.request(headers))
    wire.client.finish(stream)
    try wire.settle()
    heard.take(from: wire.server)
    #expect(heard.isTruncated)
    #expect(heard.headers.count == 1)
    #expect(heard.headers[0].count < 20)
    let next = try #require(wire.client.request(Wire.request))
    wire.client.finish(next)
    try wire.settle()
    heard.take(from: wire.server)
    #expect(heard.headers.count == 2)
  }

  @Test func resetEndsTheBodyOfAStream() throws {
    let wire = Wire()
    var heard = Heard()
    let stream = try #require(wire.client.request(Wire.request))
    try wire.settle()
    wire.server.respondWithBody(stream, Wire.response)
    wire.server.write(stream) { $0.append(1) }
    wire.client.reset(stream, .cancel)
    try wire.settle()
    heard.take(from: wire.server)
    #expect(heard.closed == .cancel)
    wire.server.write(stream) { $0.append(2) }
    wire.server.finish(stream, trailers: HeaderList(["grpc-status": "0"]))
    #expect(wire.server.pendingBytes(stream) == 0)
    try wire.settle()
  }

  @Test func drainLetsOpenStreamsEnd() throws {
    let wire = Wire()
    var heard = Heard()
    let stream = try #require(wire.client.request(Wire.request))
    wire.client.finish(stream)
    try wire.settle()
    wire.server.sendShutdownNotice()
    try wire.settle()
    wire.server.sendGoAway()
    try wire.settle()
    #expect(!wire.server.isFinished)
    wire.server.respond(stream, Wire.response)
    try wire.settle()
    heard.take(from: wire.client)
    #expect(heard.events.contains(.goAway(lastStream: stream, .noError)))
    #expect(heard.closed == .noError)
    #expect(wire.server.isFinished)
  }

  @Test func garbageAfterThePrefaceEndsTheSession() throws {
    let wire = Wire()
    try wire.settle()
    // A DATA frame on stream 0 (RFC 9113, section 6.1).
    let bytes: [UInt8] = [0, 0, 1, 0, 0, 0, 0, 0, 0, 9]
    try wire.server.receive(bytes.span)
    var output: [UInt8] = []
    try wire.server.fill(&output, limit: .max)
    #expect(output[3] == 7, "GOAWAY")
    #expect(wire.server.isFinished)
  }
}
