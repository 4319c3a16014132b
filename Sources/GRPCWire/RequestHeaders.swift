/// What the headers of a request say, checked.
///
/// Feed it each header in order with `take`, then ask for the `verdict`.
///
/// - Isolation: none; a value.
/// - Source: gRPC over HTTP/2, "Request-Headers".
public struct RequestHeaders: ~Copyable {
  /// What the server does with the request.
  public enum Verdict: Sendable, Equatable {
    /// A gRPC call.
    case call
    /// Not gRPC: answered with this HTTP status, without a body.
    case http(status: Int)
    /// gRPC that cannot be served: answered with this status.
    case refused(StatusCode, String)
  }

  /// The custom metadata: neither pseudo-headers nor those that gRPC itself owns.
  public private(set) var metadata = Metadata()
  /// How long the caller waits; nil without a limit.
  public private(set) var timeout: Duration?

  private var isPost = false
  private var contentType = ContentType.absent
  private var isTimeoutMalformed = false
  private var hasUnknownEncoding = false
  private var hasTransferTrailers = true

  private enum ContentType { case absent, grpc, other }

  /// No header yet.
  public init() {}

  /// Takes one header; `:path` is the caller's business.
  public mutating func take(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) {
    guard name.count > 0 else { return }
    if name[0] == UInt8(ascii: ":") {
      if name.equals(":method") { isPost = value.equals("POST") }
    } else if name.equals("content-type") {
      contentType = Self.isGRPC(value) ? .grpc : .other
    } else if name.equals("te") {
      hasTransferTrailers = value.equals("trailers")
    } else if name.starts(with: "grpc-") && takeReserved(name, value) {
      return
    } else {
      metadata.add(wireName: name, wireValue: value)
    }
  }

  private mutating func takeReserved(
    _ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>
  ) -> Bool {
    if name.equals("grpc-timeout") {
      timeout = Timeout.parse(value)
      isTimeoutMalformed = timeout == nil
    } else if name.equals("grpc-encoding") {
      hasUnknownEncoding = !value.equals("identity")
    } else if !name.equals("grpc-accept-encoding") && !name.equals("grpc-message-type") {
      return false
    }
    return true
  }

  /// What to do, once every header was taken. A missing `te` is tolerated, as other servers do.
  public var verdict: Verdict {
    guard contentType == .grpc else { return .http(status: 415) }
    guard isPost else { return .http(status: 405) }
    if !hasTransferTrailers { return .refused(.internalError, "te must be trailers") }
    if isTimeoutMalformed { return .refused(.invalidArgument, "grpc-timeout is malformed") }
    if hasUnknownEncoding {
      return .refused(.unimplemented, "the message encoding is not supported")
    }
    return .call
  }

  /// `application/grpc`, alone or as `+proto`, with parameters or without.
  private static func isGRPC(_ value: borrowing Span<UInt8>) -> Bool {
    guard value.starts(with: "application/grpc") else { return false }
    var end = 16
    if value.count > end, value[end] == UInt8(ascii: "+") {
      guard value.starts(with: "application/grpc+proto") else { return false }
      end = 22
    }
    return value.count == end || value[end] == UInt8(ascii: ";") || value[end] == 0x20
  }
}

extension Span<UInt8> {
  /// Whether these are exactly the bytes of `text`.
  func equals(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && starts(with: text)
  }

  /// Whether these begin with the bytes of `text`.
  func starts(with text: StaticString) -> Bool {
    guard count >= text.utf8CodeUnitCount else { return false }
    // Pointer use: a StaticString shows its bytes only so; they live as long as the program.
    let bytes = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    for index in 0..<text.utf8CodeUnitCount where unsafe self[index] != bytes[index] {
      return false
    }
    return true
  }
}
