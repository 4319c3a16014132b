import Messages

/// A conversation's policy with the defaults filled in.
///
/// - Units: tokens, durations.
struct TurnPolicy {
  let wire: Wire.Policy

  static let contextBudgetDefault: Int64 = 120_000
  static let ttlDefault = Duration.seconds(7 * 24 * 3600)

  /// - Throws: `.fieldInvalid` for a value out of its range.
  init(_ given: Wire.Policy?, model: CatalogueModel, checks: FieldChecks) throws(Failure) {
    var policy = given ?? Wire.Policy()
    policy.contextBudgetTokens = try checks.range(
      policy.contextBudgetTokens ?? min(Self.contextBudgetDefault, model.windowTokens),
      1...model.windowTokens, "policy.context_budget_tokens")
    policy.reservedTokens = try checks.range(
      policy.reservedTokens ?? min(5000, model.windowTokens / 4), 0...model.windowTokens,
      "policy.reserved_tokens")
    policy.preservedMessages = try checks.range(
      policy.preservedMessages ?? 10, 0...1000, "policy.preserved_messages")
    policy.temperature = try checks.temperature(policy.temperature ?? 0.7, "policy.temperature")
    policy.maxOutputTokens = try checks.range(
      policy.maxOutputTokens ?? Int32(min(2048, model.outputTokensMax)),
      1...Int32(clamping: model.outputTokensMax), "policy.max_output_tokens")
    policy.vanishedClient = try Self.vanished(policy.vanishedClient)
    policy.ttl = try Self.duration(
      policy.ttl, Self.ttlDefault, .seconds(60) ... .seconds(10 * 366 * 24 * 3600), "policy.ttl")
    let timeouts = Duration.milliseconds(100) ... .seconds(3600)
    policy.firstByteTimeout = try Self.duration(
      policy.firstByteTimeout, .seconds(30), timeouts, "policy.first_byte_timeout")
    policy.idleTimeout = try Self.duration(
      policy.idleTimeout, .seconds(30), timeouts, "policy.idle_timeout")
    policy.generationTimeout = try Self.duration(
      policy.generationTimeout, .seconds(600), timeouts, "policy.generation_timeout")
    policy.attemptsMax = try checks.range(policy.attemptsMax ?? 3, 1...10, "policy.attempts_max")
    policy.retryUnknownOutcome = policy.retryUnknownOutcome ?? false
    policy.summaryTokens = try checks.range(
      policy.summaryTokens ?? 200, 1...100_000, "policy.summary_tokens")
    policy.exceedPriceTier = policy.exceedPriceTier ?? false
    wire = policy
  }

  /// A stored policy, whose defaults were filled in when it was made.
  init(stored wire: Wire.Policy) { self.wire = wire }

  var temperature: Double? { wire.temperature }
  var outputTokensMax: Int64 { Int64(wire.maxOutputTokens ?? 2048) }
  var ttl: Duration { wire.ttl?.duration ?? Self.ttlDefault }
  var firstByteTimeout: Duration { wire.firstByteTimeout?.duration ?? .seconds(30) }
  var idleTimeout: Duration { wire.idleTimeout?.duration ?? .seconds(30) }
  var generationTimeout: Duration { wire.generationTimeout?.duration ?? .seconds(600) }
  var attemptsMax: Int { Int(wire.attemptsMax ?? 3) }
  var retriesUnknown: Bool { wire.retryUnknownOutcome ?? false }
  var cancelsVanished: Bool { wire.vanishedClient?.action == .cancel }

  /// Tokens that a generation may go on for when its caller has gone; nil for no other limit.
  var drainTokens: Int64? {
    guard let vanished = wire.vanishedClient, vanished.action == .drainTokens else { return nil }
    return vanished.drainTokens.map(Int64.init)
  }

  /// The context budget B: what a prompt may have, beside an answer of so many tokens.
  func budget(_ model: CatalogueModel, outputTokensMax: Int64) -> Int64 {
    let room = model.windowTokens - outputTokensMax - (wire.reservedTokens ?? 0)
    return max(0, min(wire.contextBudgetTokens ?? Self.contextBudgetDefault, room))
  }

  private static func vanished(_ given: Wire.VanishedClient?) throws(Failure)
    -> Wire.VanishedClient
  {
    var given = given ?? Wire.VanishedClient()
    let path = "policy.vanished_client"
    switch given.action {
    case .unspecified: given.action = .drain
    case .drain, .cancel: break
    case .drainTokens:
      guard let tokens = given.drainTokens, tokens > 0 else {
        throw .field("\(path).drain_tokens", "it must be above 0")
      }
    case .unrecognized: throw .field("\(path).action", "it names no action")
    }
    return given
  }

  private static func duration(
    _ given: Wire.Duration?, _ byDefault: Duration, _ range: ClosedRange<Duration>, _ path: String
  ) throws(Failure) -> Wire.Duration {
    guard let given else { return Wire.Duration(byDefault) }
    guard let duration = given.duration, range.contains(duration) else {
      throw .field(path, "it must be from \(range.lowerBound) to \(range.upperBound)")
    }
    return given
  }
}

extension FieldChecks {
  func temperature(_ value: Double, _ path: String) throws(Failure) -> Double {
    guard value.isFinite else { throw .field(path, "it is not a number") }
    return try range(value, 0...2, path)
  }
}
