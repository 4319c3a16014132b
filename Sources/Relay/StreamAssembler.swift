import HTTPClient
import JSON

/// A piece of an answer, as it came. The pieces, joined, are the answer's content and tool calls.
public enum RelayDelta: Sendable, Equatable {
  /// Not empty.
  case text(String)
  /// A part of the call at that place in the answer's list. `id` comes with its first part; `name`
  /// and `arguments` are continued.
  case toolCall(index: Int, id: String?, name: String?, arguments: String)
}

/// Puts an answer together from the events of a stream.
///
/// - Shape: each event's data is a `chat.completion.chunk` with `choices[0].delta`, an object with
///   an `error`, or `[DONE]`, after which nothing is read.
/// - Isolation: none; a value, driven by its reader.
/// - Throws: ``Failure``; what came before it stays.
/// - Source: OpenAI's chat completions, "streaming"; usage may be in any chunk, and the last that
///   can be used wins.
struct StreamAssembler: Sendable {
  enum Failure: Error {
    /// No JSON object, or a tool call that says nothing.
    case malformed
    case refused(JSONValue)
  }

  private(set) var isDone = false
  private var text = ""
  private var hasContent = false
  private var refusal: String?
  private var calls = ToolCallAssembler()
  private var finishReason: RelayAnswer.FinishReason?
  private var model: String?
  private var id: String?
  private var usage: RelayUsage?

  /// Takes one event and gives its deltas; a refusal's text gives none.
  mutating func accept(_ event: SSEParser.Event) throws(Failure) -> [RelayDelta] {
    if isDone || event.data.isEmpty { return [] }
    if event.data.elementsEqual("[DONE]".utf8) {
      isDone = true
      return []
    }
    guard let json = StreamAssembler.parse(event.data), json.object != nil else {
      throw .malformed
    }
    if ErrorClassification.isError(json) || event.name.elementsEqual("error".utf8) {
      throw .refused(json)
    }
    if let reported = json["usage"].flatMap({ RelayUsage($0) }) { usage = reported }
    model = model ?? RelayAnswer.label(json["model"]?.string)
    id = id ?? RelayAnswer.label(json["id"]?.string)
    let choice = (json["choices"]?.array ?? []).first { ($0["index"]?.integer ?? 0) == 0 }
    guard let choice else { return [] }
    if let reason = choice["finish_reason"]?.string, !reason.isEmpty {
      finishReason = RelayAnswer.finishReason(reason)
    }
    return try choice["delta"].map { delta throws(Failure) in try accept(delta: delta) } ?? []
  }

  private mutating func accept(delta: JSONValue) throws(Failure) -> [RelayDelta] {
    var deltas: [RelayDelta] = []
    if let piece = RelayAnswer.text(delta["content"]) {
      hasContent = true
      text += piece
      if !piece.isEmpty { deltas.append(.text(piece)) }
    }
    if let piece = delta["refusal"]?.string { refusal = (refusal ?? "") + piece }
    for call in delta["tool_calls"]?.array ?? [] {
      guard let piece = calls.accept(call) else { throw .malformed }
      deltas.append(piece)
    }
    return deltas
  }

  /// The whole answer after an orderly end; nil if it was cut or is none.
  func answer(head: HTTPResponseHead, timings: HTTPTimings) -> RelayAnswer? {
    guard isDone || finishReason != nil, calls.areNamed else { return nil }
    let answer = assembled(calls.all, head: head, timings: timings)
    let isEmpty = answer.content == nil && answer.refusal == nil && answer.toolCalls.isEmpty
    return isEmpty && answer.finishReason == .other ? nil : answer
  }

  /// Whether the stream may end here.
  var isComplete: Bool { isDone || finishReason != nil }

  /// What came before a failure, with only the tool calls that are whole; nil if nothing did.
  func partial(head: HTTPResponseHead) -> RelayAnswer? {
    let whole = finishReason != nil ? calls.named : calls.parsable
    let answer = assembled(whole, head: head, timings: .none)
    let isEmpty = text.isEmpty && (refusal ?? "").isEmpty && calls.all.isEmpty && usage == nil
    return isEmpty && finishReason == nil ? nil : answer
  }

  private func assembled(
    _ toolCalls: [RelayToolCall], head: HTTPResponseHead, timings: HTTPTimings
  ) -> RelayAnswer {
    // An empty text beside something else is a gateway's filler.
    let isFiller = text.isEmpty && (refusal != nil || !calls.all.isEmpty)
    return RelayAnswer(
      content: hasContent && !isFiller ? text : nil, refusal: refusal, toolCalls: toolCalls,
      finishReason: finishReason ?? .other, model: model,
      upstreamID: RelayAnswer.label(head.header("x-request-id")) ?? id, usage: usage,
      timings: timings)
  }

  /// JSON values in one event, inclusive: a chunk has some twenty, with log probabilities hundreds.
  static let valuesMax = 65_536

  static func parse(_ bytes: [UInt8]) -> JSONValue? {
    var options = JSONOptions.lenientCharacters
    options.valuesMax = valuesMax
    do throws(JSONError) {
      return try JSONValue(parsing: bytes, options: options)
    } catch {
      return nil
    }
  }
}
