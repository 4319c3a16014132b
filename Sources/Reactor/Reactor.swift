import DequeModule
import Synchronization

/// One event loop: a thread that owns descriptors, timers and the Swift tasks of one core.
///
/// A tick, in this order: wait · tell handlers of readiness · fire timers · run jobs · flush. Each
/// step is bounded (`ReactorLimits`), so that none starves another.
///
/// It is both a serial executor and a task executor: a task that is isolated to `core` and prefers
/// the reactor never leaves its thread, however often it suspends.
///
/// - Isolation: `execute`, `run`, `spawn`, `start`, `stop`, `counters` and `isOnLoop` from
///   anywhere; the rest on its thread, which each checks.
public final class Reactor: SerialExecutor, TaskExecutor, @unchecked Sendable {
  /// The thread's name, at most 15 bytes of it seen by the kernel.
  public let name: String
  private let limits: ReactorLimits
  private let cells = CounterCells()
  private let inbox = Inbox()
  private let thread = Mutex<LoopThread?>(nil)
  private let threadID = Atomic<UInt>(0)
  private let isStopping = Atomic<Bool>(false)

  // Made at the end of `init`, because it points back here.
  private var made: Core?
  // Of the loop's thread alone, but for `poller.wake`.
  private var poller: Poller
  private var handlers = HandlerTable()
  private var ready: [(token: UInt64, readiness: Readiness)] = []
  private var timers = TimerQueue()
  private var queue = Deque<Work>()
  private var flushes: [any Flushable] = []
  private var flushing: [any Flushable] = []

  /// A reactor that does not run yet.
  ///
  /// - Throws: `.cannotStart` without descriptors left.
  public init(name: String, limits: ReactorLimits = ReactorLimits()) throws(ReactorError) {
    self.name = name
    self.limits = limits
    poller = try Poller(eventsMax: limits.readinessPerTick)
    made = Core(self)
  }

  /// The actor of this reactor.
  public var core: Core { made! }

  public var counters: ReactorCounters { cells.snapshot }

  /// Starts the thread.
  ///
  /// - Precondition: it was not started before, and the system has a thread left.
  public func start() {
    thread.withLock { thread in
      precondition(thread == nil && !isStopping.load(ordering: .relaxed), "started once")
      do {
        thread = try LoopThread(name: name) { [self] in loop() }
      } catch {
        fatalError("no thread for a reactor: \(error)")
      }
    }
  }

  /// Ends the loop after the jobs that are queued, and joins the thread. Work that comes later does
  /// not run. Twice is harmless.
  public func stop() {
    precondition(!isOnLoop, "the loop cannot join itself")
    isStopping.store(true, ordering: .releasing)
    poller.wake()
    let thread = thread.withLock { $0.take() }
    thread?.join()
  }

  /// Whether this is the loop's thread.
  public var isOnLoop: Bool { threadID.load(ordering: .relaxed) == LoopThread.current }

  /// Traps off the loop's thread.
  public func preconditionOnLoop() {
    precondition(isOnLoop, "off the reactor's thread")
  }
}

// MARK: - The loop

extension Reactor {
  private func loop() {
    threadID.store(LoopThread.current, ordering: .relaxed)
    while !isStopping.load(ordering: .acquiring) { tick(mayWait: true) }
    for _ in 0..<limits.ticksAfterStop {
      tick(mayWait: false)
      if queue.isEmpty && flushes.isEmpty { break }
    }
    inbox.close()
  }

  private func tick(mayWait: Bool) {
    let begin = collectReadiness(timeout: mayWait ? timeout : .zero)
    inbox.drain(into: &queue)
    fireTimers(begin)
    let jobs = runJobs()
    flushAll()
    cells.tick(ContinuousClock.now - begin, jobs: jobs)
  }

  /// How long nothing has to be done.
  private var timeout: Duration? {
    guard queue.isEmpty && flushes.isEmpty else { return .zero }
    return timers.earliest.map { $0 - ContinuousClock.now }
  }

  /// - Returns: when the wait was over.
  private func collectReadiness(timeout: Duration?) -> ContinuousClock.Instant {
    poller.wait(timeout: timeout) { ready.append(($0, $1)) }
    let begin = ContinuousClock.now
    // Asked one by one: a handler may end the registration of a later one.
    for index in ready.indices {
      handlers.handler(ready[index].token)?.ready(ready[index].readiness)
    }
    ready.removeAll(keepingCapacity: true)
    return begin
  }

  private func fireTimers(_ now: ContinuousClock.Instant) {
    for _ in 0..<limits.timersPerTick {
      guard let body = timers.pop(now) else { return }
      body()
    }
  }

  private func runJobs() -> Int {
    var jobs = 0
    for _ in 0..<limits.jobsPerTick {
      guard let work = queue.popFirst() else { break }
      switch work {
      case .job(let job):
        jobs += 1
        unsafe job.runSynchronously(
          isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
      case .body(let body): body()
      }
    }
    return jobs
  }

  private func flushAll() {
    guard !flushes.isEmpty else { return }
    swap(&flushes, &flushing)
    for flushable in flushing { flushable.flush() }
    flushing.removeAll(keepingCapacity: true)
  }
}

// MARK: - What runs on the loop

extension Reactor {
  /// Runs a body on the loop, after what was handed over before. From any thread.
  public func execute(_ body: @escaping @Sendable () -> Void) { append(.body(body)) }

  /// Starts a task that is isolated to the core and never leaves the thread. From any thread.
  ///
  /// Nothing but its own code, and `cancel`, ends it: it may outlive the call that began it.
  @discardableResult
  public func spawn<R: Sendable>(
    _ body: @escaping @Sendable (isolated Core) async -> R
  ) -> Task<R, Never> {
    Task(executorPreference: self) { [core] in await body(core) }
  }

  /// Runs a body isolated to the core and gives back what it returns.
  public func run<R: Sendable>(
    _ body: @escaping @Sendable (isolated Core) async throws -> R
  ) async throws -> R {
    let task = Task(executorPreference: self) { [core] in try await body(core) }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  /// Suspends the calling task on the reactor's own timers.
  ///
  /// - Isolation: the core.
  /// - Throws: `CancellationError`, soon after the task was cancelled.
  public func sleep(for duration: Duration) async throws {
    preconditionOnLoop()
    try Task.checkCancellation()
    let alarm = LoopBound(Alarm(), on: self)
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        alarm.value.set(self, duration, continuation)
      }
    } onCancel: {
      let ring: @Sendable () -> Void = { alarm.value.ring() }
      if isOnLoop { ring() } else { execute(ring) }
    }
    try Task.checkCancellation()
  }

  public func enqueue(_ job: UnownedJob) {
    if !isOnLoop { cells.foreignEnqueues.add(1, ordering: .relaxed) }
    append(.job(job))
  }

  public func enqueue(_ job: consuming ExecutorJob) { enqueue(UnownedJob(job)) }

  private func append(_ work: Work) {
    if isOnLoop {
      queue.append(work)
    } else if inbox.append(work) {
      poller.wake()
    }
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    unsafe UnownedSerialExecutor(ordinary: self)
  }

  public func asUnownedTaskExecutor() -> UnownedTaskExecutor {
    unsafe UnownedTaskExecutor(ordinary: self)
  }

  public func checkIsolated() { preconditionOnLoop() }

  public func isIsolatingCurrentContext() -> Bool? { isOnLoop }
}

// MARK: - Descriptors, timers, flushes

extension Reactor {
  /// Tells a handler whenever a descriptor is ready for what it is interested in.
  ///
  /// - Throws: `.cannotWatch`.
  public func register(
    _ descriptor: Int32, for interest: Interest, handler: any ReadinessHandler
  ) throws(ReactorError) -> Registration {
    preconditionOnLoop()
    let registration = handlers.insert(descriptor, handler)
    do {
      try poller.watch(descriptor, interest, token: HandlerTable.token(registration))
    } catch {
      _ = handlers.remove(registration)
      throw error
    }
    return registration
  }

  /// Changes what a handler is interested in; nothing if the registration is over.
  public func setInterest(_ interest: Interest, of registration: Registration) {
    preconditionOnLoop()
    guard let descriptor = handlers.descriptor(registration) else { return }
    // A descriptor that was closed behind our back is told by nothing more.
    try? poller.watch(descriptor, interest, token: HandlerTable.token(registration))
  }

  /// Tells a handler no more; the descriptor stays open.
  public func deregister(_ registration: Registration) {
    preconditionOnLoop()
    if let descriptor = handlers.remove(registration) { poller.unwatch(descriptor) }
  }

  /// Runs a body once, no earlier than after a time.
  @discardableResult
  public func schedule(after delay: Duration, _ body: @escaping () -> Void) -> TimerID {
    preconditionOnLoop()
    return timers.insert(ContinuousClock.now + delay, body)
  }

  /// Cancels a timer; nothing if it has fired.
  public func cancel(_ timer: TimerID) {
    preconditionOnLoop()
    timers.cancel(timer)
  }

  /// Calls `flush` at the end of this tick, as often as it was asked for.
  public func flushAtTickEnd(_ flushable: any Flushable) {
    preconditionOnLoop()
    flushes.append(flushable)
  }

  /// The clock that deadlines are on.
  public var now: ContinuousClock.Instant { ContinuousClock.now }
}

/// One sleeper.
private final class Alarm {
  private var continuation: CheckedContinuation<Void, Never>?
  private var timer: (Reactor, TimerID)?
  private var hasRung = false

  func set(
    _ reactor: Reactor, _ duration: Duration, _ continuation: CheckedContinuation<Void, Never>
  ) {
    // Cancelled between the check and here.
    guard !hasRung else { return continuation.resume() }
    self.continuation = continuation
    timer = (reactor, reactor.schedule(after: duration) { [self] in ring() })
  }

  func ring() {
    hasRung = true
    if let (reactor, id) = timer { reactor.cancel(id) }
    timer = nil
    continuation.take()?.resume()
  }
}
