import Foundation
import Synchronization

/// A server on 127.0.0.1 whose every connection is a test's closure on a thread of its own.
///
/// Why `unsafe`: it works on sockets, to cut and reset at any byte; each pointer is a local value
/// or an array, borrowed for one system call.
final class LoopbackServer: Sendable {
  let port: UInt16
  private let descriptor: Int32
  private let accepted = Mutex(0)

  /// Connections accepted so far.
  var connections: Int { accepted.withLock { $0 } }
  var url: String { "http://127.0.0.1:\(port)" }

  init(_ serve: @escaping @Sendable (Peer) -> Void) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0
          && getsockname(descriptor, $0, &length) == 0
      }
    }
    precondition(isBound, "no port on 127.0.0.1")
    port = UInt16(bigEndian: address.sin_port)
    self.descriptor = descriptor
    Thread { [self] in
      while true {
        let client = accept(descriptor, nil, nil)
        guard client >= 0 else { return }
        accepted.withLock { $0 += 1 }
        Thread { serve(Peer(descriptor: client)) }.start()
      }
    }.start()
  }

  /// Ends the listening; open connections go on.
  func stop() {
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }
}

/// One accepted connection; closed with its last reference.
final class Peer: Sendable {
  private let descriptor: Int32
  private let buffer = Mutex<[UInt8]>([])

  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  struct Request: Sendable {
    var lines: [String]
    var body: [UInt8]
  }

  /// The next request with a `Content-Length`, or nil at the end of the connection.
  func request() -> Request? {
    while true {
      if let request = buffer.withLock({ Peer.take(from: &$0) }) { return request }
      guard let bytes = read(), !bytes.isEmpty else { return nil }
      buffer.withLock { $0 += bytes }
    }
  }

  private static func take(from buffer: inout [UInt8]) -> Request? {
    guard let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
    let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
    let lines = head.split(separator: "\r\n").map(String.init)
    let length = lines.first { $0.lowercased().hasPrefix("content-length:") }
    let count = length.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
    guard buffer.count >= end.upperBound + count else { return nil }
    let body = Array(buffer[end.upperBound..<(end.upperBound + count)])
    buffer.removeSubrange(..<(end.upperBound + count))
    return Request(lines: lines, body: body)
  }

  /// Bytes as they come; nil after an error.
  func read() -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
    return count < 0 ? nil : Array(bytes[..<count])
  }

  @discardableResult
  func write(_ text: String) -> Bool { write(Array(text.utf8)) }

  /// Blocks until all is written; false when the client is gone.
  @discardableResult
  func write(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes[sent...].withUnsafeBytes {
        unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return false }
      sent += count
    }
    return true
  }

  func answer(_ body: String, status: String = "200 OK", headers: String = "") {
    write("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
  }

  /// Makes the closing a reset.
  func resetOnClose() {
    var option = linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
  }

  /// Waits until the client has closed; false after `seconds`.
  func isClosedByClient(within seconds: Double) -> Bool {
    let end = Date(timeIntervalSinceNow: seconds)
    while Date() < end {
      var byte: UInt8 = 0
      let count = unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
      if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
      Thread.sleep(forTimeInterval: 0.005)
    }
    return false
  }
}
