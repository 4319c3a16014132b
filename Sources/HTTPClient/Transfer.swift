import Reactor

/// One transfer at a time: an easy handle, what it received, and who waits for it.
///
/// - States: idle (in the client's pool) → running → ended → idle. A waiter exists only while
///   running.
/// - Isolation: its client's reactor.
/// - Ownership: owns its easy handle; the inbox lives as long.
@safe final class Transfer {
  /// What a waiter waits for; each includes the end.
  enum Goal { case head, chunk, end }

  let inbox: TransferInbox
  var easy: EasyHandle
  private(set) var goal = Goal.end
  private var waiter: UnsafeContinuation<Void, Never>?
  var limits = HTTPLimits()
  /// Set when the transfer has ended.
  var outcome: Result<HTTPTimings, HTTPClientError>?
  /// Whether curl has been told to begin.
  var isStarted = false
  var startedAt: ContinuousClock.Instant
  var activeAt: ContinuousClock.Instant
  var timer: TimerID?

  init?(multiInbox: MultiInbox, caFile: String?, now: ContinuousClock.Instant) {
    inbox = TransferInbox(touched: multiInbox)
    guard let easy = EasyHandle(inbox: inbox, multiInbox: multiInbox, caFile: caFile) else {
      return nil
    }
    self.easy = easy
    inbox.id = self.easy.id
    startedAt = now
    activeAt = now
  }

  var id: Int { inbox.id }
  var hasEnded: Bool { outcome != nil }
  /// The request has begun to leave and nothing has come back.
  var hasOnlySent: Bool { hasSent && inbox.status == 0 }
  /// Before curl has begun, its figure is still that of the handle's last transfer.
  var hasSent: Bool { isStarted && easy.sentBytes > 0 }

  func reached(_ goal: Goal) -> Bool {
    if hasEnded { return true }
    return switch goal {
    case .head: inbox.isHeadComplete
    case .chunk: !inbox.received.isEmpty
    case .end: false
    }
  }

  /// Suspends until `goal` is reached. Why `unsafe`: a checked continuation costs a third more on
  /// each call; this one is resumed exactly once, by `wake`, which the end of a transfer reaches.
  func wait(for goal: Goal) async {
    if reached(goal) { return }
    unsafe precondition(waiter == nil, "a transfer has one reader")
    unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      // Suspending may have taken a turn of the loop.
      if reached(goal) { return unsafe continuation.resume() }
      self.goal = goal
      unsafe waiter = continuation
    }
  }

  /// Resumes the waiter if its goal is reached.
  func wake() {
    guard let waiter = unsafe waiter, reached(goal) else { return }
    unsafe self.waiter = nil
    unsafe waiter.resume()
  }

  /// The cause if a limit has passed, else how long until the next one can.
  func overdue(at now: ContinuousClock.Instant) -> (HTTPClientError.Cause?, next: Duration) {
    let totalLeft = now.duration(to: startedAt + limits.total)
    if totalLeft <= .zero { return (.totalTimeout, .zero) }
    if inbox.status == 0 {
      let left = now.duration(to: startedAt + limits.firstByte)
      // Not later than the idle limit, which counts from the first byte.
      return left <= .zero
        ? (.firstByteTimeout, .zero) : (nil, min(left, totalLeft, limits.idle))
    }
    // While the reader is slow, the silence is ours.
    if inbox.isPaused { activeAt = now }
    let left = now.duration(to: activeAt + limits.idle)
    return left <= .zero ? (.idleTimeout, .zero) : (nil, min(left, totalLeft))
  }
}
