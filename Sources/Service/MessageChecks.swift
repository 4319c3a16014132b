import Messages

/// The rules of a message that a caller gives.
extension FieldChecks {
  /// - Parameter path: how BadRequest names the message.
  func message(_ message: Wire.NewMessage, _ path: String) throws(Failure) {
    guard Self.roles[message.role] != nil else {
      throw .field("\(path).role", "it names no role")
    }
    guard message.text == nil || message.parts.isEmpty else {
      throw .field("\(path).parts", "a message has a text or parts, not both")
    }
    for (index, part) in message.parts.enumerated() {
      try self.part(part, "\(path).parts[\(index)]")
    }
    if let name = message.name { try self.name(name, "\(path).name") }
    try toolCalls(message, path)
    try metadata(message.metadata, "\(path).metadata")
    try content(message, path)
  }

  static let roles: [Wire.Role: String] = [
    .system: "system", .developer: "developer", .user: "user", .assistant: "assistant",
    .tool: "tool",
  ]

  private func part(_ part: Wire.ContentPart, _ path: String) throws(Failure) {
    switch part.part {
    case .text: return
    case .image: throw .field("\(path).image", "images are not taken yet")
    case nil: throw .field(path, "it is empty")
    }
  }

  private func content(_ message: Wire.NewMessage, _ path: String) throws(Failure) {
    let hasContent = message.text != nil || !message.parts.isEmpty
    guard hasContent || (message.role == .assistant && !message.toolCalls.isEmpty) else {
      throw .field("\(path).text", "the message has no content")
    }
    if let text = message.text, text.isEmpty, message.role != .tool, message.toolCalls.isEmpty {
      throw .field("\(path).text", "it is empty")
    }
    guard Self.bytes(of: message) <= limits.messageBytesMax else {
      throw .field(path, "it has more than \(limits.messageBytesMax) bytes")
    }
  }

  private func toolCalls(_ message: Wire.NewMessage, _ path: String) throws(Failure) {
    if let id = message.toolCallID {
      guard message.role == .tool else {
        throw .field("\(path).tool_call_id", "only a tool's message answers a call")
      }
      try callID(id, "\(path).tool_call_id")
    } else if message.role == .tool {
      throw .field("\(path).tool_call_id", "a tool's message must name the call that it answers")
    }
    guard message.toolCalls.isEmpty || message.role == .assistant else {
      throw .field("\(path).tool_calls", "only an assistant calls tools")
    }
    guard message.toolCalls.count <= limits.toolCallsMax else {
      throw .field("\(path).tool_calls", "there are more than \(limits.toolCallsMax)")
    }
    var seen: Set<String> = []
    for (index, call) in message.toolCalls.enumerated() {
      let path = "\(path).tool_calls[\(index)]"
      try callID(call.id, "\(path).id")
      guard seen.insert(call.id).inserted else { throw .field("\(path).id", "it is there twice") }
      try name(call.name, "\(path).name")
      _ = try json(call.arguments, "\(path).arguments")
    }
  }

  /// Providers choose these ids, so more characters are allowed than in ours.
  private func callID(_ id: String, _ path: String) throws(Failure) {
    guard isCallID(id) else {
      throw .field(path, "it must be 1 to \(limits.idCharactersMax) visible ASCII characters")
    }
  }

  func isCallID(_ id: String) -> Bool {
    (1...limits.idCharactersMax).contains(id.utf8.count)
      && id.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  /// What a message weighs, its metadata apart.
  static func bytes(of message: Wire.NewMessage) -> Int {
    var bytes = message.text?.utf8.count ?? 0
    for part in message.parts {
      if case .text(let text) = part.part { bytes += text.utf8.count }
    }
    for call in message.toolCalls {
      bytes += call.id.utf8.count + call.name.utf8.count + call.arguments.utf8.count
    }
    return bytes
  }
}
