/// A two-way stream of bytes on a reactor: plain TCP here, TLS under the same interface.
///
/// Output is pulled: after `requestWrite` the stream asks its owner, once at the end of the tick,
/// for bytes, so that everything a tick says leaves in one write; and it asks for no more while the
/// peer does not read.
///
/// - Isolation: its reactor's thread.
public protocol ByteStream: AnyObject {
  /// Who is told; set it before `start`.
  var owner: (any ByteStreamOwner)? { get set }
  /// The other end, for logs.
  var peer: String { get }
  /// Begins to read.
  ///
  /// - Throws: the reactor cannot watch one more descriptor; the stream is closed.
  func start() throws(TransportError)
  /// Asks for `ByteStreamOwner.fill` at the end of this tick.
  func requestWrite()
  /// Sends what the owner still has, then half-closes, then closes when the peer does.
  func finish()
  /// Closes now; `ByteStreamOwner.closed` is not called.
  func abort()
}

/// The protocol above a byte stream.
public protocol ByteStreamOwner: AnyObject {
  /// Bytes came; they are lent for the call.
  func received(_ bytes: borrowing Span<UInt8>)
  /// The peer will send no more.
  func receivedEnd()
  /// Append what is to be sent, up to about `limit` bytes in all; nothing if there is nothing.
  func fill(_ output: inout [UInt8], limit: Int)
  /// The stream is gone; nothing is called after this. No error after an orderly end.
  func closed(_ error: TransportError?)
}

/// One read buffer for all streams of a reactor: what was read is used up before the next read.
public final class ReadBuffer {
  var bytes: [UInt8]

  /// A buffer of this many bytes.
  public init(bytes count: Int) { bytes = [UInt8](repeating: 0, count: count) }
}
