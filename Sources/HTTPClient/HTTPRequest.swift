/// One header field.
///
/// - Shape: `name` is compared without regard to case; neither may hold CR, LF or NUL.
public struct HTTPHeader: Sendable, Hashable {
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// A secret for the `Authorization` header, which prints as nothing.
///
/// The bytes leave it only into curl's header list.
public struct HTTPCredential: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  let headerLine: String

  /// `Authorization: Bearer <token>`; nil if the token is empty or not visible ASCII.
  public init?(bearer token: [UInt8]) {
    guard !token.isEmpty, token.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
    headerLine = "Authorization: Bearer " + String(decoding: token, as: UTF8.self)
  }

  public var description: String { "HTTPCredential(hidden)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A request to an `http` or `https` URL.
public struct HTTPRequest: Sendable {
  public var method: Method
  /// Absolute, without user or password.
  public var url: String
  /// Without `Authorization`, `Host`, `Content-Length`, `Expect` and `Transfer-Encoding`: those
  /// are the client's.
  public var headers: [HTTPHeader]
  /// Sent as the one `Authorization` header.
  public var credential: HTTPCredential?
  /// Empty for GET.
  public var body: [UInt8]
  public var limits: HTTPLimits

  public enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
  }

  public init(
    _ method: Method, _ url: String, headers: [HTTPHeader] = [],
    credential: HTTPCredential? = nil, body: [UInt8] = [], limits: HTTPLimits = HTTPLimits()
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.credential = credential
    self.body = body
    self.limits = limits
  }
}

/// How long a transfer may take and how much it may bring.
public struct HTTPLimits: Sendable, Hashable {
  /// Name, TCP and TLS together.
  public var connect: Duration
  /// From the start until the first byte of the answer.
  public var firstByte: Duration
  /// Between two arrivals of bytes.
  public var idle: Duration
  /// From the start to the end.
  public var total: Duration
  /// Bytes of the answer's body, inclusive.
  public var responseBytesMax: Int
  /// Bytes that wait for a reader of ``HTTPExchange`` before the connection is read no further.
  public var bufferedBytesMax: Int

  /// Bytes of all header lines of an answer, inclusive.
  public static let headerBytesMax = 64 << 10

  public init(
    connect: Duration = .seconds(10), firstByte: Duration = .seconds(30),
    idle: Duration = .seconds(30), total: Duration = .seconds(600),
    responseBytesMax: Int = 16 << 20, bufferedBytesMax: Int = 256 << 10
  ) {
    self.connect = connect
    self.firstByte = firstByte
    self.idle = idle
    self.total = total
    self.responseBytesMax = responseBytesMax
    self.bufferedBytesMax = bufferedBytesMax
  }
}
