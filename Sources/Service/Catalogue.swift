import JSON
import Tokenizer

/// The models that the server knows, from one JSON file.
///
/// - Shape: `{"models": [{"id", "display_name", "context_window_tokens", "max_output_tokens",
///   "vocabulary", "allowed_extra_fields"}], "summarizer": id}`; other members are for other
///   readers.
public struct Catalogue: Sendable {
  public let models: [CatalogueModel]
  /// The model that writes summaries where a policy names none.
  public let summarizer: String?
  private let byID: [String: CatalogueModel]

  /// What is wrong with a catalogue; names the member.
  public struct Fault: Error, CustomStringConvertible {
    public let description: String
  }

  public init(parsing bytes: [UInt8]) throws(Fault) {
    let json: JSONValue
    do throws(JSONError) {
      json = try JSONValue(parsing: bytes, options: .strict)
    } catch {
      throw Fault(description: "the catalogue is not JSON: \(error)")
    }
    guard let list = json["models"]?.array, !list.isEmpty else {
      throw Fault(description: "the catalogue has no models")
    }
    var models: [CatalogueModel] = []
    for (index, entry) in list.enumerated() {
      guard let model = CatalogueModel(entry) else {
        throw Fault(description: "models[\(index)] lacks a member or has a wrong one")
      }
      models.append(model)
    }
    self.models = models
    byID = Dictionary(models.map { ($0.id, $0) }) { first, _ in first }
    guard byID.count == models.count else {
      throw Fault(description: "a model is there twice")
    }
    summarizer = json["summarizer"]?.string
    if let summarizer, byID[summarizer] == nil {
      throw Fault(description: "the summarizer is none of the models")
    }
  }

  /// Each model under its own name.
  public var ownNames: [String: String] {
    Dictionary(uniqueKeysWithValues: models.map { ($0.id, $0.id) })
  }

  public subscript(id: String) -> CatalogueModel? { byID[id] }
}

/// One model.
public struct CatalogueModel: Sendable {
  public let id: String
  public let displayName: String
  public let windowTokens: Int64
  public let outputTokensMax: Int64
  /// A published vocabulary's name, or `estimated`.
  public let vocabulary: String
  public let allowedExtraFields: Set<String>
  let counting: ModelFamily.Counting
  let overhead: ChatOverhead

  /// A model without a family of its own is estimated like the dearest one.
  private static let unknownRatio = 1.35

  init?(_ json: JSONValue) {
    guard let id = json["id"]?.string, !id.isEmpty,
      let window = json["context_window_tokens"]?.integer, window > 0,
      let output = json["max_output_tokens"]?.integer, (1...window).contains(output),
      let vocabulary = json["vocabulary"]?.string
    else { return nil }
    self.id = id
    displayName = json["display_name"]?.string ?? id
    windowTokens = window
    outputTokensMax = output
    self.vocabulary = vocabulary
    allowedExtraFields = Set((json["allowed_extra_fields"]?.array ?? []).compactMap(\.string))
    let family = ModelFamily.of(model: id)
    overhead = family?.overhead ?? .gpt4o
    if let encoding = Encoding.named(vocabulary) {
      counting = .exact(encoding)
    } else if vocabulary == "estimated" {
      counting = family?.counting ?? .estimated(by: .o200kBase, ratio: Self.unknownRatio)
    } else {
      return nil
    }
  }
}
