import Domain
import Messages
import Metering
import Relay
import Store

extension Turn {
  /// The commit that begins the turn.
  ///
  /// - Throws: a refusal, which stored nothing.
  func begin() async throws(Failure) -> TurnBegin {
    let started = now
    defer { clock.store += now - started }
    // A stale configuration is read anew; if it still is stale, it has just changed again.
    for round in 1...Self.configurationRoundsMax {
      let operation = try operation()
      let outcome: BeginOutcome
      do throws(StoreError) {
        outcome = try await service.store.beginTurn(operation)
      } catch {
        if error == .unavailable { abandon() }
        throw Failure(error, log: service.log)
      }
      switch outcome {
      case .begun(let begun): return .begun(begun)
      case .finished(let stored): return .replay(stored)
      case .configStale(let current) where round < Self.configurationRoundsMax:
        try await reload(current)
      default: throw refusal(outcome)
      }
    }
    throw Failure(.overloaded, "the configuration keeps changing", retryAfter: .seconds(1))
  }

  private static let configurationRoundsMax = 5

  private func reload(_ version: Int64) async throws(Failure) {
    do throws(StoreError) {
      try await service.configuration.reload(atLeast: version)
    } catch {
      throw Failure(error, log: service.log)
    }
    try await authenticateAgain()
  }

  private func refusal(_ outcome: BeginOutcome) -> Failure {
    switch outcome {
    case .running(let generation): .turnInProgress("\(generation)")
    case .quotaDenied(let denial): Failure(denial, currency: prices.currency)
    case .refused(let refusal):
      Failure(
        refusal, conversation: head.id, request: request.requestID, path: "message")
    case .fenced:
      Failure(
        .storageUnavailable, "the server's lease has lapsed; it takes a new one",
        retryAfter: .seconds(1))
    case .configStale:
      Failure(.overloaded, "the configuration keeps changing", retryAfter: .seconds(1))
    case .modelChanged, .begun, .finished:
      Failure(
        .internal, "an internal error",
        metadata: ["incident_id": service.log.incident("a turn began in no way that can be")])
    }
  }

  private func operation() throws(Failure) -> BeginTurn {
    let configuration = try service.configuration.trusted()
    let currency = principal.tenant.currency
    let contracted = configuration.prices(
      book: "contracted", currency: currency, model: model.id, at: now)
    guard let contracted else {
      throw Failure(
        .priceNotConfigured, "the model has no price in \(currency)",
        metadata: ["model": model.id])
    }
    prices.currency = currency
    prices.contracted = contracted
    prices.list = configuration.prices(
      book: "list", currency: currency, model: model.id, at: now)
    guard let incarnation = service.replica.incarnation else {
      throw Failure(.storageUnavailable, "the server has no lease yet", retryAfter: .seconds(1))
    }
    self.incarnation = incarnation
    let relay = service.relay.configuration
    guard let upstreamModel = relay.models[model.id] else {
      throw Failure(.modelNotAllowed, "no relay serves the model", metadata: ["model": model.id])
    }
    if attempts.isEmpty {
      attempts.append(
        TurnAttempt(number: 1, relay: relay.name, upstreamModel: upstreamModel))
    }
    return BeginTurn(
      request: service.requestKey(
        principal, "Generate", request.requestID, hashing: request),
      configVersion: configuration.version, conversation: head.id,
      expectedLastSeq: request.expectedLastSeq, model: model.id,
      modelOverride: request.options?.model != nil, generation: generation,
      attempt: attempts[0].id, incarnation: incarnation, relay: relay.name,
      upstreamModel: upstreamModel, serviceTier: Configuration.PriceSet.serviceTier,
      messages: messages, abandonTools: request.abandonTools ? abandonment : nil,
      budgetTokens: budget, extraTokens: extraTokens,
      maxOutputTokens: parameters.outputTokensMax,
      curve: contracted.prices.curve.map {
        BeginTurn.PriceTier(promptFrom: $0.promptFrom, input: $0.input, output: $0.output)
      },
      marginal: contracted.prices.isMarginal, contractedSet: contracted.set,
      listSet: prices.list?.set, currency: currency)
  }

  /// What an open tool call is answered with when its caller abandons it.
  private var abandonment: NewMessage {
    MessageCodec.stored(
      Wire.NewMessage(role: .tool, text: #"{"error":"the call was abandoned"}"#),
      counter: counter)
  }

  /// The commit's answer was lost: if the turn did begin, nothing was sent, so it is voided. Until
  /// that reaches the database the conversation is taken.
  private func abandon() {
    let operation = SettleTurn(
      tenant: principal.tenant.id, conversation: head.id, generation: generation,
      incarnation: incarnation, state: .failed, answer: [],
      result: StoredResult.encode(.nothingSent),
      errorReason: Wire.ErrorReason.storageUnavailable.name, events: [])
    service.settleLater(operation)
  }
}

extension Failure {
  /// A turn that had begun and was voided: its request_id is spent.
  static var nothingSent: Failure {
    Failure(
      .storageUnavailable, "nothing was sent to the relay; ask again under another request_id")
  }

  /// A budget that has no room for the call's worst case.
  init(_ denial: QuotaDenial, currency: String) {
    func amount(_ value: Int128) -> String {
      denial.unit == "money" ? Money(pico: value).decimal + " " + currency : String(value)
    }
    var metadata = [
      "scope": denial.scope, "unit": denial.unit, "limit": amount(denial.limit),
      "available": amount(denial.available), "required": amount(denial.required),
    ]
    if let resetsAt = denial.resetsAt {
      metadata["resets_at"] = WallClock.text(resetsAt.microseconds)
    }
    let subject = "\(denial.scope):\(denial.scopeID)"
    let violation = Wire.QuotaFailure.Violation(
      subject: subject,
      description: "\(amount(denial.required)) needed, \(amount(denial.available)) left")
    self.init(
      .budgetExceeded, "a budget is spent", metadata: metadata,
      details: [Wire.QuotaFailure(violations: [violation])])
    forbidsRetry = true
  }
}
