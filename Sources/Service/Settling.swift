import Messages
import Reactor
import Store

/// A paid answer must never be lost: a settle is tried until the database has it, whatever becomes
/// of the caller and its task.
extension ConversationService {
  func settle(_ operation: SettleTurn) async throws(Failure) -> SettleOutcome {
    let bound = LoopBound(self, on: reactor)
    // Of its own, so that a cancelled turn settles like any other.
    let task = reactor.spawn { core in await Self.settle(operation, bound, core) }
    do throws(StoreError) {
      return try await task.value.get()
    } catch {
      throw Failure(error, log: log)
    }
  }

  /// Settles without a caller who waits.
  func settleLater(_ operation: SettleTurn) {
    let bound = LoopBound(self, on: reactor)
    turnsRunning += 1
    reactor.spawn { core in
      _ = await Self.settle(operation, bound, core)
      bound.value.turnsRunning -= 1
    }
  }

  /// Tries until it is done. If the statement itself is refused again and again, the incarnation is
  /// given up, so that another one's reaper resolves the turn.
  private static func settle(
    _ operation: SettleTurn, _ bound: LoopBound<ConversationService>, _ core: isolated Core
  ) async -> Result<SettleOutcome, StoreError> {
    let service = bound.value
    let end = service.reactor.now + service.limits.settleTimeMax
    var pause = Duration.milliseconds(50)
    var refusals = 0
    while true {
      let failed: StoreError
      do throws(StoreError) {
        return .success(try await service.store.settleTurn(operation))
      } catch {
        failed = error
      }
      if case .server = failed { refusals += 1 }
      guard refusals < service.limits.settleRefusalsMax, service.reactor.now < end else {
        service.replica.renounce(operation.incarnation)
        return .failure(failed)
      }
      service.log.warning(
        "a turn waits to be settled",
        ["generation_id": "\(operation.generation)", "error": "\(failed)"])
      do { try await service.reactor.sleep(for: pause) } catch {}
      pause = min(pause * 2, .seconds(5))
    }
  }
}
