internal import Postgres

/// A tenant.
public struct TenantRow: Sendable, Equatable {
  public var id: String
  public var name: String
  public var currency: String
  public var isSuspended: Bool
  public var createdAt: Timestamp
}

/// An API key; its secrets only as hashes.
public struct KeyRow: Sendable, Equatable {
  public struct Secret: Sendable, Equatable {
    public var slot: Int16
    public var hash: [UInt8]
    public var expiresAt: Timestamp?
  }

  public var id: String
  public var tenant: String
  public var name: String
  public var scopes: [String]
  /// Nil: every model.
  public var allowedModels: [String]?
  public var expiresAt: Timestamp?
  public var revokedAt: Timestamp?
  public var createdAt: Timestamp
  public var secrets: [Secret]
}

/// A published set of prices.
public struct PriceSetRow: Sendable, Equatable {
  public var id: RowID
  /// list or contracted.
  public var book: String
  public var currency: String
  public var startsAt: Timestamp
  public var publishedAt: Timestamp
  public var publishedBy: String
  public var provenance: String
  public var prices: [PriceRow]
}

/// One price, in pico-currency per token.
public struct PriceRow: Sendable, Equatable {
  public var model: String
  /// input, cache_read, cache_write, output or reasoning.
  public var tokenClass: String
  public var serviceTier: String
  /// Prompt tokens from which it applies.
  public var promptFrom: Int64
  public var isMarginal: Bool
  public var price: Int64
  /// The class whose price it took, if the file gave none of its own.
  public var derivedFrom: String?

  public init(
    model: String, tokenClass: String, serviceTier: String, promptFrom: Int64, isMarginal: Bool,
    price: Int64, derivedFrom: String? = nil
  ) {
    self.model = model
    self.tokenClass = tokenClass
    self.serviceTier = serviceTier
    self.promptFrom = promptFrom
    self.isMarginal = isMarginal
    self.price = price
    self.derivedFrom = derivedFrom
  }
}

/// All that a server caches of the configuration, as of one version.
public struct ConfigurationSnapshot: Sendable, Equatable {
  public var version: Int64
  /// The database's clock when it was read.
  public var readAt: Timestamp
  public var tenants: [TenantRow]
  public var keys: [KeyRow]
  /// Ascending by start; the set in force of a book and currency is the last that has started.
  public var priceSets: [PriceSetRow]
}

extension Store {
  /// The configuration's version; polled to learn of changes.
  public func configVersion() async throws(StoreError) -> Int64 {
    try await query(ConfigurationQueries.version)[0].int64(0)
  }

  /// Reads the configuration; consistent, because the version is compared before and after.
  public func configuration() async throws(StoreError) -> ConfigurationSnapshot {
    while true {
      let before = try await query(ConfigurationQueries.version)[0]
      let tenants = try await query(ConfigurationQueries.tenants).map { TenantRow($0) }
      let keys = try await query(ConfigurationQueries.keys)
      let secrets = try await query(ConfigurationQueries.secrets)
      let sets = try await query(ConfigurationQueries.priceSets)
      let prices = try await query(ConfigurationQueries.prices)
      guard try await configVersion() == before.int64(0) else { continue }
      return ConfigurationSnapshot(
        version: before.int64(0), readAt: Timestamp(microseconds: before.timestamp(1)),
        tenants: tenants, keys: keyRows(keys, secrets), priceSets: priceSetRows(sets, prices))
    }
  }
}

/// The statements, shared with the admin commands.
enum ConfigurationQueries {
  static let version = Statement(
    name: "config_version", sql: "SELECT version, now() FROM config_version")
  static let tenants = Statement(
    name: "tenants",
    sql: """
      SELECT tenant_id, name, currency, suspended_at IS NOT NULL, created_at
      FROM tenant ORDER BY tenant_id
      """)
  static let keys = Statement(
    name: "keys",
    sql: """
      SELECT key_id, tenant_id, name, scopes, allowed_models, expires_at, revoked_at, created_at
      FROM api_key ORDER BY key_id
      """)
  static let secrets = Statement(
    name: "secrets",
    sql: """
      SELECT key_id, slot, secret_hash, expires_at FROM api_key_secret ORDER BY key_id, slot
      """)
  static let priceSets = Statement(
    name: "price_sets",
    sql: """
      SELECT price_set_id, book, currency, starts_at, published_at, published_by, provenance
      FROM price_set ORDER BY starts_at, book, currency
      """)
  static let prices = Statement(
    name: "prices",
    sql: """
      SELECT price_set_id, model_id, token_class, service_tier, prompt_from, marginal, price,
        derived_from
      FROM price ORDER BY price_set_id, model_id, service_tier, token_class, prompt_from
      """)
}

extension TenantRow {
  init(_ row: Row) {
    id = row.text(0)
    name = row.text(1)
    currency = row.text(2)
    isSuspended = row.bool(3)
    createdAt = Timestamp(microseconds: row.timestamp(4))
  }
}

func keyRows(_ keys: Rows, _ secrets: Rows) -> [KeyRow] {
  let secrets = Dictionary(grouping: secrets.map { $0 }) { $0.text(0) }
  return keys.map { row in
    KeyRow(
      id: row.text(0), tenant: row.text(1), name: row.text(2), scopes: row.texts(3),
      allowedModels: row.optional(4) { $0.texts($1) }, expiresAt: row.time(5),
      revokedAt: row.time(6), createdAt: row.time(7)!,
      secrets: (secrets[row.text(0)] ?? []).map {
        KeyRow.Secret(slot: $0.int16(1), hash: $0.bytes(2), expiresAt: $0.time(3))
      })
  }
}

func priceSetRows(_ sets: Rows, _ prices: Rows) -> [PriceSetRow] {
  let prices = Dictionary(grouping: prices.map { $0 }) { RowID($0.uuid(0)) }
  return sets.map { row in
    let id = RowID(row.uuid(0))
    return PriceSetRow(
      id: id, book: row.text(1), currency: row.text(2), startsAt: row.time(3)!,
      publishedAt: row.time(4)!, publishedBy: row.text(5), provenance: row.text(6),
      prices: (prices[id] ?? []).map {
        PriceRow(
          model: $0.text(1), tokenClass: $0.text(2), serviceTier: $0.text(3),
          promptFrom: $0.int64(4), isMarginal: $0.bool(5), price: $0.int64(6),
          derivedFrom: $0.optional(7) { $0.text($1) })
      })
  }
}

extension Row {
  func time(_ column: Int) -> Timestamp? {
    optional(column) { Timestamp(microseconds: $0.timestamp($1)) }
  }
}
