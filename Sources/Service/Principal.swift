import Domain
import GRPCWire
import Messages
import Store

/// Who calls.
struct Principal {
  var tenant: TenantRow
  var key: KeyRow
  /// What it showed, to be looked at again when the configuration has changed.
  var credential: APIKey

  func require(_ scope: KeyScope) throws(Failure) {
    guard key.scopes.contains(scope.rawValue) else {
      throw Failure(
        .scopeMissing, "the key lacks the scope \(scope.rawValue)",
        metadata: ["scope": scope.rawValue])
    }
  }

  func require(model: String) throws(Failure) {
    guard key.allowedModels?.contains(model) ?? true else {
      throw Failure(
        .modelNotAllowed, "the key may not use the model", metadata: ["model": model])
    }
  }
}

extension APIKey {
  /// Headers that people put keys into by mistake.
  private static let wrongPlaces = ["x-api-key", "api-key", "apikey", "x-goog-api-key", "token"]

  /// The key of a call's metadata: exactly one `authorization: Bearer rct_…`.
  ///
  /// - Throws: `.apiKeyMissing`, or `.apiKeyMalformed` with a message that says what is wrong
  ///   without quoting anything.
  init(from metadata: Metadata) throws(Failure) {
    let values = metadata.values("authorization")
    guard let value = values.first else {
      if let place = Self.wrongPlaces.first(where: { metadata[$0] != nil }) {
        throw Self.malformed("send it as `authorization: Bearer …`, not in \(place)")
      }
      throw Failure(.apiKeyMissing, "the call carries no API key: `authorization: Bearer rct_…`")
    }
    guard values.count == 1 else { throw Self.malformed("there are several authorizations") }
    let parts = value.split(separator: " ", omittingEmptySubsequences: true)
    switch parts.count {
    case 1 where parts[0].lowercased() == "bearer": throw Self.malformed("the scheme stands alone")
    case 1: throw Self.malformed("the scheme `Bearer` is missing")
    case 2 where parts[0].lowercased() == "bearer": break
    case 2...:
      if parts[0].lowercased() == "bearer", parts[1].lowercased() == "bearer" {
        throw Self.malformed("the scheme `Bearer` is there twice")
      }
      throw Self.malformed("the scheme must be `Bearer`, followed by the key alone")
    default: throw Failure(.apiKeyMissing, "the authorization is empty")
    }
    do throws(APIKey.ParseError) {
      self = try APIKey(parsing: parts[1])
    } catch {
      switch error {
      case .malformed(let what): throw Self.malformed(what)
      }
    }
  }

  private static func malformed(_ what: String) -> Failure {
    Failure(.apiKeyMalformed, "this is no API key: \(what)")
  }
}
