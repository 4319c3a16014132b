import Synchronization

/// What a reactor has done since its start.
public struct ReactorCounters: Sendable, Equatable {
  public var ticks: UInt64
  /// Swift jobs that it ran.
  public var jobs: UInt64
  /// Swift jobs that came from another thread. A call on an accepted connection causes none.
  public var foreignEnqueues: UInt64
  /// Time in ticks, waiting not included.
  public var busy: Duration
  /// The longest tick: one slow handler shows here.
  public var longestTick: Duration
}

/// The counters' storage; one thread writes, any reads.
final class CounterCells: Sendable {
  let ticks = Atomic<UInt64>(0)
  let jobs = Atomic<UInt64>(0)
  let foreignEnqueues = Atomic<UInt64>(0)
  let busyNanoseconds = Atomic<Int64>(0)
  let longestNanoseconds = Atomic<Int64>(0)

  func tick(_ duration: Duration, jobs count: Int) {
    let (seconds, attoseconds) = duration.components
    let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    ticks.add(1, ordering: .relaxed)
    jobs.add(UInt64(count), ordering: .relaxed)
    busyNanoseconds.add(nanoseconds, ordering: .relaxed)
    longestNanoseconds.max(nanoseconds, ordering: .relaxed)
  }

  var snapshot: ReactorCounters {
    ReactorCounters(
      ticks: ticks.load(ordering: .relaxed), jobs: jobs.load(ordering: .relaxed),
      foreignEnqueues: foreignEnqueues.load(ordering: .relaxed),
      busy: .nanoseconds(busyNanoseconds.load(ordering: .relaxed)),
      longestTick: .nanoseconds(longestNanoseconds.load(ordering: .relaxed)))
  }
}
