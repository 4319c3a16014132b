public import Reactor

/// Bounds and trust of a client.
public struct HTTPClientSettings: Sendable, Hashable {
  /// Connections to one host; further transfers wait in curl.
  public var connectionsPerHostMax: Int
  public var connectionsMax: Int
  /// Transfers at once; further ones are refused as `overloaded`.
  public var transfersMax: Int
  /// Easy handles that are kept for the next transfers.
  public var idleHandlesMax: Int
  /// PEM file of the authorities to trust instead of the system's.
  public var caFile: String?

  public init(
    connectionsPerHostMax: Int = 256, connectionsMax: Int = 1024, transfersMax: Int = 8192,
    idleHandlesMax: Int = 256, caFile: String? = nil
  ) {
    self.connectionsPerHostMax = connectionsPerHostMax
    self.connectionsMax = connectionsMax
    self.transfersMax = transfersMax
    self.idleHandlesMax = idleHandlesMax
    self.caFile = caFile
  }
}

/// Outbound HTTP transfers over one curl multi handle.
///
/// - Isolation: one reactor; every method is called on its loop. Each call into curl only fills
///   inboxes, which `drain` then acts upon.
/// - Ownership: owns the multi handle, and all transfers, running and idle. Call `close` before
///   the last reference goes.
/// - Guarantees: no redirect, no proxy, http and https only, certificates verified, and never a
///   second sending of a request that curl was not told to send.
/// - Limits: `HTTPClientSettings`, and each request's `HTTPLimits`.
public final class HTTPClient {
  public let settings: HTTPClientSettings
  /// Where it lives.
  public let reactor: Reactor
  /// Called on the loop when a running transfer's request has left and no answer has come; for
  /// tests that kill the process there.
  public var onRequestSent: (() -> Void)?
  private let inbox = MultiInbox()
  private let multi: MultiHandle
  private var watches: [Int32: Watch] = [:]
  private var running: [Int: Transfer] = [:]
  private var idle: [Transfer] = []
  private var timer: TimerID?
  private var isKickWanted = false
  private var isClosed = false

  /// - Throws: `.other` if curl cannot be initialised.
  public init(
    on reactor: Reactor, settings: HTTPClientSettings = HTTPClientSettings()
  ) throws(HTTPClientError) {
    guard let multi = MultiHandle(inbox: inbox, settings: settings) else {
      throw HTTPClientError(.other, .notSent)
    }
    self.multi = multi
    self.reactor = reactor
    self.settings = settings
  }

  /// Transfers that run now.
  public var transfersRunning: Int { running.count }

  /// Sends `request` and collects the whole answer.
  ///
  /// - Throws: any cause; after a cancelled task `.cancelled`.
  public func send(_ request: HTTPRequest) async throws(HTTPClientError) -> HTTPResponse {
    let transfer = try begin(request, bufferedBytesMax: request.limits.responseBytesMax)
    await wait(transfer, for: .end)
    let inbox = transfer.inbox
    let head = HTTPResponseHead(status: inbox.status, headers: inbox.headers)
    let body = inbox.received
    let outcome = transfer.outcome
    recycle(transfer)
    let timings = try outcome?.get() ?? .none
    return HTTPResponse(head: head, body: body, timings: timings)
  }

  /// Sends `request` and returns when the answer's head is there; the body is read by chunks.
  public func open(_ request: HTTPRequest) async throws(HTTPClientError) -> HTTPExchange {
    let transfer = try begin(request, bufferedBytesMax: request.limits.bufferedBytesMax)
    await wait(transfer, for: .head)
    if case .failure(let error) = transfer.outcome, !transfer.inbox.isHeadComplete {
      recycle(transfer)
      throw error
    }
    return HTTPExchange(client: self, transfer: transfer)
  }

  /// Ends every transfer as `closed` and every connection. Further requests are refused.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    for transfer in Array(running.values) { end(transfer, as: .closed) }
    drain()
    if let timer { reactor.cancel(timer) }
    timer = nil
    for watch in watches.values { reactor.deregister(watch.registration) }
    watches = [:]
    // Idle connections stay with curl until the multi handle goes.
    idle = []
  }

  deinit {
    precondition(running.isEmpty, "close the client before releasing it")
  }
}

extension HTTPClient {
  // MARK: one transfer

  private func begin(
    _ request: HTTPRequest, bufferedBytesMax: Int
  ) throws(HTTPClientError) -> Transfer {
    reactor.preconditionOnLoop()
    guard !isClosed else { throw HTTPClientError(.closed, .notSent) }
    guard !Task.isCancelled else { throw HTTPClientError(.cancelled, .notSent) }
    guard request.isWellFormed else { throw HTTPClientError(.invalidRequest, .notSent) }
    guard running.count < settings.transfersMax,
      let transfer = idle.popLast()
        ?? Transfer(multiInbox: inbox, caFile: settings.caFile, now: reactor.now)
    else { throw HTTPClientError(.overloaded, .notSent) }
    transfer.inbox.body = request.body
    transfer.inbox.responseBytesMax = request.limits.responseBytesMax
    transfer.inbox.bufferedBytesMax = bufferedBytesMax
    transfer.limits = request.limits
    transfer.isStarted = false
    transfer.startedAt = reactor.now
    transfer.activeAt = reactor.now
    guard transfer.easy.prepare(for: request), multi.add(transfer.easy) else {
      throw HTTPClientError(.invalidRequest, .notSent)
    }
    running[transfer.id] = transfer
    watchLimits(of: transfer)
    if !isKickWanted {
      isKickWanted = true
      reactor.flushAtTickEnd(self)
    }
    return transfer
  }

  /// Suspends; a cancelled task ends the transfer.
  func wait(_ transfer: Transfer, for goal: Transfer.Goal) async {
    if transfer.reached(goal) { return }
    let reactor = reactor
    let bound = LoopBound((self, transfer), on: reactor)
    await withTaskCancellationHandler {
      await transfer.wait(for: goal)
    } onCancel: {
      let cancel: @Sendable () -> Void = {
        let (client, transfer) = bound.value
        client.end(transfer, as: .cancelled)
        client.drain()
      }
      if reactor.isOnLoop { cancel() } else { reactor.execute(cancel) }
    }
  }

  /// The reader has taken what was there: let a paused transfer go on.
  func didTake(from transfer: Transfer) {
    guard transfer.inbox.isPaused, !transfer.hasEnded else { return }
    transfer.inbox.isPaused = false
    transfer.activeAt = reactor.now
    transfer.easy.unpause()
    drain()
  }

  /// Ends a running transfer; one that has ended is left as it is.
  func end(_ transfer: Transfer, as cause: HTTPClientError.Cause) {
    guard !transfer.hasEnded else { return }
    let dispatch: HTTPClientError.Dispatch = transfer.hasSent ? .sent : .notSent
    finish(transfer, .failure(HTTPClientError(cause, dispatch)))
  }

  private func finish(_ transfer: Transfer, _ outcome: Result<HTTPTimings, HTTPClientError>) {
    transfer.outcome = outcome
    multi.remove(transfer.easy)
    running[transfer.id] = nil
    if let timer = transfer.timer { reactor.cancel(timer) }
    transfer.timer = nil
    transfer.wake()
  }

  /// Takes back a transfer that nobody reads any more.
  func recycle(_ transfer: Transfer) {
    end(transfer, as: .cancelled)
    drain()
    transfer.inbox.reset()
    transfer.outcome = nil
    if idle.count < settings.idleHandlesMax, !isClosed { idle.append(transfer) }
  }

  private func watchLimits(of transfer: Transfer) {
    let (cause, next) = transfer.overdue(at: reactor.now)
    if let cause {
      transfer.timer = nil
      end(transfer, as: cause)
      drain()
      return
    }
    transfer.timer = reactor.schedule(after: next) { [weak self, weak transfer] in
      guard let self, let transfer, !transfer.hasEnded else { return }
      self.watchLimits(of: transfer)
    }
  }
}

extension HTTPClient: Flushable {
  // MARK: curl's events

  /// Starts what was added in this tick.
  public func flush() {
    guard isKickWanted, !isClosed else { return }
    isKickWanted = false
    for transfer in running.values { transfer.isStarted = true }
    multi.actOnTimeout()
    drain()
  }

  fileprivate func act(on socket: Int32, _ readiness: Readiness) {
    let failed = readiness.contains(.error)
    multi.act(
      on: socket, reads: readiness.contains(.read) || readiness.contains(.hangup),
      writes: readiness.contains(.write), failed: failed)
    drain()
  }

  /// Acts on what curl's callbacks recorded, until there is nothing more.
  func drain() {
    while true {
      let events = inbox.socketEvents
      inbox.socketEvents = []
      for event in events { apply(event) }
      let touched = inbox.touched
      inbox.touched = []
      for id in touched { notice(id) }
      var hasFinished = false
      while let (id, code) = multi.nextFinished() {
        hasFinished = true
        if let transfer = running[id] { conclude(transfer, code: code) }
      }
      if events.isEmpty, touched.isEmpty, !hasFinished { break }
    }
    applyTimeout()
    if let onRequestSent, running.values.contains(where: { $0.hasOnlySent }) { onRequestSent() }
  }

  private func notice(_ id: Int) {
    guard let transfer = running[id] else { return }
    transfer.inbox.isTouched = false
    transfer.activeAt = reactor.now
    transfer.wake()
  }

  private func conclude(_ transfer: Transfer, code: Int32) {
    if code == 0, transfer.inbox.isHeadComplete {
      return finish(transfer, .success(transfer.easy.timings))
    }
    let wasSent = transfer.easy.sentBytes > 0
    let cause =
      transfer.inbox.isTooLarge
      ? .tooLarge
      : HTTPClientError.Cause(
        curlCode: code, wasSent: wasSent, headCame: transfer.inbox.isHeadComplete)
    finish(
      transfer, .failure(HTTPClientError(cause, wasSent ? .sent : .notSent, curlCode: code)))
  }

  private func apply(_ event: MultiInbox.SocketEvent) {
    switch event {
    case .watch(let socket, let reads, let writes):
      var interest: Interest = []
      if reads { interest.insert(.read) }
      if writes { interest.insert(.write) }
      if let watch = watches[socket] {
        reactor.setInterest(interest, of: watch.registration)
      } else if let watch = Watch(socket, interest, self) {
        watches[socket] = watch
      } else {
        // epoll refused it: tell curl, which fails the transfers on it.
        multi.act(on: socket, reads: false, writes: false, failed: true)
      }
    case .unwatch(let socket):
      if let watch = watches.removeValue(forKey: socket) { reactor.deregister(watch.registration) }
    case .close(let socket):
      if let watch = watches.removeValue(forKey: socket) { reactor.deregister(watch.registration) }
      closeSocket(socket)
    }
  }

  private func applyTimeout() {
    guard let milliseconds = inbox.timeoutMilliseconds else { return }
    inbox.timeoutMilliseconds = nil
    if let timer { reactor.cancel(timer) }
    timer = nil
    guard milliseconds >= 0, !isClosed else { return }
    timer = reactor.schedule(after: .milliseconds(milliseconds)) { [weak self] in
      guard let self else { return }
      self.timer = nil
      self.multi.actOnTimeout()
      self.drain()
      self.askTimeout()
    }
  }

  /// Curl counts in whole milliseconds, cut off, and names a time only once: woken a moment before
  /// it, it would say nothing and wait for ever.
  private func askTimeout() {
    guard timer == nil, !isClosed, let milliseconds = multi.timeoutMilliseconds else { return }
    inbox.timeoutMilliseconds = max(1, milliseconds)
    applyTimeout()
  }
}

/// One socket of curl's on the reactor.
private final class Watch: ReadinessHandler {
  private let socket: Int32
  private weak var client: HTTPClient?
  private var made: Registration?

  var registration: Registration { made! }

  init?(_ socket: Int32, _ interest: Interest, _ client: HTTPClient) {
    self.socket = socket
    self.client = client
    do {
      made = try client.reactor.register(socket, for: interest, handler: self)
    } catch {
      return nil
    }
  }

  func ready(_ readiness: Readiness) { client?.act(on: socket, readiness) }
}

extension HTTPRequest {
  /// Headers that the client itself writes.
  private static let ownHeaders: Set<String> = [
    "authorization", "host", "content-length", "transfer-encoding", "expect",
  ]

  /// Whether no header is the client's own, and none can break its line.
  fileprivate var isWellFormed: Bool {
    headers.allSatisfy { header in
      let isToken = header.name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x3A }
      let isText = header.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
      return !header.name.isEmpty && isToken && isText
        && !HTTPRequest.ownHeaders.contains(header.name.lowercased())
    } && !url.utf8.contains(0)
  }
}
