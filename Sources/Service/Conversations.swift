import Domain
import Messages
import Reactor
import Store

/// Create and Get.
extension ConversationService {
  func create(
    _ request: Wire.CreateRequest, _ principal: Principal
  ) async throws(Failure) -> Wire.CreateResponse {
    let plan = try checkCreate(request, principal)
    let counter = TokenCounter(plan.model)
    let (system, message) = await count(
      weight: (request.systemPrompt?.utf8.count ?? 0)
        + (request.message.map { FieldChecks.bytes(of: $0) } ?? 0)
    ) {
      (
        request.systemPrompt.map { counter.countSystem($0) } ?? 0,
        request.message.map { MessageCodec.stored($0, counter: counter) }
      )
    }
    let operation = CreateConversation(
      request: requestKey(principal, "Create", request.requestID, hashing: request),
      operation: .minted(), conversation: plan.id, segment: .minted(), model: plan.model.id,
      vocabulary: plan.model.vocabulary, system: request.systemPrompt.map { Array($0.utf8) },
      systemTokens: system, policy: plan.policy.wire.encode(),
      metadata: MessageCodec.encodeMetadata(request.metadata), ttl: plan.policy.ttl,
      messages: message.map { [$0] } ?? [])
    let outcome: CreateOutcome
    do throws(StoreError) {
      outcome = try await store.createConversation(operation)
    } catch {
      throw Failure(error, log: log)
    }
    switch outcome {
    case .exists:
      throw Failure(
        .conversationExists, "the id is taken", metadata: ["conversation_id": plan.id])
    case .refused(let refusal):
      throw Failure(
        refusal, conversation: plan.id, request: request.requestID, path: "message")
    case .created(_, _, let replayed):
      // A repeat may have minted another id than the first sending.
      let row = try await conversation(principal, plan.id)
      remembered[principal.tenant.id, plan.id] = try head(row)
      return Wire.CreateResponse(conversation: try wire(row), replayed: replayed)
    }
  }

  private func checkCreate(
    _ request: Wire.CreateRequest, _ principal: Principal
  ) throws(Failure) -> (id: String, model: CatalogueModel, policy: TurnPolicy) {
    let checks = checks
    try checks.requestID(request.requestID)
    if let id = request.conversationID { try checks.id(id, "conversation_id") }
    guard !request.model.isEmpty else { throw .field("model", "it is empty") }
    guard let model = catalogue[request.model] else {
      throw .field("model", "the server does not know it")
    }
    try principal.require(model: model.id)
    if let system = request.systemPrompt {
      guard !system.isEmpty else { throw .field("system_prompt", "it is empty") }
      guard system.utf8.count <= limits.messageBytesMax else {
        throw .field("system_prompt", "it has more than \(limits.messageBytesMax) bytes")
      }
    }
    if let message = request.message { try checks.message(message, "message") }
    try checks.metadata(request.metadata, "metadata")
    var given = request.policy ?? Wire.Policy()
    given.summaryModel = given.summaryModel ?? catalogue.summarizer
    if let summaryModel = given.summaryModel, catalogue[summaryModel] == nil {
      throw .field("policy.summary_model", "the server does not know it")
    }
    let policy = try TurnPolicy(given, model: model, checks: checks)
    return (request.conversationID ?? madeID(principal, request), model, policy)
  }

  /// An id for a conversation that was given none. With a `request_id` it is made from it, so that
  /// a repeat names the same conversation.
  private func madeID(_ principal: Principal, _ request: Wire.CreateRequest) -> String {
    guard let requestID = request.requestID else { return "\(RowID.minted())" }
    let seed = "\(principal.tenant.id) \(principal.key.id) \(requestID)"
    let hash = Digest.sha256(Array(seed.utf8))
    func word(_ range: Range<Int>) -> UInt64 { hash[range].reduce(0) { $0 << 8 | UInt64($1) } }
    // Version 8 of RFC 9562: a UUID of our own making.
    let high = word(0..<8) & 0xFFFF_FFFF_FFFF_0FFF | 0x8000
    let low = word(8..<16) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    return "\(RowID(high: high, low: low))"
  }

  func get(
    _ request: Wire.GetRequest, _ principal: Principal
  ) async throws(Failure) -> Wire.GetResponse {
    try checks.id(request.conversationID, "conversation_id")
    let row = try await conversation(principal, request.conversationID)
    return Wire.GetResponse(conversation: try wire(row))
  }

  func wire(_ row: Conversation) throws(Failure) -> Wire.Conversation {
    let policy: Wire.Policy = try stored(row.policy)
    let counter = catalogue[row.model].map { TokenCounter($0) }
    return Wire.Conversation(
      id: row.id, model: row.model,
      systemPrompt: row.system.map { String(decoding: $0, as: UTF8.self) }, policy: policy,
      metadata: try MessageCodec.metadata(row.metadata, log: log),
      state: row.isExpired ? .expired : .active, lastSeq: row.lastSeq, messageCount: row.lastSeq,
      openToolCallIDs: row.openToolCalls, runningGenerationID: row.runningTurn.map { "\($0)" },
      systemPromptTokens: row.system == nil ? nil : counter?.wire(row.systemTokens),
      viewTokensMax: min(row.viewTokensBound, policy.contextBudgetTokens ?? .max),
      createTime: Wire.Timestamp(microseconds: row.createdAt.microseconds),
      lastTurnTime: row.lastTurnAt.map { Wire.Timestamp(microseconds: $0.microseconds) },
      expireTime: Wire.Timestamp(microseconds: row.expiresAt.microseconds))
  }

  /// Who asks what: the request's canonical bytes without its id, under the method's name.
  func requestKey(
    _ principal: Principal, _ method: String, _ id: String?, hashing request: some WireMessage
  ) -> RequestKey {
    // The id is part of the bytes too; it is the same in a repeat.
    RequestKey(
      tenant: principal.tenant.id, key: principal.key.id, request: id,
      hash: id == nil ? [] : Digest.sha256(Array("\(method) ".utf8) + request.encode()))
  }

  /// Counts on the loop what is small, elsewhere what is large.
  func count<R: Sendable>(weight: Int, _ body: @escaping @Sendable () -> R) async -> R {
    if weight <= limits.countedOnLoopMax { return body() }
    return await Task.detached { body() }.value
  }
}
