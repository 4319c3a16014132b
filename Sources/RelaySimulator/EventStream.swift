import JSON

/// A streamed answer: its server-sent events, made before the first leaves, but for the filler.
struct EventStream {
  enum Kind { case delta, finish, usage, done }

  struct Event {
    var kind: Kind
    /// With its `data:` and its empty line.
    var bytes: [UInt8]
  }

  /// What goes wrong in the middle of the deltas.
  enum Fault: String, CaseIterable {
    /// A line of `giantLineBytes`.
    case giantLine = "giant_line"
    /// Half a JSON; the stream goes on.
    case malformed
    /// The step's `error`, which ends the stream.
    case error
  }

  static let giantLineBytes = 2 << 20
  /// Bytes of content in one filler event.
  static let fillerContentBytes = 4096

  var events: [Event] = []
  var attempt: String?
  var pauseMilliseconds = 0
  /// A cut ends the stream as HTTP wants it, so that only events are missing.
  var isOrderly = false
  /// An event that is sent so many times after the deltas.
  var filler: [UInt8] = []
  var fillerCount = 0

  /// The place of the delta in the middle, never the first.
  var middle: Int {
    let deltas = events.prefix { $0.kind == .delta }.count
    return deltas < 2 ? deltas : max(deltas / 2, 1)
  }

  /// Where a cut falls: before the event of that place, or inside it.
  func place(of cut: HTTPReply.Cut) -> (index: Int, isInside: Bool)? {
    func first(_ kinds: Kind...) -> Int {
      events.firstIndex { kinds.contains($0.kind) } ?? events.count
    }
    return switch cut {
    case .beforeHeaders, .insideHeaders: nil
    case .beforeBody: (0, false)
    case .insideBody, .insideChunk: (min(middle, events.count - 1), true)
    case .betweenChunks: (middle, false)
    case .beforeFinish: (first(.finish), false)
    case .beforeUsage: (first(.usage, .done), false)
    case .beforeDone: (first(.done), false)
    }
  }
}

extension EventStream {
  /// The events of an answer in OpenAI's order: role, text, tool calls, finish, usage, `[DONE]`.
  init(_ answer: Answer, step: Step, chat: ChatRequest, id: String) {
    let writer = ChunkWriter(
      id: id, model: step.answeredModel ?? chat.model, created: CallLog.now() / 1000,
      mentionsUsage: chat.includesUsage)
    var deltas = [writer.delta(#"{"role":"assistant","content":""}"#)]
    let content = step.toolCalls == nil ? answer.content : step.content ?? ""
    for piece in EventStream.pieces(content, bytes: step.chunkBytes) {
      deltas.append(writer.delta(member: "content", piece))
    }
    for (index, call) in (step.toolCalls?.array ?? []).enumerated() {
      deltas += EventStream.fragments(call, index, bytes: step.chunkBytes).map(writer.delta(_:))
    }
    events = deltas.map { Event(kind: .delta, bytes: $0) }
    events.append(Event(kind: .finish, bytes: writer.finish(answer.finishReason)))
    if chat.includesUsage {
      switch step.usage {
      case .counted: events.append(Event(kind: .usage, bytes: writer.usage(answer.usage.json)))
      case .given(let json): events.append(Event(kind: .usage, bytes: writer.usage(json.canonical)))
      case .omitted: break
      }
    }
    events.append(Event(kind: .done, bytes: Array("data: [DONE]\n\n".utf8)))
    pauseMilliseconds = step.chunkMilliseconds
    isOrderly = step.isOrderly
    if step.streamBytes > 0 {
      let text = String(repeating: "x", count: EventStream.fillerContentBytes)
      filler = writer.delta(member: "content", text)
      fillerCount = (step.streamBytes + text.utf8.count - 1) / text.utf8.count
    }
    if let fault = step.fault { insert(fault, step.error) }
  }

  private mutating func insert(_ fault: Fault, _ error: JSONValue?) {
    let at = middle
    switch fault {
    case .malformed:
      events.insert(Event(kind: .delta, bytes: Array("data: {\"choices\":[{\n\n".utf8)), at: at)
    case .giantLine:
      let line = [UInt8](repeating: UInt8(ascii: "x"), count: EventStream.giantLineBytes - 6)
      events.insert(
        Event(kind: .delta, bytes: Array("data: ".utf8) + line + Array("\n\n".utf8)), at: at)
    case .error:
      var writer = JSONWriter()
      writer.beginObject()
      writer.member("error", error ?? .string("scripted"))
      writer.endObject()
      events.removeSubrange(at...)
      fillerCount = 0
      events.append(Event(kind: .delta, bytes: ChunkWriter.framed(writer.bytes)))
    }
  }

  /// A text in pieces of (at least) so many bytes and whole characters.
  private static func pieces(_ text: String, bytes: Int) -> [String] {
    var pieces: [String] = []
    var piece = String.UnicodeScalarView()
    var count = 0
    for scalar in text.unicodeScalars {
      piece.append(scalar)
      count += UTF8.width(scalar)
      guard count >= bytes else { continue }
      pieces.append(String(piece))
      piece = String.UnicodeScalarView()
      count = 0
    }
    return piece.isEmpty ? pieces : pieces + [String(piece)]
  }

  /// The deltas of one tool call: its id and name, then its arguments in pieces.
  private static func fragments(_ call: JSONValue, _ index: Int, bytes: Int) -> [String] {
    func fragment(_ name: JSONValue?, _ arguments: String) -> String {
      var writer = JSONWriter()
      writer.beginObject()
      writer.name("tool_calls")
      writer.beginArray()
      writer.beginObject()
      writer.member("index", .number(JSONNumber(index)))
      if let name {
        if let id = call["id"] { writer.member("id", id) }
        writer.member("type", "function")
        writer.name("function")
        writer.beginObject()
        writer.member("name", name)
      } else {
        writer.name("function")
        writer.beginObject()
      }
      writer.member("arguments", arguments)
      writer.endObject()
      writer.endObject()
      writer.endArray()
      writer.endObject()
      return String(decoding: writer.bytes, as: UTF8.self)
    }
    let arguments = call["function"]?["arguments"]?.string ?? ""
    return [fragment(call["function"]?["name"] ?? .null, "")]
      + pieces(arguments, bytes: bytes).map { fragment(nil, $0) }
  }
}
