import Messages
import Reactor
import Store

/// A paid answer must never be lost: a settle is tried until the database has it.
extension ConversationService {
  /// Each try lasts 30 s by itself; beyond them the lease has lapsed and the reaper has the turn.
  private static let settleTriesMax = 20

  func settle(_ operation: SettleTurn) async throws(Failure) -> SettleOutcome {
    var tries = 0
    while true {
      tries += 1
      do throws(StoreError) {
        return try await store.settleTurn(operation)
      } catch .unavailable where tries < Self.settleTriesMax {
        log.warning("a turn waits to be settled", ["generation_id": "\(operation.generation)"])
      } catch .overloaded where tries < Self.settleTriesMax {
        do { try await reactor.sleep(for: .milliseconds(100)) } catch {}
      } catch {
        throw Failure(error, log: log)
      }
    }
  }

  /// Settles without a caller who waits.
  func settleLater(_ operation: SettleTurn) {
    let bound = LoopBound(self, on: reactor)
    turnsRunning += 1
    reactor.spawn { core in await Self.settle(operation, bound, core) }
  }

  private static func settle(
    _ operation: SettleTurn, _ bound: LoopBound<ConversationService>, _ core: isolated Core
  ) async {
    let service = bound.value
    defer { service.turnsRunning -= 1 }
    do throws(Failure) {
      _ = try await service.settle(operation)
    } catch {
      service.log.warning(
        "a turn could not be settled", ["generation_id": "\(operation.generation)"])
    }
  }
}
