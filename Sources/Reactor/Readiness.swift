/// What a handler wants to be told of a descriptor.
public struct Interest: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let read = Interest(rawValue: 1)
  public static let write = Interest(rawValue: 2)
}

/// What a descriptor is ready for. Hang-ups and errors come unasked.
public struct Readiness: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let read = Readiness(rawValue: 1)
  public static let write = Readiness(rawValue: 2)
  public static let hangup = Readiness(rawValue: 4)
  public static let error = Readiness(rawValue: 8)
}

/// Is told when its descriptor is ready, level-triggered: again in each tick until that is dealt
/// with.
///
/// - Isolation: the reactor's thread. Registering and deregistering within is safe, its own
///   descriptor and others.
public protocol ReadinessHandler: AnyObject {
  func ready(_ readiness: Readiness)
}

/// Has something to do once at the end of the tick, such as one write for all that was said in it.
///
/// - Isolation: the reactor's thread. What queues itself again within is flushed in the next tick,
///   which begins without waiting.
public protocol Flushable: AnyObject {
  func flush()
}

/// A watched descriptor. It does not own it: close it after `Reactor.deregister`.
public struct Registration: Sendable, Equatable {
  let slot: Int32
  let generation: UInt32
}

/// A timer that was scheduled.
public struct TimerID: Sendable, Hashable {
  let number: UInt64
}
