import DequeModule
import Synchronization

/// What waits to run on the loop.
enum Work {
  case job(UnownedJob)
  case body(@Sendable () -> Void)
}

/// What other threads hand to the loop, in order.
final class Inbox: Sendable {
  private struct State: ~Copyable {
    var work = Deque<Work>()
    var isClosed = false
  }

  private let state = Mutex(State())

  /// - Returns: whether the loop must be woken: it was empty before.
  func append(_ work: consuming sending Work) -> Bool {
    let box = TransferBox(work)
    return state.withLock { state in
      guard !state.isClosed else { return false }
      state.work.append(box.work)
      return state.work.count == 1
    }
  }

  /// Moves everything to the loop's own queue.
  func drain(into queue: inout Deque<Work>) {
    let taken = state.withLock { state in
      guard !state.work.isEmpty else { return TransferDeque(Deque<Work>()) }
      let work = state.work
      state.work = Deque()
      return TransferDeque(work)
    }
    queue.append(contentsOf: taken.work)
  }

  /// Whatever comes now will not run.
  func close() { state.withLock { $0.isClosed = true } }
}

/// Work crosses the lock by being handed over, never shared.
private struct TransferBox: @unchecked Sendable {
  let work: Work
  init(_ work: Work) { self.work = work }
}

private struct TransferDeque: @unchecked Sendable {
  let work: Deque<Work>
  init(_ work: Deque<Work>) { self.work = work }
}
