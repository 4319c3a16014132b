import Messages
import Store

/// Append, ListMessages and CountTokens.
extension ConversationService {
  func append(
    _ request: Wire.AppendRequest, _ principal: Principal
  ) async throws(Failure) -> Wire.AppendResponse {
    try checkAppend(request)
    let head = try await head(principal, request.conversationID)
    let counter = TokenCounter(head.model)
    let messages = request.messages
    let stored = await count(weight: messages.reduce(0) { $0 + FieldChecks.bytes(of: $1) }) {
      messages.map { MessageCodec.stored($0, counter: counter) }
    }
    let operation = AppendMessages(
      request: requestKey(principal, "Append", request.requestID, hashing: request),
      operation: .minted(), conversation: request.conversationID,
      expectedLastSeq: request.expectedLastSeq, messages: stored)
    let outcome: AppendOutcome
    do throws(StoreError) {
      outcome = try await store.appendMessages(operation)
    } catch {
      throw Failure(error, log: log)
    }
    switch outcome {
    case .refused(let refusal):
      throw Failure(
        refusal, conversation: request.conversationID, request: request.requestID, path: "")
    case .appended(let first, let last, let replayed):
      let touchesTools = messages.contains { $0.role == .tool || !$0.toolCalls.isEmpty }
      let open =
        touchesTools
        ? try await conversation(principal, request.conversationID).openToolCalls : []
      return Wire.AppendResponse(
        firstSeq: first, lastSeq: last, openToolCallIDs: open, replayed: replayed)
    }
  }

  private func checkAppend(_ request: Wire.AppendRequest) throws(Failure) {
    let checks = checks
    try checks.id(request.conversationID, "conversation_id")
    try checks.requestID(request.requestID)
    try checks.expectedLastSeq(request.expectedLastSeq)
    guard (1...limits.messagesPerAppendMax).contains(request.messages.count) else {
      throw .field("messages", "there must be 1 to \(limits.messagesPerAppendMax)")
    }
    for (index, message) in request.messages.enumerated() {
      try checks.message(message, "messages[\(index)]")
    }
  }

  func listMessages(
    _ request: Wire.ListMessagesRequest, _ principal: Principal
  ) async throws(Failure) -> Wire.ListMessagesResponse {
    let checks = checks
    try checks.id(request.conversationID, "conversation_id")
    let size = try checks.pageSize(request.pageSize)
    if let seq = request.afterSeq, seq < 0 { throw .field("after_seq", "it is negative") }
    if case .unrecognized = request.state { throw .field("state", "it names no state") }
    let after = try after(request)
    _ = try await conversation(principal, request.conversationID)
    let rows: [StoredMessage]
    do throws(StoreError) {
      rows = try await store.messages(
        tenant: principal.tenant.id, conversation: request.conversationID, after: after,
        limit: size + 1)
    } catch {
      throw Failure(error, log: log)
    }
    var messages: [Wire.Message] = []
    for row in rows.prefix(size) where Self.matches(row.state, request.state) {
      messages.append(try MessageCodec.wire(row, log: log))
    }
    let next =
      rows.count > size
      ? PageToken.encode("m", "\(request.conversationID)/\(rows[size - 1].seq)") : nil
    return Wire.ListMessagesResponse(messages: messages, nextPageToken: next)
  }

  private func after(_ request: Wire.ListMessagesRequest) throws(Failure) -> Int64 {
    guard let token = request.pageToken else { return request.afterSeq ?? 0 }
    let parts = try PageToken.decode("m", token).split(separator: "/")
    guard parts.count == 2, parts[0] == request.conversationID, let seq = Int64(parts[1]),
      seq >= 0
    else { throw .field("page_token", "it is none that this method gave here") }
    return seq
  }

  private static func matches(
    _ state: StoredMessage.State, _ wanted: Wire.MessageState
  ) -> Bool {
    switch wanted {
    case .active: state == .active
    case .failed: state == .failed
    default: true
    }
  }

  func countTokens(
    _ request: Wire.CountTokensRequest, _ principal: Principal
  ) async throws(Failure) -> Wire.CountTokensResponse {
    let checks = checks
    guard let model = catalogue[request.model] else {
      throw .field("model", request.model.isEmpty ? "it is empty" : "the server does not know it")
    }
    try principal.require(model: model.id)
    let isText = request.text != nil
    guard isText != !(request.messages.isEmpty && request.tools.isEmpty) else {
      throw .field("text", "give a text, or messages and tools")
    }
    guard request.messages.count <= limits.messagesPerAppendMax else {
      throw .field("messages", "there are more than \(limits.messagesPerAppendMax)")
    }
    for (index, message) in request.messages.enumerated() {
      try checks.message(message, "messages[\(index)]")
    }
    var names: Set<String> = []
    let tools = try GenerationParameters.json(request.tools, "tools", checks, &names)
    let counter = TokenCounter(model)
    let weight =
      (request.text?.utf8.count ?? 0) + tools.count
      + request.messages.reduce(0) { $0 + FieldChecks.bytes(of: $1) }
    return await count(weight: weight) {
      if let text = request.text {
        return Wire.CountTokensResponse(tokens: counter.wire(counter.count(text)))
      }
      let each = request.messages.map { counter.count(role: FieldChecks.roles[$0.role]!, $0) }
      var sum = each.reduce(counter.perRequest, +)
      if !request.tools.isEmpty {
        sum += counter.countAttachment(tools, items: request.tools.count)
      }
      return Wire.CountTokensResponse(tokens: counter.wire(sum), messageTokens: each)
    }
  }
}
