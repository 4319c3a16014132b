internal import Reactor

/// One connection in pipeline mode on a reactor, which reconnects by itself.
///
/// - States: down (a timer runs) → connecting → settingUp → idle ⇄ busy; any of them → down.
/// - Isolation: its reactor's thread.
/// - Wrong: a lost connection ends the exchange under way as `.lost` and is opened again after a
///   backoff. What the server refuses is the exchange's own affair.
final class Connection: ReadinessHandler {
  private enum State {
    case down, connecting, settingUp, idle, busy, closed
  }

  private let reactor: Reactor
  private let configuration: DatabaseConfiguration
  /// Called when the connection turns idle, or is lost.
  private let changed: () -> Void

  private var state = State.down
  private var wire: Wire?
  private var registration: Registration?
  private var progress: ExchangeProgress?
  private var completion: ((Exchange.Outcome) -> Void)?
  private var timer: TimerID?
  private var failures = 0
  private(set) var opened = 0

  init(
    _ reactor: Reactor, _ configuration: DatabaseConfiguration, changed: @escaping () -> Void
  ) {
    self.reactor = reactor
    self.configuration = configuration
    self.changed = changed
  }

  var isIdle: Bool { state == .idle }
  var isUp: Bool { state == .idle || state == .busy }

  func open() {
    guard state == .down else { return }
    timer = nil
    guard let wire = Wire(configuration.conninfo) else { return lose() }
    self.wire = wire
    state = .connecting
    startTimer(configuration.connectTimeout)
    // libpq: behave as if the first poll had asked to write.
    step(.wantsWrite)
  }

  /// Ends for good; an exchange under way is lost.
  func close() {
    lose()
    if let timer { reactor.cancel(timer) }
    timer = nil
    state = .closed
  }

  /// Sends an exchange. The connection must be idle.
  func run(_ exchange: Exchange) {
    precondition(state == .idle && !exchange.segments.isEmpty)
    state = .busy
    completion = exchange.completion
    guard let wire else { return lose() }
    var expected: [ExchangeProgress.Expected] = []
    var isSent = true
    for segment in exchange.segments {
      isSent = isSent && wire.send(segment, &expected)
    }
    begin(expected, isSent: isSent)
  }

  private func begin(_ expected: [ExchangeProgress.Expected], isSent: Bool) {
    progress = ExchangeProgress(expected)
    startTimer(configuration.exchangeTimeout)
    guard isSent else { return lose() }
    flush()
  }

  func ready(_ readiness: Readiness) {
    switch state {
    case .connecting:
      guard let wire else { return }
      step(wire.handle.pollConnect())
    case .settingUp, .busy, .idle:
      receive()
      if wire != nil { flush() }
    case .down, .closed:
      break
    }
  }

  private func step(_ step: PGHandle.ConnectStep) {
    switch step {
    case .wantsRead: watch(.read)
    case .wantsWrite: watch(.write)
    case .failed: lose()
    case .connected: setUp()
    }
  }

  /// Durability and the limits of a session. Plans: every statement of ours finds its rows by
  /// index; a plan made while the tables were small must not scan them when they have grown, and a
  /// plan for each call would cost more than the call.
  private func setUp() {
    guard let wire, wire.handle.enterPipeline() else { return lose() }
    state = .settingUp
    let settings = [
      ("synchronous_commit", "on"),
      ("statement_timeout", "\(configuration.statementTimeoutMilliseconds)"),
      ("lock_timeout", "\(configuration.lockTimeoutMilliseconds)"),
      ("idle_in_transaction_session_timeout", "\(configuration.statementTimeoutMilliseconds)"),
      ("client_min_messages", "error"), ("jit", "off"),
      ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"),
      ("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("TimeZone", "UTC"),
    ]
    let sql = settings.map { "set_config('\($0.0)', '\($0.1)', false)" }.joined(separator: ", ")
    let isSent = wire.handle.send("SELECT \(sql)") && wire.handle.sendSync()
    begin([.rows, .sync], isSent: isSent)
  }

  private func flush() {
    guard let wire else { return }
    switch wire.handle.flush() {
    case .done: watch(.read)
    case .wantsWrite: watch([.read, .write])
    case .failed: lose()
    }
  }

  private func receive() {
    guard let wire else { return }
    guard wire.handle.consumeInput() else { return lose() }
    guard var progress else {
      // Idle: the server has ended the session, or sent what concerns nobody.
      while !wire.handle.isBusy {
        guard case .end = wire.handle.nextResult() else { return lose() }
        if wire.handle.isFailed { lose() }
        return
      }
      return
    }
    while !wire.handle.isBusy {
      switch progress.receive(wire.handle.nextResult()) {
      case .wait: continue
      case .unprepared(let name): wire.prepared.remove(name)
      case .lost: return lose()
      case .finished:
        self.progress = nil
        return finish(progress.results)
      }
    }
    self.progress = progress
  }

  private func finish(_ results: [Result<[Rows], PostgresError>]) {
    guard let wire else { return }
    if wire.handle.isInTransaction {
      // An error inside a pipelined transaction has skipped its COMMIT too.
      held = held ?? results
      let isSent = wire.handle.send("ROLLBACK") && wire.handle.sendSync()
      return begin([.control, .sync], isSent: isSent)
    }
    let results = held ?? results
    held = nil
    stopTimer()
    if state == .settingUp { return settled(results) }
    state = .idle
    let completion = self.completion
    self.completion = nil
    completion?(.answered(results))
    changed()
  }

  /// An exchange's results while its transaction is rolled back.
  private var held: [Result<[Rows], PostgresError>]?

  private func settled(_ results: [Result<[Rows], PostgresError>]) {
    guard case .success(let rows)? = results.first, rows.first?[0].text(0) == "on" else {
      return lose()
    }
    failures = 0
    opened += 1
    state = .idle
    changed()
  }

  private func lose() {
    guard state != .closed else { return }
    if let registration { reactor.deregister(registration) }
    registration = nil
    stopTimer()
    wire = nil
    progress = nil
    held = nil
    state = .down
    let completion = self.completion
    self.completion = nil
    failures += 1
    let exponent = min(failures - 1, 16)
    let backoff = min(configuration.backoffMax, configuration.backoffFirst * (1 << exponent))
    timer = reactor.schedule(after: backoff) { [weak self] in self?.open() }
    completion?(.lost)
    changed()
  }

  private func watch(_ interest: Interest) {
    guard let wire else { return }
    let descriptor = wire.handle.descriptor
    // While it connects, libpq may go on to another address, and so to another socket, even
    // under the same number.
    if let registration, state != .connecting {
      if wire.interest != interest { reactor.setInterest(interest, of: registration) }
    } else {
      if let registration { reactor.deregister(registration) }
      registration = try? reactor.register(descriptor, for: interest, handler: self)
      if registration == nil { return lose() }
    }
    wire.interest = interest
  }

  private func startTimer(_ limit: Duration) {
    stopTimer()
    timer = reactor.schedule(after: limit) { [weak self] in
      self?.timer = nil
      self?.lose()
    }
  }

  private func stopTimer() {
    if let timer { reactor.cancel(timer) }
    timer = nil
  }
}

/// One session: the handle, what is prepared on it, and how it is watched.
private final class Wire {
  let handle: PGHandle
  var prepared: Set<String> = []
  var interest: Interest = []

  init?(_ conninfo: String) {
    guard let handle = PGHandle(starting: conninfo), !handle.isFailed else { return nil }
    self.handle = handle
  }

  /// Queues a segment's messages; `expected` gains what will answer them.
  func send(_ segment: Exchange.Segment, _ expected: inout [ExchangeProgress.Expected]) -> Bool {
    if segment.isTransaction {
      guard handle.send("BEGIN") else { return false }
      expected.append(.control)
    }
    for (statement, parameters) in segment.statements {
      if prepared.insert(statement.name).inserted {
        guard handle.sendPrepare(statement) else { return false }
        expected.append(.prepare(statement.name))
      }
      guard handle.send(statement.name, parameters) else { return false }
      expected.append(.rows)
    }
    if segment.isTransaction {
      guard handle.send("COMMIT") else { return false }
      expected.append(.control)
    }
    expected.append(.sync)
    return handle.sendSync()
  }
}
