import JSON
import Messages
import Metering
import Relay
import Store

/// What a turn's attempts cost: the ledger's rows, and the answer's tokens by class.
struct TurnBill {
  var events: [UsageEvent] = []
  var tokens = Wire.TokenUsage()
}

extension Turn {
  /// Every attempt that may have been billed has a row: the one that answered with the relay's
  /// figures, or ours where it gave none; one whose outcome is unknown with its worst case.
  func bill(_ answer: RelayAnswer?) -> TurnBill {
    var bill = TurnBill()
    for attempt in attempts {
      switch attempt.outcome {
      case .answered:
        guard let answer else { continue }
        let (usage, source) = usage(of: answer)
        bill.tokens = Self.wire(usage, source)
        bill.events.append(
          event(attempt, source == .upstream ? .known : .estimated, lines(usage, source)))
      case .unknown: bill.events.append(event(attempt, .unknown, worstCase))
      case .unbilled, .unspecified, .unrecognized: continue
      }
    }
    return bill
  }

  private func event(
    _ attempt: TurnAttempt, _ certainty: UsageEvent.Certainty, _ lines: [UsageLine]
  ) -> UsageEvent {
    UsageEvent(
      attemptNumber: attempt.number, attempt: attempt.id,
      kind: attempt.number == 1 ? .generate : .retry, certainty: certainty, relay: attempt.relay,
      modelAsked: attempt.upstreamModel, modelAnswered: attempt.modelAnswered,
      upstreamRequestID: attempt.upstreamID, serviceTier: Configuration.PriceSet.serviceTier,
      contractedSet: prices.contracted!.set, listSet: prices.list?.set, lines: lines)
  }

  /// The relay's figures; where it gave none, what was planned and what came.
  private func usage(of answer: RelayAnswer) -> (TokenUsage, UsageLine.Source) {
    if let usage = answer.usage {
      return (
        TokenUsage(
          input: usage.inputUncached, cacheRead: usage.cacheRead, cacheWrite: usage.cacheWrite,
          output: usage.outputVisible, reasoning: usage.reasoning), .upstream
      )
    }
    let message = AnswerMessage.make(answer)
    let output = counter.count(role: "assistant", message)
    let usage = TokenUsage(
      input: report.promptTokens?.tokens ?? 0, cacheRead: 0, cacheWrite: 0, output: output,
      reasoning: 0)
    return (usage, counter.wireMethod == .exact ? .counted : .estimated)
  }

  private func lines(_ usage: TokenUsage, _ source: UsageLine.Source) -> [UsageLine] {
    prices.contracted!.prices.lines(for: usage, list: prices.list?.prices).map { line in
      UsageLine(
        tokenClass: UsageLine.TokenClass(rawValue: line.tokenClass.rawValue)!,
        quantity: line.quantity, price: line.price, listPrice: line.listPrice ?? line.price,
        source: source)
    }
  }

  /// What was reserved for one attempt: the bound on the prompt and the longest answer at the
  /// prices that make them dearest.
  private var worstCase: [UsageLine] {
    let bound = begun?.boundTokens ?? 0
    let lines = prices.contracted!.prices.worstCaseLines(
      promptTokens: bound, maxOutputTokens: parameters.outputTokensMax)
    let list = prices.list?.prices.tier(at: bound)
    return lines.map { line in
      let isInput = line.tokenClass == .input
      let listPrice = isInput ? list?.dearestInput : list?.dearestOutput
      return UsageLine(
        tokenClass: isInput ? .input : .output, quantity: line.quantity, price: line.price,
        listPrice: listPrice ?? line.price, source: .estimated)
    }
  }

  private static func wire(_ usage: TokenUsage, _ source: UsageLine.Source) -> Wire.TokenUsage {
    let figureSource: Wire.FigureSource =
      switch source {
      case .upstream: .upstream
      case .counted: .counted
      case .estimated: .estimated
      }
    func figure(_ tokens: Int64) -> Wire.TokenFigure {
      Wire.TokenFigure(tokens: tokens, source: figureSource)
    }
    return Wire.TokenUsage(
      uncachedInput: figure(usage.input), cacheRead: figure(usage.cacheRead),
      cacheWrite: figure(usage.cacheWrite), visibleOutput: figure(usage.output),
      reasoning: figure(usage.reasoning), total: usage.total)
  }
}

/// A relay's answer as a message that may be stored and shown.
enum AnswerMessage {
  /// U+0000 becomes U+FFFD. A tool call that was cut off is left out, and ids that come twice are
  /// told apart, so that every call can be answered.
  static func make(_ answer: RelayAnswer) -> Wire.NewMessage {
    var calls: [Wire.ToolCall] = []
    var ids: Set<String> = []
    for (index, call) in answer.toolCalls.enumerated() {
      if answer.finishReason == .length, !isJSON(call.arguments) { continue }
      // An id that a caller could not give back is replaced.
      var id = FieldChecks().isCallID(call.id) ? call.id : "call_\(index)"
      while !ids.insert(id).inserted { id = "\(id.prefix(100))_" }
      calls.append(
        Wire.ToolCall(id: id, name: clean(call.name), arguments: clean(call.arguments)))
    }
    var text = answer.content ?? answer.refusal
    if text == nil, calls.isEmpty { text = "" }
    return Wire.NewMessage(role: .assistant, text: text.map(clean), toolCalls: calls)
  }

  static func clean(_ text: String) -> String {
    guard text.utf8.contains(0) else { return text }
    return String(text.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : Character($0) })
  }

  private static func isJSON(_ text: String) -> Bool {
    do throws(JSONError) {
      _ = try JSONValue(parsing: Array(text.utf8), options: .strict)
      return true
    } catch {
      return false
    }
  }
}
