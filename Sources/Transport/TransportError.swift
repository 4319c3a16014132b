/// Why a listener or a byte stream failed.
public struct TransportError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of failure.
  public enum Code: Sendable, Equatable {
    /// The text is not an address.
    case badAddress
    /// The address is in use, or not ours.
    case cannotBind
    /// The peer closed or reset the connection, or the network lost it.
    case connectionLost
    /// The system refused a call.
    case system
  }

  /// The kind.
  public var code: Code
  /// The system's error number; 0 if there is none.
  public var errno: Int32

  /// A failure of this kind.
  public init(_ code: Code, errno: Int32 = 0) {
    self.code = code
    self.errno = errno
  }

  /// The kind and the number, which hold nothing of the caller's.
  public var description: String { "\(code) (errno \(errno))" }
}
