import Testing

@testable import Postgres

@Suite struct ExchangeTests {
  private let rows = Rows(count: 0, columns: 0, bytes: [], starts: [], lengths: [])
  private let conflict = PostgresError.server(.deadlockDetected)

  /// Feeds events; the last step.
  private func feed(
    _ progress: inout ExchangeProgress, _ events: [PGHandle.Event]
  ) -> ExchangeProgress.Step {
    var last = ExchangeProgress.Step.wait
    for event in events { last = progress.receive(event) }
    return last
  }

  @Test func aTransactionAndWhatFollows() {
    var progress = ExchangeProgress([
      .control, .prepare("s"), .rows, .control, .sync, .rows, .sync,
    ])
    let end = feed(
      &progress,
      [
        .done, .end, .done, .end, .rows(rows), .end, .done, .end, .sync, .rows(rows), .end, .sync,
      ])
    #expect(end == .finished)
    #expect(progress.results.count == 2)
    for result in progress.results { #expect((try? result.get())?.count == 1) }
  }

  @Test func anErrorSkipsTheRestOfItsSegmentAlone() {
    var progress = ExchangeProgress([.control, .rows, .control, .sync, .rows, .sync])
    let end = feed(
      &progress,
      [
        .done, .end, .failed(.deadlockDetected), .end, .aborted, .end, .sync, .rows(rows), .end,
        .sync,
      ])
    #expect(end == .finished)
    guard case .failure(let error) = progress.results[0] else {
      Issue.record("no error")
      return
    }
    #expect(error == conflict)
    guard case .success = progress.results[1] else {
      Issue.record("the second segment failed")
      return
    }
  }

  @Test func aStatementThatWasNotPreparedIsForgotten() {
    var refused = ExchangeProgress([.prepare("s"), .rows, .sync])
    #expect(feed(&refused, [.failed(SQLState("42601")), .end]) == .unprepared("s"))
    var skipped = ExchangeProgress([.control, .prepare("s"), .rows, .sync])
    #expect(
      feed(&skipped, [.failed(.deadlockDetected), .end, .aborted, .end]) == .unprepared("s"))
  }

  @Test func whatWasNotAskedForEndsTheConnection() {
    for events: [PGHandle.Event] in [
      [.sync], [.rows(rows)], [.end], [.failed(SQLState("57P01"))],
      [.done, .end, .rows(rows), .end, .end, .end],
    ] {
      var progress = ExchangeProgress([.control, .rows, .sync])
      #expect(feed(&progress, events) == .lost, "\(events)")
    }
    var finished = ExchangeProgress([.sync])
    #expect(feed(&finished, [.sync, .sync]) == .lost)
  }
}
