/// Which handler serves which path. One for each reactor, made on its loop.
///
/// - Shape: a path is `/package.Service/Method`. Looking one up neither allocates nor copies.
/// - Isolation: its reactor's core; handlers may capture that core's objects.
public struct Router {
  /// Answers one request with one message.
  public typealias UnaryHandler =
    (_ request: [UInt8], _ call: ServerCall) async throws(RPCError) -> [UInt8]
  /// Answers one request with messages that it writes to the call.
  public typealias ServerStreamHandler =
    (_ request: [UInt8], _ call: ServerCall) async throws(RPCError) -> Void

  final class Route {
    enum Handler {
      case unary(UnaryHandler)
      case serverStream(ServerStreamHandler)
    }

    let path: String
    let handler: Handler

    init(_ path: String, _ handler: Handler) {
      self.path = path
      self.handler = handler
    }
  }

  private var routes: [UInt64: [Route]] = [:]

  /// Serves nothing: every path is UNIMPLEMENTED.
  public init() {}

  /// Serves a path with one message.
  ///
  /// - Precondition: the path is served once.
  public mutating func unary(_ path: String, _ handler: @escaping UnaryHandler) {
    add(Route(path, .unary(handler)))
  }

  /// Serves a path with a stream of messages.
  ///
  /// - Precondition: the path is served once.
  public mutating func serverStream(_ path: String, _ handler: @escaping ServerStreamHandler) {
    add(Route(path, .serverStream(handler)))
  }

  private mutating func add(_ route: Route) {
    let path = Array(route.path.utf8)
    precondition(self.route(path.span) == nil, "\(route.path) is served twice")
    routes[Self.hash(path.span), default: []].append(route)
  }

  func route(_ path: borrowing Span<UInt8>) -> Route? {
    guard let candidates = routes[Self.hash(path)] else { return nil }
    for route in candidates where Self.equal(route.path.utf8, path) { return route }
    return nil
  }

  /// FNV-1a. A collision costs a comparison, and only our own paths are in the table.
  private static func hash(_ path: borrowing Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in 0..<path.count { hash = (hash ^ UInt64(path[index])) &* 0x100_0000_01b3 }
    return hash
  }

  private static func equal(_ text: String.UTF8View, _ path: borrowing Span<UInt8>) -> Bool {
    guard text.count == path.count else { return false }
    var index = 0
    for byte in text {
      guard byte == path[index] else { return false }
      index += 1
    }
    return true
  }
}
