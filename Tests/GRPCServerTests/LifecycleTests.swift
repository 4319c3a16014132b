import GRPCServer
import GRPCWire
import HTTP2
import Testing

@Suite struct LifecycleTests {
  @Test func theDeadlineAnswersAndCancels() async throws {
    try await TestServer.run { server in
      let client = RawClient(port: server.port)
      let reply = try client.call("/t.T/Wait", adding: [("grpc-timeout", "30m")])
      #expect(reply.status == StatusCode.deadlineExceeded.rawValue)
      #expect(reply.isTrailersOnly)
      try await server.record.wait(.cancelled, 1)
      #expect(server.record[.cancelled] == 1)
      #expect(try client.call("/t.T/Echo", [1]).status == 0)
    }
  }

  @Test func theDeadlineAnswersThoughTheHandlerGoesOn() async throws {
    try await TestServer.run { server in
      let client = RawClient(port: server.port)
      let reply = try client.call("/t.T/Outlive", adding: [("grpc-timeout", "30m")])
      #expect(reply.status == StatusCode.deadlineExceeded.rawValue)
      #expect(reply.blocks[0]["late"] == nil)
      try await server.record.wait(.outlived, 1)
      #expect(server.record[.outlived] == 1)
      #expect(try client.call("/t.T/Echo", [1]).status == 0)
    }
  }

  @Test func theDeadlineEndsARequestThatNeverEnds() async throws {
    try await TestServer.run { server in
      let client = RawClient(port: server.port)
      let stream = client.begin(
        RawClient.headers("/t.T/Echo", adding: [("grpc-timeout", "30m")]), body: [0, 0],
        isEnded: false)
      try client.flush()
      while client.replies[stream]?.status == nil { guard try client.read() else { break } }
      #expect(client.replies[stream]?.status == StatusCode.deadlineExceeded.rawValue)
    }
  }

  @Test func resetReachesTheHandler() async throws {
    try await TestServer.run { server in
      let client = RawClient(port: server.port)
      let before = server.foreignEnqueues
      let stream = client.begin(RawClient.headers("/t.T/Wait"), body: RawClient.framed([]))
      try client.flush()
      try await server.record.wait(.started, 1)
      client.session.reset(stream, .cancel)
      try client.flush()
      try await server.record.wait(.cancelled, 1)
      #expect(server.record[.cancelled] == 1)
      #expect(server.foreignEnqueues == before)
      #expect(try client.call("/t.T/Echo", [1]).status == 0)
    }
  }

  @Test func handlersOutliveTheirConnection() async throws {
    try await TestServer.run { server in
      let client = RawClient(port: server.port)
      for path in ["/t.T/Wait", "/t.T/Outlive", "/t.T/Flood"] {
        _ = client.begin(RawClient.headers(path), body: RawClient.framed([]))
      }
      try client.flush()
      try await server.record.wait(.started, 3)
      client.disconnect()
      try await server.record.wait(.cancelled, 1)
      try await server.record.wait(.outlived, 2)
      #expect(server.record[.cancelled] == 1)
      #expect(server.record[.outlived] == 2)
      #expect(try RawClient(port: server.port).call("/t.T/Echo", [1]).status == 0)
    }
  }

  @Test func aStreamWaitsForItsReader() async throws {
    var window = HTTP2Limits()
    window.streamWindowBytes = 65_535
    try await TestServer.run { server in
      let client = RawClient(port: server.port, limits: window)
      let stream = client.begin(RawClient.headers("/t.T/Flood"), body: RawClient.framed([]))
      try client.flush()
      try await server.record.wait(.started, 1)
      for _ in 0..<20 {
        try await Task.sleep(for: .milliseconds(5))
      }
      let held = server.record[.writtenBytes]
      #expect(held < 1024 * 1024, "a stopped reader stops the handler")
      let reply = try client.reply(stream)
      #expect(reply.status == 0)
      #expect(reply.body.count == 1000 * (16 * 1024 + 5))
    }
  }

  @Test func drainLetsCallsEndAndRefusesNewOnes() async throws {
    try await TestServer.run { server in
      let client = RawClient(port: server.port)
      let stream = client.begin(
        RawClient.headers("/t.T/Wait", adding: [("grpc-timeout", "300m")]),
        body: RawClient.framed([]))
      try client.flush()
      try await server.record.wait(.started, 1)
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          await server.server.drain(grace: .seconds(20))
          server.record.add(.drained)
        }
        while !client.hasGoAway { guard (try? client.read()) == true else { break } }
        #expect(server.record[.drained] == 0)
        let reply = try? client.reply(stream)
        #expect(reply?.status == StatusCode.deadlineExceeded.rawValue)
        while (try? client.read()) == true {}
        client.disconnect()
      }
      #expect(server.record[.drained] == 1)
      #expect(server.server.counters.connections == 0)
    }
  }

  @Test func tooManyConnectionsAreClosed() async throws {
    var limits = GRPCServerLimits()
    limits.connectionsMax = 2
    try await TestServer.run(limits: limits) { server in
      let kept = [RawClient(port: server.port), RawClient(port: server.port)]
      for client in kept {
        let reply = try client.call("/t.T/Echo", [1])
        #expect(reply.status == 0)
      }
      #expect(RawClient(port: server.port).readRaw().isEmpty)
      #expect(try kept[0].call("/t.T/Echo", [1]).status == 0)
    }
  }

  @Test func aSilentConnectionIsClosed() async throws {
    var limits = GRPCServerLimits()
    limits.prefaceTimeout = .milliseconds(30)
    try await TestServer.run(limits: limits) { server in
      let silent = RawClient(port: server.port)
      silent.send(Array("PRI * HTTP".utf8))
      #expect(silent.readRaw().isEmpty)
    }
  }
}
