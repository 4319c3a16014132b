public import HTTPClient
import JSON

/// A completion, checked and normalised.
public struct RelayAnswer: Sendable {
  public var content: String?
  /// The model's own refusal, if it gave one.
  public var refusal: String?
  public var toolCalls: [RelayToolCall]
  public var finishReason: FinishReason
  /// The model that the relay says it used; at most 200 characters.
  public var model: String?
  /// `X-Request-Id`, else the completion's id; visible ASCII, at most 200 characters.
  public var upstreamID: String?
  /// Nil if the relay reported none that can be used: it must be counted instead.
  public var usage: RelayUsage?
  public var timings: HTTPTimings

  public enum FinishReason: String, Sendable, CaseIterable {
    case stop
    case length
    case toolCalls = "tool_calls"
    case contentFilter = "content_filter"
    case other
  }

  public init(
    content: String?, refusal: String? = nil, toolCalls: [RelayToolCall] = [],
    finishReason: FinishReason, model: String? = nil, upstreamID: String? = nil,
    usage: RelayUsage?, timings: HTTPTimings = .none
  ) {
    self.content = content
    self.refusal = refusal
    self.toolCalls = toolCalls
    self.finishReason = finishReason
    self.model = model
    self.upstreamID = upstreamID
    self.usage = usage
    self.timings = timings
  }
}

extension RelayAnswer {
  /// Characters of a name or id that a relay may make us store.
  static let labelMax = 200

  /// Reads a `chat.completion`; nil if it is none.
  ///
  /// It is generous where a paid answer would else be lost: content may be parts, arguments may be
  /// an object, and a tool call without an id gets one from its place.
  init?(_ json: JSONValue, head: HTTPResponseHead, timings: HTTPTimings) {
    guard let choice = json["choices"]?.array?.first, let message = choice["message"],
      message.object != nil
    else { return nil }
    var calls: [RelayToolCall] = []
    for (index, call) in (message["tool_calls"]?.array ?? []).enumerated() {
      guard let read = RelayAnswer.toolCall(call, at: index) else { return nil }
      calls.append(read)
    }
    self.init(
      content: RelayAnswer.text(message["content"]), refusal: message["refusal"]?.string,
      toolCalls: calls, finishReason: RelayAnswer.finishReason(choice["finish_reason"]?.string),
      model: RelayAnswer.label(json["model"]?.string),
      upstreamID: RelayAnswer.label(head.header("x-request-id"))
        ?? RelayAnswer.label(json["id"]?.string),
      usage: json["usage"].flatMap { RelayUsage($0) }, timings: timings)
    // An answer without anything in it is none, unless the relay says why.
    if content == nil, refusal == nil, calls.isEmpty, finishReason == .other { return nil }
  }

  static func text(_ content: JSONValue?) -> String? {
    guard let parts = content?.array else { return content?.string }
    return parts.compactMap { $0["text"]?.string }.joined()
  }

  private static func toolCall(_ json: JSONValue, at index: Int) -> RelayToolCall? {
    guard let function = json["function"], let name = function["name"]?.string, !name.isEmpty
    else { return nil }
    let id = json["id"]?.string ?? ""
    return RelayToolCall(
      id: id.isEmpty ? "call_\(index)" : id, name: name,
      arguments: arguments(function["arguments"]))
  }

  /// The text of arguments, which some relays send as an object.
  static func arguments(_ json: JSONValue?) -> String {
    let object = json?.object.map { JSONValue.object($0).canonical }
    return json?.string ?? object.map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  static func finishReason(_ text: String?) -> FinishReason {
    if text == "function_call" { return .toolCalls }
    return text.flatMap { FinishReason(rawValue: $0) } ?? .other
  }

  /// Text that is safe to store and show as a name; nil if there is none.
  static func label(_ text: String?) -> String? {
    guard let text else { return nil }
    let visible = text.unicodeScalars.filter { (0x21...0x7E).contains($0.value) }.prefix(labelMax)
    return visible.isEmpty ? nil : String(String.UnicodeScalarView(visible))
  }
}
