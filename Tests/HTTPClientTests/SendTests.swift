import Foundation
import HTTPClient
import Reactor
import Synchronization
import Testing

@Suite struct SendTests {
  @Test func sendsARequestAsItIsGiven() async throws {
    let seen = Mutex<Peer.Request?>(nil)
    let server = LoopbackServer { peer in
      seen.withLock { $0 = peer.request() }
      peer.answer("hello", headers: "X-Request-Id: r1\r\nX-Empty:\r\n")
    }
    defer { server.stop() }
    let url = server.url + "/v1/x?y=1"
    let response = try await withClient { _, client in
      try await client.send(
        HTTPRequest(
          .post, url, headers: [HTTPHeader("Content-Type", "application/json")],
          credential: HTTPCredential(bearer: Array("key-1".utf8)), body: Array("{}".utf8)))
    }
    #expect(response.status == 200)
    #expect(response.body == Array("hello".utf8))
    #expect(response.head.header("x-request-ID") == "r1")
    #expect(response.head.header("x-empty") == "")
    #expect(response.timings.total > .zero)
    let request = try #require(seen.withLock { $0 })
    #expect(request.lines.first == "POST /v1/x?y=1 HTTP/1.1")
    #expect(request.body == Array("{}".utf8))
    let authorization = request.lines.filter { $0.lowercased().hasPrefix("authorization") }
    #expect(authorization == ["Authorization: Bearer key-1"])
    #expect(!request.lines.contains { $0.lowercased().hasPrefix("expect") })
  }

  @Test func aLargeBodyArrivesWhole() async throws {
    let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    let isSame = Mutex(false)
    let server = LoopbackServer { peer in
      let request = peer.request()
      isSame.withLock { $0 = request?.body == body }
      peer.answer("ok")
    }
    defer { server.stop() }
    let url = server.url
    let status = try await withClient { _, client in
      try await client.send(HTTPRequest(.post, url, body: body)).status
    }
    #expect(status == 200)
    #expect(isSame.withLock { $0 })
  }

  @Test func connectionsAreUsedAgain() async throws {
    let server = LoopbackServer { peer in
      while peer.request() != nil { peer.answer("again") }
    }
    defer { server.stop() }
    let url = server.url
    let reused = try await withClient { _, client in
      var reused: [Bool] = []
      for _ in 0..<5 {
        reused.append(try await client.send(HTTPRequest(.get, url)).timings.reusedConnection)
      }
      return reused
    }
    #expect(reused == [false, true, true, true, true])
    #expect(server.connections == 1)
  }

  @Test func manyAtOnceKeepTheHostCap() async throws {
    let server = LoopbackServer { peer in
      while let request = peer.request() {
        peer.answer(String(decoding: request.body, as: UTF8.self))
      }
    }
    defer { server.stop() }
    let url = server.url
    let settings = HTTPClientSettings(connectionsPerHostMax: 4)
    let matches = try await withClient(settings: settings) { core, client in
      let bound = LoopBound(client, on: client.reactor)
      return try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<200 {
          group.addTask {
            try await answers(bound, url, number, isolation: core)
          }
        }
        var count = 0
        for try await isRight in group where isRight { count += 1 }
        return count
      }
    }
    #expect(matches == 200)
    #expect(server.connections <= 4)
  }

  @Test func redirectsAreNotFollowed() async throws {
    let server = LoopbackServer { peer in
      while peer.request() != nil {
        peer.answer("", status: "307 Temporary Redirect", headers: "Location: /other\r\n")
      }
    }
    defer { server.stop() }
    let url = server.url
    let response = try await withClient { _, client in
      try await client.send(HTTPRequest(.post, url, body: [1]))
    }
    #expect(response.status == 307)
    #expect(server.connections == 1)
  }

  @Test func theEnvironmentsProxyIsIgnored() async throws {
    unsafe setenv("http_proxy", "http://127.0.0.1:1", 1)
    defer { unsafe unsetenv("http_proxy") }
    let server = LoopbackServer { peer in
      if peer.request() != nil { peer.answer("direct") }
    }
    defer { server.stop() }
    let url = server.url
    let response = try await withClient { _, client in
      try await client.send(HTTPRequest(.get, url))
    }
    #expect(response.body == Array("direct".utf8))
  }

  @Test(arguments: [
    "file:///etc/hostname", "ftp://127.0.0.1/", "http://user:pass@127.0.0.1/", "", "no url",
  ])
  func otherURLsAreRefused(url: String) async throws {
    let error = try await withClient { core, client in
      await failure(of: HTTPRequest(.get, url), with: client, isolation: core)
    }
    #expect(error?.isNotSent == true)
  }

  @Test(arguments: [
    HTTPHeader("authorization", "Bearer other"), HTTPHeader("X", "a\r\nY: b"),
    HTTPHeader("X\nY", "a"), HTTPHeader("", "a"), HTTPHeader("Content-Length", "1"),
  ])
  func unsafeHeadersAreRefused(header: HTTPHeader) async throws {
    let error = try await withClient { core, client in
      await failure(
        of: HTTPRequest(.get, "http://127.0.0.1:1", headers: [header]), with: client,
        isolation: core)
    }
    #expect(error == HTTPClientError(.invalidRequest, .notSent))
  }

  @Test func credentialsPrintAsNothing() throws {
    let credential = try #require(HTTPCredential(bearer: Array("canary-secret".utf8)))
    let request = HTTPRequest(.get, "http://127.0.0.1", credential: credential)
    var dumped = ""
    dump(request, to: &dumped)
    for text in ["\(credential)", "\(request)", String(reflecting: request), dumped] {
      #expect(!text.contains("canary"))
    }
    #expect(HTTPCredential(bearer: []) == nil)
    #expect(HTTPCredential(bearer: Array("a b".utf8)) == nil)
    #expect(HTTPCredential(bearer: Array("a\r\n".utf8)) == nil)
  }
}

/// Sends a number and tells whether it came back.
private func answers(
  _ client: LoopBound<HTTPClient>, _ url: String, _ number: Int, isolation: isolated Core
) async throws -> Bool {
  let body = Array("number \(number)".utf8)
  return try await client.value.send(HTTPRequest(.post, url, body: body)).body == body
}
