import Domain
import GRPCServer
import Messages
import Metering
import Reactor
import Relay
import Store

/// One generation, from the commit that begins it to the commit that settles it.
///
/// ```
/// prepared ── begin ──► begun ── attempts ──► answered or failed ── settle ──► settled
///     └── refused, replayed: nothing was stored by this call
/// ```
///
/// It runs as a task of its own: the caller's deadline and cancellation end only the caller's wait.
/// Once begun it always ends with a settle.
///
/// - Isolation: its reactor's core.
final class Turn {
  let service: ConversationService
  private(set) var principal: Principal
  let request: Wire.GenerateRequest
  let head: ConversationHead
  /// The model of this turn, and how its tokens are counted.
  let counter: TokenCounter
  let parameters: GenerationParameters
  /// What goes along with the messages; counted once, since counting tools is work.
  let extraTokens: Int64
  let messages: [NewMessage]
  let generation = RowID.minted()
  var clock: TurnClock

  // Known once it has begun.
  var prices = TurnPrices()
  var incarnation = RowID(high: 0, low: 0)
  var begun: Begun?
  var attempts: [TurnAttempt] = []
  var report = Wire.ContextReport()
  /// Why a kept answer is not whole.
  var interruption: Wire.FinishReason?
  /// Where a streamed generation's events go; nil for one that is answered at once.
  let events: EventStream?
  /// When the head of the last attempt's answer came.
  var headAt: ContinuousClock.Instant?

  private var task: Task<Result<Wire.GenerateResponse, RPCError>, Never>?
  private var isDrained = false
  private var drainedTokens: Int64 = 0

  init(
    _ service: ConversationService, _ principal: Principal, _ request: Wire.GenerateRequest,
    _ head: ConversationHead, _ counter: TokenCounter, _ parameters: GenerationParameters,
    _ messages: [NewMessage], _ clock: TurnClock, _ events: EventStream?
  ) {
    self.service = service
    self.principal = principal
    self.request = request
    self.head = head
    self.counter = counter
    self.parameters = parameters
    extraTokens = parameters.extraTokens(counter)
    self.messages = messages
    self.clock = clock
    self.events = events
  }

  var model: CatalogueModel { counter.model }
  var budget: Int64 { head.policy.budget(model, outputTokensMax: parameters.outputTokensMax) }
  var now: ContinuousClock.Instant { service.reactor.now }

  /// Runs it beside the caller, who may leave.
  ///
  /// - Returns: the response, which a stream has had as its last event.
  func runDetached() async throws(RPCError) -> Wire.GenerateResponse {
    let reactor = service.reactor
    let bound = LoopBound(self, on: reactor)
    guard service.turnsRunning < service.limits.turnsMax else {
      throw Failure(.overloaded, "too many generations run", retryAfter: .seconds(1)).rpcError
    }
    service.turnsRunning += 1
    let task = reactor.spawn { core in await Self.run(bound, core) }
    self.task = task
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      let leave: @Sendable () -> Void = { bound.value.callerHasGone() }
      if reactor.isOnLoop { leave() } else { reactor.execute(leave) }
    }
    return try result.get()
  }

  private static func run(
    _ turn: LoopBound<Turn>, _ core: isolated Core
  ) async -> Result<Wire.GenerateResponse, RPCError> {
    let turn = turn.value
    defer { turn.hasEnded() }
    do throws(RPCError) {
      let response = try await turn.run()
      await turn.events?.done(response)
      return .success(response)
    } catch {
      return .failure(error)
    }
  }

  /// The configuration has changed since the caller was let in: its key may have been revoked.
  func authenticateAgain() async throws(Failure) {
    principal = try await service.configuration.principal(of: principal.credential)
    try principal.require(.generate)
    try principal.require(model: model.id)
  }

  /// Ends it: what came is kept and billed.
  func stop() { task?.cancel() }

  private func hasEnded() {
    task = nil
    service.turns[generation] = nil
    service.turnsRunning -= 1
    if isDrained { service.drainsRunning -= 1 }
  }

  /// Nobody waits any more: the policy says what becomes of the generation.
  private func callerHasGone() {
    guard let task, !isDrained else { return }
    if head.policy.cancelsVanished || service.drainsRunning >= service.limits.drainsMax {
      task.cancel()
    } else {
      isDrained = true
      service.drainsRunning += 1
    }
  }

  /// A piece of the answer: on to the caller, or counted against what a drain may cost.
  func passOn(_ delta: RelayDelta) async {
    guard isDrained else { return await events?.delta(delta) ?? () }
    guard let limit = head.policy.drainTokens else { return }
    switch delta {
    case .text(let text): drainedTokens += counter.count(text)
    case .toolCall(_, _, _, let arguments): drainedTokens += counter.count(arguments)
    }
    if drainedTokens > limit { task?.cancel() }
  }

  private func run() async throws(RPCError) -> Wire.GenerateResponse {
    let begin: TurnBegin
    do throws(Failure) {
      begin = try await self.begin()
    } catch {
      throw error.rpcError
    }
    switch begin {
    case .replay(let stored):
      let response = try StoredResult.replay(stored, log: service.log).get()
      await events?.started(
        stored.generation, conversation: head.id, model: model.id,
        requestSeq: response.requestSeq)
      return response
    case .begun(let begun):
      self.begun = begun
      service.turns[generation] = self
      KillPoint.afterBegin.reach(service.killPoint)
      await events?.started(
        generation, conversation: head.id, model: model.id, requestSeq: begun.firstSeq)
      let outcome: Result<RelayAnswer, Failure>
      do throws(Failure) {
        outcome = .success(try await attempt(try plan(begun)))
      } catch {
        outcome = .failure(error)
      }
      do throws(Failure) {
        return try await settle(outcome)
      } catch {
        throw error.rpcError
      }
    }
  }
}

/// How a turn began.
enum TurnBegin {
  case begun(Begun)
  case replay(StoredTurn)
}

/// The prices of a turn, as they were in force when it began.
struct TurnPrices {
  var contracted: (set: RowID, prices: ModelPrices)?
  var list: (set: RowID, prices: ModelPrices)?
  var currency = ""
}

/// Where a turn's time goes.
struct TurnClock {
  var arrived: ContinuousClock.Instant
  var auth = Duration.zero
  var store = Duration.zero
  var plan = Duration.zero
  /// Until the first byte, over all attempts and the pauses between them.
  var upstreamWait = Duration.zero
  var stream = Duration.zero

  func wire(at now: ContinuousClock.Instant) -> Wire.Timings {
    let total = now - arrived
    func milliseconds(_ duration: Duration) -> Double { duration / .milliseconds(1) }
    return Wire.Timings(
      authMilliseconds: milliseconds(auth), storeMilliseconds: milliseconds(store),
      planMilliseconds: milliseconds(plan), upstreamWaitMilliseconds: milliseconds(upstreamWait),
      streamMilliseconds: milliseconds(stream), totalMilliseconds: milliseconds(total),
      overheadMilliseconds: milliseconds(total - upstreamWait - stream))
  }
}
