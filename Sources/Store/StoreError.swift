public import Postgres

/// Why an operation has no outcome. Expected outcomes are values, not errors.
public enum StoreError: Error, Sendable, Equatable {
  /// PostgreSQL is away, or has no room.
  case unavailable
  /// Too many operations wait; nothing was done.
  case overloaded
  /// PostgreSQL refused a statement of ours: a bug. Only its SQLSTATE is kept.
  case server(SQLState)
  /// The database's schema is newer than this program, or is not what this program made.
  case schema(SchemaProblem)

  public enum SchemaProblem: Sendable, Equatable {
    case absent
    case older(found: Int32)
    case newer(found: Int32)
    /// A version was applied with another text than this program's.
    case changed(version: Int32)
  }

  init(_ error: PostgresError) {
    switch error {
    case .unavailable: self = .unavailable
    case .overloaded: self = .overloaded
    // Class 53: no room for another connection, on the disk, in memory.
    case .server(let state):
      self = state.code.hasPrefix("53") ? .unavailable : .server(state)
    }
  }
}

extension StoreError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unavailable: "PostgreSQL is unavailable"
    case .overloaded: "too many operations wait for PostgreSQL"
    case .server(let state): "PostgreSQL answered \(state.code)"
    case .schema(.absent): "the database has no schema: run `recount migrate`"
    case .schema(.older(let found)):
      "the database has schema version \(found): run `recount migrate`"
    case .schema(.newer(let found)):
      "the database has schema version \(found), which is newer than this program"
    case .schema(.changed(let version)):
      "schema version \(version) of the database differs from this program's"
    }
  }
}
