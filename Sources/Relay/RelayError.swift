public import HTTPClient

/// Why an attempt gave no answer, what the relay may have billed, and whether to try again.
///
/// Its description holds no text of the relay's, no URL and no key, so it may be logged and shown.
public struct RelayError: Error, Sendable, CustomStringConvertible {
  public var kind: Kind
  public var outcome: Outcome
  /// How long the relay asked us to wait.
  public var retryAfter: Duration?
  /// The HTTP status, if an answer's head came.
  public var status: Int?
  /// The transport's failure, if it was one.
  public var transport: HTTPClientError?
  /// What came of a streamed answer before it failed: its text, its whole tool calls, the usage if
  /// a chunk had it. Nil if nothing did.
  public var partial: RelayAnswer?

  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// 429 that means: slow down.
    case rateLimited
    /// 500, 502, 503, 529 and their like.
    case unavailable
    /// No connection could be made, by name, TCP or TLS.
    case connectFailed
    /// Out of credit, or over a hard spending limit.
    case creditExhausted
    /// 401, 403: our key is wrong or may not.
    case authentication
    case contentFiltered
    /// The prompt exceeds the model's window.
    case contextTooLong
    /// Refused for what it asks.
    case invalidRequest
    case modelNotFound
    /// First byte, idle or total limit passed, 408, 504 or 524.
    case timedOut
    /// Reset or cut after the request left.
    case connectionLost
    /// An answer that is no completion.
    case malformedAnswer
    case answerTooLarge
    /// A status that no relay should give, such as a redirect.
    case unexpectedStatus
    /// The task was cancelled.
    case cancelled
    /// Our own configuration: no key, model not mapped, body not encodable.
    case configuration
  }

  /// What the relay may have billed.
  public enum Outcome: String, Sendable, Hashable {
    /// Not a byte of the request left.
    case notSent
    /// The relay answered that it did not do it.
    case refused
    /// It may have done it.
    case unknown
  }

  public init(
    _ kind: Kind, _ outcome: Outcome, retryAfter: Duration? = nil, status: Int? = nil,
    transport: HTTPClientError? = nil, partial: RelayAnswer? = nil
  ) {
    self.kind = kind
    self.outcome = outcome
    self.retryAfter = retryAfter
    self.status = status
    self.transport = transport
    self.partial = partial
  }

  /// Whether another attempt may succeed without billing twice: an answer of 429, 500, 502 or 503,
  /// or a failure before the request left; never when a part of an answer was delivered.
  public var isRetryable: Bool {
    if partial != nil { return false }
    return switch kind {
    case .rateLimited, .unavailable: outcome != .unknown
    case .connectFailed: true
    default: false
    }
  }

  public var description: String {
    var text = "relay: \(kind.rawValue), \(outcome.rawValue)"
    if let status { text += ", status \(status)" }
    if let transport { text += ", \(transport)" }
    return text
  }
}

extension RelayError {
  /// What a failed transfer means.
  init(_ transport: HTTPClientError) {
    let kind: Kind =
      switch transport.cause {
      case .resolve, .connect, .tls, .connectTimeout: .connectFailed
      case .overloaded, .closed: .unavailable
      // Nothing left: as good as no connection.
      case .firstByteTimeout, .idleTimeout, .totalTimeout:
        transport.isNotSent ? .connectFailed : .timedOut
      case .reset, .cut, .other: transport.isNotSent ? .connectFailed : .connectionLost
      case .malformed: .malformedAnswer
      case .tooLarge: .answerTooLarge
      case .cancelled: .cancelled
      case .invalidRequest: .configuration
      }
    self.init(kind, transport.isNotSent ? .notSent : .unknown, transport: transport)
  }
}
