import Domain
import Messages
import Metering
import Reactor
import Store

/// Keys, tenants and prices as one reactor knows them: replaced whole when the version changes.
///
/// A configuration whose version could not be read for ten seconds refuses every call: a key may
/// have been revoked meanwhile.
///
/// - Isolation: its reactor.
final class ConfigurationCache {
  private let store: Store
  private let reactor: Reactor
  private let limits: ServiceLimits
  private let log: ServiceLog
  private var current: Configuration?
  /// When the version was last known to be the current one.
  private var confirmedAt: ContinuousClock.Instant?
  private var lookedAt: ContinuousClock.Instant?
  private var reloading: Task<Result<Void, StoreError>, Never>?
  private var isClosed = false

  init(_ store: Store, _ reactor: Reactor, _ limits: ServiceLimits, _ log: ServiceLog) {
    self.store = store
    self.reactor = reactor
    self.limits = limits
    self.log = log
  }

  /// Reads the configuration for the first time and follows it until `close`.
  func start(isolation: isolated Core) async throws(StoreError) {
    try await reload()
    poll()
  }

  func close() { isClosed = true }

  private func poll() {
    reactor.schedule(after: limits.configurationPoll) { [weak self] in
      guard let self, !isClosed else { return }
      let bound = LoopBound(self, on: reactor)
      reactor.spawn { core in await Self.check(bound, core) }
    }
  }

  private static func check(_ cache: LoopBound<ConfigurationCache>, _ core: isolated Core) async {
    let cache = cache.value
    do throws(StoreError) {
      try await cache.refresh()
    } catch {
      cache.log.warning("the configuration could not be read", ["error": "\(error)"])
    }
    cache.poll()
  }

  /// Confirms the version, or reads a new configuration.
  private func refresh() async throws(StoreError) {
    let asked = reactor.now
    lookedAt = asked
    if try await store.configVersion() == current?.version {
      confirmedAt = asked
    } else {
      try await reload()
    }
  }

  /// Has a configuration of at least this version: `begin_turns` knew it. Turns that find theirs
  /// stale together share one reading.
  func reload(atLeast version: Int64) async throws(StoreError) {
    if let current, current.version >= version { return }
    if reloading == nil {
      let bound = LoopBound(self, on: reactor)
      reloading = reactor.spawn { core in await Self.reloadOnce(bound, core) }
    }
    try await reloading?.value.get()
  }

  private static func reloadOnce(
    _ bound: LoopBound<ConfigurationCache>, _ core: isolated Core
  ) async -> Result<Void, StoreError> {
    let cache = bound.value
    defer { cache.reloading = nil }
    do throws(StoreError) {
      return .success(try await cache.reload())
    } catch {
      return .failure(error)
    }
  }

  private func reload() async throws(StoreError) {
    let asked = reactor.now
    let snapshot = try await store.configuration()
    // A slower reader may come back with an older one.
    if let current, current.version > snapshot.version { return }
    current = Configuration(snapshot, readAt: asked)
    confirmedAt = asked
  }

  /// The configuration, as long as it can be trusted.
  func trusted() throws(Failure) -> Configuration {
    guard let current, let confirmedAt, reactor.now - confirmedAt < limits.configurationAgeMax
    else {
      throw Failure(
        .storageUnavailable, "the configuration cannot be confirmed", retryAfter: .seconds(1))
    }
    return current
  }

  /// Who a key belongs to. An unknown one may have been made a moment ago.
  func principal(of key: APIKey) async throws(Failure) -> Principal {
    if let principal = try trusted().principal(of: key, at: reactor.now) {
      return try principal.get()
    }
    if lookedAt.map({ reactor.now - $0 > limits.unknownKeyPoll }) ?? true {
      do throws(StoreError) {
        try await refresh()
      } catch {
        throw Failure(error, log: log)
      }
      if let principal = try trusted().principal(of: key, at: reactor.now) {
        return try principal.get()
      }
    }
    throw Failure(.apiKeyInvalid, "the API key is not known")
  }
}

/// One version of the configuration, indexed.
final class Configuration {
  let version: Int64
  private let tenants: [String: TenantRow]
  private let keys: [String: KeyRow]
  private let books: [String: [PriceSet]]
  /// The database's clock and ours at the same moment.
  private let databaseTime: Timestamp
  private let readAt: ContinuousClock.Instant

  /// A price set, indexed by model.
  struct PriceSet {
    var id: RowID
    var startsAt: Timestamp
    var models: [String: ModelPrices]
    /// As they were published.
    var rows: [String: [PriceRow]]
  }

  init(_ snapshot: ConfigurationSnapshot, readAt: ContinuousClock.Instant) {
    version = snapshot.version
    databaseTime = snapshot.readAt
    self.readAt = readAt
    tenants = Dictionary(uniqueKeysWithValues: snapshot.tenants.map { ($0.id, $0) })
    keys = Dictionary(uniqueKeysWithValues: snapshot.keys.map { ($0.id, $0) })
    var books: [String: [PriceSet]] = [:]
    for set in snapshot.priceSets {
      books["\(set.book) \(set.currency)", default: []].append(PriceSet(set))
    }
    self.books = books
  }

  /// The database's time, as far as our own clock tells.
  func time(at now: ContinuousClock.Instant) -> Timestamp {
    let (seconds, attoseconds) = (now - readAt).components
    return Timestamp(
      microseconds: databaseTime.microseconds + seconds * 1_000_000
        + attoseconds / 1_000_000_000_000)
  }

  /// Nil for a key that is not known, or whose secret is another.
  func principal(of key: APIKey, at now: ContinuousClock.Instant) -> Result<Principal, Failure>? {
    guard let row = keys[key.id], let tenant = tenants[row.tenant] else { return nil }
    let time = time(at: now)
    let matching = row.secrets.filter { key.matches(hash: $0.hash) }
    guard !matching.isEmpty else { return nil }
    if row.revokedAt != nil {
      return .failure(Failure(.apiKeyRevoked, "the API key was revoked"))
    }
    func isOver(_ end: Timestamp?) -> Bool { end.map { $0 <= time } ?? false }
    if isOver(row.expiresAt) || matching.allSatisfy({ isOver($0.expiresAt) }) {
      return .failure(Failure(.apiKeyExpired, "the API key has expired"))
    }
    if tenant.isSuspended {
      return .failure(Failure(.tenantSuspended, "the tenant is suspended"))
    }
    return .success(Principal(tenant: tenant, key: row, credential: key))
  }

  /// The set of a book that is in force.
  func priceSet(
    book: String, currency: String, at now: ContinuousClock.Instant
  ) -> PriceSet? {
    let time = time(at: now)
    // Ascending by start.
    return books["\(book) \(currency)"]?.last { $0.startsAt <= time }
  }

  /// The prices of a model that are in force, and the set that they are from.
  func prices(
    book: String, currency: String, model: String, at now: ContinuousClock.Instant
  ) -> (set: RowID, prices: ModelPrices)? {
    guard let set = priceSet(book: book, currency: currency, at: now),
      let prices = set.models[model]
    else { return nil }
    return (set.id, prices)
  }
}

extension Configuration.PriceSet {
  static let serviceTier = "default"

  init(_ row: PriceSetRow) {
    id = row.id
    startsAt = row.startsAt
    let rows = row.prices.filter { $0.serviceTier == Self.serviceTier }
    self.rows = Dictionary(grouping: rows, by: \.model)
    models = self.rows.compactMapValues { rows in
      let entries = rows.compactMap { row in
        TokenClass(rawValue: row.tokenClass).map {
          PriceEntry(tokenClass: $0, promptFrom: row.promptFrom, price: row.price)
        }
      }
      return ModelPrices(entries: entries, isMarginal: rows.contains { $0.isMarginal })
    }
  }
}
