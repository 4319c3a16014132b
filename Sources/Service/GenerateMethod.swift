import Domain
import GRPCServer
import Messages
import Reactor
import Store

/// Generate and StreamGenerate: what is checked before a turn begins.
extension ConversationService {
  func generate(_ bytes: [UInt8], _ call: ServerCall) async throws(RPCError) -> [UInt8] {
    let turn: Turn
    do throws(Failure) {
      turn = try await admit(call, nil) { () throws(Failure) in try decode(bytes) }
    } catch {
      throw error.rpcError
    }
    return try await turn.runDetached().encode()
  }

  func streamGenerate(_ bytes: [UInt8], _ call: ServerCall) async throws(RPCError) {
    let turn: Turn
    do throws(Failure) {
      turn = try await admit(call, EventStream(call)) { () throws(Failure) in
        Wire.GenerateRequest(try decode(bytes))
      }
    } catch {
      throw error.rpcError
    }
    _ = try await turn.runDetached()
  }

  private func admit(
    _ call: ServerCall, _ events: EventStream?,
    _ decode: () throws(Failure) -> Wire.GenerateRequest
  ) async throws(Failure) -> Turn {
    var clock = TurnClock(arrived: reactor.now)
    let principal = try await authenticate(call)
    try principal.require(.generate)
    clock.auth = reactor.now - clock.arrived
    return try await prepare(try decode(), principal, clock, events)
  }

  private func prepare(
    _ request: Wire.GenerateRequest, _ principal: Principal, _ clock: TurnClock,
    _ events: EventStream?
  ) async throws(Failure) -> Turn {
    try checkGenerate(request)
    guard !isDraining else {
      throw Failure(.shuttingDown, "the server is going down", retryAfter: .seconds(1))
    }
    let head = try await head(principal, request.conversationID)
    let options = request.options ?? Wire.GenerationOptions()
    let model = try model(options, head)
    try principal.require(model: model.id)
    let parameters = try GenerationParameters(
      options, policy: head.policy, model: model, checks: checks)
    let counter = TokenCounter(model)
    let messages = await count(
      weight: request.message.map { FieldChecks.bytes(of: $0) } ?? 0
    ) { request.message.map { [MessageCodec.stored($0, counter: counter)] } ?? [] }
    let turn = Turn(
      self, principal, request, head, counter, parameters, messages, clock, events)
    try turn.checkRoom()
    return turn
  }

  private func checkGenerate(_ request: Wire.GenerateRequest) throws(Failure) {
    let checks = checks
    try checks.id(request.conversationID, "conversation_id")
    try checks.requestID(request.requestID)
    try checks.expectedLastSeq(request.expectedLastSeq)
    guard let message = request.message else { return }
    try checks.message(message, "message")
    guard message.role != .assistant else {
      throw .field("message.role", "a turn does not begin with an assistant's message")
    }
  }

  private func model(
    _ options: Wire.GenerationOptions, _ head: ConversationHead
  ) throws(Failure) -> CatalogueModel {
    guard let id = options.model else { return head.model }
    guard let model = catalogue[id] else {
      throw .field("options.model", "the server does not know it")
    }
    // What is stored is counted in the conversation's vocabulary.
    guard model.vocabulary == head.model.vocabulary,
      model.vocabulary != "estimated" || id == head.model.id
    else {
      throw .field("options.model", "its tokens are counted in another vocabulary")
    }
    return model
  }
}

extension Turn {
  /// Whether the new message can fit at all, so that nothing is stored if it cannot.
  func checkRoom() throws(Failure) {
    let message = messages.reduce(0) { $0 + $1.tokens }
    let fixed = head.systemTokens + extraTokens
    guard extraTokens < budget else {
      throw Failure(
        .contextNotReducible, "tools and response format leave no room",
        metadata: ["tokens": String(extraTokens), "limit": String(budget)])
    }
    if message > max(0, budget - extraTokens) {
      throw Failure(
        .contextTooLong, "the message alone exceeds the window",
        metadata: ["tokens": String(message), "limit": String(max(0, budget - extraTokens))])
    }
    if fixed + message > budget {
      throw Failure(
        .contextNotReducible, "the system prompt and the message leave no room",
        metadata: ["tokens": String(fixed + message), "limit": String(budget)])
    }
  }
}

extension Wire.GenerateRequest {
  /// The same question, so that a repeat under its request_id may come by either method.
  init(_ request: Wire.StreamGenerateRequest) {
    self.init(
      conversationID: request.conversationID, message: request.message, options: request.options,
      expectedLastSeq: request.expectedLastSeq, abandonTools: request.abandonTools,
      requestID: request.requestID)
  }
}
