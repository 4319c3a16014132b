internal import DequeModule

/// The operations of one kind that wait for a connection.
protocol Lane: AnyObject {
  /// When the operation that waits longest arrived; nil when none waits.
  var oldest: ContinuousClock.Instant? { get }
  /// Takes a batch; `finished` is called when its fate is known.
  func take(finished: @escaping () -> Void) -> Exchange?
  /// Ends what has waited beyond its patience.
  func expire(_ now: ContinuousClock.Instant)
  /// Ends everything that waits.
  func failAll()
}

/// A queue of operations, and how a batch of them ends.
///
/// - Isolation: its reactor's thread.
/// - Limits: `waitingOperationsMax`, `batchOperationsMax`, `batchBytesMax`; a conflict is retried
///   `conflictRetriesMax` times.
final class BatchLane<Operation: BatchOperation>: Lane {
  private struct Entry {
    var operation: Operation
    let waiter: Waiter<Operation.Outcome>
    let arrived: ContinuousClock.Instant
    let deadline: ContinuousClock.Instant
    /// Its batch failed: it is tried without companions.
    var isAlone = false
    var isReduced = false
    var conflicts = 0
  }

  private let configuration: DatabaseConfiguration
  private let counters: BatchCounters
  private let now: () -> ContinuousClock.Instant
  private var waiting: Deque<Entry> = []
  private let conflictRetriesMax = 8

  init(
    _ configuration: DatabaseConfiguration, _ counters: BatchCounters,
    now: @escaping () -> ContinuousClock.Instant
  ) {
    self.configuration = configuration
    self.counters = counters
    self.now = now
  }

  var oldest: ContinuousClock.Instant? { waiting.first?.arrived }

  func add(
    _ operation: Operation,
    _ waiter: Waiter<Operation.Outcome>
  ) {
    guard waiting.count < configuration.waitingOperationsMax else {
      return waiter.resume(.failure(.overloaded))
    }
    let now = now()
    let deadline = now + (operation.patience ?? configuration.patience)
    waiting.append(
      Entry(
        operation: operation, waiter: waiter, arrived: now, deadline: deadline))
  }

  func take(finished: @escaping () -> Void) -> Exchange? {
    let batch = takeEntries()
    guard !batch.isEmpty else { return nil }
    let operations = batch.map { $0.operation }
    var segments = [
      Exchange.Segment(
        isTransaction: true,
        statements: [(Operation.statement, Operation.parameters(operations))])
    ]
    if let followUp = Operation.followUp {
      segments.append(
        Exchange.Segment(
          isTransaction: false,
          statements: [(followUp, Operation.followUpParameters(operations))]))
    }
    counters.batches += 1
    counters.operations += batch.count
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

  private func takeEntries() -> [Entry] {
    var batch: [Entry] = []
    var bytes = 0
    while let next = waiting.first, batch.count < configuration.batchOperationsMax {
      bytes += next.operation.weightBytes
      if !batch.isEmpty && (next.isAlone || bytes > configuration.batchBytesMax) { break }
      batch.append(waiting.removeFirst())
      if next.isAlone { break }
    }
    return batch
  }

  private func settle(_ batch: [Entry], _ outcome: Exchange.Outcome) {
    guard case .answered(let results) = outcome else {
      counters.lost += 1
      return putBack(batch)
    }
    switch results.first {
    case .success(let rows):
      let followUp = results.count > 1 ? results[1] : nil
      if case .failure(let error) = followUp { return refused(batch, error) }
      let outcomes = Operation.outcomes(
        batch.map { $0.operation }, rows[0], followUp: (try? followUp?.get())?.first)
      precondition(outcomes.count == batch.count, "\(outcomes.count) outcomes")
      for (entry, outcome) in zip(batch, outcomes) {
        entry.waiter.resume(.success(outcome))
      }
    case .failure(let error): refused(batch, error)
    case nil: putBack(batch)
    }
  }

  private func refused(_ batch: [Entry], _ error: PostgresError) {
    counters.refused += 1
    if error.isConflict, batch[0].conflicts < conflictRetriesMax {
      return putBack(batch) { $0.conflicts += 1 }
    }
    if batch.count > 1 { return putBack(batch) { $0.isAlone = true } }
    if error.isTransient { return batch[0].waiter.resume(.failure(.unavailable)) }
    if let reduced = batch[0].operation.reduced, !batch[0].isReduced {
      return putBack(batch) {
        $0.operation = reduced
        $0.isReduced = true
        $0.isAlone = true
      }
    }
    batch[0].waiter.resume(.failure(error))
  }

  private func putBack(_ batch: [Entry], _ change: (inout Entry) -> Void = { _ in }) {
    for var entry in batch.reversed() {
      change(&entry)
      waiting.prepend(entry)
    }
  }
}

/// What the batcher has done, for tests and metrics.
public struct BatchFigures: Sendable, Equatable {
  public var batches = 0
  public var operations = 0
  public var refused = 0
  public var lost = 0
}

final class BatchCounters {
  var figures = BatchFigures()
  var batches: Int {
    get { figures.batches }
    set { figures.batches = newValue }
  }
  var operations: Int {
    get { figures.operations }
    set { figures.operations = newValue }
  }
  var refused: Int {
    get { figures.refused }
    set { figures.refused = newValue }
  }
  var lost: Int {
    get { figures.lost }
    set { figures.lost = newValue }
  }
}
