/// Why a transfer failed, and whether the request may have reached the upstream.
///
/// It holds no URL, header or byte of either side, so it may be logged.
public struct HTTPClientError: Error, Sendable, Hashable, CustomStringConvertible {
  public var cause: Cause
  /// What the upstream may have seen.
  public var dispatch: Dispatch
  /// curl's code, for the log; 0 when the client itself gave up.
  public var curlCode: Int32

  /// How far the request went.
  public enum Dispatch: Sendable, Hashable {
    /// Provably not one byte of the request left: nothing was done, nothing can be billed.
    case notSent
    /// Some or all of it left: the upstream may have acted.
    case sent
  }

  public enum Cause: String, Sendable, Hashable, CaseIterable {
    case invalidRequest = "the request is not valid"
    case overloaded = "too many transfers"
    case closed = "the client is closed"
    case cancelled = "cancelled"
    case resolve = "the name could not be resolved"
    case connect = "the connection was refused or failed"
    case tls = "TLS failed"
    case connectTimeout = "no connection in time"
    case firstByteTimeout = "no answer in time"
    case idleTimeout = "the answer stalled"
    case totalTimeout = "the answer took too long"
    case reset = "the connection was reset"
    case cut = "the connection ended inside the answer"
    case malformed = "the answer is not HTTP"
    case tooLarge = "the answer is too large"
    case other = "the transfer failed"
  }

  public init(_ cause: Cause, _ dispatch: Dispatch, curlCode: Int32 = 0) {
    self.cause = cause
    self.dispatch = dispatch
    self.curlCode = curlCode
  }

  public var isNotSent: Bool { dispatch == .notSent }

  public var description: String {
    let sent = isNotSent ? "before anything was sent" : "after the request was sent"
    return "\(cause.rawValue), \(sent)" + (curlCode == 0 ? "" : " (curl \(curlCode))")
  }
}
