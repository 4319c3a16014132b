import Foundation
import Postgres
import Store
import TestSupport
import Testing

/// `view_messages` and `list_messages` over branches, against their definition said slowly.
@Suite struct ViewTests {
  private struct Row: Equatable {
    var segment: Int
    var seq: Int64
    var group: Int64
    var tokens: Int64
    var before: Int64
    var isActive: Bool
  }

  /// A branch of up to four segments with groups and failed messages.
  private func branch(_ random: inout SplitMix) -> [Row] {
    var rows: [Row] = []
    var before: Int64 = 0
    for segment in 0..<Int.random(in: 1...4, using: &random) {
      // A fork never cuts a group.
      var group: Int64 = 0
      let count = Int.random(in: 0...60, using: &random)
      for index in 0..<count {
        let seq = Int64(rows.count + 1)
        if index == 0 || Bool.random(using: &random) { group = seq }
        let isFirst = group == seq
        let tokens = Int64.random(in: 0...20, using: &random)
        let isActive = !isFirst || Int.random(in: 0..<10, using: &random) > 0
        if !isActive { group = seq }
        rows.append(
          Row(
            segment: segment, seq: seq, group: isActive ? group : seq, tokens: tokens,
            before: before, isActive: isActive))
        before += isActive ? tokens : 0
        // What follows a failed message begins a group.
        if !isActive { group = seq + 1 }
      }
    }
    return rows.map { row in
      var row = row
      if row.group > row.seq { row.group = row.seq }
      return row
    }
  }

  private func insert(_ rows: [Row], tenant: String, _ sql: borrowing BlockingConnection) throws {
    for segment in 0...(rows.last?.segment ?? 0) {
      let fork = rows.filter { $0.segment < segment }.count
      let parent = segment == 0 ? "NULL" : "'\(id(UInt64(segment)))'"
      try sql.run(
        script: """
          INSERT INTO segment (tenant_id, segment_id, conversation_id, parent_segment_id, fork_seq,
            depth)
          VALUES ('\(tenant)', '\(id(UInt64(segment + 1)))', 'c', \(parent), \(fork), \(segment))
          """)
    }
    for row in rows {
      try sql.run(
        script: """
          INSERT INTO message (tenant_id, segment_id, seq, group_seq, tokens, tokens_before, role,
            state, vocabulary, count_method, body)
          VALUES ('\(tenant)', '\(id(UInt64(row.segment + 1)))', \(row.seq), \(row.group),
            \(row.tokens), \(row.before), 'user', '\(row.isActive ? "active" : "failed")', 'v', 'm',
            '')
          """)
    }
    try sql.run(
      script: """
        INSERT INTO conversation (tenant_id, conversation_id, key_id, model_id, vocabulary, policy,
          system_tokens, segment_id, ttl, last_seq, view_tokens_bound, expires_at)
        VALUES ('\(tenant)', 'c', 'k', 'm', 'v', '', 0,
          '\(id(UInt64((rows.last?.segment ?? 0) + 1)))', '1 day', \(rows.count), 0, now())
        """)
  }

  @Test func windowsOverBranchesAreWhatTheDefinitionSays() throws {
    let fixture = try Fixture()
    let sql = try fixture.sql()
    let seed =
      ProcessInfo.processInfo.environment["RECOUNT_TEST_SEED"].flatMap { UInt64($0) }
      ?? UInt64.random(in: 1...UInt64.max)
    var random = SplitMix(state: seed)
    for round in 0..<12 {
      let rows = branch(&random)
      let tenant = "t\(round)"
      try insert(rows, tenant: tenant, sql)
      let total = rows.filter { $0.isActive }.reduce(0) { $0 + $1.tokens }
      let last = rows.last?.segment ?? 0
      for _ in 0..<25 {
        let budget = Int64.random(in: 0...(total + 10), using: &random)
        let start = rows.first { $0.before >= total - budget }?.seq ?? Int64(rows.count + 1)
        var expected = rows.filter { $0.isActive && $0.seq >= start && $0.group >= start }
        if expected.isEmpty, let newest = rows.last(where: { $0.isActive }),
          newest.segment == last
        {
          expected = rows.filter { $0.isActive && $0.group >= newest.group }
        }
        var p = Parameters()
        p.text(tenant)
        p.uuid((id(UInt64(last + 1)).high, id(UInt64(last + 1)).low))
        p.int64(Int64(rows.count))
        p.int64(total)
        p.int64(budget)
        let found = try sql.query("SELECT seq FROM view_messages($1, $2, $3, $4, $5)", p)
          .map { $0.int64(0) }
        #expect(found == expected.map { $0.seq }, "seed \(seed) round \(round) budget \(budget)")
      }
      for after in [0, Int64(rows.count / 2), Int64(rows.count)] {
        var p = Parameters()
        p.text(tenant)
        p.int64(after)
        let found = try sql.query("SELECT seq FROM list_messages($1, 'c', $2, 20)", p)
          .map { $0.int64(0) }
        let expected = rows.map { $0.seq }.filter { $0 > after }.prefix(20)
        #expect(found == Array(expected), "seed \(seed)")
      }
    }
  }

  /// A window reads as much of a long history as of a short one.
  @Test func aWindowDoesNotReadTheHistory() throws {
    let fixture = try Fixture()
    let sql = try fixture.sql()
    var blocks: [Int64] = []
    for (tenant, count) in [("short", 500), ("long", 50_000)] {
      try sql.run(
        script: """
          INSERT INTO segment (tenant_id, segment_id, conversation_id)
          VALUES ('\(tenant)', '\(id(1))', 'c');
          INSERT INTO message (tenant_id, segment_id, seq, group_seq, tokens, tokens_before, role,
            state, vocabulary, count_method, body)
          SELECT '\(tenant)', '\(id(1))', n, n, 10, (n - 1) * 10, 'user', 'active', 'v', 'm', 'body'
          FROM generate_series(1, \(count)) AS n;
          ANALYZE message
          """)
      try sql.run(script: "SELECT 1; SELECT pg_stat_force_next_flush()")
      let call = """
        SELECT count(*) FROM view_messages('\(tenant)', '\(id(1))', \(count), \(count * 10), 1000)
        """
      let found = try sql.query(call)[0].int64(0)
      #expect(found == 100)
      let plan = try sql.query("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + call)[0].text(0)
      let hits = plan.split(separator: "\"Shared Hit Blocks\": ").dropFirst().first
        .flatMap { Int64($0.prefix { $0.isNumber }) }
      blocks.append(try #require(hits))
    }
    #expect(blocks[1] <= blocks[0] * 3 / 2, "\(blocks)")
  }
}
