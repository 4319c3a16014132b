/// The named limits of a reactor.
public struct ReactorLimits: Sendable {
  /// Descriptors whose readiness one tick takes from the kernel, at most 256; the rest come with
  /// the next.
  public var readinessPerTick = 256
  /// Jobs that one tick runs; the rest wait for the next, after a look at the descriptors.
  public var jobsPerTick = 1024
  /// Timers that one tick fires.
  public var timersPerTick = 1024
  /// Ticks that `stop` still makes for jobs that are queued already.
  public var ticksAfterStop = 64

  /// The defaults.
  public init() {}
}
