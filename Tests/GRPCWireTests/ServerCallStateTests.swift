import GRPCWire
import Testing

@Suite struct ServerCallStateTests {
  private func handling() -> ServerCallState {
    var state = ServerCallState()
    #expect(state.receivedMessage() == .none)
    #expect(state.requestEnded(isInsideMessage: false) == .startHandler)
    return state
  }

  @Test func unary() {
    var state = handling()
    #expect(state.finished() == .sendHeadersAndTrailers)
    #expect(state.isClosed)
    #expect(state.finished() == .none)
    #expect(state.failed() == .none)
  }

  @Test func stream() {
    var state = handling()
    #expect(state.wrote() == .sendHeadersAndMessage)
    #expect(state.wrote() == .sendMessage)
    #expect(state.finished() == .sendTrailers)
    #expect(state.wrote() == .none)
  }

  @Test func failuresBeforeAndAfterHeaders() {
    var receiving = ServerCallState()
    #expect(receiving.failed() == .sendTrailersOnly)
    #expect(receiving.receivedMessage() == .none)
    #expect(receiving.requestEnded(isInsideMessage: false) == .none)
    var early = handling()
    #expect(early.failed() == .sendTrailersOnly)
    var late = handling()
    _ = late.wrote()
    #expect(late.failed() == .sendTrailers)
  }

  @Test func requestCardinality() {
    func refusal(_ action: ServerCallState.Action) -> StatusCode? {
      if case .refuse(let code, _) = action { code } else { nil }
    }
    var none = ServerCallState()
    #expect(refusal(none.requestEnded(isInsideMessage: false)) == .unimplemented)
    var two = ServerCallState()
    _ = two.receivedMessage()
    #expect(refusal(two.receivedMessage()) == .unimplemented)
    var short = ServerCallState()
    #expect(refusal(short.requestEnded(isInsideMessage: true)) == .invalidArgument)
  }

  @Test func everythingAfterResetIsHarmless() {
    var state = handling()
    state.reset()
    #expect(state.wrote() == .none)
    #expect(state.finished() == .none)
    #expect(state.failed() == .none)
  }
}
