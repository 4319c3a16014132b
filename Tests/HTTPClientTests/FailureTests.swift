import Foundation
import HTTPClient
import Reactor
import Synchronization
import Testing

@Suite struct FailureTests {
  static func error(
    _ limits: HTTPLimits = HTTPLimits(), body: [UInt8] = [1],
    _ serve: @escaping @Sendable (Peer) -> Void
  ) async throws -> HTTPClientError? {
    let server = LoopbackServer(serve)
    defer { server.stop() }
    let request = HTTPRequest(.post, server.url, body: body, limits: limits)
    return try await withClient { core, client in
      await failure(of: request, with: client, isolation: core)
    }
  }

  @Test func aRefusedConnectionSentNothing() async throws {
    let server = LoopbackServer { _ in }
    server.stop()
    let request = HTTPRequest(.post, server.url, body: [1])
    let error = try await withClient { core, client in
      await failure(of: request, with: client, isolation: core)
    }
    #expect(error?.cause == .connect)
    #expect(error?.isNotSent == true)
  }

  @Test func anUnknownNameSentNothing() async throws {
    let request = HTTPRequest(.post, "http://name.invalid/", body: [1])
    let error = try await withClient { core, client in
      await failure(of: request, with: client, isolation: core)
    }
    #expect(error?.cause == .resolve)
    #expect(error?.isNotSent == true)
  }

  @Test func tlsAgainstPlainTextSentNothing() async throws {
    let server = LoopbackServer { peer in
      _ = peer.read()
      peer.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    }
    defer { server.stop() }
    let request = HTTPRequest(.post, "https://127.0.0.1:\(server.port)", body: [1])
    let error = try await withClient { core, client in
      await failure(of: request, with: client, isolation: core)
    }
    #expect(error?.cause == .tls)
    #expect(error?.isNotSent == true)
  }

  @Test func aCloseBeforeTheAnswerIsUnknown() async throws {
    let error = try await Self.error { _ = $0.request() }
    #expect(error?.cause == .reset)
    #expect(error?.dispatch == .sent)
  }

  @Test func aResetBeforeTheAnswerIsUnknown() async throws {
    let error = try await Self.error { peer in
      _ = peer.request()
      peer.resetOnClose()
    }
    #expect(error?.cause == .reset)
    #expect(error?.dispatch == .sent)
  }

  @Test(arguments: [
    "H", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
  ])
  func everyCutIsNoticed(sent: String) async throws {
    let error = try await Self.error { peer in
      _ = peer.request()
      peer.write(sent)
    }
    #expect(error?.dispatch == .sent)
    #expect([.cut, .reset, .malformed].contains(error?.cause))
  }

  @Test(arguments: ["garbage\r\n\r\n", "SSH-2.0-x\r\n", "<html>\n</html>\n"])
  func garbageIsMalformed(text: String) async throws {
    let error = try await Self.error { peer in
      _ = peer.request()
      peer.write(text)
    }
    #expect(error?.cause == .malformed)
    #expect(error?.dispatch == .sent)
  }

  @Test func silenceEndsByTheFirstByteLimit() async throws {
    let limits = HTTPLimits(firstByte: .milliseconds(80))
    let error = try await Self.error(limits) { peer in
      _ = peer.request()
      _ = peer.isClosedByClient(within: 5)
    }
    #expect(error == HTTPClientError(.firstByteTimeout, .sent))
  }

  @Test func aStallEndsByTheIdleLimit() async throws {
    let limits = HTTPLimits(idle: .milliseconds(80))
    let error = try await Self.error(limits) { peer in
      _ = peer.request()
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
      _ = peer.isClosedByClient(within: 5)
    }
    #expect(error == HTTPClientError(.idleTimeout, .sent))
  }

  @Test func aTrickleEndsByTheTotalLimit() async throws {
    let limits = HTTPLimits(idle: .milliseconds(500), total: .milliseconds(200))
    let error = try await Self.error(limits) { peer in
      _ = peer.request()
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
      while peer.write("x") { Thread.sleep(forTimeInterval: 0.02) }
    }
    #expect(error == HTTPClientError(.totalTimeout, .sent))
  }

  @Test func anUnansweredConnectEndsByTheConnectLimit() async throws {
    // TLS waits for the server's hello, which belongs to connecting.
    let server = LoopbackServer { peer in _ = peer.isClosedByClient(within: 5) }
    defer { server.stop() }
    let request = HTTPRequest(
      .post, "https://127.0.0.1:\(server.port)", body: [1],
      limits: HTTPLimits(connect: .milliseconds(100)))
    let error = try await withClient { core, client in
      await failure(of: request, with: client, isolation: core)
    }
    #expect(error?.cause == .connectTimeout)
    #expect(error?.isNotSent == true)
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n",
  ])
  func aLargeAnswerIsRefused(head: String) async throws {
    let limits = HTTPLimits(responseBytesMax: 1000)
    let error = try await Self.error(limits) { peer in
      _ = peer.request()
      peer.write(head + String(repeating: "x", count: 2000))
      _ = peer.isClosedByClient(within: 5)
    }
    #expect(error?.cause == .tooLarge)
  }

  @Test func hugeHeadersAreRefused() async throws {
    let error = try await Self.error { peer in
      _ = peer.request()
      peer.write("HTTP/1.1 200 OK\r\n")
      for _ in 0..<100 { peer.write("X-A: \(String(repeating: "x", count: 1000))\r\n") }
      peer.write("Content-Length: 0\r\n\r\n")
      _ = peer.isClosedByClient(within: 5)
    }
    #expect(error?.cause == .tooLarge)
  }

  /// A kept connection that dies under the second request: curl must not send it again by itself.
  @Test func aRequestIsNeverSentTwice() async throws {
    let requests = Mutex(0)
    let server = LoopbackServer { peer in
      var isFirst = true
      while peer.request() != nil {
        requests.withLock { $0 += 1 }
        guard isFirst else { return }
        isFirst = false
        peer.answer("first")
      }
    }
    defer { server.stop() }
    let request = HTTPRequest(.post, server.url, body: [1, 2, 3])
    let error = try await withClient { core, client in
      _ = try await client.send(request)
      return await failure(of: request, with: client, isolation: core)
    }
    #expect(error?.dispatch == .sent)
    #expect(error?.cause == .reset)
    #expect(requests.withLock { $0 } == 2)
  }

  @Test func aCancelledTaskClosesTheConnection() async throws {
    let gone = Mutex(false)
    let (arrived, arrive) = AsyncStream<Void>.makeStream()
    let (ended, end) = AsyncStream<Void>.makeStream()
    let server = LoopbackServer { peer in
      _ = peer.request()
      arrive.yield()
      let isGone = peer.isClosedByClient(within: 5)
      gone.withLock { $0 = isGone }
      end.yield()
    }
    defer { server.stop() }
    let request = HTTPRequest(.post, server.url, body: [1])
    let error = try await withClient { core, client in
      let bound = LoopBound(client, on: client.reactor)
      return await withTaskGroup(of: HTTPClientError?.self) { group in
        group.addTask { await failure(of: request, with: bound.value, isolation: core) }
        for await _ in arrived { break }
        group.cancelAll()
        return await group.next() ?? nil
      }
    }
    #expect(error == HTTPClientError(.cancelled, .sent))
    for await _ in ended { break }
    #expect(gone.withLock { $0 })
  }

  @Test func aClosedClientRefuses() async throws {
    let error = try await withClient { core, client in
      client.close()
      return await failure(
        of: HTTPRequest(.get, "http://127.0.0.1:1"), with: client, isolation: core)
    }
    #expect(error == HTTPClientError(.closed, .notSent))
  }
}
