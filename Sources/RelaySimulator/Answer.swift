import JSON

/// The answer to one call: its text, its usage, and the bytes of both.
struct Answer {
  var content: String
  var finishReason: String
  var usage: Usage

  /// Tokens as OpenAI reports them: the cached ones are part of the prompt's.
  struct Usage {
    var promptTokens: Int
    var cachedTokens: Int
    var completionTokens: Int
    var reasoningTokens = 0

    var json: [UInt8] {
      var writer = JSONWriter()
      write(to: &writer)
      return writer.bytes
    }

    func write(to writer: inout JSONWriter) {
      writer.beginObject()
      writer.member("prompt_tokens", .number(JSONNumber(promptTokens)))
      writer.member("completion_tokens", .number(JSONNumber(completionTokens)))
      writer.member("total_tokens", .number(JSONNumber(promptTokens + completionTokens)))
      writer.name("prompt_tokens_details")
      writer.beginObject()
      writer.member("cached_tokens", .number(JSONNumber(cachedTokens)))
      writer.endObject()
      writer.name("completion_tokens_details")
      writer.beginObject()
      writer.member("reasoning_tokens", .number(JSONNumber(reasoningTokens)))
      writer.endObject()
      writer.endObject()
    }
  }

  init(to request: ChatRequest, step: Step, promptTokens: Int, cachedTokens: Int, sha256: String) {
    var content =
      step.content
      ?? "first user line: \(request.firstUserLine)\nmessages: \(request.messages.count)\n"
      + "sha256: \(sha256)"
    if let bytes = step.contentBytes, content.utf8.count < bytes {
      content += String(repeating: "x", count: bytes - content.utf8.count)
    }
    var finish = step.toolCalls == nil ? "stop" : "tool_calls"
    if let limit = request.outputTokensMax, TokenRule.tokens(bytes: content.utf8.count) > limit {
      content = Answer.cut(content, toBytes: limit * 4)
      finish = "length"
    }
    var tokens = TokenRule.tokens(bytes: content.utf8.count)
    if let calls = step.toolCalls { tokens += TokenRule.tokens(bytes: calls.canonical.count) }
    self.content = content
    finishReason = step.finishReason ?? finish
    usage = Usage(
      promptTokens: promptTokens, cachedTokens: cachedTokens, completionTokens: max(tokens, 1))
  }

  /// The body of a reply that is not streamed.
  func body(id: String, model: String, created: Int64, step: Step) -> [UInt8] {
    var writer = JSONWriter(capacity: content.utf8.count + 512)
    writer.beginObject()
    writer.member("id", id)
    writer.member("object", "chat.completion")
    writer.member("created", .number(JSONNumber(created)))
    writer.member("model", step.answeredModel ?? model)
    writer.name("choices")
    writer.beginArray()
    writer.beginObject()
    writer.member("index", .number(JSONNumber(0)))
    writer.name("message")
    writer.beginObject()
    writer.member("role", "assistant")
    if let calls = step.toolCalls {
      writer.member("content", step.content.map(JSONValue.string) ?? .null)
      writer.member("tool_calls", calls)
    } else {
      writer.member("content", content)
    }
    writer.endObject()
    writer.member("logprobs", .null)
    writer.member("finish_reason", finishReason)
    writer.endObject()
    writer.endArray()
    switch step.usage {
    case .counted:
      writer.name("usage")
      usage.write(to: &writer)
    case .given(let json): writer.member("usage", json)
    case .omitted: break
    }
    writer.endObject()
    return writer.bytes
  }

  /// The longest prefix of whole characters within `count` bytes.
  private static func cut(_ text: String, toBytes count: Int) -> String {
    var result = ""
    var bytes = 0
    for scalar in text.unicodeScalars {
      bytes += UTF8.width(scalar)
      if bytes > count { break }
      result.unicodeScalars.append(scalar)
    }
    return result
  }
}
