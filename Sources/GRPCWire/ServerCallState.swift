/// The server's side of one call: event in, action out.
///
/// ```
/// receiving ──requestEnded──► handling ──wrote──► streaming
///     │                          │                    │
///     └────────── finished / failed / reset ──────────┴──► closed
/// ```
///
/// - `receiving`: the request's bytes arrive; no handler runs.
/// - `handling`: the handler runs; no headers were sent, so an error is Trailers-Only.
/// - `streaming`: headers were sent; an error is trailers.
/// - `closed`: everything was said, or nobody listens.
///
/// Wrong: their fault is `refused` (cardinality of a unary request). Harmless: everything that
/// happens after `closed`, which is how a handler outlives its connection. Our bug: none.
///
/// - Isolation: none; a value.
/// - Source: gRPC over HTTP/2, "Requests" and "Responses".
public struct ServerCallState: Sendable {
  private enum State { case receiving(hasMessage: Bool), handling, streaming, closed }

  /// What the driver does after an event.
  public enum Action: Sendable, Equatable {
    /// Nothing.
    case none
    /// Start the handler with the message that was kept.
    case startHandler
    /// Send initial metadata, then the message.
    case sendHeadersAndMessage
    /// Send the message.
    case sendMessage
    /// Send status and metadata as the only headers.
    case sendTrailersOnly
    /// Send initial metadata, then trailers.
    case sendHeadersAndTrailers
    /// Send trailers.
    case sendTrailers
    /// Answer with this status instead (as `failed`).
    case refuse(StatusCode, String)
  }

  private var state = State.receiving(hasMessage: false)

  /// A call whose headers were accepted.
  public init() {}

  /// Whether nothing more can be sent.
  public var isClosed: Bool { if case .closed = state { true } else { false } }

  /// Whether the request has not ended.
  public var isReceiving: Bool { if case .receiving = state { true } else { false } }

  /// A whole message arrived.
  public mutating func receivedMessage() -> Action {
    switch state {
    case .receiving(hasMessage: false):
      state = .receiving(hasMessage: true)
      return .none
    case .receiving(hasMessage: true):
      return .refuse(.unimplemented, "a unary request has one message, not two")
    case .handling, .streaming, .closed: return .none
    }
  }

  /// The client ended its side; `isInsideMessage` says whether it did so in mid-message.
  public mutating func requestEnded(isInsideMessage: Bool) -> Action {
    guard case .receiving(let hasMessage) = state else { return .none }
    state = .handling
    if isInsideMessage {
      return .refuse(.invalidArgument, "the body ended inside a message")
    }
    guard hasMessage else {
      return .refuse(.unimplemented, "a unary request has one message, not none")
    }
    return .startHandler
  }

  /// The handler wrote a message.
  public mutating func wrote() -> Action {
    switch state {
    case .handling:
      state = .streaming
      return .sendHeadersAndMessage
    case .streaming: return .sendMessage
    case .receiving, .closed: return .none
    }
  }

  /// The handler ended well.
  public mutating func finished() -> Action {
    defer { state = .closed }
    switch state {
    case .handling: return .sendHeadersAndTrailers
    case .streaming: return .sendTrailers
    case .receiving, .closed: return .none
    }
  }

  /// The call failed: by its handler, its deadline, a limit or a wrong request.
  public mutating func failed() -> Action {
    defer { state = .closed }
    switch state {
    case .receiving, .handling: return .sendTrailersOnly
    case .streaming: return .sendTrailers
    case .closed: return .none
    }
  }

  /// The stream or its connection is gone.
  public mutating func reset() { state = .closed }
}
