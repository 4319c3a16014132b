import Messages
import Tokenizer

/// Counts what a model is shown, in its vocabulary, or in an estimate where it publishes none.
struct TokenCounter {
  let model: CatalogueModel

  init(_ model: CatalogueModel) { self.model = model }

  /// How the store names the method.
  var method: String { isExact ? "exact" : "estimate" }
  var wireMethod: Wire.CountMethod { isExact ? .exact : .estimate }

  /// Once in a request, for the start of the answer.
  var perRequest: Int64 { Int64(model.overhead.perRequest) }

  private var isExact: Bool {
    if case .exact = model.counting { true } else { false }
  }

  private var encoding: Encoding {
    switch model.counting {
    case .exact(let encoding): encoding
    case .estimated(let encoding, _): encoding
    }
  }

  /// A text alone.
  func count(_ text: String) -> Int64 { scaled(encoding.count(text)) }

  /// A message with its overhead.
  func count(role: String, _ message: Wire.NewMessage) -> Int64 {
    var strings = message.parts.compactMap { part -> String? in
      if case .text(let text) = part.part { text } else { nil }
    }
    if let text = message.text { strings.append(text) }
    for call in message.toolCalls { strings += [call.id, call.name, call.arguments] }
    if let call = message.toolCallID { strings.append(call) }
    let counted = ChatMessage(role: role, name: message.name, strings: strings)
    return scaled(model.overhead.count(counted, in: encoding))
  }

  func countSystem(_ prompt: String) -> Int64 {
    scaled(model.overhead.count(ChatMessage(role: "system", strings: [prompt]), in: encoding))
  }

  /// Tools or a response format, from above: what relays make of them is shorter than their JSON.
  func countAttachment(_ json: [UInt8], items: Int) -> Int64 {
    let overhead = model.overhead.tools + items * model.overhead.perFunction
    return scaled(encoding.count(utf8: json) + overhead)
  }

  /// An estimate leans to the high side by its family's ratio.
  private func scaled(_ count: Int) -> Int64 {
    switch model.counting {
    case .exact: Int64(count)
    case .estimated(_, let ratio): Int64((Double(count) * ratio).rounded(.up))
    }
  }

  /// How a count of the store is shown.
  static func wire(_ tokens: Int64, vocabulary: String, method: String) -> Wire.TokenCount {
    let known: [String: Wire.CountMethod] = [
      "exact": .exact, "estimate": .estimate, "bytes_upper_bound": .upperBound,
    ]
    return Wire.TokenCount(
      tokens: tokens, vocabulary: vocabulary, method: known[method] ?? .unspecified)
  }

  func wire(_ tokens: Int64) -> Wire.TokenCount {
    Wire.TokenCount(tokens: tokens, vocabulary: model.vocabulary, method: wireMethod)
  }
}
