public import HTTPClient

/// One relay: where it is, how it names our models, whose key it wants.
public struct RelayConfiguration: Sendable {
  /// Our name for it, for receipts and logs.
  public let name: String
  /// Scheme, authority and path up to the version, without a slash at its end.
  public let baseURL: String
  /// The relay's name for each of our models that it serves.
  public let models: [String: String]
  /// The file that holds its key; nil sends no `Authorization`.
  public let credentialFile: String?
  public let limits: HTTPLimits
  public let outputLimitField: OutputLimitField

  /// The field that carries the most output tokens.
  public enum OutputLimitField: String, Sendable, CaseIterable {
    /// What every OpenAI-compatible server knows.
    case maxTokens = "max_tokens"
    /// What OpenAI's reasoning models want.
    case maxCompletionTokens = "max_completion_tokens"
  }

  /// Why a configuration is refused.
  public enum Fault: String, Error, Sendable {
    case notAURL = "the base URL is not an absolute http or https URL"
    case hasUser = "the base URL holds a user or password"
    case hasQuery = "the base URL has a query or fragment"
    case plainHTTP = "http:// is not allowed for this relay"
    case noModels = "the relay serves no model"
  }

  /// - Parameter allowsPlainHTTP: whether the operator named this origin as one to reach unsecured.
  public init(
    name: String, baseURL: String, models: [String: String], credentialFile: String? = nil,
    allowsPlainHTTP: Bool = false, limits: HTTPLimits = HTTPLimits(),
    outputLimitField: OutputLimitField = .maxTokens
  ) throws(Fault) {
    let isSecure = baseURL.hasPrefix("https://")
    guard isSecure || baseURL.hasPrefix("http://"),
      baseURL.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { throw .notAURL }
    guard isSecure || allowsPlainHTTP else { throw .plainHTTP }
    let rest = baseURL.dropFirst(isSecure ? 8 : 7)
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard !authority.isEmpty else { throw .notAURL }
    guard !authority.contains("@") else { throw .hasUser }
    guard !rest.contains("?"), !rest.contains("#") else { throw .hasQuery }
    guard !models.isEmpty else { throw .noModels }
    self.name = name
    self.baseURL = String(baseURL.reversed().drop { $0 == "/" }.reversed())
    self.models = models
    self.credentialFile = credentialFile
    self.limits = limits
    self.outputLimitField = outputLimitField
  }
}
