/// The named limits of one HTTP/2 session. Bytes, unless said otherwise.
public struct HTTP2Limits: Sendable {
  /// Streams that the peer may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS).
  public var concurrentStreamsMax = 256
  /// What a peer may send on one stream before we have consumed any of it.
  public var streamWindowBytes = 256 * 1024
  /// What a peer may send on all streams together before we have consumed any of it.
  public var connectionWindowBytes = 1024 * 1024
  /// Names and values of one header block that are kept; beyond it the block counts as truncated.
  public var headerListBytesMax = 16 * 1024
  /// Stream resets that a peer may send at once, and per second after that.
  public var resetBurst = 1000
  public var resetsPerSecond = 33
  /// CONTINUATION frames after one HEADERS frame.
  public var continuationsMax = 8
  /// Entries in one SETTINGS frame.
  public var settingsMax = 32
  /// Acknowledgements (PING, SETTINGS) that wait to be sent; beyond it the session ends.
  public var outboundAcksMax = 1000
  /// Below this many unsent bytes a stream's body asks for more.
  public var bodyLowWaterBytes = 32 * 1024
  /// Spare body buffers kept for reuse, and the largest that is kept.
  public var spareBodiesMax = 64
  public var spareBodyBytesMax = 16 * 1024
  /// The largest event buffer kept for reuse.
  public var spareEventBytesMax = 256 * 1024

  /// The defaults.
  public init() {}
}
