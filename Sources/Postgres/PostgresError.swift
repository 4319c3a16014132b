/// Why a statement did not answer.
///
/// Holds the SQLSTATE and nothing else of what the server said: its messages may quote values.
public enum PostgresError: Error, Sendable, Equatable {
  /// No connection could be had, or it was lost, for longer than the operation's patience.
  case unavailable
  /// More operations wait than the named limit allows; nothing was sent.
  case overloaded
  /// The server refused the statement.
  case server(SQLState)

  /// Whether the server had no time or room for the statement, which is not the statement's fault.
  var isTransient: Bool {
    guard case .server(let state) = self else { return false }
    return state.code == "57014" || state.code.hasPrefix("53")
  }

  /// Whether the same statement may succeed if sent again at once.
  var isConflict: Bool {
    guard case .server(let state) = self else { return false }
    return state == .serializationFailure || state == .deadlockDetected
      || state == .lockNotAvailable
  }
}

extension PostgresError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unavailable: "PostgreSQL is unavailable"
    case .overloaded: "too many operations wait for PostgreSQL"
    case .server(let state): "PostgreSQL answered \(state.code)"
    }
  }
}

/// A five-character SQLSTATE.
///
/// - Source: PostgreSQL 15, Appendix A.
public struct SQLState: Sendable, Hashable {
  public let code: String

  public init(_ code: String) { self.code = code }

  public static let serializationFailure = SQLState("40001")
  public static let deadlockDetected = SQLState("40P01")
  public static let lockNotAvailable = SQLState("55P03")
  public static let uniqueViolation = SQLState("23505")
  public static let undefinedTable = SQLState("42P01")
  public static let duplicateObject = SQLState("42710")
  /// libpq reported an error without a state: the connection itself.
  static let connectionFailure = SQLState("08006")

  /// Whether the connection, not the statement, is at fault: another one may do.
  var isConnectionLost: Bool {
    code.hasPrefix("08") || code.hasPrefix("57P") || code == "53300" || code == "25006"
      || code == "25P03"
  }
}
