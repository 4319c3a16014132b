import Postgres
import Store
import TestSupport
import Testing

@Suite struct AdminTests {
  private func key(_ id: String, tenant: String = "acme") -> NewKey {
    NewKey(
      id: id, tenant: tenant, name: "n", secretHash: [UInt8](repeating: 7, count: 32),
      scopes: ["generate"], allowedModels: nil, expiresAt: nil)
  }

  private func prices(_ id: RowID, starts: Timestamp? = nil, book: String = "list") -> NewPriceSet {
    NewPriceSet(
      id: id, book: book, currency: "USD", startsAt: starts, provenance: "file",
      sourceHash: [1],
      prices: [
        PriceRow(
          model: "gpt-4.1", tokenClass: "input", serviceTier: "default", promptFrom: 0,
          isMarginal: false, price: 8_000_000),
        PriceRow(
          model: "gpt-4.1", tokenClass: "cache_read", serviceTier: "default", promptFrom: 0,
          isMarginal: false, price: 8_000_000, derivedFrom: "input"),
      ])
  }

  @Test func everyChangeHasItsAuditRowAndVersion() async throws {
    let fixture = try Fixture()
    let admin = try fixture.admin()
    let start = try admin.audit(limit: 1000).last!.configVersion
    #expect(
      try admin.createTenant(id: "new", name: "New", currency: "EUR", actor: "ann")
        == .done(configVersion: start + 1))
    #expect(
      try admin.createTenant(id: "new", name: "New", currency: "EUR", actor: "ann") == .exists)
    #expect(
      try admin.createTenant(id: "bad", name: "New", currency: "euro", actor: "ann") == .refused)
    #expect(
      try admin.createKey(key("k1", tenant: "new"), actor: "ann")
        == .done(configVersion: start + 2))
    #expect(try admin.createKey(key("k1"), actor: "ann") == .exists)
    #expect(try admin.createKey(key("k2", tenant: "none"), actor: "ann") == .notFound)
    #expect(
      try admin.publishPrices(prices(id(1)), actor: "ann") == .done(configVersion: start + 3))
    #expect(try admin.publishPrices(prices(id(1)), actor: "ann") == .exists)
    #expect(
      try admin.publishPrices(prices(id(2), starts: Timestamp(microseconds: 0)), actor: "ann")
        == .refused)
    #expect(try admin.revokeKey(id: "k1", actor: "bob") == .done(configVersion: start + 4))
    #expect(try admin.revokeKey(id: "k1", actor: "bob") == .refused)
    #expect(try admin.revokeKey(id: "none", actor: "bob") == .notFound)
    let audit = try admin.audit(afterVersion: start, limit: 100)
    #expect(
      audit.map { $0.action } == ["tenant.create", "key.create", "price.apply", "key.revoke"])
    #expect(audit.map { $0.configVersion } == (1...4).map { start + $0 })
    #expect(audit.last?.actor == "bob" && audit.last?.subject == "k1")
    #expect(try admin.keys(tenant: "new").map { $0.id } == ["k1"])

    try await fixture.withStore { store in
      let snapshot = try await store.store.configuration()
      #expect(snapshot.version == start + 4)
      #expect(snapshot.tenants.map { $0.id } == ["acme", "new", "zeta"])
      #expect(snapshot.keys.first?.revokedAt != nil)
      #expect(snapshot.keys.first?.secrets.map { $0.slot } == [1])
      #expect(snapshot.priceSets.count == 1)
      #expect(snapshot.priceSets[0].prices.map { $0.tokenClass } == ["cache_read", "input"])
      let version = try await store.store.configVersion()
      #expect(version == start + 4)
    }
  }

  @Test func aRevocationIsSeenByTheNextBegin() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let config = try await store.register()
      _ = try await store.create(creation("c1"))
      let admin = try fixture.admin()
      _ = try admin.createKey(key("k1"), actor: "ann")
      #expect(
        try await store.begin(beginning("c1", config: config)) == .configStale(current: config + 1)
      )
    }
  }

  @Test func twoAdminsAtOnceTakeTurns() async throws {
    let fixture = try Fixture()
    let outcomes = try await atOnce((0..<8).map { $0 }) { number in
      let admin = try fixture.admin()
      return try admin.publishPrices(prices(id(UInt64(number))), actor: "a\(number)")
    }
    let versions = outcomes.compactMap { outcome -> Int64? in
      guard case .done(let version) = outcome else { return nil }
      return version
    }
    #expect(Set(versions).count == versions.count && !versions.isEmpty)
    let admin = try fixture.admin()
    let starts = try admin.priceSets().map { $0.startsAt }
    #expect(starts.count == versions.count && Set(starts).count == starts.count)
  }

  @Test func usageIsTheLedgersSum() async throws {
    let fixture = try Fixture()
    try await fixture.withStore { store in
      let config = try await store.register()
      for name in ["a", "b", "c"] {
        _ = try await store.create(creation(name))
        for _ in 0..<2 {
          let begin = beginning(name, request: request(nil, key: "k-\(name)"), config: config)
          _ = try await store.begin(begin)
          _ = try await store.settle(settling(begin))
        }
      }
      var usage = UsageQuery(
        tenant: "acme", from: Timestamp(microseconds: 0),
        before: Timestamp(microseconds: 4_102_444_800_000_000), groupBy: .conversation, limit: 2)
      let first = try await store.store.usage(usage)
      #expect(first.map { $0.group } == ["a", "b"])
      usage.after = first.last?.group
      let rest = try await store.store.usage(usage)
      #expect(rest.map { $0.group } == ["c"])
      #expect(rest[0].requests == 2 && rest[0].attempts == 2)
      #expect(rest[0].tokens == ["input": 40, "output": 20])
      #expect(rest[0].cost == 140 && rest[0].listCost == 1400 && rest[0].currency == "USD")
      usage.after = nil
      usage.groupBy = .day
      let days = try await store.store.usage(usage)
      #expect(days.count == 1 && days[0].cost == 6 * 70)
      usage.groupBy = .none
      usage.key = "k-b"
      let one = try fixture.admin().usage(usage)
      #expect(one.map { $0.cost } == [140])
      usage.tenant = "zeta"
      let other = try await store.store.usage(usage)
      #expect(other.isEmpty)
    }
  }
}
