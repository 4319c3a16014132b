import Foundation
import HTTPClient
import Reactor
import Synchronization
import Testing

@Suite struct ExchangeTests {
  @Test func chunksComeAsTheyAreSent() async throws {
    let (asked, ask) = AsyncStream<Void>.makeStream()
    let go = DispatchSemaphore(value: 0)
    let server = LoopbackServer { peer in
      _ = peer.request()
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
      ask.yield()
      go.wait()
      peer.write("3\r\ntwo\r\n0\r\n\r\n")
    }
    defer { server.stop() }
    let url = server.url
    let chunks = try await withClient { _, client in
      let exchange = try await client.open(HTTPRequest(.get, url))
      var chunks = [exchange.head.status == 200 ? "head" : "wrong"]
      while let chunk = try await exchange.nextChunk() {
        chunks.append(String(decoding: chunk, as: UTF8.self))
        go.signal()
      }
      #expect(exchange.timings.total > .zero)
      #expect(try await exchange.nextChunk() == nil)
      return chunks
    }
    #expect(chunks == ["head", "one", "two"])
    for await _ in asked { break }
  }

  @Test func aCutKeepsWhatCameBefore() async throws {
    let server = LoopbackServer { peer in
      _ = peer.request()
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
    }
    defer { server.stop() }
    let url = server.url
    let (text, error) = try await withClient { _, client in
      let exchange = try await client.open(HTTPRequest(.get, url))
      var text = ""
      do throws(HTTPClientError) {
        while let chunk = try await exchange.nextChunk() {
          text += String(decoding: chunk, as: UTF8.self)
        }
        return (text, HTTPClientError?.none)
      } catch {
        return (text, error)
      }
    }
    #expect(text == "one")
    #expect(error?.cause == .cut)
  }

  /// With a reader that stopped, the server's writes must block long before the body's end.
  @Test func aSlowReaderStopsTheSender() async throws {
    let total = 64 << 20
    let written = Mutex(0)
    let server = LoopbackServer { peer in
      _ = peer.request()
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
      let piece = [UInt8](repeating: 0x78, count: 64 << 10)
      for _ in 0..<(total / piece.count) {
        guard peer.write(piece) else { return }
        written.withLock { $0 += piece.count }
      }
    }
    defer { server.stop() }
    let limits = HTTPLimits(idle: .milliseconds(100), responseBytesMax: total)
    let request = HTTPRequest(.get, server.url, limits: limits)
    let read = try await withClient { _, client in
      let exchange = try await client.open(request)
      var before = -1
      // Until the server is stuck, which outlasts the idle limit: the silence is the reader's.
      while written.withLock({ $0 }) != before {
        before = written.withLock { $0 }
        try await Task.sleep(for: .milliseconds(150))
      }
      #expect(before < 16 << 20, "sockets' buffers, not the body")
      var read = 0
      var largest = 0
      while let chunk = try await exchange.nextChunk() {
        read += chunk.count
        largest = max(largest, chunk.count)
      }
      #expect(largest <= limits.bufferedBytesMax + 64 << 10)
      return read
    }
    #expect(read == total)
  }

  @Test func cancellingClosesTheConnection() async throws {
    let (ended, end) = AsyncStream<Bool>.makeStream()
    let server = LoopbackServer { peer in
      _ = peer.request()
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
      end.yield(peer.isClosedByClient(within: 5))
    }
    defer { server.stop() }
    let url = server.url
    try await withClient { _, client in
      let exchange = try await client.open(HTTPRequest(.get, url))
      _ = try await exchange.nextChunk()
      exchange.cancel()
      #expect(client.transfersRunning == 0)
    }
    for await isGone in ended {
      #expect(isGone)
      break
    }
  }

  @Test func interimAnswersAreSkipped() async throws {
    let server = LoopbackServer { peer in
      _ = peer.request()
      peer.write("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
      peer.answer("final", headers: "X-A: 1\r\n")
    }
    defer { server.stop() }
    let url = server.url
    let response = try await withClient { _, client in
      try await client.send(HTTPRequest(.get, url))
    }
    #expect(response.status == 200)
    #expect(response.head.header("link") == nil)
    #expect(response.body == Array("final".utf8))
  }
}
