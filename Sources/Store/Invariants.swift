internal import Postgres

/// A row that breaks an invariant.
public struct BrokenInvariant: Sendable, Equatable {
  public var name: String
  /// Ids and figures of the row, as JSON; no text of a caller.
  public var row: String
}

extension AdminStore {
  /// Every row that breaks an invariant of the data, each invariant in a short snapshot of its own.
  ///
  /// - Parameter grace: how long after its lease a dead incarnation may still have running turns.
  public func brokenInvariants(grace: Duration) throws(StoreError) -> [BrokenInvariant] {
    var broken: [BrokenInvariant] = []
    for (name, sql) in Invariants.all {
      let sql = sql.replacing("GRACE", with: "\(grace.seconds) * interval '1 second'")
      let rows = try query("SELECT row_to_json(x)::text FROM (\(sql)) AS x LIMIT 100")
      broken += rows.map { BrokenInvariant(name: name, row: $0.text(0)) }
    }
    return broken
  }
}

/// Queries that return no rows on healthy data.
///
/// - Source: DESIGN §5.
enum Invariants {
  static let all: [(String, String)] = [
    (
      "reserved is the sum of pending legs",
      """
      SELECT p.tenant_id, p.account_id, p.period_start, p.reserved, coalesce(l.amount, 0) AS legs
      FROM quota_period AS p LEFT JOIN (\(pendingLegs)) AS l USING (tenant_id, account_id,
        period_start)
      WHERE p.reserved <> coalesce(l.amount, 0)
      """
    ),
    (
      "settled and overrun are the sum of settled legs",
      """
      SELECT p.tenant_id, p.account_id, p.period_start, p.settled + p.overrun AS booked,
        coalesce(l.amount, 0) AS legs
      FROM quota_period AS p LEFT JOIN (\(settledLegs)) AS l USING (tenant_id, account_id,
        period_start)
      WHERE p.settled + p.overrun <> coalesce(l.amount, 0)
      """
    ),
    (
      "a settled turn has ledger rows, a voided one none, a running one none",
      """
      SELECT t.tenant_id, t.generation_id, t.reservation, count(e.kind) AS events
      FROM turn AS t LEFT JOIN usage_event AS e USING (tenant_id, generation_id)
      GROUP BY t.tenant_id, t.generation_id
      HAVING (t.reservation = 'settled') <> (count(e.kind) > 0)
      """
    ),
    (
      "a reservation is pending exactly while its turn runs",
      """
      SELECT tenant_id, generation_id, state, reservation FROM turn
      WHERE (state = 'running') <> (reservation = 'pending')
      """
    ),
    (
      "a ledger row belongs to an attempt",
      """
      SELECT e.tenant_id, e.generation_id, e.attempt_number FROM usage_event AS e
      JOIN turn AS t USING (tenant_id, generation_id)
      WHERE e.attempt_number <> 1 AND NOT EXISTS (SELECT 1 FROM attempt AS a
        WHERE a.tenant_id = e.tenant_id AND a.generation_id = e.generation_id
          AND a.attempt_number = e.attempt_number)
        OR e.attempt_number = 1 AND e.attempt_id <> t.attempt_id
      """
    ),
    (
      "a conversation's running turn runs, and a running turn is its conversation's",
      """
      SELECT c.tenant_id, c.conversation_id, c.running_turn, t.state
      FROM conversation AS c LEFT JOIN turn AS t ON t.tenant_id = c.tenant_id
        AND t.generation_id = c.running_turn
      WHERE c.running_turn IS NOT NULL AND t.state IS DISTINCT FROM 'running'
      UNION ALL
      SELECT t.tenant_id, t.conversation_id, t.generation_id, t.state
      FROM turn AS t LEFT JOIN conversation AS c ON c.tenant_id = t.tenant_id
        AND c.conversation_id = t.conversation_id
      WHERE t.state = 'running' AND c.running_turn IS DISTINCT FROM t.generation_id
      """
    ),
    (
      "no running turn of a dead incarnation",
      """
      SELECT t.tenant_id, t.generation_id, t.incarnation FROM turn AS t
      WHERE t.state = 'running' AND NOT EXISTS (SELECT 1 FROM replica AS r
        WHERE r.incarnation = t.incarnation AND r.lease_until + GRACE > now())
      """
    ),
    (
      "messages are dense from the segment's first number",
      """
      SELECT s.tenant_id, s.segment_id, s.fork_seq, count(m.seq) AS count, min(m.seq) AS first,
        max(m.seq) AS last
      FROM segment AS s LEFT JOIN message AS m USING (tenant_id, segment_id)
      GROUP BY s.tenant_id, s.segment_id
      HAVING count(m.seq) > 0 AND (min(m.seq) <> s.fork_seq + 1
        OR max(m.seq) - min(m.seq) + 1 <> count(m.seq))
      """
    ),
    (
      "the running sum is the sum of the active messages before",
      """
      SELECT x.tenant_id, x.segment_id, x.seq, x.tokens_before, x.expected FROM (
        SELECT m.tenant_id, m.segment_id, m.seq, m.tokens_before, s.fork_seq,
          first_value(m.tokens_before) OVER w + coalesce(sum(
            CASE WHEN m.state = 'active' THEN m.tokens ELSE 0 END) OVER (w
              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS expected
        FROM message AS m JOIN segment AS s USING (tenant_id, segment_id)
        LEFT JOIN turn AS t ON t.tenant_id = m.tenant_id AND t.generation_id = m.generation_id
        WINDOW w AS (PARTITION BY m.tenant_id, m.segment_id ORDER BY m.seq)) AS x
      JOIN message AS m USING (tenant_id, segment_id, seq)
      WHERE x.tokens_before <> x.expected AND m.state = 'active'
        OR x.seq = 1 AND x.tokens_before <> 0
      """
    ),
    (
      "a conversation's figures are those of its messages",
      """
      SELECT c.tenant_id, c.conversation_id, c.last_seq, c.token_sum, c.view_tokens_bound,
        x.last, x.sum
      FROM conversation AS c
      JOIN segment AS s ON s.tenant_id = c.tenant_id AND s.segment_id = c.segment_id
      CROSS JOIN LATERAL (
        SELECT coalesce(max(m.seq), s.fork_seq) AS last,
          coalesce(min(m.tokens_before), 0)
            + coalesce(sum(m.tokens) FILTER (WHERE m.state = 'active'), 0) AS sum
        FROM message AS m
        WHERE m.tenant_id = c.tenant_id AND m.segment_id = c.segment_id) AS x
      WHERE c.last_seq <> x.last OR s.depth = 0 AND c.token_sum <> x.sum
        OR c.context_epoch = 0 AND c.view_tokens_bound < c.system_tokens + c.token_sum
      """
    ),
  ]

  /// Each reservation and its legs: the turn's own, and those of further attempts.
  private static let legs = """
    SELECT r.tenant_id, r.generation_id, r.state, r.number, l.account_id, l.period_start,
      l.amount
    FROM (
      SELECT t.tenant_id, t.generation_id, t.reservation AS state, 1 AS number, t.leg_account,
        t.leg_period, t.leg_amount
      FROM turn AS t
      UNION ALL
      SELECT a.tenant_id, a.generation_id, t.reservation, a.attempt_number, a.leg_account,
        a.leg_period, a.leg_amount
      FROM attempt AS a JOIN turn AS t USING (tenant_id, generation_id) WHERE a.reserves) AS r
    CROSS JOIN LATERAL unnest(r.leg_account, r.leg_period, r.leg_amount)
      AS l (account_id, period_start, amount)
    """

  private static let pendingLegs = """
    SELECT g.tenant_id, g.account_id, g.period_start, sum(g.amount) AS amount
    FROM (\(legs)) AS g WHERE g.state = 'pending'
    GROUP BY g.tenant_id, g.account_id, g.period_start
    """

  /// What the ledger says of each settled reservation, in its account's unit.
  private static let settledLegs = """
    SELECT g.tenant_id, g.account_id, g.period_start,
      sum(CASE a.unit WHEN 'money' THEN e.cost ELSE (
        SELECT sum(q) FROM unnest(e.line_quantity) AS q) END) AS amount
    FROM (
      SELECT h.*, min(h.number) OVER (
          PARTITION BY h.tenant_id, h.generation_id, h.account_id ORDER BY h.number
          ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS following
      FROM (\(legs)) AS h) AS g
    JOIN quota_account AS a USING (tenant_id, account_id)
    JOIN usage_event AS e ON e.tenant_id = g.tenant_id AND e.generation_id = g.generation_id
      AND e.attempt_number >= g.number
      AND (g.following IS NULL OR e.attempt_number < g.following)
    WHERE g.state = 'settled'
    GROUP BY g.tenant_id, g.account_id, g.period_start
    """
}
