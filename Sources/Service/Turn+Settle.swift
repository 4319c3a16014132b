import Domain
import JSON
import Messages
import Metering
import Relay
import Store

extension Turn {
  /// The commit that ends the turn: answer, bill, quota and result.
  ///
  /// - Throws: why the turn failed, after that was committed.
  func settle(_ outcome: Result<RelayAnswer, Failure>) async throws(Failure)
    -> Wire.GenerateResponse
  {
    KillPoint.beforeSettle.reach(service.killPoint)
    let started = now
    switch outcome {
    case .failure(let failure):
      try await commit(
        settlement(.failed, [], StoredResult.encode(failure), failure, bill(nil)))
      throw failure
    case .success(let answer):
      let bill = bill(answer)
      let message = AnswerMessage.make(answer)
      if answer.finishReason == .contentFilter {
        let failure = Failure(
          .contentFiltered, "the relay's filter cut the answer",
          metadata: ["generation_id": "\(generation)"])
        let stored = [MessageCodec.stored(message, counter: counter)]
        try await commit(
          settlement(.failed, stored, StoredResult.encode(failure), failure, bill))
        throw failure
      }
      let stored = MessageCodec.stored(message, counter: counter)
      var response = response(answer, message, stored, bill)
      let seq = try await commit(
        settlement(.finished, [stored], StoredResult.encode(response), nil, bill))
      clock.store += now - started
      response.message?.seq = seq ?? 0
      response.receipt?.timings = clock.wire(at: now)
      return response
    }
  }

  private func settlement(
    _ state: SettleTurn.State, _ answer: [NewMessage], _ result: [UInt8], _ failure: Failure?,
    _ bill: TurnBill
  ) -> SettleTurn {
    var operation = SettleTurn(
      tenant: principal.tenant.id, conversation: head.id, generation: generation,
      incarnation: incarnation, state: state, answer: answer, result: result,
      errorReason: failure?.reason.name, events: bill.events)
    operation.quarantineResult = StoredResult.encode(failure ?? quarantined)
    return operation
  }

  /// The database refused the answer itself: it is billed and kept aside, not in the conversation.
  private var quarantined: Failure {
    Failure(
      .internal, "the answer could not be stored and is kept aside",
      metadata: ["generation_id": "\(generation)"])
  }

  /// - Returns: the answer's sequence number.
  /// - Throws: `.upstreamOutcomeUnknown` if the reaper was first; the answer is kept as an orphan.
  @discardableResult
  private func commit(_ operation: SettleTurn) async throws(Failure) -> Int64? {
    let outcome = try await service.settle(operation)
    KillPoint.afterCommit.reach(service.killPoint)
    switch outcome {
    case .settled(let seq, _, _):
      if operation.state == .finished, seq == nil {
        var failure = quarantined
        failure.metadata["incident_id"] = service.log.incident("an answer was quarantined")
        throw failure
      }
      return seq
    case .late: throw .outcomeUnknown(generation)
    case .unknownTurn:
      let incident = service.log.incident("a turn that had begun is not there to be settled")
      throw Failure(.internal, "an internal error", metadata: ["incident_id": incident])
    }
  }

  private func response(
    _ answer: RelayAnswer, _ message: Wire.NewMessage, _ stored: NewMessage, _ bill: TurnBill
  ) -> Wire.GenerateResponse {
    Wire.GenerateResponse(
      generationID: "\(generation)",
      message: Wire.Message(
        role: .assistant, text: message.text, toolCalls: message.toolCalls,
        tokens: counter.wire(stored.tokens), state: .active, generationID: "\(generation)"),
      finishReason: interruption ?? answer.finishReason.wire, receipt: receipt(answer, bill),
      requestSeq: begun?.firstSeq)
  }

  private func receipt(_ answer: RelayAnswer, _ bill: TurnBill) -> Wire.Receipt {
    let last = attempts[attempts.count - 1]
    return Wire.Receipt(
      generationID: "\(generation)", attempts: attempts.map { wire($0, bill) },
      relay: last.relay, model: model.id, modelAsked: last.upstreamModel,
      modelAnswered: answer.model, upstreamRequestID: answer.upstreamID, tokens: bill.tokens,
      cost: cost(bill.events), context: report, timings: clock.wire(at: now))
  }

  private func wire(_ attempt: TurnAttempt, _ bill: TurnBill) -> Wire.Attempt {
    Wire.Attempt(
      attemptID: "\(attempt.id)", number: Int32(attempt.number), relay: attempt.relay,
      modelAsked: attempt.upstreamModel, modelAnswered: attempt.modelAnswered,
      upstreamRequestID: attempt.upstreamID, outcome: attempt.outcome,
      cost: cost(bill.events.filter { $0.attempt == attempt.id }))
  }

  private func cost(_ events: [UsageEvent]) -> Wire.Cost {
    let lines = events.flatMap(\.lines)
    func sum(_ price: (UsageLine) -> Int64) -> String {
      Money(pico: lines.reduce(0) { $0 + Int128($1.quantity) * Int128(price($1)) }).decimal
    }
    return Wire.Cost(
      currency: prices.currency, contracted: sum(\.price),
      list: prices.list == nil ? nil : sum(\.listPrice),
      contractedPriceSetID: prices.contracted.map { "\($0.set)" },
      listPriceSetID: prices.list.map { "\($0.set)" })
  }
}

extension RelayAnswer.FinishReason {
  var wire: Wire.FinishReason {
    switch self {
    case .stop, .other: .stop
    case .length: .length
    case .toolCalls: .toolCalls
    case .contentFilter: .contentFilter
    }
  }
}
