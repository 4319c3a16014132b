public import JSON

/// What one chat completion asks for.
public struct RelayRequest: Sendable {
  /// Our name of the model.
  public var model: String
  /// Canonical messages separated by commas, without brackets; see ``RelayMessage/canonical``.
  public var messageItems: [UInt8]
  /// The canonical JSON array of tools.
  public var tools: [UInt8]?
  /// Canonical JSON: a string or an object.
  public var toolChoice: [UInt8]?
  /// A canonical JSON object.
  public var responseFormat: [UInt8]?
  public var temperature: Double?
  public var topP: Double?
  /// The most output tokens; it bounds the bill, so it is always sent.
  public var outputTokensMax: Int
  public var stop: [String]
  public var seed: Int64?
  /// Further fields that the catalogue allows, written before ours.
  public var extra: JSONObject

  public init(
    model: String, messages: [RelayMessage] = [], outputTokensMax: Int,
    tools: [UInt8]? = nil, toolChoice: [UInt8]? = nil, responseFormat: [UInt8]? = nil,
    temperature: Double? = nil, topP: Double? = nil, stop: [String] = [], seed: Int64? = nil,
    extra: JSONObject = JSONObject()
  ) {
    self.model = model
    messageItems = []
    self.outputTokensMax = outputTokensMax
    self.tools = tools
    self.toolChoice = toolChoice
    self.responseFormat = responseFormat
    self.temperature = temperature
    self.topP = topP
    self.stop = stop
    self.seed = seed
    self.extra = extra
    for message in messages { append(message.canonical) }
  }

  /// Appends a message that was rendered before.
  public mutating func append(_ canonical: [UInt8]) {
    if !messageItems.isEmpty { messageItems.append(UInt8(ascii: ",")) }
    messageItems += canonical
  }

  /// Fields that only we write: they are ours, or they change the price or the destination.
  public static let reservedFields: Set<String> = [
    "messages", "tools", "tool_choice", "response_format", "temperature", "top_p", "max_tokens",
    "max_completion_tokens", "stop", "seed", "model", "n", "stream", "stream_options", "api_base",
    "api_key", "base_url", "service_tier", "user", "store", "background", "best_of",
  ]

  /// The request body; nil if a number is not finite or an extra field is reserved.
  ///
  /// Members stand in a fixed order and the writer is canonical, so equal requests are equal bytes.
  public func body(
    upstreamModel: String, outputLimitField: RelayConfiguration.OutputLimitField = .maxTokens,
    streams: Bool = false
  ) -> [UInt8]? {
    guard !extra.members.contains(where: { RelayRequest.reservedFields.contains($0.name) }) else {
      return nil
    }
    var writer = JSONWriter(capacity: messageItems.count + (tools?.count ?? 0) + 512)
    writer.beginObject()
    for member in extra.members { writer.member(member.name, member.value) }
    writer.name("messages")
    writer.beginArray()
    writer.rawItems(messageItems)
    writer.endArray()
    for (name, json) in [
      ("tools", tools), ("tool_choice", toolChoice), ("response_format", responseFormat),
    ] {
      guard let json else { continue }
      writer.name(name)
      writer.raw(json)
    }
    for (name, value) in [("temperature", temperature), ("top_p", topP)] {
      guard let value else { continue }
      guard let number = JSONNumber(value) else { return nil }
      writer.member(name, .number(number))
    }
    if !stop.isEmpty { writer.member("stop", .array(stop.map(JSONValue.string))) }
    if let seed { writer.member("seed", .number(JSONNumber(seed))) }
    writer.member(outputLimitField.rawValue, .number(JSONNumber(outputTokensMax)))
    if streams {
      writer.member("stream", .bool(true))
      writer.name("stream_options")
      writer.raw(Array(#"{"include_usage":true}"#.utf8))
    }
    writer.member("model", upstreamModel)
    writer.endObject()
    return writer.bytes
  }
}
