/// Begins a turn: claims the request, appends the caller's messages, reserves quota and records
/// the first attempt, in one commit. Nothing may go upstream before it.
public struct BeginTurn: Sendable {
  /// One tier of a price curve, in pico-currency per token.
  public struct PriceTier: Sendable, Equatable {
    /// Prompt tokens from which it applies; the first tier's is 0.
    public var promptFrom: Int64
    /// The dearest input class.
    public var input: Int64
    public var output: Int64

    public init(promptFrom: Int64, input: Int64, output: Int64) {
      self.promptFrom = promptFrom
      self.input = input
      self.output = output
    }
  }

  public var request: RequestKey
  /// The configuration that the prices and the key were read from.
  public var configVersion: Int64
  public var conversation: String
  public var expectedLastSeq: Int64?
  /// The model that the curve is for.
  public var model: String
  /// The request named the model; else it must be the conversation's.
  public var modelOverride: Bool
  public var generation: RowID
  public var attempt: RowID
  public var incarnation: RowID
  public var relay: String
  public var upstreamModel: String
  public var serviceTier: String
  public var messages: [NewMessage]
  /// If given, open tool calls are closed by copies of it.
  public var abandonTools: NewMessage?
  /// The context budget B: a view is never larger.
  public var budgetTokens: Int64
  /// What goes along with the view: tools, response format, the reply's priming.
  public var extraTokens: Int64
  public var maxOutputTokens: Int64
  /// Ascending by `promptFrom`.
  public var curve: [PriceTier]
  /// Whether each part of a prompt pays its own tier; else its size selects one for all of it.
  public var marginal: Bool
  public var contractedSet: RowID
  public var listSet: RowID?
  public var currency: String

  public init(
    request: RequestKey, configVersion: Int64, conversation: String, expectedLastSeq: Int64?,
    model: String, modelOverride: Bool, generation: RowID, attempt: RowID, incarnation: RowID,
    relay: String, upstreamModel: String, serviceTier: String, messages: [NewMessage],
    abandonTools: NewMessage?, budgetTokens: Int64, extraTokens: Int64, maxOutputTokens: Int64,
    curve: [PriceTier], marginal: Bool, contractedSet: RowID, listSet: RowID?, currency: String
  ) {
    self.request = request
    self.configVersion = configVersion
    self.conversation = conversation
    self.expectedLastSeq = expectedLastSeq
    self.model = model
    self.modelOverride = modelOverride
    self.generation = generation
    self.attempt = attempt
    self.incarnation = incarnation
    self.relay = relay
    self.upstreamModel = upstreamModel
    self.serviceTier = serviceTier
    self.messages = messages
    self.abandonTools = abandonTools
    self.budgetTokens = budgetTokens
    self.extraTokens = extraTokens
    self.maxOutputTokens = maxOutputTokens
    self.curve = curve
    self.marginal = marginal
    self.contractedSet = contractedSet
    self.listSet = listSet
    self.currency = currency
  }
}

/// A turn that has begun.
public struct Begun: Sendable, Equatable {
  public var generation: RowID
  public var configVersion: Int64
  /// The conversation's version after the turn's messages.
  public var version: Int64
  /// The turn's own first message; nil if it has none.
  public var firstSeq: Int64?
  public var lastSeq: Int64
  /// The bound on the prompt's tokens that was reserved for.
  public var boundTokens: Int64
  /// The worst case in pico-currency.
  public var reserved: Int128
  /// The newest messages, in whole groups, that fit the budget beside the system prompt and
  /// `extraTokens`; ascending, the turn's own included; the newest group in any case.
  public var view: [StoredMessage]
}

/// A limit that has no room for a call's worst case. Amounts are pico-currency or tokens.
public struct QuotaDenial: Sendable, Equatable {
  /// tenant, key or model.
  public var scope: String
  public var scopeID: String
  /// money or tokens.
  public var unit: String
  public var limit: Int128
  public var available: Int128
  public var required: Int128
  /// Nil for a limit in total.
  public var resetsAt: Timestamp?
}

public enum BeginOutcome: Sendable, Equatable {
  case begun(Begun)
  /// A repeat of a finished call, and what it ended with.
  case finished(StoredTurn)
  /// A repeat of a call that still runs.
  case running(generation: RowID)
  /// Reload the configuration, once, and begin again.
  case configStale(current: Int64)
  /// The conversation's model is another than the curve's.
  case modelChanged(model: String)
  /// The incarnation's lease is over.
  case fenced
  case quotaDenied(QuotaDenial)
  case refused(Refusal)
}
