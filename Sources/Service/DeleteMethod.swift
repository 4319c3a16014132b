import Domain
import Messages
import Reactor
import Store

/// Delete, and how a turn that runs elsewhere learns that it is to stop.
extension ConversationService {
  func delete(
    _ request: Wire.DeleteRequest, _ principal: Principal
  ) async throws(Failure) -> Wire.DeleteResponse {
    try checks.id(request.conversationID, "conversation_id")
    try checks.requestID(request.requestID)
    let outcome: DeleteOutcome
    do throws(StoreError) {
      outcome = try await store.deleteConversation(
        request.conversationID,
        request: requestKey(principal, "Delete", request.requestID, hashing: request),
        operation: .minted())
    } catch {
      throw Failure(error, log: log)
    }
    switch outcome {
    case .refused(let refusal):
      throw Failure(
        refusal, conversation: request.conversationID, request: request.requestID, path: "")
    case .deleted(let stopped):
      if let stopped { turns[stopped]?.stop() }
      return Wire.DeleteResponse(stoppedGenerationID: stopped.map { "\($0)" })
    }
  }

  /// Asks again and again whether a turn of this reactor was told to stop, by whatever process.
  func watchStops() {
    reactor.schedule(after: limits.stopPoll) { [weak self] in
      guard let self, !isFinished else { return }
      guard !turns.isEmpty else { return watchStops() }
      let bound = LoopBound(self, on: reactor)
      reactor.spawn { core in await Self.checkStops(bound, core) }
    }
  }

  private static func checkStops(
    _ bound: LoopBound<ConversationService>, _ core: isolated Core
  ) async {
    let service = bound.value
    let running = service.turns.values.map { ($0.principal.tenant.id, $0.generation) }
    do throws(StoreError) {
      for generation in try await service.store.stopRequests(among: running) {
        service.turns[generation]?.stop()
      }
    } catch {
      service.log.warning("stop requests could not be read", ["error": "\(error)"])
    }
    service.watchStops()
  }
}
