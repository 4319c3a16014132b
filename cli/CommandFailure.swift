import Postgres
import Store

/// Why a command ends without success; the message holds no secret.
struct CommandFailure: Error {
  /// The exit codes beside 0.
  enum Status: Int32 {
    case failure = 1
    /// A wrong flag, a bad value, a file that is not what it should be.
    case usage = 2
    /// The database's role may not do it.
    case notAllowed = 4
    case notFound = 5
    /// It exists already, or is in another state.
    case conflict = 6
    /// A guard or a rule forbids it, or nobody has confirmed it.
    case refused = 7
    /// PostgreSQL is away, or lets nobody in.
    case unavailable = 8
    case invariantBroken = 9
  }

  let status: Status
  let message: String

  init(_ status: Status, _ message: String) {
    self.status = status
    self.message = message
  }

  init(_ error: StoreError) {
    switch error {
    case .unavailable:
      self.init(
        .unavailable, "PostgreSQL is unavailable, or the connection string does not let us in")
    case .overloaded:
      self.init(.unavailable, error.description)
    // 42501 insufficient_privilege; class 28: invalid authorization.
    case .server(let state) where state.code == "42501" || state.code.hasPrefix("28"):
      self.init(.notAllowed, "the database's role may not do this (\(state.code))")
    case .server, .schema:
      self.init(.failure, error.description)
    }
  }
}
