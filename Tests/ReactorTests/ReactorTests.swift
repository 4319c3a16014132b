import Glibc
import Reactor
import Synchronization
import Testing

/// Runs a body beside a reactor of its own.
private func withReactor<R>(
  _ limits: ReactorLimits = ReactorLimits(), _ body: (Reactor) async throws -> R
) async throws -> R {
  let reactor = try Reactor(name: "test", limits: limits)
  reactor.start()
  do {
    let result = try await body(reactor)
    reactor.stop()
    return result
  } catch {
    reactor.stop()
    throw error
  }
}

/// What happened, in order, from any thread.
private final class Log: Sendable {
  private let lines = Mutex<[String]>([])
  func add(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}

@Suite struct ExecutorTests {
  @Test func aTaskStaysOnTheLoopHoweverItSuspends() async throws {
    try await withReactor { reactor in
      let before = reactor.counters.foreignEnqueues
      try await reactor.run { core in
        for _ in 0..<50 {
          try await core.reactor.sleep(for: .zero)
          core.reactor.preconditionOnLoop()
          await Task.yield()
          core.reactor.preconditionOnLoop()
        }
        async let child: Void = onLoop(core.reactor)
        await child
        await withTaskGroup(of: Void.self) { group in
          for _ in 0..<10 { group.addTask { await onLoop(core.reactor) } }
        }
        core.reactor.preconditionOnLoop()
      }
      // One to begin; the end resumes the caller, elsewhere.
      #expect(reactor.counters.foreignEnqueues - before == 1)
      #expect(reactor.counters.jobs > 100)
    }
  }

  @Test func bodiesFromOneThreadRunInOrder() async throws {
    try await withReactor { reactor in
      let seen = Mutex<[Int]>([])
      for number in 0..<5000 { reactor.execute { seen.withLock { $0.append(number) } } }
      try await reactor.run { _ in }
      #expect(seen.withLock { $0 } == Array(0..<5000))
    }
  }

  @Test func whatIsQueuedAtTheStopStillRuns() async throws {
    let reactor = try Reactor(name: "test")
    reactor.start()
    let count = Atomic<Int>(0)
    for _ in 0..<3000 { reactor.execute { count.add(1, ordering: .relaxed) } }
    reactor.stop()
    reactor.stop()
    #expect(count.load(ordering: .relaxed) == 3000)
    reactor.execute { Issue.record("ran after the stop") }
  }

  @Test func aSleeperIsWokenByCancellation() async throws {
    try await withReactor { reactor in
      let task = Task {
        try await reactor.run { core in try await core.reactor.sleep(for: .seconds(3600)) }
      }
      try await Task.sleep(for: .milliseconds(20))
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  @Test func jobsBeyondTheTickWaitForTheNext() async throws {
    var limits = ReactorLimits()
    limits.jobsPerTick = 4
    try await withReactor(limits) { reactor in
      let log = Log()
      try await reactor.run { core in
        for number in 0..<10 { core.reactor.execute { log.add("\(number)") } }
        let ticks = core.reactor.counters.ticks
        while log.all.count < 10 { try await core.reactor.sleep(for: .zero) }
        #expect(core.reactor.counters.ticks - ticks >= 2)
      }
      #expect(log.all == (0..<10).map { "\($0)" })
    }
  }
}

private func onLoop(_ reactor: Reactor) async {
  reactor.preconditionOnLoop()
  await Task.yield()
  reactor.preconditionOnLoop()
}

@Suite struct TimerTests {
  @Test func timersFireInOrderAndNeverEarly() async throws {
    try await withReactor { reactor in
      let log = Log()
      let begin = reactor.now
      reactor.execute {
        for milliseconds in [30, 10, 20, 0] {
          reactor.schedule(after: .milliseconds(milliseconds)) {
            #expect(reactor.now - begin >= .milliseconds(milliseconds))
            log.add("\(milliseconds)")
          }
        }
      }
      for _ in 0..<500 where log.all.count < 4 { try await Task.sleep(for: .milliseconds(2)) }
      #expect(log.all == ["0", "10", "20", "30"])
    }
  }

  @Test func manyCancelledTimersLeaveTheRest() async throws {
    try await withReactor { reactor in
      let log = Log()
      reactor.execute {
        let timers = (0..<1000).map { number in
          reactor.schedule(after: .milliseconds(5)) { log.add("\(number)") }
        }
        for (number, timer) in timers.enumerated() where number % 100 != 7 {
          reactor.cancel(timer)
        }
      }
      for _ in 0..<500 where log.all.count < 10 { try await Task.sleep(for: .milliseconds(2)) }
      #expect(log.all == (0..<10).map { "\($0 * 100 + 7)" })
    }
  }
}

/// One end of a socket pair that calls a body when it is ready.
private final class Watcher: ReadinessHandler {
  let descriptor: Int32
  var registration: Registration?
  let body: (Watcher, Readiness) -> Void

  init(_ descriptor: Int32, _ body: @escaping (Watcher, Readiness) -> Void) {
    self.descriptor = descriptor
    self.body = body
  }

  func ready(_ readiness: Readiness) { body(self, readiness) }
}

private final class Flusher: Flushable {
  let body: (Flusher) -> Void
  init(_ body: @escaping (Flusher) -> Void) { self.body = body }
  func flush() { body(self) }
}

@Suite struct ReadinessTests {
  /// Two connected pairs, all ends ready to read; the first told ends the other's registration.
  @Test func aHandlerMayEndTheRegistrationOfALaterOne() async throws {
    try await withReactor { reactor in
      let log = Log()
      try await reactor.run { core in
        var watchers: [Watcher] = []
        for number in 0..<2 {
          let (near, far) = pair()
          _ = unsafe write(far, "x", 1)
          let watcher = Watcher(near) { _, _ in
            log.add("told")
            for other in watchers {
              if let registration = other.registration { core.reactor.deregister(registration) }
              other.registration = nil
            }
          }
          watcher.registration = try core.reactor.register(near, for: .read, handler: watcher)
          watchers.append(watcher)
          _ = number
        }
        try await core.reactor.sleep(for: .milliseconds(20))
      }
      #expect(log.all == ["told"])
    }
  }

  @Test func aDescriptorThatWasClosedAndReusedIsNotLost() async throws {
    try await withReactor { reactor in
      let log = Log()
      try await reactor.run { core in
        let (near, far) = pair()
        let old = try core.reactor.register(
          near, for: .read, handler: Watcher(near) { _, _ in log.add("old") })
        let (fresh, other) = pair()
        // Closes what had the number and gives the number to the new one.
        let again = dup2(fresh, near)
        #expect(again == near)
        close(fresh)
        close(far)
        let registration = try core.reactor.register(
          again, for: .read,
          handler: Watcher(again) { watcher, _ in
            var byte: UInt8 = 0
            _ = unsafe read(watcher.descriptor, &byte, 1)
            log.add("new")
          })
        core.reactor.deregister(old)
        _ = unsafe write(other, "x", 1)
        try await core.reactor.sleep(for: .milliseconds(20))
        core.reactor.deregister(registration)
        close(again)
        close(other)
      }
      #expect(log.all == ["new"])
    }
  }

  @Test func interestChangesWhatIsTold() async throws {
    try await withReactor { reactor in
      let log = Log()
      try await reactor.run { core in
        let (near, far) = pair()
        let registration = try core.reactor.register(
          near, for: [],
          handler: Watcher(near) { _, readiness in
            log.add(readiness.contains(.write) ? "write" : "hangup")
          })
        try await core.reactor.sleep(for: .milliseconds(5))
        #expect(log.all.isEmpty)
        core.reactor.setInterest(.write, of: registration)
        try await core.reactor.sleep(for: .milliseconds(5))
        #expect(log.all.first == "write")
        core.reactor.setInterest([], of: registration)
        close(far)
        try await core.reactor.sleep(for: .milliseconds(5))
        #expect(log.all.last == "hangup")
        core.reactor.deregister(registration)
        close(near)
        #expect(throws: ReactorError.cannotWatch(errno: EBADF)) {
          try core.reactor.register(near, for: .read, handler: Watcher(near) { _, _ in })
        }
      }
    }
  }

  @Test func whatQueuesItselfInAFlushIsFlushedInTheNextTick() async throws {
    try await withReactor { reactor in
      let log = Log()
      reactor.execute {
        var left = 3
        let flusher = Flusher { flusher in
          log.add("flush")
          left -= 1
          if left > 0 { reactor.flushAtTickEnd(flusher) }
        }
        reactor.flushAtTickEnd(flusher)
      }
      for _ in 0..<500 where log.all.count < 3 { try await Task.sleep(for: .milliseconds(2)) }
      #expect(log.all.count == 3)
    }
  }

}

private func pair() -> (Int32, Int32) {
  var ends: [Int32] = [0, 0]
  let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
  precondition(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
  return (ends[0], ends[1])
}

@Suite struct HopTests {
  /// Jobs that a hundred calls of `body` cost.
  private func jobs(
    _ body: @escaping @Sendable (isolated Core) async throws -> Void
  ) async throws -> Int {
    try await withReactor { reactor in
      try await reactor.run { core in
        try await core.reactor.sleep(for: .zero)
        let before = core.reactor.counters.jobs
        for _ in 0..<100 { try await body(core) }
        try await core.reactor.sleep(for: .zero)
        return Int(core.reactor.counters.jobs - before)
      }
    }
  }

  /// Awaiting helpers that inherit the isolation costs nothing, in any build.
  @Test func awaitingWithinTheCoreEnqueuesNothing() async throws {
    let none = try await jobs { _ in }
    #expect(try await jobs { _ in await plain() } == none)
    #expect(try await jobs { _ in try await throwing() } == none)
    #expect(try await jobs { core in await entered(core) } == none)
    #expect(try await jobs { _ in await continued() } == none)
  }
}

private func plain() async {}
private func throwing() async throws {}
private func entered(_ core: isolated Core) async {}
private func continued() async {
  unsafe await withUnsafeContinuation { (waiter: UnsafeContinuation<Void, Never>) in
    unsafe waiter.resume()
  }
}
