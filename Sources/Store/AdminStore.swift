internal import Postgres

/// What the admin commands do on the database. Waits; never on a reactor.
///
/// Every change is one statement: the change, its audit row and the new configuration version
/// commit together.
public struct AdminStore: ~Copyable {
  private let connection: BlockingConnection

  /// Connects. A password comes from `passfile` or what libpq reads, never from an argument.
  public static func open(conninfo: String) throws(StoreError) -> AdminStore {
    do {
      return AdminStore(connection: try BlockingConnection.open(conninfo: conninfo))
    } catch {
      throw StoreError(error)
    }
  }

  private init(connection: consuming BlockingConnection) { self.connection = connection }

  func run(_ script: String) throws(StoreError) {
    do {
      try connection.run(script: script)
    } catch {
      throw StoreError(error)
    }
  }

  func query(_ sql: String, _ parameters: Parameters = Parameters()) throws(StoreError) -> Rows {
    do {
      return try connection.query(sql, parameters)
    } catch {
      throw StoreError(error)
    }
  }
}

/// How a change ended.
public enum AdminOutcome: Sendable, Equatable {
  case done(configVersion: Int64)
  case exists
  case notFound
  /// It is so already (a key revoked twice), or the database's rules forbid it (a price set that
  /// does not start after the book's newest).
  case refused
}

/// A key to create; the secret itself never reaches the database.
public struct NewKey: Sendable {
  public var id: String
  public var tenant: String
  public var name: String
  public var secretHash: [UInt8]
  public var scopes: [String]
  /// Nil: every model.
  public var allowedModels: [String]?
  public var expiresAt: Timestamp?

  public init(
    id: String, tenant: String, name: String, secretHash: [UInt8], scopes: [String],
    allowedModels: [String]?, expiresAt: Timestamp?
  ) {
    self.id = id
    self.tenant = tenant
    self.name = name
    self.secretHash = secretHash
    self.scopes = scopes
    self.allowedModels = allowedModels
    self.expiresAt = expiresAt
  }
}

/// A price set to publish.
public struct NewPriceSet: Sendable {
  public var id: RowID
  public var book: String
  public var currency: String
  /// Nil: now.
  public var startsAt: Timestamp?
  public var provenance: String
  public var sourceHash: [UInt8]
  public var prices: [PriceRow]

  public init(
    id: RowID, book: String, currency: String, startsAt: Timestamp?, provenance: String,
    sourceHash: [UInt8], prices: [PriceRow]
  ) {
    self.id = id
    self.book = book
    self.currency = currency
    self.startsAt = startsAt
    self.provenance = provenance
    self.sourceHash = sourceHash
    self.prices = prices
  }
}

/// One entry of the audit trail.
public struct AuditRow: Sendable, Equatable {
  public var id: RowID
  public var at: Timestamp
  public var tenant: String?
  public var actor: String
  public var action: String
  public var subject: String
  public var configVersion: Int64
  /// JSON.
  public var detail: String
}

extension AdminStore {
  public func createTenant(
    id: String, name: String, currency: String, actor: String
  ) throws(StoreError) -> AdminOutcome {
    var p = Parameters()
    p.text(id)
    p.text(name)
    p.text(currency)
    p.text(actor)
    return try change("SELECT * FROM admin_create_tenant($1, $2, $3, $4)", p)
  }

  public func tenants() throws(StoreError) -> [TenantRow] {
    try query(ConfigurationQueries.tenants.sql).map { TenantRow($0) }
  }

  public func createKey(_ key: NewKey, actor: String) throws(StoreError) -> AdminOutcome {
    var p = Parameters()
    p.text(key.id)
    p.text(key.tenant)
    p.text(key.name)
    p.bytea(key.secretHash)
    p.texts(key.scopes)
    if let models = key.allowedModels { p.texts(models) } else { p.text(nil) }
    p.timestamp(key.expiresAt?.microseconds)
    p.text(actor)
    return try change("SELECT * FROM admin_create_key($1, $2, $3, $4, $5, $6, $7, $8)", p)
  }

  /// The keys of a tenant, or all.
  public func keys(tenant: String? = nil) throws(StoreError) -> [KeyRow] {
    let keys = keyRows(
      try query(ConfigurationQueries.keys.sql), try query(ConfigurationQueries.secrets.sql))
    return keys.filter { tenant == nil || $0.tenant == tenant }
  }

  public func revokeKey(id: String, actor: String) throws(StoreError) -> AdminOutcome {
    var p = Parameters()
    p.text(id)
    p.text(actor)
    return try change("SELECT * FROM admin_revoke_key($1, $2)", p)
  }

  /// Publishes several sets, all or none: the outcomes so far, of which only the last may be other
  /// than done.
  public func publishPrices(
    _ sets: [NewPriceSet], actor: String
  ) throws(StoreError) -> [AdminOutcome] {
    var outcomes: [AdminOutcome] = []
    try run("BEGIN")
    do {
      for set in sets {
        let outcome = try publishPrices(set, actor: actor)
        outcomes.append(outcome)
        guard case .done = outcome else {
          try run("ROLLBACK")
          return outcomes
        }
      }
      try run("COMMIT")
    } catch {
      try? run("ROLLBACK")
      throw error
    }
    return outcomes
  }

  public func publishPrices(
    _ set: NewPriceSet, actor: String
  ) throws(StoreError) -> AdminOutcome {
    var p = Parameters()
    p.uuid(set.id.pair)
    p.text(set.book)
    p.text(set.currency)
    p.timestamp(set.startsAt?.microseconds)
    p.text(set.provenance)
    p.bytea(set.sourceHash)
    p.text(actor)
    p.texts(set.prices.map { $0.model })
    p.texts(set.prices.map { $0.tokenClass })
    p.texts(set.prices.map { $0.serviceTier })
    p.int64s(set.prices.map { $0.promptFrom })
    p.bools(set.prices.map { $0.isMarginal })
    p.int64s(set.prices.map { $0.price })
    p.texts(set.prices.map { $0.derivedFrom })
    let places = (1...14).map { "$\($0)" }.joined(separator: ", ")
    return try change("SELECT * FROM admin_publish_prices(\(places))", p)
  }

  /// Every price set, ascending by start.
  public func priceSets() throws(StoreError) -> [PriceSetRow] {
    priceSetRows(
      try query(ConfigurationQueries.priceSets.sql), try query(ConfigurationQueries.prices.sql))
  }

  /// The audit trail, oldest first, after a configuration version.
  public func audit(
    afterVersion: Int64 = 0, limit: Int
  ) throws(StoreError) -> [AuditRow] {
    var p = Parameters()
    p.int64(afterVersion)
    p.int32(Int32(clamping: limit))
    let rows = try query(
      """
      SELECT audit_id, at, tenant_id, actor, action, subject, config_version, detail::text
      FROM audit_log WHERE config_version > $1 ORDER BY config_version, audit_id
      LIMIT $2::integer
      """, p)
    return rows.map { AuditRow($0) }
  }

  /// The database's clock, by which keys expire and prices start.
  public func now() throws(StoreError) -> Timestamp {
    try query("SELECT now()")[0].time(0)!
  }

  public func usage(_ usage: UsageQuery) throws(StoreError) -> [UsageRow] {
    let places = (1...10).map { "$\($0)" }.joined(separator: ", ")
    return try query("SELECT * FROM usage_report(\(places))", usage.parameters)
      .map { UsageRow($0) }
  }

  private func change(
    _ sql: String, _ parameters: Parameters
  ) throws(StoreError) -> AdminOutcome {
    let row: Row
    do {
      row = try query(sql, parameters)[0]
    } catch .server(let state) where Self.isRule(state) {
      return .refused
    }
    switch row.text(0) {
    case "done": return .done(configVersion: row.int64(1))
    case "exists": return .exists
    case "not_found": return .notFound
    default: return .refused
    }
  }

  /// RC001 is ours (see `admin_publish_prices`); class 23 is a CHECK or a key that holds.
  private static func isRule(_ state: SQLState) -> Bool {
    state.code == "RC001" || state.code.hasPrefix("23")
  }
}

extension AuditRow {
  init(_ row: Row) {
    id = RowID(row.uuid(0))
    at = row.time(1)!
    tenant = row.optional(2) { $0.text($1) }
    actor = row.text(3)
    action = row.text(4)
    subject = row.text(5)
    configVersion = row.int64(6)
    detail = row.text(7)
  }
}
