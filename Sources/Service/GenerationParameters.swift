import JSON
import Messages
import Relay

/// What a call asks of the model, checked and in the relay's form.
struct GenerationParameters {
  /// Canonical JSON.
  var tools: [UInt8]?
  var toolCount = 0
  var toolChoice: [UInt8]?
  var responseFormat: [UInt8]?
  var temperature: Double?
  var topP: Double?
  var outputTokensMax: Int64
  var stop: [String] = []
  var seed: Int64?
  var extra = JSONObject()

  init(
    _ options: Wire.GenerationOptions, policy: TurnPolicy, model: CatalogueModel,
    checks: FieldChecks
  ) throws(Failure) {
    outputTokensMax = try checks.range(
      options.maxTokens.map(Int64.init) ?? min(policy.outputTokensMax, model.outputTokensMax),
      1...model.outputTokensMax, "options.max_tokens")
    temperature = policy.temperature
    if let given = options.temperature {
      temperature = try checks.temperature(given, "options.temperature")
    }
    if let topP = options.topP {
      guard topP.isFinite, topP > 0, topP <= 1 else {
        throw .field("options.top_p", "it must be above 0 and at most 1")
      }
      self.topP = topP
    }
    seed = options.seed
    try takeStop(options.stop, checks)
    try takeExtra(options, model, checks)
    let names = try takeTools(options.tools, checks)
    try takeChoice(options.toolChoice, names)
    if let format = options.responseFormat { try takeFormat(format, checks) }
  }

  private mutating func takeStop(_ stop: [String], _ checks: FieldChecks) throws(Failure) {
    guard stop.count <= checks.limits.stopTextsMax else {
      throw .field("options.stop", "there are more than \(checks.limits.stopTextsMax)")
    }
    for (index, text) in stop.enumerated() {
      guard (1...checks.limits.stopBytesMax).contains(text.utf8.count) else {
        throw .field("options.stop[\(index)]", "it is empty or too long")
      }
    }
    self.stop = stop
  }

  private mutating func takeExtra(
    _ options: Wire.GenerationOptions, _ model: CatalogueModel, _ checks: FieldChecks
  ) throws(Failure) {
    let path = "options.extra_fields"
    if let text = options.extraFields {
      extra = try checks.object(text, path)
      for member in extra.members {
        guard model.allowedExtraFields.contains(member.name),
          !RelayRequest.reservedFields.contains(member.name)
        else { throw .field(path, "a field is not allowed for this model") }
      }
    }
    if let parallel = options.parallelToolCalls { extra["parallel_tool_calls"] = .bool(parallel) }
  }

  private mutating func takeTools(
    _ tools: [Wire.Tool], _ checks: FieldChecks
  ) throws(Failure) -> Set<String> {
    guard tools.count <= checks.limits.toolsMax else {
      throw .field("options.tools", "there are more than \(checks.limits.toolsMax)")
    }
    guard !tools.isEmpty else { return [] }
    var names: Set<String> = []
    self.tools = try Self.json(tools, "options.tools", checks, &names)
    toolCount = tools.count
    return names
  }

  /// The tools as the relay wants them.
  static func json(
    _ tools: [Wire.Tool], _ path: String, _ checks: FieldChecks, _ names: inout Set<String>
  ) throws(Failure) -> [UInt8] {
    var list: [JSONValue] = []
    for (index, tool) in tools.enumerated() {
      let path = "\(path)[\(index)]"
      try checks.name(tool.name, "\(path).name")
      guard names.insert(tool.name).inserted else {
        throw .field("\(path).name", "it is there twice")
      }
      var function = JSONObject()
      function["name"] = .string(tool.name)
      if let description = tool.description { function["description"] = .string(description) }
      if let parameters = tool.parameters {
        function["parameters"] = .object(try checks.object(parameters, "\(path).parameters"))
      }
      if let strict = tool.strict { function["strict"] = .bool(strict) }
      var entry = JSONObject()
      entry["type"] = .string("function")
      entry["function"] = .object(function)
      list.append(.object(entry))
    }
    return JSONValue.array(list).canonical
  }

  private mutating func takeChoice(
    _ choice: Wire.ToolChoice?, _ names: Set<String>
  ) throws(Failure) {
    let path = "options.tool_choice"
    guard let choice, choice.mode != .unspecified else { return }
    guard !names.isEmpty else { throw .field(path, "there are no tools to choose from") }
    let json: JSONValue
    switch choice.mode {
    case .auto: json = .string("auto")
    case .none: json = .string("none")
    case .required: json = .string("required")
    case .function:
      guard let name = choice.name, names.contains(name) else {
        throw .field("\(path).name", "it names none of the tools")
      }
      var function = JSONObject()
      function["name"] = .string(name)
      var object = JSONObject()
      object["type"] = .string("function")
      object["function"] = .object(function)
      json = .object(object)
    case .unspecified, .unrecognized: throw .field("\(path).mode", "it names no mode")
    }
    toolChoice = json.canonical
  }

  private mutating func takeFormat(
    _ format: Wire.ResponseFormat, _ checks: FieldChecks
  ) throws(Failure) {
    let path = "options.response_format"
    var object = JSONObject()
    switch format.type {
    case .unspecified: return
    case .text: object["type"] = .string("text")
    case .jsonObject: object["type"] = .string("json_object")
    case .jsonSchema:
      guard let name = format.name else { throw .field("\(path).name", "a schema needs a name") }
      try checks.name(name, "\(path).name")
      guard let schema = format.schema else { throw .field("\(path).schema", "it is absent") }
      var inner = JSONObject()
      inner["name"] = .string(name)
      if let description = format.description { inner["description"] = .string(description) }
      inner["schema"] = .object(try checks.object(schema, "\(path).schema"))
      if let strict = format.strict { inner["strict"] = .bool(strict) }
      object["type"] = .string("json_schema")
      object["json_schema"] = .object(inner)
    case .unrecognized: throw .field("\(path).type", "it names no form")
    }
    responseFormat = JSONValue.object(object).canonical
  }

  /// What goes along with the messages, in tokens, from above.
  func extraTokens(_ counter: TokenCounter) -> Int64 {
    var tokens = counter.perRequest
    if let tools { tokens += counter.countAttachment(tools, items: toolCount) }
    if let responseFormat { tokens += counter.countAttachment(responseFormat, items: 1) }
    return tokens
  }
}
