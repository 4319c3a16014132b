import Domain
import Messages
import Store

/// GetUsage.
extension ConversationService {
  func getUsage(
    _ request: Wire.GetUsageRequest, _ principal: Principal
  ) async throws(Failure) -> Wire.GetUsageResponse {
    let size = try checks.pageSize(request.pageSize)
    var query = try query(request, principal)
    // Sums by anything but the day do not look at the zone.
    if request.timeZone != nil { try await checkZone(query.timeZone) }
    let currency = principal.tenant.currency
    let totals = try await usage(query)
    let total = Self.wire(totals.first, currency)
    guard request.groupBy != .unspecified else { return Wire.GetUsageResponse(total: total) }
    query.groupBy = try Self.group(request.groupBy)
    query.limit = size + 1
    if let token = request.pageToken { query.after = try Self.place(token, query.groupBy) }
    let rows = try await usage(query)
    let groups = rows.prefix(size).map {
      Wire.UsageGroup(name: $0.group, usage: Self.wire($0, currency))
    }
    let next =
      rows.count > size
      ? PageToken.encode(
        "u", "\(query.groupBy.rawValue)/\(rows[size - 1].group)") : nil
    return Wire.GetUsageResponse(groups: Array(groups), total: total, nextPageToken: next)
  }

  /// The last group of the page before, which was grouped likewise.
  private static func place(
    _ token: String, _ group: UsageQuery.Group
  ) throws(Failure) -> String {
    let parts = try PageToken.decode("u", token).split(
      separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == group.rawValue else {
      throw .field("page_token", "it is none that this method gave here")
    }
    return String(parts[1])
  }

  private func query(
    _ request: Wire.GetUsageRequest, _ principal: Principal
  ) throws(Failure) -> UsageQuery {
    let now = WallClock.microseconds
    let start = try Self.moment(request.startTime, "start_time") ?? WallClock.startOfMonth(now)
    // The end is exclusive; the database's clock may be ahead of ours.
    let end = try Self.moment(request.endTime, "end_time") ?? now + 60_000_000
    guard start < end else { throw .field("end_time", "it must be after start_time") }
    if let id = request.keyID { try checks.id(id, "key_id") }
    if let id = request.conversationID { try checks.id(id, "conversation_id") }
    let zone = request.timeZone ?? "UTC"
    guard Self.isZoneName(zone) else { throw .field("time_zone", "it names no time zone") }
    return UsageQuery(
      tenant: principal.tenant.id, from: Timestamp(microseconds: start),
      before: Timestamp(microseconds: end), groupBy: .none, timeZone: zone, limit: 1,
      key: request.keyID, model: request.model, conversation: request.conversationID)
  }

  private func checkZone(_ zone: String) async throws(Failure) {
    let isZone: Bool
    do throws(StoreError) {
      isZone = try await store.isTimeZone(zone)
    } catch {
      throw Failure(error, log: log)
    }
    guard isZone else { throw .field("time_zone", "it names no time zone") }
  }

  private func usage(_ query: UsageQuery) async throws(Failure) -> [UsageRow] {
    do throws(StoreError) {
      return try await store.usage(query)
    } catch {
      throw Failure(error, log: log)
    }
  }

  private static func isZoneName(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        let letter = byte | 0x20
        return (0x61...0x7A).contains(letter) || (0x30...0x39).contains(byte)
          || "/_+-".utf8.contains(byte)
      }
  }

  static func moment(
    _ time: Wire.Timestamp?, _ path: String
  ) throws(Failure) -> Int64? {
    guard let time else { return nil }
    guard let microseconds = time.microseconds else { throw .field(path, "it is no time") }
    return microseconds
  }

  private static func group(_ grouping: Wire.UsageGrouping) throws(Failure) -> UsageQuery.Group {
    switch grouping {
    case .unspecified: .none
    case .day: .day
    case .model: .model
    case .key: .key
    case .conversation: .conversation
    case .unrecognized: throw .field("group_by", "it names no grouping")
    }
  }

  private static func wire(_ row: UsageRow?, _ currency: String) -> Wire.Usage {
    func tokens(_ tokenClass: UsageLine.TokenClass) -> Int64 {
      row?.tokens[tokenClass.rawValue] ?? 0
    }
    return Wire.Usage(
      requests: row?.requests ?? 0, attempts: row?.attempts ?? 0,
      uncachedInputTokens: tokens(.input), cacheReadTokens: tokens(.cacheRead),
      cacheWriteTokens: tokens(.cacheWrite), visibleOutputTokens: tokens(.output),
      reasoningTokens: tokens(.reasoning),
      totalTokens: UsageLine.TokenClass.allCases.reduce(0) { $0 + tokens($1) },
      cost: Wire.Cost(
        currency: row?.currency ?? currency, contracted: Money(pico: row?.cost ?? 0).decimal,
        list: Money(pico: row?.listCost ?? 0).decimal))
  }
}
