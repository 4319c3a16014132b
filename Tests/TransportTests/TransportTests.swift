import Reactor
import Synchronization
import Testing
import Transport

/// Echoes what it receives, at most `limit` bytes held; ends when the peer does.
private final class Echo: ByteStreamOwner {
  let stream: TCPStream
  var pending: [UInt8] = []
  let log: Log

  init(_ stream: TCPStream, _ log: Log) {
    self.stream = stream
    self.log = log
  }

  func received(_ bytes: borrowing Span<UInt8>) {
    for index in 0..<bytes.count { pending.append(bytes[index]) }
    stream.requestWrite()
  }

  func receivedEnd() { stream.finish() }

  func fill(_ output: inout [UInt8], limit: Int) {
    let count = min(limit, pending.count)
    if count > 0 { log.fills.add(1, ordering: .relaxed) }
    output += pending[0..<count]
    pending.removeFirst(count)
  }

  func closed(_ error: TransportError?) {
    log.owner.withLock { $0 = nil }
    log.closed.add(1, ordering: .relaxed)
    if error != nil { log.errors.add(1, ordering: .relaxed) }
  }
}

private final class Log: Sendable {
  let fills = Atomic<Int>(0)
  let closed = Atomic<Int>(0)
  let errors = Atomic<Int>(0)
  let owner = Mutex<LoopBound<Echo>?>(nil)

  func waitUntilClosed(_ count: Int) async throws {
    for _ in 0..<500 where closed.load(ordering: .relaxed) < count {
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(closed.load(ordering: .relaxed) == count)
  }
}

@Suite struct TransportTests {
  /// An echo server on its own reactor.
  private func withEcho(_ body: (UInt16, Log) async throws -> Void) async throws {
    let reactor = try Reactor(name: "transport-test")
    reactor.start()
    defer { reactor.stop() }
    let log = Log()
    let port = try await reactor.run { _ in
      let readBuffer = ReadBuffer(bytes: 4096)
      let address = try SocketAddress(host: "127.0.0.1", port: 0)
      let listener = try Listener(address, on: reactor) { socket, peer in
        let stream = TCPStream(
          socket, peer: peer, reactor: reactor, readBuffer: readBuffer, limits: .init())
        let echo = Echo(stream, log)
        log.owner.withLock { $0 = LoopBound(echo, on: reactor) }
        stream.owner = echo
        try? stream.start()
      }
      return listener.address.port
    }
    try await body(port, log)
  }

  @Test func echoesAndEndsInOrder() async throws {
    try await withEcho { port, log in
      #expect(port != 0)
      do {
        let client = RawSocket(port: port)
        client.send(Array("hello".utf8))
        #expect(client.receive(5) == Array("hello".utf8))
        client.send(Array("bye".utf8))
        client.endWriting()
        #expect(client.receive(100) == Array("bye".utf8), "half close loses nothing")
      }
      try await log.waitUntilClosed(1)
      #expect(log.errors.load(ordering: .relaxed) == 0)
    }
  }

  @Test func largeOutputWaitsForTheReader() async throws {
    try await withEcho { port, log in
      let client = RawSocket(port: port)
      let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      // Sent in parts, so that neither side's kernel buffers can hold it all unread.
      var received: [UInt8] = []
      for start in stride(from: 0, to: bytes.count, by: 200_000) {
        client.send(Array(bytes[start..<start + 200_000]))
        received += client.receive(100_000)
      }
      received += client.receive(bytes.count - received.count)
      #expect(received == bytes)
    }
  }

  @Test func aVanishedPeerIsTold() async throws {
    try await withEcho { port, log in
      do {
        let client = RawSocket(port: port)
        client.send([1])
        #expect(client.receive(1) == [1])
      }
      try await log.waitUntilClosed(1)
    }
  }

  @Test func addresses() throws {
    #expect(try SocketAddress(host: "127.0.0.1", port: 80).description == "127.0.0.1:80")
    #expect(try SocketAddress(host: "::1", port: 80).description == "[::1]:80")
    #expect(throws: TransportError(.badAddress)) {
      try SocketAddress(host: "localhost", port: 80)
    }
  }

  @Test func aTakenPortIsRefused() async throws {
    try await withEcho { port, _ in
      let reactor = try Reactor(name: "transport-second")
      reactor.start()
      defer { reactor.stop() }
      await #expect(throws: TransportError.self) {
        try await reactor.run { _ in
          let address = try SocketAddress(host: "127.0.0.1", port: port)
          _ = try Listener(address, on: reactor) { _, _ in }
        }
      }
    }
  }
}
