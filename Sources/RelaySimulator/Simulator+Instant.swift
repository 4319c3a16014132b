import JSON

// The mode for benchmarks: no parsing, no hashing, no script; one answer, made once.

extension Simulator {
  static let instantUsage = Answer.Usage(
    promptTokens: 100, cachedTokens: 0, completionTokens: 10)

  private static let instantBody: [UInt8] = {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("id", "chatcmpl-sim-instant")
    writer.member("object", "chat.completion")
    writer.member("created", .number(JSONNumber(0)))
    writer.member("model", "sim-instant")
    writer.name("choices")
    writer.beginArray()
    writer.beginObject()
    writer.member("index", .number(JSONNumber(0)))
    writer.name("message")
    writer.beginObject()
    writer.member("role", "assistant")
    writer.member("content", "An instant answer of exactly ten tokens.")
    writer.endObject()
    writer.member("finish_reason", "stop")
    writer.endObject()
    writer.endArray()
    writer.name("usage")
    instantUsage.write(to: &writer)
    writer.endObject()
    return writer.bytes
  }()

  func instant(_ request: HTTPRequest) -> HTTPReply {
    if let log = settings.log {
      let entry = CallLog.Entry(
        attempt: request.values(of: "x-client-request-id").first, milliseconds: CallLog.now(),
        status: 200, outcome: .answered, usage: Simulator.instantUsage)
      _ = log.append(entry)
    }
    var reply = HTTPReply(status: 200, body: Simulator.instantBody)
    reply.delivery.latencyMilliseconds = settings.latencyMilliseconds
    return reply
  }
}
