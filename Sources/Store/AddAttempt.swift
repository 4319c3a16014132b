public import Postgres

/// Records a further attempt of a running turn; it may go upstream after the commit.
public struct AddAttempt: Sendable {
  public var tenant: String
  public var generation: RowID
  public var incarnation: RowID
  /// From 2, without gaps.
  public var number: Int16
  public var attempt: RowID
  public var relay: String
  public var upstreamModel: String
  public var serviceTier: String
  /// Whether it reserves its own worst case: false only if the attempt before it was provably
  /// not billed.
  public var reserves: Bool

  public init(
    tenant: String, generation: RowID, incarnation: RowID, number: Int16, attempt: RowID,
    relay: String, upstreamModel: String, serviceTier: String, reserves: Bool
  ) {
    self.tenant = tenant
    self.generation = generation
    self.incarnation = incarnation
    self.number = number
    self.attempt = attempt
    self.relay = relay
    self.upstreamModel = upstreamModel
    self.serviceTier = serviceTier
    self.reserves = reserves
  }
}

public enum AddAttemptOutcome: Sendable, Equatable {
  case added
  /// The turn does not run under that incarnation, whose lease may be over.
  case notRunning
  case quotaDenied(QuotaDenial)
}

extension AddAttempt: BatchOperation {
  public typealias Outcome = AddAttemptOutcome

  public static let statement = Statement.function("add_attempts", parameters: 9)

  public static func parameters(_ operations: [Self]) -> Parameters {
    var p = Parameters()
    p.texts(operations.map { $0.tenant })
    p.uuids(operations.map { $0.generation.pair })
    p.uuids(operations.map { $0.incarnation.pair })
    p.int16s(operations.map { $0.number })
    p.uuids(operations.map { $0.attempt.pair })
    p.texts(operations.map { $0.relay })
    p.texts(operations.map { $0.upstreamModel })
    p.texts(operations.map { $0.serviceTier })
    p.bools(operations.map { $0.reserves })
    return p
  }

  public static func outcomes(
    _ operations: [Self], _ rows: Rows, followUp: Rows?
  ) -> [AddAttemptOutcome] {
    rows.ordered(operations.count) { row in
      switch row.text(1) {
      case "added": .added
      case "quota_denied": .quotaDenied(QuotaDenial(row, from: 2))
      default: .notRunning
      }
    }
  }

  public var weightBytes: Int { 256 }
}
