/// A family of models that share a vocabulary, and how their tokens are counted.
public struct ModelFamily: Sendable, Equatable {
  /// How a family's tokens are counted.
  public enum Counting: Sendable, Equatable {
    /// The vocabulary is public: counts of text are exact.
    case exact(Encoding)
    /// No vocabulary is published: the count by another one, times a ratio until calibrated.
    case estimated(by: Encoding, ratio: Double)
  }

  /// A model belongs to the family if its name, without a provider's path, starts so.
  public let prefix: String
  public let counting: Counting
  /// What the chat format adds to the text.
  public let overhead: ChatOverhead

  /// The family of a model name such as `gpt-4.1-mini` or `openai/gpt-4o`; nil if unknown.
  ///
  /// The case of letters does not matter. The longest prefix decides.
  public static func of(model: String) -> ModelFamily? {
    let name = model.split(separator: "/").last.map { $0.lowercased() } ?? ""
    return all.filter { name.hasPrefix($0.prefix) }.max {
      $0.prefix.utf8.count < $1.prefix.utf8.count
    }
  }

  /// Every known family: the one table of vocabularies, starting ratios and overheads.
  ///
  /// The ratios are starting guesses, held against no provider's counter. They are above 1 so that
  /// an estimate rather reserves too much, which nothing guarantees until `TokenEstimator` has
  /// learnt from what the relay reports.
  public static let all: [ModelFamily] = [
    exact("gpt-3.5", .cl100kBase, .gpt4),
    exact("gpt-35", .cl100kBase, .gpt4),
    exact("gpt-4", .cl100kBase, .gpt4),
    exact("text-embedding-3", .cl100kBase, .gpt4),
    exact("text-embedding-ada-002", .cl100kBase, .gpt4),
    exact("gpt-4o", .o200kBase, .gpt4o),
    exact("gpt-4.1", .o200kBase, .gpt4o),
    exact("gpt-4.5", .o200kBase, .gpt4o),
    exact("gpt-5", .o200kBase, .gpt4o),
    exact("gpt-oss", .o200kBase, .gpt4o),
    exact("chatgpt-4o", .o200kBase, .gpt4o),
    exact("o1", .o200kBase, .gpt4o),
    exact("o3", .o200kBase, .gpt4o),
    exact("o4", .o200kBase, .gpt4o),
    exact("deepseek", .deepSeekV3, .gpt4o),
    estimated("claude", by: .o200kBase, ratio: 1.35),
    estimated("gemini", by: .o200kBase, ratio: 1.15),
  ]

  private static func exact(
    _ prefix: String, _ encoding: Encoding, _ overhead: ChatOverhead
  ) -> ModelFamily {
    ModelFamily(prefix: prefix, counting: .exact(encoding), overhead: overhead)
  }

  private static func estimated(
    _ prefix: String, by encoding: Encoding, ratio: Double
  ) -> ModelFamily {
    ModelFamily(
      prefix: prefix, counting: .estimated(by: encoding, ratio: ratio), overhead: .gpt4o)
  }
}

extension Encoding {
  /// The encoding of a model's family; nil if it is unknown or publishes no vocabulary.
  public static func forModelFamily(_ model: String) -> Encoding? {
    guard case .exact(let encoding) = ModelFamily.of(model: model)?.counting else { return nil }
    return encoding
  }
}
