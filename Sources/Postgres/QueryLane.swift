internal import DequeModule

/// Single statements that wait for a connection; each has its own sync, several share a flush.
///
/// - Isolation: its reactor's thread.
/// - Limits: `waitingOperationsMax`, `queriesPerFlushMax`.
final class QueryLane: Lane {
  private struct Entry {
    let statement: Statement
    let parameters: Parameters
    let waiter: Waiter<Rows>
    let arrived: ContinuousClock.Instant
    let deadline: ContinuousClock.Instant
    var conflicts = 0
  }

  private let configuration: DatabaseConfiguration
  private let now: () -> ContinuousClock.Instant
  private var waiting: Deque<Entry> = []
  private let conflictRetriesMax = 8

  init(_ configuration: DatabaseConfiguration, now: @escaping () -> ContinuousClock.Instant) {
    self.configuration = configuration
    self.now = now
  }

  var oldest: ContinuousClock.Instant? { waiting.first?.arrived }

  func add(
    _ statement: Statement, _ parameters: Parameters, _ patience: Duration?,
    _ waiter: Waiter<Rows>
  ) {
    guard waiting.count < configuration.waitingOperationsMax else {
      return waiter.resume(.failure(.overloaded))
    }
    let now = now()
    waiting.append(
      Entry(
        statement: statement, parameters: parameters, waiter: waiter, arrived: now,
        deadline: now + (patience ?? configuration.patience)))
  }

  func take(finished: @escaping () -> Void) -> Exchange? {
    var batch: [Entry] = []
    while batch.count < configuration.queriesPerFlushMax, let next = waiting.popFirst() {
      batch.append(next)
    }
    guard !batch.isEmpty else { return nil }
    let segments = batch.map {
      Exchange.Segment(isTransaction: false, statements: [($0.statement, $0.parameters)])
    }
    return Exchange(segments: segments) { [self] outcome in
      settle(batch, outcome)
      finished()
    }
  }

  func expire(_ now: ContinuousClock.Instant) {
    guard waiting.contains(where: { $0.deadline <= now }) else { return }
    var kept: Deque<Entry> = []
    for entry in waiting {
      if entry.deadline <= now {
        entry.waiter.resume(.failure(.unavailable))
      } else {
        kept.append(entry)
      }
    }
    waiting = kept
  }

  func failAll() {
    let all = waiting
    waiting = []
    for entry in all { entry.waiter.resume(.failure(.unavailable)) }
  }

  private func settle(_ batch: [Entry], _ outcome: Exchange.Outcome) {
    guard case .answered(let results) = outcome else {
      for entry in batch.reversed() { waiting.prepend(entry) }
      return
    }
    for (var entry, result) in zip(batch, results) {
      switch result {
      case .success(let rows):
        entry.waiter.resume(.success(rows[0]))
      case .failure(let error) where error.isConflict && entry.conflicts < conflictRetriesMax:
        entry.conflicts += 1
        waiting.append(entry)
      case .failure(let error):
        entry.waiter.resume(.failure(error))
      }
    }
  }
}
