import CLinux
import Glibc

/// Every system call on sockets that this module makes, behind one type that owns a descriptor.
public struct Socket: ~Copyable, Sendable {
  /// The descriptor, for registration.
  public let descriptor: Int32

  /// Takes over an open, non-blocking descriptor.
  public init(owning descriptor: Int32) { self.descriptor = descriptor }

  deinit { _ = Glibc.close(descriptor) }

  /// Gives the descriptor away; the receiver closes it.
  public consuming func release() -> Int32 {
    let descriptor = descriptor
    discard self
    return descriptor
  }

  /// What a read or write came to.
  enum Progress {
    case bytes(Int)
    case wouldBlock
    case failed(Int32)
  }

  static func listening(
    on address: SocketAddress, backlog: Int32
  ) throws(TransportError) -> Socket {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = Glibc.socket(address.domain, type, 0)
    guard descriptor >= 0 else { throw TransportError(.system, errno: errno) }
    let socket = Socket(owning: descriptor)
    socket.set(SOL_SOCKET, SO_REUSEADDR)
    let bound = unsafe address.withSockaddr { unsafe Glibc.bind(descriptor, $0, $1) }
    guard bound == 0 else { throw TransportError(.cannotBind, errno: errno) }
    guard Glibc.listen(descriptor, backlog) == 0 else {
      throw TransportError(.cannotBind, errno: errno)
    }
    return socket
  }

  var boundAddress: SocketAddress? {
    unsafe SocketAddress.read { unsafe Glibc.getsockname(descriptor, $0, $1) }.address
  }

  /// One waiting connection, made non-blocking; its number is negative if there is none, with
  /// errno set.
  func accept() -> (descriptor: Int32, peer: SocketAddress?) {
    let (accepted, peer) = unsafe SocketAddress.read {
      unsafe recount_accept(descriptor, $0, $1)
    }
    return (accepted, peer)
  }

  /// Sends small writes at once (no Nagle).
  func setNoDelay() { set(Int32(IPPROTO_TCP), TCP_NODELAY) }

  private func set(_ level: Int32, _ option: Int32) {
    var on: Int32 = 1
    _ = unsafe setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  func read(into buffer: inout [UInt8]) -> Progress {
    progress(unsafe Glibc.recv(descriptor, &buffer, buffer.count, 0))
  }

  func write(_ bytes: [UInt8], from offset: Int) -> Progress {
    progress(
      unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.send(
          descriptor, buffer.baseAddress! + offset, buffer.count - offset,
          Int32(MSG_NOSIGNAL))
      })
  }

  /// Tells the peer that no more comes; reading goes on.
  func shutdownWrite() { _ = Glibc.shutdown(descriptor, Int32(SHUT_WR)) }

  private func progress(_ result: Int) -> Progress {
    if result >= 0 { return .bytes(result) }
    let code = errno
    return code == EAGAIN || code == EINTR ? .wouldBlock : .failed(code)
  }
}
