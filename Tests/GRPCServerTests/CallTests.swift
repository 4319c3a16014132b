import GRPCServer
import GRPCWire
import HTTP2
import Testing

@Suite struct CallTests {
  @Test(arguments: [1, 2, 9, 13, 64])
  func requestsSplitAtAnyByte(_ step: Int) async throws {
    try await TestServer.run { server in
      let client = RawClient(port: server.port)
      for size in [0, 1, 200] {
        let message = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        let reply = try client.call("/t.T/Hop", message, step: step)
        #expect(reply.status == 0)
        #expect(reply.body == RawClient.framed(message))
        #expect(reply.blocks.count == 2)
      }
    }
  }

  @Test func manyConcurrentCallsStayOnTheLoop() async throws {
    try await TestServer.run { server in
      let client = RawClient(port: server.port)
      _ = try client.call("/t.T/Echo", [0])
      let before = server.foreignEnqueues
      for _ in 0..<4 {
        let streams = (0..<256).map { index in
          client.begin(
            RawClient.headers(
              index % 2 == 0 ? "/t.T/Echo" : "/t.T/Hop", adding: [("grpc-timeout", "20S")]),
            body: RawClient.framed([UInt8(index % 256), 7]))
        }
        try client.flush()
        for (index, stream) in streams.enumerated() {
          let reply = try client.reply(stream)
          #expect(reply.status == 0)
          #expect(reply.body == RawClient.framed([UInt8(index % 256), 7]))
        }
      }
      #expect(server.foreignEnqueues == before)
      #expect(server.server.counters.callsStarted == 1025)
    }
  }

  @Test func anErrorIsTrailersOnlyWithDetails() async throws {
    try await TestServer.run { server in
      let reply = try RawClient(port: server.port).call("/t.T/Fail")
      #expect(reply.isTrailersOnly)
      #expect(reply.status == StatusCode.failedPrecondition.rawValue)
      #expect(reply.blocks[0]["grpc-message"] == "50%25 %C3%A9%0A%F0%9F%99%82")
      #expect(reply.blocks[0]["grpc-status-details-bin"] == "CAkSAXj/")
      #expect(reply.blocks[0]["grpc-retry-pushback-ms"] == "250")
      #expect(reply.blocks[0]["x-more"] == "trailing")
    }
  }

  @Test func metadataBothWays() async throws {
    try await TestServer.run { server in
      let reply = try RawClient(port: server.port).call(
        "/t.T/Metadata", adding: [("x-text", "a b"), ("x-in-bin", "AAE=")])
      #expect(reply.body == RawClient.framed(Array("/t.T/Metadata".utf8)))
      #expect(reply.blocks[0]["x-first"] == "a b")
      #expect(reply.blocks[1]["x-last-bin"] == "AAE")
    }
  }

  @Test func bodiesThatLie() async throws {
    let cases: [(body: [UInt8], status: StatusCode)] = [
      ([0, 0, 0, 0, 9, 1, 2], .invalidArgument),
      ([0, 0, 0], .invalidArgument),
      ([], .unimplemented),
      ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], .unimplemented),
      ([7, 0, 0, 0, 1, 5], .invalidArgument),
      ([1, 0, 0, 0, 1, 5], .internalError),
      ([0, 0xFF, 0xFF, 0xFF, 0xFF, 5], .resourceExhausted),
      ([0, 0, 0, 0, 11] + [UInt8](repeating: 1, count: 11), .resourceExhausted),
    ]
    var limits = GRPCServerLimits()
    limits.messageBytesMax = 10
    try await TestServer.run(limits: limits) { server in
      let client = RawClient(port: server.port)
      for (body, status) in cases {
        let stream = client.begin(RawClient.headers("/t.T/Echo"), body: body)
        try client.flush()
        let reply = try client.reply(stream)
        #expect(reply.status == status.rawValue, "\(body)")
        #expect(reply.isTrailersOnly)
      }
      #expect(try client.call("/t.T/Echo", [1]).status == 0, "the connection lives")
    }
  }

  @Test func headersThatAreRefused() async throws {
    try await TestServer.run { server in
      let client = RawClient(port: server.port)
      func status(_ headers: HeaderList) throws -> (http: String?, grpc: Int?) {
        let stream = client.begin(headers, body: RawClient.framed([1]))
        try client.flush()
        let reply = try client.reply(stream)
        return (reply.httpStatus, reply.status)
      }
      let json = try status(
        RawClient.headers("/t.T/Echo", replacing: ["content-type": "application/json"]))
      #expect(json.http == "415")
      #expect(try status(RawClient.headers("/t.T/None")).grpc == 12)
      #expect(try status(RawClient.headers("/t.T/Echo", replacing: ["te": nil])).grpc == 0)
      let gzip = RawClient.headers("/t.T/Echo", adding: [("grpc-encoding", "gzip")])
      #expect(try status(gzip).grpc == 12)
      let large = (0..<30).map { ("x-\($0)", String(repeating: "v", count: 1000)) }
      #expect(try status(RawClient.headers("/t.T/Echo", adding: large)).grpc == 8)
      #expect(try status(RawClient.headers("/t.T/Echo")).grpc == 0)
    }
  }

  @Test func whatIsNotHTTP2() async throws {
    try await TestServer.run { server in
      let http1 = RawClient(port: server.port)
      http1.send(Array("GET / HTTP/1.1\r\nhost: x\r\n\r\n".utf8))
      let answer = String(decoding: http1.readRaw(), as: UTF8.self)
      #expect(answer.hasPrefix("HTTP/1.1 505 "))
      let garbage = RawClient(port: server.port)
      garbage.send([0x16, 3, 1, 2, 0, 1])
      #expect(garbage.readRaw().isEmpty)
      let healthy = try RawClient(port: server.port).call("/t.T/Echo", [1, 2])
      #expect(healthy.status == 0)
    }
  }

  @Test func streams() async throws {
    try await TestServer.run { server in
      let client = RawClient(port: server.port)
      let counted = try client.call("/t.T/Count", [5])
      #expect(counted.body == (0..<5).flatMap { RawClient.framed([$0]) })
      #expect(counted.status == 0)
      #expect(try client.call("/t.T/Count", [0]).blocks.count == 2)
      let broken = try client.call("/t.T/BreakOff")
      #expect(broken.body == RawClient.framed([1]))
      #expect(broken.status == StatusCode.aborted.rawValue)
      #expect(!broken.isTrailersOnly)
    }
  }

  @Test func connectionsGoToTheIdlestReactor() async throws {
    try await TestServer.run(reactors: 2) { server in
      let clients = (0..<6).map { _ in RawClient(port: server.port) }
      for client in clients {
        let reply = try client.call("/t.T/Echo", [3])
        #expect(reply.status == 0)
      }
      #expect(server.server.counters.connections == 6)
    }
  }
}
