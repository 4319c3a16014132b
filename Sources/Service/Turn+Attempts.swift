import Domain
import HTTPClient
import Messages
import Reactor
import Relay
import Store

/// One attempt at a relay, and what came of it.
struct TurnAttempt {
  var id = RowID.minted()
  var number: Int16
  var relay: String
  var upstreamModel: String
  var outcome = Wire.AttemptOutcome.unspecified
  var modelAnswered: String?
  var upstreamID: String?
}

extension Turn {
  /// What is sent: the system prompt and the newest messages that fit.
  ///
  /// - Throws: `.contextTooLong` where even the newest group does not fit.
  func plan(_ begun: Begun) throws(Failure) -> RelayRequest {
    let started = now
    defer { clock.plan += now - started }
    let tokens = begun.view.reduce(head.systemTokens + extraTokens) { $0 + $1.tokens }
    guard !begun.view.isEmpty else {
      throw Failure(.conversationTooShort, "there is no message to answer")
    }
    guard tokens <= budget else {
      throw Failure(
        .contextTooLong, "the newest messages belong together and exceed the window",
        metadata: ["tokens": String(tokens), "limit": String(budget)])
    }
    var request = RelayRequest(
      model: model.id, outputTokensMax: Int(parameters.outputTokensMax), tools: parameters.tools,
      toolChoice: parameters.toolChoice, responseFormat: parameters.responseFormat,
      temperature: parameters.temperature, topP: parameters.topP, stop: parameters.stop,
      seed: parameters.seed, extra: parameters.extra)
    if let system = head.system {
      request.append(RelayMessage(.system, .text(system)).canonical)
    }
    for message in begun.view {
      request.append(try MessageCodec.relay(message, log: service.log).canonical)
    }
    report(begun, tokens)
    return request
  }

  private func report(_ begun: Begun, _ tokens: Int64) {
    let sent = Int64(begun.view.count)
    let preserved = Int64(head.policy.wire.preservedMessages ?? 10)
    report = Wire.ContextReport(
      verbatimMessages: sent, droppedMessages: begun.lastSeq - sent, planHash: planHash(begun),
      promptTokens: counter.wire(tokens), budgetTokens: budget,
      preservedMessagesYielded: sent < min(preserved, begun.lastSeq))
  }

  /// The SHA-256 of what the choice followed from.
  private func planHash(_ begun: Begun) -> String {
    var inputs = "newest-that-fit 1 \(model.id) \(model.vocabulary) \(budget) \(extraTokens)"
    inputs += " \(head.systemTokens) \(begun.version)"
    for message in begun.view { inputs += " \(message.seq):\(message.tokens)" }
    return Digest.sha256(Array(inputs.utf8)).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  /// Asks the relay, again where that certainly costs nothing or the policy says so.
  func attempt(_ request: RelayRequest) async throws(Failure) -> RelayAnswer {
    let deadline = now + head.policy.generationTimeout
    let policy = RetryPolicy(
      attemptsMax: head.policy.attemptsMax, retriesUnknown: head.policy.retriesUnknown)
    while true {
      guard service.replica.mayDispatch(incarnation, at: now) else {
        // An earlier attempt of this turn may have been billed.
        throw attempts.contains { $0.outcome == .unknown }
          ? .outcomeUnknown(generation) : .nothingSent
      }
      let started = now
      let error: RelayError
      do throws(RelayError) {
        let answer = try await ask(request, until: deadline)
        let head = headAt ?? now
        clock.upstreamWait += head - started
        clock.stream += now - head
        return answer
      } catch let failed {
        error = failed
        clock.upstreamWait += now - started
        if let partial = keep(failed) { return partial }
      }
      // Never again after a byte was delivered.
      if events?.hasDelivered == true { throw failure(error) }
      let delay = policy.delay(
        afterAttempt: attempts.count, error: error, remaining: deadline - now,
        random: .random(in: 0..<1))
      guard let delay else { throw failure(error) }
      try await pause(delay, after: error)
      try await addAttempt(reserves: error.outcome == .unknown)
    }
  }

  /// What there is of a streamed answer that broke off, if it is worth keeping.
  private func keep(_ error: RelayError) -> RelayAnswer? {
    guard let partial = error.partial else { return nil }
    guard partial.content?.isEmpty == false || !partial.toolCalls.isEmpty else { return nil }
    let index = attempts.count - 1
    attempts[index].outcome = .answered
    attempts[index].modelAnswered = partial.model
    attempts[index].upstreamID = partial.upstreamID
    // One that had come to its end is whole, whatever befell the rest of the stream.
    if partial.finishReason == .other {
      interruption = error.kind == .cancelled ? .stopped : .interrupted
    }
    return partial
  }

  private func failure(_ error: RelayError) -> Failure {
    var failure = Failure(error, generation)
    if failure.reason == .contextTooLong {
      failure.metadata["tokens"] = String(report.promptTokens?.tokens ?? 0)
      failure.metadata["limit"] = String(budget)
    }
    return failure
  }

  /// One attempt; its outcome is kept.
  private func ask(
    _ request: RelayRequest, until deadline: ContinuousClock.Instant
  ) async throws(RelayError) -> RelayAnswer {
    let index = attempts.count - 1
    let killPoint = service.killPoint
    var limits = service.relay.configuration.limits
    limits.firstByte = head.policy.firstByteTimeout
    limits.idle = head.policy.idleTimeout
    limits.total = min(limits.total, deadline - now)
    do throws(RelayError) {
      let id = "\(attempts[index].id)"
      let onHead = { [self] in
        headAt = now
        KillPoint.afterFirstByte.reach(killPoint)
      }
      let answer =
        events == nil
        ? try await service.relay.complete(
          request, attempt: id, limits: limits, onHead: onHead)
        : try await service.relay.stream(
          request, attempt: id, limits: limits, onHead: onHead, onDelta: passOn)
      attempts[index].outcome = .answered
      attempts[index].modelAnswered = answer.model
      attempts[index].upstreamID = answer.upstreamID
      return answer
    } catch {
      attempts[index].outcome = error.outcome == .unknown ? .unknown : .unbilled
      throw error
    }
  }

  private func pause(_ delay: Duration, after error: RelayError) async throws(Failure) {
    let started = now
    defer { clock.upstreamWait += now - started }
    do {
      try await service.reactor.sleep(for: delay)
    } catch {
      throw .stopped(generation)
    }
  }

  /// The commit that must precede a further attempt.
  private func addAttempt(reserves: Bool) async throws(Failure) {
    let started = now
    defer { clock.store += now - started }
    let relay = service.relay.configuration
    let attempt = TurnAttempt(
      number: Int16(attempts.count + 1), relay: relay.name,
      upstreamModel: attempts[0].upstreamModel)
    let outcome: AddAttemptOutcome
    do throws(StoreError) {
      outcome = try await service.store.addAttempt(
        AddAttempt(
          tenant: principal.tenant.id, generation: generation, incarnation: incarnation,
          number: attempt.number, attempt: attempt.id, relay: attempt.relay,
          upstreamModel: attempt.upstreamModel,
          serviceTier: Configuration.PriceSet.serviceTier, reserves: reserves))
    } catch {
      throw Failure(error, log: service.log)
    }
    switch outcome {
    case .added: attempts.append(attempt)
    case .quotaDenied(let denial): throw Failure(denial, currency: prices.currency)
    case .notRunning: throw .outcomeUnknown(generation)
    }
  }
}

extension Failure {
  static func stopped(_ generation: RowID) -> Failure {
    Failure(
      .generationStopped, "the generation was stopped",
      metadata: ["generation_id": "\(generation)"])
  }

  /// Kinds after which a caller would ask again without a thought.
  private static let soundsHarmless: Set<RelayError.Kind> = [
    .rateLimited, .unavailable, .unexpectedStatus, .modelNotFound,
  ]

  /// Why a relay gave no answer, after all attempts.
  init(_ error: RelayError, _ generation: RowID) {
    var metadata = ["generation_id": "\(generation)"]
    switch error.kind {
    case _ where error.outcome == .unknown && Self.soundsHarmless.contains(error.kind):
      // An error within an answer of 200: told as one that may have been billed.
      self = .outcomeUnknown(generation)
    case .rateLimited:
      self.init(.upstreamRateLimited, "the relay asks to slow down", metadata: metadata)
      retryAfter = error.retryAfter ?? .seconds(1)
    case .unavailable, .connectFailed, .modelNotFound, .unexpectedStatus:
      self.init(.upstreamUnavailable, "the relay is not available", metadata: metadata)
      retryAfter = error.retryAfter ?? .seconds(1)
    case .creditExhausted:
      self.init(.upstreamCreditExhausted, "the relay's credit is spent", metadata: metadata)
    case .authentication:
      self.init(.upstreamAuth, "the relay refuses the server's credential", metadata: metadata)
    case .configuration:
      self.init(.upstreamAuth, "the relay's credential cannot be read", metadata: metadata)
    case .contentFiltered:
      self.init(.contentFiltered, "the relay's filter refused the prompt", metadata: metadata)
    case .contextTooLong:
      self.init(.contextTooLong, "the relay's window is smaller", metadata: metadata)
    case .invalidRequest:
      let violation = Wire.BadRequest(field: "options", description: "the relay refused it")
      self.init(
        .fieldInvalid, "the relay refused what was asked", metadata: metadata,
        details: [violation])
    case .timedOut:
      metadata["outcome"] = "unknown"
      self.init(.upstreamTimeout, "the relay was too slow", metadata: metadata)
    case .connectionLost, .malformedAnswer, .answerTooLarge:
      self = .outcomeUnknown(generation)
    case .cancelled: self = .stopped(generation)
    }
  }
}
