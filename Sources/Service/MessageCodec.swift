import Messages
import Relay
import Store

/// Messages between their three forms: the API's, the store's, the relay's.
///
/// The store's body and metadata are encoded `recount.v1.NewMessage`s that hold just the content
/// (text, parts, tool calls) or just the metadata.
enum MessageCodec {
  static func stored(_ message: Wire.NewMessage, counter: TokenCounter) -> NewMessage {
    let role = FieldChecks.roles[message.role]!
    let content = Wire.NewMessage(
      text: message.text, parts: message.parts, toolCalls: message.toolCalls)
    let metadata = Wire.NewMessage(metadata: message.metadata)
    return NewMessage(
      role: role, name: message.name, toolCallID: message.toolCallID, body: content.encode(),
      metadata: message.metadata.isEmpty ? nil : metadata.encode(),
      tokens: counter.count(role: role, message), vocabulary: counter.model.vocabulary,
      method: counter.method, toolCalls: message.toolCalls.map(\.id))
  }

  /// - Throws: `.internal` if the store holds what we never wrote.
  static func wire(_ message: StoredMessage, log: ServiceLog) throws(Failure) -> Wire.Message {
    let content = try content(message, log: log)
    return Wire.Message(
      seq: message.seq, role: role(message.role), text: content.text, parts: content.parts,
      name: message.name, toolCalls: content.toolCalls, toolCallID: message.toolCallID,
      metadata: try metadata(message.metadata, log: log),
      tokens: TokenCounter.wire(
        message.tokens, vocabulary: message.vocabulary, method: message.method),
      state: message.state == .failed ? .failed : .active,
      createTime: Wire.Timestamp(microseconds: message.createdAt.microseconds),
      generationID: message.generation.map { "\($0)" })
  }

  static func relay(_ message: StoredMessage, log: ServiceLog) throws(Failure) -> RelayMessage {
    let content = try content(message, log: log)
    let calls = content.toolCalls.map {
      RelayToolCall(id: $0.id, name: $0.name, arguments: $0.arguments)
    }
    return RelayMessage(
      RelayMessage.Role(rawValue: message.role) ?? .user, relayContent(content),
      name: message.name, toolCalls: calls, toolCallID: message.toolCallID)
  }

  private static func relayContent(_ content: Wire.NewMessage) -> RelayMessage.Content {
    if let text = content.text { return .text(text) }
    if content.parts.isEmpty { return .none }
    return .parts(
      content.parts.compactMap { part in
        if case .text(let text) = part.part { .text(text) } else { nil }
      })
  }

  static func role(_ name: String) -> Wire.Role {
    FieldChecks.roles.first { $0.value == name }?.key ?? .unspecified
  }

  private static func content(
    _ message: StoredMessage, log: ServiceLog
  ) throws(Failure) -> Wire.NewMessage {
    try decode(message.body, log: log)
  }

  static func metadata(_ bytes: [UInt8]?, log: ServiceLog) throws(Failure) -> [String: String] {
    guard let bytes else { return [:] }
    return try decode(bytes, log: log).metadata
  }

  static func encodeMetadata(_ metadata: [String: String]) -> [UInt8]? {
    metadata.isEmpty ? nil : Wire.NewMessage(metadata: metadata).encode()
  }

  private static func decode(
    _ bytes: [UInt8], log: ServiceLog
  ) throws(Failure) -> Wire.NewMessage {
    do throws(MessageError) {
      return try Wire.NewMessage(decoding: bytes)
    } catch {
      let incident = log.incident("a stored message cannot be read: \(error)")
      throw Failure(.internal, "an internal error", metadata: ["incident_id": incident])
    }
  }
}
