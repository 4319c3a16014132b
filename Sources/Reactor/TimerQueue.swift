import HeapModule

/// Timers by deadline. A cancelled one keeps its place in the heap until its time, or until more
/// than half of the heap is such.
struct TimerQueue {
  private struct Entry: Comparable {
    let deadline: ContinuousClock.Instant
    let number: UInt64

    static func < (a: Entry, b: Entry) -> Bool {
      a.deadline == b.deadline ? a.number < b.number : a.deadline < b.deadline
    }
  }

  private var heap = Heap<Entry>()
  private var bodies: [UInt64: () -> Void] = [:]
  private var last: UInt64 = 0

  var count: Int { bodies.count }
  var earliest: ContinuousClock.Instant? { heap.min?.deadline }

  mutating func insert(
    _ deadline: ContinuousClock.Instant, _ body: @escaping () -> Void
  ) -> TimerID {
    last += 1
    heap.insert(Entry(deadline: deadline, number: last))
    bodies[last] = body
    return TimerID(number: last)
  }

  mutating func cancel(_ timer: TimerID) {
    guard bodies.removeValue(forKey: timer.number) != nil else { return }
    guard heap.count > 64, heap.count > 2 * bodies.count else { return }
    heap = Heap(heap.unordered.filter { bodies[$0.number] != nil })
  }

  /// The next body whose time has come; nil if there is none.
  mutating func pop(_ now: ContinuousClock.Instant) -> (() -> Void)? {
    while let first = heap.min, first.deadline <= now {
      heap.removeMin()
      if let body = bodies.removeValue(forKey: first.number) { return body }
    }
    return nil
  }
}
