import JSON
import Messages
import Testing

@testable import Service

private let checks = FieldChecks()

/// The field that a failure's BadRequest names.
func field(_ body: () throws(Failure) -> Void) -> String? {
  do throws(Failure) {
    try body()
    return nil
  } catch {
    let violation = error.details.lazy.compactMap { $0 as? Wire.BadRequest }.first
    return error.reason == .fieldInvalid ? violation?.fieldViolations.first?.field : nil
  }
}

@Suite struct FieldTests {
  @Test(arguments: ["a", "A-Z_0.9", String(repeating: "x", count: 128)])
  func idsAreTaken(id: String) throws { try checks.id(id, "id") }

  @Test(arguments: ["", "a b", "é", "a/b", "~x", String(repeating: "x", count: 129)])
  func idsAreRefused(id: String) {
    #expect(field { () throws(Failure) in try checks.id(id, "request_id") } == "request_id")
  }

  @Test(arguments: [0, -1, 1001, Int32.min])
  func pageSizesAreRefused(size: Int32) {
    #expect(field { () throws(Failure) in _ = try checks.pageSize(size) } == "page_size")
  }

  @Test func metadataIsBounded() throws {
    try checks.metadata(["k": "", "é": "x"], "m")
    #expect(field { () throws(Failure) in try checks.metadata(["": "x"], "m") } == "m")
    let large = ["k": String(repeating: "x", count: 16 << 10)]
    #expect(field { () throws(Failure) in try checks.metadata(large, "m") } == "m")
    let many = Dictionary(uniqueKeysWithValues: (0..<65).map { ("\($0)", "") })
    #expect(field { () throws(Failure) in try checks.metadata(many, "m") } == "m")
  }

  @Test(arguments: [
    (Wire.NewMessage(role: .unspecified, text: "x"), "m.role"),
    (Wire.NewMessage(role: .user), "m.text"),
    (Wire.NewMessage(role: .user, text: ""), "m.text"),
    (Wire.NewMessage(role: .user, text: "x", parts: [.init(part: .text("y"))]), "m.parts"),
    (Wire.NewMessage(role: .user, parts: [.init(part: .image(.init()))]), "m.parts[0].image"),
    (Wire.NewMessage(role: .user, parts: [.init()]), "m.parts[0]"),
    (Wire.NewMessage(role: .user, text: "x", name: "a b"), "m.name"),
    (Wire.NewMessage(role: .tool, text: "x"), "m.tool_call_id"),
    (Wire.NewMessage(role: .user, text: "x", toolCallID: "c"), "m.tool_call_id"),
    (
      Wire.NewMessage(
        role: .user, text: "x", toolCalls: [.init(id: "c", name: "f", arguments: "{}")]),
      "m.tool_calls"
    ),
    (
      Wire.NewMessage(role: .assistant, toolCalls: [.init(id: "c", name: "f", arguments: "{")]),
      "m.tool_calls[0].arguments"
    ),
    (
      Wire.NewMessage(
        role: .assistant,
        toolCalls: [
          .init(id: "c", name: "f", arguments: "{}"), .init(id: "c", name: "f", arguments: "{}"),
        ]), "m.tool_calls[1].id"
    ),
    (Wire.NewMessage(role: .user, text: String(repeating: "x", count: (4 << 20) + 1)), "m"),
  ])
  func wrongMessagesAreNamed(message: Wire.NewMessage, path: String) {
    #expect(field { () throws(Failure) in try checks.message(message, "m") } == path)
  }

  @Test func pageTokensComeBack() throws {
    for place in ["", "17", "2026-11-24", "é"] {
      let token = PageToken.encode("u", place)
      #expect(try PageToken.decode("u", token) == place)
      #expect(field { () throws(Failure) in _ = try PageToken.decode("m", token) } == "page_token")
    }
    for wrong in ["", "x", "zz", "7", "ff"] {
      #expect(field { () throws(Failure) in _ = try PageToken.decode("u", wrong) } == "page_token")
    }
  }
}

@Suite struct ParameterTests {
  private let model = CatalogueModel.fixture

  private func parameters(
    _ options: Wire.GenerationOptions
  ) throws(Failure) -> GenerationParameters {
    try GenerationParameters(
      options, policy: try TurnPolicy(nil, model: model, checks: checks), model: model,
      checks: checks)
  }

  @Test func absentOptionsTakeThePolicy() throws {
    let made = try parameters(Wire.GenerationOptions())
    #expect(made.temperature == 0.7)
    #expect(made.outputTokensMax == 2048)
    #expect(made.tools == nil && made.toolChoice == nil && made.responseFormat == nil)
  }

  @Test func toolsAreWrittenAsRelaysWantThem() throws {
    let made = try parameters(
      Wire.GenerationOptions(
        tools: [.init(name: "find", description: "Finds.", parameters: #"{"type": "object"}"#)],
        toolChoice: .init(mode: .function, name: "find"), parallelToolCalls: false))
    #expect(
      try JSONValue(parsing: made.tools!)
        == JSONValue(
          parsing: Array(
            #"[{"type":"function","function":{"name":"find","description":"Finds.","#.utf8)
            + Array(#""parameters":{"type":"object"}}}]"#.utf8)))
    #expect(
      try JSONValue(parsing: made.toolChoice!)
        == JSONValue(parsing: Array(#"{"type":"function","function":{"name":"find"}}"#.utf8)))
    #expect(made.extra["parallel_tool_calls"]?.bool == false)
  }

  @Test(arguments: [
    (Wire.GenerationOptions(temperature: 2.1), "options.temperature"),
    (Wire.GenerationOptions(temperature: .nan), "options.temperature"),
    (Wire.GenerationOptions(topP: 0), "options.top_p"),
    (Wire.GenerationOptions(maxTokens: 0), "options.max_tokens"),
    (Wire.GenerationOptions(maxTokens: .max), "options.max_tokens"),
    (Wire.GenerationOptions(stop: ["a", "b", "c", "d", "e"]), "options.stop"),
    (Wire.GenerationOptions(stop: [""]), "options.stop[0]"),
    (Wire.GenerationOptions(tools: [.init(name: "a b")]), "options.tools[0].name"),
    (
      Wire.GenerationOptions(tools: [.init(name: "a", parameters: "[]")]),
      "options.tools[0].parameters"
    ),
    (
      Wire.GenerationOptions(tools: [.init(name: "a", parameters: #"{"a":1,"a":2}"#)]),
      "options.tools[0].parameters"
    ),
    (Wire.GenerationOptions(tools: [.init(name: "a"), .init(name: "a")]), "options.tools[1].name"),
    (Wire.GenerationOptions(toolChoice: .init(mode: .auto)), "options.tool_choice"),
    (
      Wire.GenerationOptions(
        tools: [.init(name: "a")], toolChoice: .init(mode: .function, name: "b")),
      "options.tool_choice.name"
    ),
    (
      Wire.GenerationOptions(responseFormat: .init(type: .jsonSchema)),
      "options.response_format.name"
    ),
    (Wire.GenerationOptions(extraFields: #"{"n":2}"#), "options.extra_fields"),
    (Wire.GenerationOptions(extraFields: #"{"logprobs":true}"#), "options.extra_fields"),
    (Wire.GenerationOptions(extraFields: "x"), "options.extra_fields"),
  ])
  func wrongOptionsAreNamed(options: Wire.GenerationOptions, path: String) {
    #expect(field { () throws(Failure) in _ = try parameters(options) } == path)
  }

  @Test func allowedExtraFieldsGoThrough() throws {
    let made = try parameters(Wire.GenerationOptions(extraFields: #"{"top_k":5}"#))
    #expect(made.extra["top_k"]?.integer == 5)
  }

  @Test(arguments: [
    (Wire.Policy(contextBudgetTokens: 0), "policy.context_budget_tokens"),
    (Wire.Policy(contextBudgetTokens: 128_001), "policy.context_budget_tokens"),
    (Wire.Policy(temperature: -0.1), "policy.temperature"),
    (Wire.Policy(maxOutputTokens: 0), "policy.max_output_tokens"),
    (Wire.Policy(ttl: .init(seconds: 59)), "policy.ttl"),
    (Wire.Policy(firstByteTimeout: .init(seconds: -1)), "policy.first_byte_timeout"),
    (Wire.Policy(attemptsMax: 11), "policy.attempts_max"),
    (
      Wire.Policy(vanishedClient: .init(action: .drainTokens)),
      "policy.vanished_client.drain_tokens"
    ),
  ])
  func wrongPoliciesAreNamed(policy: Wire.Policy, path: String) {
    #expect(
      field { () throws(Failure) in
        _ = try TurnPolicy(policy, model: model, checks: checks)
      } == path)
  }

  @Test func theBudgetLeavesRoomForTheAnswerAndTheReserve() throws {
    let policy = try TurnPolicy(nil, model: model, checks: checks)
    #expect(policy.budget(model, outputTokensMax: 2048) == 120_000)
    #expect(policy.budget(model, outputTokensMax: 32_768) == 128_000 - 32_768 - 5000)
  }
}

extension CatalogueModel {
  static let fixture = try! Catalogue(
    parsing: Array(
      """
      {"models": [{"id": "gpt-4.1", "context_window_tokens": 128000, "max_output_tokens": 32768,
        "vocabulary": "o200k_base", "allowed_extra_fields": ["top_k", "n"]}]}
      """.utf8)
  ).models[0]
}
