import Messages
import Store

/// The parts of conversations that never change, so that a turn needs no read before it begins.
///
/// - Limits: when it is full it begins anew: a read each, and simpler than an order of age.
struct ConversationHead {
  var id: String
  var model: CatalogueModel
  var system: String?
  var systemTokens: Int64
  var policy: TurnPolicy
}

final class RememberedConversations {
  private var heads: [String: [String: ConversationHead]] = [:]
  private var count = 0
  private let countMax: Int

  init(_ countMax: Int) { self.countMax = countMax }

  subscript(tenant: String, id: String) -> ConversationHead? {
    get { heads[tenant]?[id] }
    set {
      if count >= countMax {
        heads = [:]
        count = 0
      }
      if heads[tenant, default: [:]].updateValue(newValue!, forKey: id) == nil { count += 1 }
    }
  }
}

extension ConversationService {
  /// A conversation's head, remembered or read.
  ///
  /// - Throws: `.conversationNotFound`.
  func head(_ principal: Principal, _ id: String) async throws(Failure) -> ConversationHead {
    if let head = remembered[principal.tenant.id, id] { return head }
    let row = try await conversation(principal, id)
    let head = try head(row)
    remembered[principal.tenant.id, id] = head
    return head
  }

  /// The row of a conversation that is there and not deleted.
  func conversation(_ principal: Principal, _ id: String) async throws(Failure) -> Conversation {
    let row: Conversation?
    do throws(StoreError) {
      row = try await store.conversation(tenant: principal.tenant.id, id: id)
    } catch {
      throw Failure(error, log: log)
    }
    guard let row, row.deletedAt == nil else { throw .conversationNotFound(id) }
    return row
  }

  func head(_ row: Conversation) throws(Failure) -> ConversationHead {
    guard let model = catalogue[row.model] else {
      throw Failure(
        .modelNotAllowed, "the conversation's model is no longer offered",
        metadata: ["model": row.model])
    }
    let policy: Wire.Policy = try stored(row.policy)
    return ConversationHead(
      id: row.id, model: model, system: row.system.map { String(decoding: $0, as: UTF8.self) },
      systemTokens: row.systemTokens, policy: TurnPolicy(stored: policy))
  }

  /// Decodes what we stored ourselves.
  func stored<M: WireMessage>(_ bytes: [UInt8]) throws(Failure) -> M {
    do throws(MessageError) {
      return try M(decoding: bytes)
    } catch {
      let incident = log.incident("a stored \(M.protoName) cannot be read: \(error)")
      throw Failure(.internal, "an internal error", metadata: ["incident_id": incident])
    }
  }
}

extension Failure {
  static func conversationNotFound(_ id: String) -> Failure {
    Failure(
      .conversationNotFound, "there is no such conversation", metadata: ["conversation_id": id])
  }

  /// A refusal by the store, which stored nothing.
  init(_ refusal: Refusal, conversation: String, request: String?, path: String) {
    switch refusal {
    case .requestMismatch:
      self.init(
        .requestIDReused, "the request_id was used for another payload",
        metadata: ["request_id": request ?? ""])
    case .conversationNotFound, .conversationDeleted, .conversationExpired:
      self = .conversationNotFound(conversation)
    case .turnInProgress(let generation):
      self = .turnInProgress("\(generation)")
    case .conversationChanged(let lastSeq):
      self.init(
        .conversationChanged, "the last sequence number is another one",
        metadata: ["last_seq": String(lastSeq)])
    case .toolResultsMissing(let ids):
      self.init(
        .toolResultsMissing, "tool calls wait for their results",
        metadata: ["tool_call_ids": ids.joined(separator: ",")])
    case .orphanToolResult(let index):
      let field = path.isEmpty ? "messages[\(index)]" : path
      self = .field("\(field).tool_call_id", "no open call has this id")
    }
  }

  static func turnInProgress(_ generation: String) -> Failure {
    Failure(
      .turnInProgress, "a turn is running", metadata: ["generation_id": generation])
  }
}
