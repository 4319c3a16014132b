import JSON

/// A message as it goes on the wire.
public struct RelayMessage: Sendable, Hashable {
  public var role: Role
  public var content: Content
  public var name: String?
  /// Of an assistant.
  public var toolCalls: [RelayToolCall]
  /// Of a tool: the call that it answers.
  public var toolCallID: String?

  public enum Role: String, Sendable {
    case system, developer, user, assistant, tool
  }

  public enum Content: Sendable, Hashable {
    /// An assistant that only called tools.
    case none
    case text(String)
    case parts([Part])
  }

  public enum Part: Sendable, Hashable {
    case text(String)
    /// A `data:` or https URL; `detail` is `low`, `high` or `auto`.
    case image(url: String, detail: String?)
  }

  public init(
    _ role: Role, _ content: Content, name: String? = nil, toolCalls: [RelayToolCall] = [],
    toolCallID: String? = nil
  ) {
    self.role = role
    self.content = content
    self.name = name
    self.toolCalls = toolCalls
    self.toolCallID = toolCallID
  }

  /// The canonical bytes: the same message always gives the same ones, so that a list of messages
  /// is a byte prefix of every list that continues it.
  public var canonical: [UInt8] {
    var writer = JSONWriter(capacity: 256)
    write(to: &writer)
    return writer.bytes
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("role", role.rawValue)
    writer.name("content")
    write(content, to: &writer)
    if let name { writer.member("name", name) }
    if !toolCalls.isEmpty {
      writer.name("tool_calls")
      writer.beginArray()
      for call in toolCalls { call.write(to: &writer) }
      writer.endArray()
    }
    if let toolCallID { writer.member("tool_call_id", toolCallID) }
    writer.endObject()
  }

  private func write(_ content: Content, to writer: inout JSONWriter) {
    switch content {
    case .none: writer.null()
    case .text(let text): writer.string(text)
    case .parts(let parts):
      writer.beginArray()
      for part in parts { write(part, to: &writer) }
      writer.endArray()
    }
  }

  private func write(_ part: Part, to writer: inout JSONWriter) {
    writer.beginObject()
    switch part {
    case .text(let text):
      writer.member("type", "text")
      writer.member("text", text)
    case .image(let url, let detail):
      writer.member("type", "image_url")
      writer.name("image_url")
      writer.beginObject()
      writer.member("url", url)
      if let detail { writer.member("detail", detail) }
      writer.endObject()
    }
    writer.endObject()
  }
}

/// A call of a function by the model.
public struct RelayToolCall: Sendable, Hashable {
  public var id: String
  public var name: String
  /// JSON as the model wrote it, which may be no JSON at all.
  public var arguments: String

  public init(id: String, name: String, arguments: String) {
    self.id = id
    self.name = name
    self.arguments = arguments
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("id", id)
    writer.member("type", "function")
    writer.name("function")
    writer.beginObject()
    writer.member("name", name)
    writer.member("arguments", arguments)
    writer.endObject()
    writer.endObject()
  }
}
