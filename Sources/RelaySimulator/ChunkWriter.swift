import JSON

/// Writes `chat.completion.chunk` events.
struct ChunkWriter {
  var id: String
  var model: String
  var created: Int64
  /// Chunks that have no usage say null, as at OpenAI when it was asked for.
  var mentionsUsage: Bool

  /// - Parameter json: the delta.
  func delta(_ json: String) -> [UInt8] { chunk(Array(json.utf8), finish: nil) }

  func delta(member name: String, _ text: String) -> [UInt8] {
    var writer = JSONWriter(capacity: text.utf8.count + 32)
    writer.beginObject()
    writer.member(name, text)
    writer.endObject()
    return chunk(writer.bytes, finish: nil)
  }

  func finish(_ reason: String) -> [UInt8] { chunk(Array("{}".utf8), finish: reason) }

  /// The chunk without choices that ends a stream whose usage was asked for.
  func usage(_ json: [UInt8]) -> [UInt8] {
    var writer = opened(capacity: 512)
    writer.member("choices", .array([]))
    writer.name("usage")
    writer.raw(json)
    writer.endObject()
    return ChunkWriter.framed(writer.bytes)
  }

  private func chunk(_ delta: [UInt8], finish: String?) -> [UInt8] {
    var writer = opened(capacity: delta.count + 256)
    writer.name("choices")
    writer.beginArray()
    writer.beginObject()
    writer.member("index", .number(JSONNumber(0)))
    writer.name("delta")
    writer.raw(delta)
    writer.member("finish_reason", finish.map(JSONValue.string) ?? .null)
    writer.endObject()
    writer.endArray()
    if mentionsUsage { writer.member("usage", .null) }
    writer.endObject()
    return ChunkWriter.framed(writer.bytes)
  }

  private func opened(capacity: Int) -> JSONWriter {
    var writer = JSONWriter(capacity: capacity)
    writer.beginObject()
    writer.member("id", id)
    writer.member("object", "chat.completion.chunk")
    writer.member("created", .number(JSONNumber(created)))
    writer.member("model", model)
    return writer
  }

  static func framed(_ data: [UInt8]) -> [UInt8] {
    Array("data: ".utf8) + data + Array("\n\n".utf8)
  }
}
