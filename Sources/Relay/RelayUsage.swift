import JSON

/// What a relay says that a call used, in classes that do not overlap.
///
/// - Units: tokens.
/// - Source: OpenAI's `usage`, whose `prompt_tokens` include the cached ones and whose
///   `completion_tokens` include the reasoning; and the fields that DeepSeek and Anthropic's
///   gateways add.
public struct RelayUsage: Sendable, Hashable {
  public var inputUncached: Int64
  public var cacheRead: Int64
  public var cacheWrite: Int64
  public var outputVisible: Int64
  public var reasoning: Int64
  /// The figures contradict each other; the classes then add up to the dearest reading.
  public var isContradictory: Bool

  public init(
    inputUncached: Int64, cacheRead: Int64 = 0, cacheWrite: Int64 = 0, outputVisible: Int64,
    reasoning: Int64 = 0, isContradictory: Bool = false
  ) {
    self.inputUncached = inputUncached
    self.cacheRead = cacheRead
    self.cacheWrite = cacheWrite
    self.outputVisible = outputVisible
    self.reasoning = reasoning
    self.isContradictory = isContradictory
  }

  public var input: Int64 { inputUncached + cacheRead + cacheWrite }
  public var output: Int64 { outputVisible + reasoning }
  public var total: Int64 { input + output }

  /// More tokens than any call can use: a figure above it is no figure.
  static let figureMax: Int64 = 1 << 40
}

extension RelayUsage {
  /// Reads a `usage` object; nil if the prompt's or the completion's figure is missing or absurd.
  ///
  /// An explicit 0 is 0. Contradictions: more cached than prompt (read as not included in it),
  /// more reasoning than completion (likewise), a total above the sum (the rest is taken as
  /// reasoning that was left out) or below it.
  init?(_ json: JSONValue) {
    guard let prompt = RelayUsage.figure(json["prompt_tokens"]),
      let completion = RelayUsage.figure(json["completion_tokens"])
    else { return nil }
    let details = json["prompt_tokens_details"]
    let read =
      RelayUsage.figure(details?["cached_tokens"])
      ?? RelayUsage.figure(json["prompt_cache_hit_tokens"])
      ?? RelayUsage.figure(json["cache_read_input_tokens"]) ?? 0
    let write =
      RelayUsage.figure(details?["cache_creation_tokens"])
      ?? RelayUsage.figure(json["cache_creation_input_tokens"]) ?? 0
    let thought =
      RelayUsage.figure(json["completion_tokens_details"]?["reasoning_tokens"]) ?? 0
    self.init(inputUncached: 0, outputVisible: 0)
    if read + write <= prompt {
      inputUncached = prompt - read - write
      cacheRead = read
      cacheWrite = write
    } else {
      inputUncached = prompt + read
      cacheWrite = write
      isContradictory = true
    }
    reasoning = thought
    if thought <= completion {
      outputVisible = completion - thought
    } else {
      outputVisible = completion
      isContradictory = true
    }
    if let total = RelayUsage.figure(json["total_tokens"]), total != prompt + completion {
      reasoning += max(0, total - prompt - completion)
      isContradictory = true
    }
  }

  /// A count; nil if it is absent, negative, broken or absurd.
  private static func figure(_ json: JSONValue?) -> Int64? {
    guard let count = json?.integer, (0...figureMax).contains(count) else { return nil }
    return count
  }
}
