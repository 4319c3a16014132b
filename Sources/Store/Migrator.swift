internal import Postgres

public struct MigrationReport: Sendable, Equatable {
  /// The version found; 0 is an empty database.
  public var from: Int32
  public var to: Int32
}

extension AdminStore {
  /// Brings the schema to this program's version: forward only, each version in a transaction
  /// with its checksum. Two at once take turns.
  ///
  /// - Throws: `.schema(.newer)` for a database that is ahead of this program;
  ///   `.schema(.changed)` if an applied version had another text.
  public func migrate() throws(StoreError) -> MigrationReport {
    try run("SELECT pg_advisory_lock(\(Self.migrationLock))")
    do {
      let report = try migrateLocked()
      try run("SELECT pg_advisory_unlock(\(Self.migrationLock))")
      return report
    } catch {
      // An aborted script leaves its transaction open; the lock goes with the session anyway.
      try? run("ROLLBACK")
      try? run("SELECT pg_advisory_unlock(\(Self.migrationLock))")
      throw error
    }
  }

  /// The version that this program brings a schema to.
  public static var newestSchema: Int32 { Schema.newest }

  /// The schema's version; nil for a database without one.
  public func schemaVersion() throws(StoreError) -> Int32? {
    let found = try query("SELECT to_regclass('public.schema_version') IS NOT NULL")
    guard found[0].bool(0) else { return nil }
    let version = try query("SELECT max(version) FROM schema_version")[0]
    return version.optional(0) { $0.int32($1) }
  }

  /// Checks that the database has this program's schema.
  public func checkSchema() throws(StoreError) {
    try check(schema: schemaVersion())
  }

  private static let migrationLock: Int64 = 0x7265_636F_756E_74

  private func migrateLocked() throws(StoreError) -> MigrationReport {
    try run(Schema.roles)
    try run(
      """
      CREATE TABLE IF NOT EXISTS schema_version (
        version    integer PRIMARY KEY,
        checksum   bytea NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      )
      """)
    let applied = try query("SELECT version, checksum FROM schema_version ORDER BY version")
      .map { ($0.int32(0), $0.bytes(1)) }
    let from = applied.last?.0 ?? 0
    guard from <= Schema.newest else { throw .schema(.newer(found: from)) }
    for version in Schema.versions {
      var p = Parameters()
      p.text(version.sql)
      let checksum = try query("SELECT sha256(convert_to($1::text, 'UTF8'))", p)[0].bytes(0)
      if version.number <= from {
        guard applied.contains(where: { $0 == (version.number, checksum) }) else {
          throw .schema(.changed(version: version.number))
        }
        continue
      }
      let digits = checksum.map { byte in
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
      try run(
        """
        BEGIN;
        \(version.sql)
        INSERT INTO schema_version (version, checksum)
        VALUES (\(version.number), '\\x\(digits.joined())');
        COMMIT
        """)
    }
    return MigrationReport(from: from, to: Schema.newest)
  }
}

extension Store {
  /// Checks that the database has this program's schema; a server does so before it serves.
  public func checkSchema() async throws(StoreError) {
    let found: Int32?
    do {
      found = try await query(Self.schemaVersion)[0].optional(0) { $0.int32($1) }
    } catch .server(.undefinedTable) {
      found = nil
    }
    try check(schema: found)
  }

  private static let schemaVersion = Statement(
    name: "schema_version", sql: "SELECT max(version) FROM schema_version")
}

private func check(schema found: Int32?) throws(StoreError) {
  guard let found else { throw .schema(.absent) }
  if found < Schema.newest { throw .schema(.older(found: found)) }
  if found > Schema.newest { throw .schema(.newer(found: found)) }
}
