/// What a connection sends in one flush: segments, each ended by a sync, each with its own fate.
struct Exchange {
  /// Statements up to one sync. In a transaction they commit together or not at all.
  struct Segment {
    var isTransaction: Bool
    var statements: [(Statement, Parameters)]
  }

  var segments: [Segment]
  /// Called once, on the loop, after the last sync came back or the connection was lost.
  var completion: (Outcome) -> Void

  enum Outcome {
    /// One result per segment.
    case answered([Result<[Rows], PostgresError>])
    /// Nobody knows what was done; the same operations may be sent again on another connection.
    case lost
  }
}

/// Follows the answers to one exchange.
///
/// - States: a queue of what must still come, in the order in which it was sent.
/// - Wrong: an answer that was not asked for means that the connection is unusable (`.lost`).
struct ExchangeProgress {
  enum Expected {
    /// A statement was prepared under this name.
    case prepare(String)
    /// BEGIN or COMMIT.
    case control
    case rows
    case sync
  }

  enum Step: Equatable {
    case wait
    /// The statement of that name could not be prepared.
    case unprepared(String)
    case finished
    case lost
  }

  private var expected: [Expected]
  private var position = 0
  /// Whether the statement at `position` has given its result and only its end is missing.
  private var hasAnswered = false
  private var separators = 0
  private var rows: [Rows] = []
  private var failure: PostgresError?
  private(set) var results: [Result<[Rows], PostgresError>] = []

  init(_ expected: [Expected]) { self.expected = expected }

  mutating func receive(_ event: PGHandle.Event) -> Step {
    guard position < expected.count else { return .lost }
    switch (expected[position], event) {
    case (.sync, .sync):
      results.append(failure.map { .failure($0) } ?? .success(rows))
      rows = []
      failure = nil
      separators = 0
      position += 1
      return position == expected.count ? .finished : .wait
    case (.sync, .end):
      // libpq has none left to give although a sync is missing: once may be a separator.
      separators += 1
      return separators > 1 ? .lost : .wait
    case (.sync, _):
      return .lost
    case (let item, .end):
      guard hasAnswered else { return .lost }
      hasAnswered = false
      position += 1
      if case .prepare(let name) = item, failure != nil { return .unprepared(name) }
      return .wait
    case (_, .failed(let state)):
      if state.isConnectionLost { return .lost }
      failure = failure ?? .server(state)
      hasAnswered = true
      return .wait
    case (_, .aborted):
      hasAnswered = true
      return .wait
    case (.rows, .rows(let answer)):
      rows.append(answer)
      hasAnswered = true
      return .wait
    case (.rows, .done):
      rows.append(Rows(count: 0, columns: 0, bytes: [], starts: [], lengths: []))
      hasAnswered = true
      return .wait
    case (.prepare, .done), (.control, .done):
      hasAnswered = true
      return .wait
    case (_, .sync), (.prepare, .rows), (.control, .rows):
      return .lost
    }
  }
}
