/// The named limits of byte streams and listeners. Bytes, unless said otherwise.
public struct TransportLimits: Sendable {
  /// The kernel's queue of connections that were not accepted yet.
  public var backlog: Int32 = 1024
  /// Connections accepted at one readiness; the rest wait for the next tick.
  public var acceptsPerTick = 64
  /// What one read takes at most; a stream reads once per tick, so that none starves the others.
  public var readBytes = 64 * 1024
  /// What one write gathers.
  public var writeBytes = 64 * 1024
  /// Full writes of one stream in one tick.
  public var writesPerTick = 8
  /// How long the listener rests when the process has no descriptor left.
  public var acceptPause = Duration.milliseconds(100)

  /// The defaults.
  public init() {}
}
