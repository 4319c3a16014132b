import Glibc

/// A TCP socket whose calls block its thread; closed when the last reference goes.
///
/// The simulator must send half a header, cut, and reset, so it works on the socket itself; a
/// thread for each connection keeps a blocked write a blocked write, which is what a slow
/// reader's back-pressure looks like to a relay. This file is the simulator's only use of
/// pointers: each is a local variable or an array borrowed for one system call.
final class BlockingSocket: Sendable {
  private let descriptor: Int32

  private init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// A failed system call: its name and `errno`.
  struct Failure: Error, CustomStringConvertible {
    var call: String
    var code: Int32
    var description: String { "\(call) failed with errno \(code)" }
  }

  /// A listener on 127.0.0.1; port 0 lets the system choose.
  static func listen(port: UInt16) throws(Failure) -> (socket: BlockingSocket, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
    guard descriptor >= 0 else { throw Failure(call: "socket", code: errno) }
    let made = BlockingSocket(descriptor: descriptor)
    made.setOption(SOL_SOCKET, SO_REUSEADDR, Int32(1))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, length)
      }
    }
    guard bound == 0 else { throw Failure(call: "bind", code: errno) }
    guard Glibc.listen(descriptor, backlog) == 0 else {
      throw Failure(call: "listen", code: errno)
    }
    let named = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getsockname(descriptor, $0, &length)
      }
    }
    guard named == 0 else { throw Failure(call: "getsockname", code: errno) }
    return (made, UInt16(bigEndian: address.sin_port))
  }

  /// Connections that the kernel may queue before they are accepted.
  private static let backlog: Int32 = 4096

  /// The next connection, with TCP_NODELAY; nil when none could be taken just now.
  func accept() -> BlockingSocket? {
    let descriptor = Glibc.accept(self.descriptor, nil, nil)
    guard descriptor >= 0 else { return nil }
    let made = BlockingSocket(descriptor: descriptor)
    made.setOption(Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
    return made
  }

  /// Up to `count` bytes; empty at the end of the stream or after an error.
  func read(atMost count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      var received = -1
      repeat {
        received = unsafe recv(descriptor, buffer.baseAddress, count, 0)
      } while received < 0 && errno == EINTR
      filled = max(received, 0)
    }
  }

  /// Writes all of it; false when the peer is gone.
  func write(_ bytes: ArraySlice<UInt8>) -> Bool {
    unsafe bytes.withUnsafeBytes { buffer in
      var written = 0
      while written < buffer.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
        let sent = unsafe send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
        if sent < 0 {
          if errno == EINTR { continue }
          return false
        }
        written += sent
      }
      return true
    }
  }

  /// Whether the peer has closed or reset, so that no answer can reach it.
  var isPeerGone: Bool {
    var byte: UInt8 = 0
    let flags = Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)
    let received = unsafe recv(descriptor, &byte, 1, flags)
    return received == 0 || (received < 0 && errno != EAGAIN && errno != EINTR)
  }

  /// Makes the closing a reset (RST) instead of an orderly end (FIN).
  func resetOnClose() {
    setOption(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
  }

  /// An option that the kernel does not know here is no reason to stop: results are not needed.
  private func setOption<Value: BitwiseCopyable>(_ level: Int32, _ name: Int32, _ value: Value) {
    var value = value
    _ = unsafe setsockopt(
      descriptor, level, name, &value, socklen_t(MemoryLayout<Value>.size))
  }
}
