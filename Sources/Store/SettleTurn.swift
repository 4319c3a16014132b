/// Settles a turn: the answer, its bill, its quota and the result for replay, in one commit.
public struct SettleTurn: Sendable {
  public enum State: String, Sendable { case finished, failed }

  public var tenant: String
  public var conversation: String
  public var generation: RowID
  public var incarnation: RowID
  /// A failed turn's messages leave the view.
  public var state: State
  /// The answer or what there is of it, usually one message; of a failed turn it is kept as
  /// failed.
  public var answer: [NewMessage]
  /// Given back verbatim to a repeat of the request.
  public var result: [UInt8]
  public var errorReason: String?
  /// One per attempt that may bill; none means that nothing was sent, and the reservation is void.
  public var events: [UsageEvent]
  /// What a repeat is given instead if the answer has to be kept aside.
  public var quarantineResult: [UInt8] = []
  /// Of a settle that was refused: bodies kept aside.
  var quarantine: [UInt8]?

  public init(
    tenant: String, conversation: String, generation: RowID, incarnation: RowID, state: State,
    answer: [NewMessage], result: [UInt8], errorReason: String?, events: [UsageEvent]
  ) {
    self.tenant = tenant
    self.conversation = conversation
    self.generation = generation
    self.incarnation = incarnation
    self.state = state
    self.answer = answer
    self.result = result
    self.errorReason = errorReason
    self.events = events
  }
}

/// A row of the ledger.
public struct UsageEvent: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable { case generate, retry, abandoned, summarize }
  public enum Certainty: String, Sendable, CaseIterable { case known, estimated, unknown }

  public var attemptNumber: Int16
  public var attempt: RowID
  public var kind: Kind
  public var certainty: Certainty
  public var relay: String
  public var modelAsked: String
  public var modelAnswered: String?
  public var upstreamRequestID: String?
  public var serviceTier: String
  public var contractedSet: RowID
  public var listSet: RowID?
  public var lines: [UsageLine]

  public init(
    attemptNumber: Int16, attempt: RowID, kind: Kind, certainty: Certainty, relay: String,
    modelAsked: String, modelAnswered: String?, upstreamRequestID: String?, serviceTier: String,
    contractedSet: RowID, listSet: RowID?, lines: [UsageLine]
  ) {
    self.attemptNumber = attemptNumber
    self.attempt = attempt
    self.kind = kind
    self.certainty = certainty
    self.relay = relay
    self.modelAsked = modelAsked
    self.modelAnswered = modelAnswered
    self.upstreamRequestID = upstreamRequestID
    self.serviceTier = serviceTier
    self.contractedSet = contractedSet
    self.listSet = listSet
    self.lines = lines
  }
}

/// Tokens of one class at one price; its cost is quantity × price, exactly.
public struct UsageLine: Sendable, Equatable {
  public enum Source: String, Sendable, CaseIterable { case upstream, counted, estimated }

  /// The disjoint classes of tokens that are priced.
  public enum TokenClass: String, Sendable, CaseIterable {
    case input, output, reasoning
    case cacheRead = "cache_read"
    case cacheWrite = "cache_write"
  }

  public var tokenClass: TokenClass
  public var quantity: Int64
  /// Pico-currency per token, contracted and list.
  public var price: Int64
  public var listPrice: Int64
  public var source: Source

  public init(
    tokenClass: TokenClass, quantity: Int64, price: Int64, listPrice: Int64, source: Source
  ) {
    self.tokenClass = tokenClass
    self.quantity = quantity
    self.price = price
    self.listPrice = listPrice
    self.source = source
  }
}

public enum SettleOutcome: Sendable, Equatable {
  /// Costs are pico-currency, over all the turn's ledger rows.
  case settled(answerSeq: Int64?, cost: Int128, listCost: Int128)
  /// The reaper was first: the truth is booked beside a correction, the result is kept as an
  /// orphan.
  case late
  /// No such turn runs, or it runs under another incarnation.
  case unknownTurn
}

/// A turn as stored.
public struct StoredTurn: Sendable, Equatable {
  public enum State: String, Sendable { case running, finished, failed, unknown }

  public var generation: RowID
  public var conversation: String
  public var key: String
  public var state: State
  /// What `SettleTurn.result` was.
  public var result: [UInt8]?
  /// What came after the reaper had resolved the turn.
  public var orphan: [UInt8]?
  public var errorReason: String?
  public var answerSeq: Int64?
  public var startedAt: Timestamp
  public var finishedAt: Timestamp?

  public init(
    generation: RowID, conversation: String, key: String, state: State, result: [UInt8]? = nil,
    orphan: [UInt8]? = nil, errorReason: String? = nil, answerSeq: Int64? = nil,
    startedAt: Timestamp = Timestamp(microseconds: 0), finishedAt: Timestamp? = nil
  ) {
    self.generation = generation
    self.conversation = conversation
    self.key = key
    self.state = state
    self.result = result
    self.orphan = orphan
    self.errorReason = errorReason
    self.answerSeq = answerSeq
    self.startedAt = startedAt
    self.finishedAt = finishedAt
  }
}
