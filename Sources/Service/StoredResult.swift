import GRPCServer
import Messages
import Store

/// What a turn's row keeps for a repeat of its request.
///
/// - Shape: one byte that names the kind, then the encoded message.
enum StoredResult {
  private static let response: UInt8 = 1
  private static let failure: UInt8 = 2

  /// What the reaper stores: the generation is named by the row.
  static let reaped: [UInt8] = [3]

  static func encode(_ answer: Wire.GenerateResponse) -> [UInt8] { [response] + answer.encode() }

  static func encode(_ failed: Failure) -> [UInt8] { [failure] + failed.status.encode() }

  /// The first result, as a repeat is given it.
  static func replay(_ turn: StoredTurn, log: ServiceLog) -> Result<Wire.GenerateResponse, RPCError>
  {
    let bytes = turn.result ?? []
    do throws(MessageError) {
      switch bytes.first {
      case response:
        var answer = try Wire.GenerateResponse(decoding: bytes.dropFirst())
        answer.replayed = true
        answer.message?.seq = turn.answerSeq ?? 0
        return .success(answer)
      case failure: return .failure(RPCError(try Wire.Status(decoding: bytes.dropFirst())))
      default: return .failure(Failure.outcomeUnknown(turn.generation).rpcError)
      }
    } catch {
      let incident = log.incident("a stored result cannot be read: \(error)")
      return .failure(
        Failure(.internal, "an internal error", metadata: ["incident_id": incident]).rpcError)
    }
  }
}

extension Failure {
  static func outcomeUnknown(_ generation: RowID) -> Failure {
    Failure(
      .upstreamOutcomeUnknown,
      "the relay was lost after it was asked and may have billed; another request_id may be billed"
        + " again",
      metadata: ["generation_id": "\(generation)"])
  }
}
