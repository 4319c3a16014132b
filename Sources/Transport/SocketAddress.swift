import Glibc

/// An IP address with a port.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
  /// The address family.
  private enum Family: Sendable, Hashable { case v4, v6 }

  private let family: Family
  /// The literal, without brackets.
  public let host: String
  /// The port; 0 lets the system choose.
  public let port: UInt16

  /// An IPv4 or IPv6 literal with a port.
  ///
  /// - Throws: `.badAddress` for anything else; names are not resolved here.
  public init(host: String, port: UInt16) throws(TransportError) {
    var v4 = in_addr()
    var v6 = in6_addr()
    if unsafe inet_pton(AF_INET, host, &v4) == 1 {
      family = .v4
    } else if unsafe inet_pton(AF_INET6, host, &v6) == 1 {
      family = .v6
    } else {
      throw TransportError(.badAddress)
    }
    self.host = host
    self.port = port
  }

  private init(family: Family, host: String, port: UInt16) {
    self.family = family
    self.host = host
    self.port = port
  }

  /// `127.0.0.1:50051` or `[::1]:50051`.
  public var description: String {
    switch family {
    case .v4: "\(host):\(port)"
    case .v6: "[\(host)]:\(port)"
    }
  }

  var domain: Int32 {
    switch family {
    case .v4: AF_INET
    case .v6: AF_INET6
    }
  }

  /// Lends the address as C wants it.
  func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    // Pointer use: sockets take a generic `sockaddr`, which is a view of the concrete struct.
    switch family {
    case .v4:
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      _ = unsafe inet_pton(AF_INET, host, &address.sin_addr)
      return unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    case .v6:
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      _ = unsafe inet_pton(AF_INET6, host, &address.sin6_addr)
      return unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
    }
  }

  /// The address that `query` (getsockname, getpeername, accept) writes; nil if it fails or is of
  /// another family.
  static func read(
    _ query: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  ) -> (result: Int32, address: SocketAddress?) {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe query($0, &length) }
    }
    guard result >= 0 else { return (result, nil) }
    return (result, SocketAddress(storage))
  }

  private init?(_ storage: sockaddr_storage) {
    var storage = storage
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let family = Int32(storage.ss_family)
    let port: UInt16? = unsafe withUnsafePointer(to: &storage) { pointer in
      switch family {
      case AF_INET:
        unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
          var raw = unsafe address.pointee.sin_addr
          _ = unsafe inet_ntop(AF_INET, &raw, &text, socklen_t(INET6_ADDRSTRLEN))
          return unsafe UInt16(bigEndian: address.pointee.sin_port)
        }
      case AF_INET6:
        unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
          var raw = unsafe address.pointee.sin6_addr
          _ = unsafe inet_ntop(AF_INET6, &raw, &text, socklen_t(INET6_ADDRSTRLEN))
          return unsafe UInt16(bigEndian: address.pointee.sin6_port)
        }
      default: nil
      }
    }
    guard let port else { return nil }
    let host = String(
      decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    self.init(family: family == AF_INET ? .v4 : .v6, host: host, port: port)
  }
}
