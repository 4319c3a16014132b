import GRPCServer
import Messages
import Relay
import Store

/// A generation's events on their way to one caller.
///
/// Writing waits while the caller does not read, and with it the relay is read no further: no more
/// than one delta and the transport's buffers are held. A caller that has gone is written to no
/// more; what becomes of the generation then is the policy's business.
///
/// - Isolation: its call's reactor.
final class EventStream {
  private let call: ServerCall
  /// The last delta's number.
  private(set) var deltaSeq: Int64 = 0
  /// Whether something of the answer has reached the caller's transport.
  var hasDelivered: Bool { deltaSeq > 0 }

  init(_ call: ServerCall) { self.call = call }

  func started(
    _ generation: RowID, conversation: String, model: String, requestSeq: Int64?
  ) async {
    await send(
      .started(
        Wire.GenerationStarted(
          generationID: "\(generation)", conversationID: conversation, model: model,
          requestSeq: requestSeq)))
  }

  func delta(_ delta: RelayDelta) async {
    deltaSeq += 1
    switch delta {
    case .text(let text): await send(.text(Wire.TextDelta(text: AnswerMessage.clean(text))))
    case .toolCall(let index, let id, let name, let arguments):
      await send(
        .toolCall(
          Wire.ToolCallDelta(
            index: Int32(clamping: index), id: id.map(AnswerMessage.clean),
            name: name.map(AnswerMessage.clean), arguments: AnswerMessage.clean(arguments))))
    }
  }

  /// The end: a generation that is replayed has its answer as deltas first.
  func done(_ response: Wire.GenerateResponse) async {
    if response.replayed, let message = response.message { await replay(message) }
    await send(
      .done(
        Wire.GenerationDone(
          message: response.message, finishReason: response.finishReason,
          receipt: response.receipt)))
  }

  private func replay(_ message: Wire.Message) async {
    if let text = message.text, !text.isEmpty { await delta(.text(text)) }
    for (index, call) in message.toolCalls.enumerated() {
      await delta(
        .toolCall(index: index, id: call.id, name: call.name, arguments: call.arguments))
    }
  }

  private func send(_ event: Wire.GenerationEvent.Event) async {
    let isNumbered =
      switch event {
      case .text, .toolCall: true
      default: false
      }
    let numbered = Wire.GenerationEvent(deltaSeq: isNumbered ? deltaSeq : 0, event: event)
    do throws(RPCError) {
      try await call.write(Wire.StreamGenerateResponse(event: numbered).encode())
    } catch {
      // The caller has gone; the turn learns of it from its own task.
    }
  }
}
