import JSON

/// A chat-completions request as the simulator understands it.
struct ChatRequest {
  var model: String
  var messages: [JSONValue]
  /// The bytes of the message list, from bracket to bracket, as they came.
  var messageBytes: ArraySlice<UInt8>
  var toolBytes: [UInt8]
  var outputTokensMax: Int?
  var streams: Bool
  /// Whether a stream tells its usage.
  var includesUsage: Bool

  init(body: [UInt8]) throws(APIError) {
    let object: JSONObject
    let ranges: [Range<Int>]
    do {
      (object, ranges) = try JSONObject.parsing(body, options: .lenientCharacters)
    } catch {
      throw APIError(status: 400, message: "We could not parse the JSON body: \(error)")
    }
    guard let model = object["model"]?.string, !model.isEmpty else {
      throw APIError(status: 400, message: "you must provide a model parameter")
    }
    guard let index = object.members.firstIndex(where: { $0.name == "messages" }),
      let messages = object.members[index].value.array, !messages.isEmpty
    else {
      throw APIError(
        status: 400, message: "messages must be a non-empty array", parameter: .string("messages"))
    }
    self.model = model
    self.messages = messages
    messageBytes = body[ranges[index]]
    toolBytes = object["tools"]?.canonical ?? []
    let limit = object["max_completion_tokens"] ?? object["max_tokens"]
    if let limit, !limit.isNull {
      guard let tokens = limit.integer, tokens > 0 else {
        throw APIError(
          status: 400, message: "max_tokens must be at least 1", parameter: .string("max_tokens"))
      }
      outputTokensMax = Int(tokens)
    }
    streams = object["stream"]?.bool ?? false
    includesUsage = object["stream_options"]?["include_usage"]?.bool ?? false
    try checkMessages()
  }

  /// The first line of the first user message, at most 200 characters.
  var firstUserLine: String {
    let user = messages.first { $0["role"]?.string == "user" }
    let text = user.map(TokenRule.texts)?.first ?? ""
    return String(text.prefix { !$0.isNewline }.prefix(200))
  }

  /// Roles are known, and every tool result answers an open call of the turn before it.
  private func checkMessages() throws(APIError) {
    var open: Set<String> = []
    for (index, message) in messages.enumerated() {
      let role = message["role"]?.string ?? ""
      guard ["system", "developer", "user", "assistant", "tool"].contains(role) else {
        throw fault(index, "role", "unknown role")
      }
      if role == "tool" {
        guard let id = message["tool_call_id"]?.string, open.remove(id) != nil else {
          throw fault(
            index, "role",
            "messages with role 'tool' must be a response to a preceding message with 'tool_calls'")
        }
        continue
      }
      guard open.isEmpty else {
        throw fault(
          index, "role",
          "an assistant message with 'tool_calls' must be followed by tool messages for each id")
      }
      let calls = message["tool_calls"]?.array ?? []
      open = Set(calls.compactMap { $0["id"]?.string })
    }
    guard open.isEmpty else {
      throw fault(messages.count - 1, "tool_calls", "tool calls without their results")
    }
  }

  private func fault(_ index: Int, _ field: String, _ message: String) -> APIError {
    APIError(
      status: 400, message: message, parameter: .string("messages.[\(index)].\(field)"))
  }
}

/// How the simulator counts: deterministic, and below any bound that counts a byte as a token.
///
/// Text: a quarter of its UTF-8 bytes, rounded up. A message: 3, plus its text, plus 1 if it has a
/// name, plus a quarter (rounded up) of the id, name and arguments of each tool call; an image
/// part: 85. Tools: a quarter of their canonical bytes. The list: 3.
enum TokenRule {
  static let listOverhead = 3
  static let messageOverhead = 3
  static let imageTokens = 85

  static func tokens(bytes: Int) -> Int { (bytes + 3) / 4 }

  static func promptTokens(_ request: ChatRequest) -> Int {
    request.messages.reduce(listOverhead + tokens(bytes: request.toolBytes.count)) {
      $0 + messageTokens($1)
    }
  }

  static func messageTokens(_ message: JSONValue) -> Int {
    var total = messageOverhead
    for text in texts(message) { total += tokens(bytes: text.utf8.count) }
    for part in message["content"]?.array ?? [] where part["type"]?.string == "image_url" {
      total += imageTokens
    }
    if message["name"]?.string != nil { total += 1 }
    for call in message["tool_calls"]?.array ?? [] {
      let parts = [call["id"], call["function"]?["name"], call["function"]?["arguments"]]
      let bytes = parts.compactMap { $0?.string }.reduce(0) { $0 + $1.utf8.count }
      total += tokens(bytes: bytes)
    }
    return total
  }

  /// The texts of a message's content, be it a string or parts.
  static func texts(_ message: JSONValue) -> [String] {
    if let text = message["content"]?.string { return [text] }
    return (message["content"]?.array ?? []).compactMap { $0["text"]?.string }
  }
}
