/// The status line and the headers of an answer.
public struct HTTPResponseHead: Sendable, Hashable {
  public var status: Int
  /// In the order in which they came.
  public var headers: [HTTPHeader]

  public init(status: Int, headers: [HTTPHeader]) {
    self.status = status
    self.headers = headers
  }

  /// The first value of that name, whatever its case.
  public func header(_ name: String) -> String? {
    let wanted = name.lowercased()
    return headers.first { $0.name.lowercased() == wanted }?.value
  }
}

/// A whole answer.
public struct HTTPResponse: Sendable {
  public var head: HTTPResponseHead
  public var body: [UInt8]
  public var timings: HTTPTimings

  public var status: Int { head.status }

  public init(head: HTTPResponseHead, body: [UInt8], timings: HTTPTimings) {
    self.head = head
    self.body = body
    self.timings = timings
  }
}

/// When each phase of a transfer ended, counted from its start; zero if it was not needed.
public struct HTTPTimings: Sendable, Hashable {
  /// The name was resolved.
  public var resolved: Duration
  /// TCP stood.
  public var connected: Duration
  /// TLS stood.
  public var secured: Duration
  /// The request began to leave.
  public var dispatched: Duration
  /// The first byte of the answer came.
  public var firstByte: Duration
  /// The transfer ended.
  public var total: Duration
  /// Whether an open connection was used again.
  public var reusedConnection: Bool

  public static let none = HTTPTimings(
    resolved: .zero, connected: .zero, secured: .zero, dispatched: .zero, firstByte: .zero,
    total: .zero, reusedConnection: false)
}
