public import HTTP2
public import Transport

/// The named limits of a gRPC server. Bytes, unless said otherwise.
public struct GRPCServerLimits: Sendable {
  /// The largest message that is taken: 4 MiB of content, and what surrounds it.
  public var messageBytesMax = 4 * 1024 * 1024 + 64 * 1024
  /// Request bytes that one connection's unfinished calls hold together; the call that passes it
  /// fails.
  public var requestBytesPerConnectionMax = 32 * 1024 * 1024
  /// Unsent response bytes of one call above which `ServerCall.write` waits.
  public var responseHighWaterBytes = 64 * 1024
  /// Connections on all reactors together; more are closed as they come.
  public var connectionsMax = 10_000
  /// From accept to the whole HTTP/2 preface.
  public var prefaceTimeout = Duration.seconds(10)
  /// From our last byte to the peer's close.
  public var lingerTimeout = Duration.seconds(2)
  /// From the shutdown notice to the final GOAWAY if no PING answer comes.
  public var shutdownNoticeTimeout = Duration.seconds(1)
  /// A deadline further off than this needs no timer.
  public var deadlineTimerMax = Duration.seconds(24 * 3600)
  /// Each connection's protocol.
  public var http2 = HTTP2Limits()
  /// Each connection's bytes.
  public var transport = TransportLimits()

  /// The defaults.
  public init() {}
}
