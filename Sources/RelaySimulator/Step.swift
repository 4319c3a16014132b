import JSON

/// What the script wants of one call.
struct Step {
  /// Only for calls of this model.
  var model: String?
  /// How many calls it serves; nil for every one.
  var times: Int? = 1
  var status = 200
  var headers: [(name: String, value: String)] = []
  var contentType: String?
  /// An error in OpenAI's shape.
  var error: JSONValue?
  /// Sent as it is, instead of an answer.
  var body: String?
  var content: String?
  /// Makes the content (at least) this long.
  var contentBytes: Int?
  var toolCalls: JSONValue?
  var finishReason: String?
  /// The model that the answer names.
  var answeredModel: String?
  var usage: Usage = .counted
  var holds = false
  /// Answers a streamed request unstreamed.
  var isUnstreamed = false
  /// Bytes of text or arguments in each chunk of a stream.
  var chunkBytes = 16
  var chunkMilliseconds = 0
  /// Bytes of filler that a stream has after its text; no usage counts them.
  var streamBytes = 0
  var fault: EventStream.Fault?
  var isOrderly = false
  var delivery = HTTPReply.Delivery()

  enum Usage {
    case counted
    case omitted
    case given(JSONValue)
  }

  /// Reads a step.
  ///
  /// - Throws: status 400 with the field's name when one is unknown or of the wrong kind.
  init(_ json: JSONValue) throws(APIError) {
    guard let object = json.object else { throw Step.fault("step", "an object") }
    for member in object.members { try set(member.name, member.value) }
  }

  init() {}

  private mutating func set(_ name: String, _ value: JSONValue) throws(APIError) {
    switch name {
    case "model": model = try Step.text(name, value)
    case "times": times = value.isNull ? nil : try Step.count(name, value)
    case "status": status = try Step.count(name, value)
    case "headers":
      guard let object = value.object else { throw Step.fault(name, "an object") }
      for member in object.members {
        headers.append((member.name, try Step.text(member.name, member.value)))
      }
    case "content_type": contentType = try Step.text(name, value)
    case "error": error = value
    case "body": body = try Step.text(name, value)
    case "content": content = try Step.text(name, value)
    case "content_bytes": contentBytes = try Step.count(name, value)
    case "tool_calls": toolCalls = value
    case "finish_reason": finishReason = try Step.text(name, value)
    case "answered_model": answeredModel = try Step.text(name, value)
    case "usage":
      if value.isNull { usage = .omitted } else { usage = .given(value) }
    case "hold": holds = try Step.flag(name, value)
    default: try setDelivery(name, value)
    }
  }

  private mutating func setDelivery(_ name: String, _ value: JSONValue) throws(APIError) {
    switch name {
    case "latency_ms": delivery.latencyMilliseconds = try Step.count(name, value)
    case "body_delay_ms": delivery.bodyDelayMilliseconds = try Step.count(name, value)
    case "trickle_bytes": delivery.trickleBytes = try Step.count(name, value)
    case "trickle_ms": delivery.trickleMilliseconds = try Step.count(name, value)
    case "cut":
      guard let cut = HTTPReply.Cut(rawValue: try Step.text(name, value)) else {
        throw Step.fault(name, "one of \(HTTPReply.Cut.allCases.map(\.rawValue))")
      }
      delivery.cut = cut
    case "reset": delivery.resets = try Step.flag(name, value)
    default: try setStream(name, value)
    }
  }

  private mutating func setStream(_ name: String, _ value: JSONValue) throws(APIError) {
    switch name {
    case "unstreamed": isUnstreamed = try Step.flag(name, value)
    case "chunk_bytes": chunkBytes = max(try Step.count(name, value), 1)
    case "chunk_ms": chunkMilliseconds = try Step.count(name, value)
    case "stream_bytes": streamBytes = try Step.count(name, value)
    case "orderly": isOrderly = try Step.flag(name, value)
    case "fault":
      guard let fault = EventStream.Fault(rawValue: try Step.text(name, value)) else {
        throw Step.fault(name, "one of \(EventStream.Fault.allCases.map(\.rawValue))")
      }
      self.fault = fault
    default: throw Step.fault(name, "a field that the simulator knows")
    }
  }

  private static func text(_ name: String, _ value: JSONValue) throws(APIError) -> String {
    guard let text = value.string else { throw fault(name, "a string") }
    return text
  }

  private static func count(_ name: String, _ value: JSONValue) throws(APIError) -> Int {
    guard let count = value.integer, count >= 0 else { throw fault(name, "a count") }
    return Int(count)
  }

  private static func flag(_ name: String, _ value: JSONValue) throws(APIError) -> Bool {
    guard let flag = value.bool else { throw fault(name, "true or false") }
    return flag
  }

  private static func fault(_ name: String, _ wanted: String) -> APIError {
    APIError(status: 400, message: "\(name) must be \(wanted)", parameter: .string(name))
  }
}
