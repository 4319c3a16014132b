internal import Postgres

/// What of the ledger is summed, and how it is grouped.
public struct UsageQuery: Sendable {
  public enum Group: String, Sendable { case none, day, model, key, conversation }

  public var tenant: String
  /// Inclusive.
  public var from: Timestamp
  /// Exclusive.
  public var before: Timestamp
  public var groupBy: Group
  /// Named time zone of the days.
  public var timeZone: String
  /// The last group of the page before.
  public var after: String?
  public var limit: Int
  public var key: String?
  public var model: String?
  public var conversation: String?

  public init(
    tenant: String, from: Timestamp, before: Timestamp, groupBy: Group, timeZone: String = "UTC",
    after: String? = nil, limit: Int, key: String? = nil, model: String? = nil,
    conversation: String? = nil
  ) {
    self.tenant = tenant
    self.from = from
    self.before = before
    self.groupBy = groupBy
    self.timeZone = timeZone
    self.after = after
    self.limit = limit
    self.key = key
    self.model = model
    self.conversation = conversation
  }
}

/// A group's sums.
public struct UsageRow: Sendable, Equatable {
  /// A date, a model, a key, a conversation, or empty.
  public var group: String
  public var requests: Int64
  public var attempts: Int64
  /// Tokens by class.
  public var tokens: [String: Int64]
  /// Pico-currency.
  public var cost: Int128
  public var listCost: Int128
  public var currency: String
}

extension Store {
  public func usage(_ usage: UsageQuery) async throws(StoreError) -> [UsageRow] {
    try await query(UsageQuery.statement, usage.parameters).map { UsageRow($0) }
  }

  /// Whether PostgreSQL knows a time zone of that name, whatever the case of its letters.
  public func isTimeZone(_ name: String) async throws(StoreError) -> Bool {
    var p = Parameters()
    p.text(name)
    return try await query(Self.timeZone, p)[0].bool(0)
  }

  private static let timeZone = Statement(
    name: "time_zone",
    sql: """
      SELECT EXISTS (SELECT FROM pg_timezone_names AS z WHERE lower(z.name) = lower($1))
      """)
}

extension UsageQuery {
  static let statement = Statement.function("usage_report", parameters: 10)

  var parameters: Parameters {
    var p = Parameters()
    p.text(tenant)
    p.timestamp(from.microseconds)
    p.timestamp(before.microseconds)
    p.text(groupBy.rawValue)
    p.text(timeZone)
    p.text(after)
    p.int32(Int32(clamping: limit))
    p.text(key)
    p.text(model)
    p.text(conversation)
    return p
  }
}

extension UsageRow {
  init(_ row: Row) {
    group = row.text(0)
    requests = row.int64(1)
    attempts = row.int64(2)
    tokens = Dictionary(
      uniqueKeysWithValues: zip(row.texts(3), row.texts(4).map { Int64($0) ?? .max }))
    cost = wholeAmount(row.text(5))
    listCost = wholeAmount(row.text(6))
    currency = row.text(7)
  }
}
