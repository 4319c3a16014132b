import GRPCServer
import GRPCWire
import Messages
import Store

/// Why a call failed: a reason of the API, and what a caller may know about it.
///
/// It holds no text of a relay's, no SQL and no key.
struct Failure: Error {
  var reason: Wire.ErrorReason
  var message: String
  var metadata: [String: String] = [:]
  /// Further details beside the ErrorInfo.
  var details: [any WireMessage] = []
  /// When to try again: a RetryInfo and `grpc-retry-pushback-ms`.
  var retryAfter: Duration?
  /// Tells clients that retry by themselves not to.
  var forbidsRetry = false

  init(
    _ reason: Wire.ErrorReason, _ message: String, metadata: [String: String] = [:],
    details: [any WireMessage] = [], retryAfter: Duration? = nil
  ) {
    self.reason = reason
    self.message = message
    self.metadata = metadata
    self.details = details
    self.retryAfter = retryAfter
  }

  /// A wrong field; the path is as BadRequest writes it.
  static func field(_ path: String, _ description: String) -> Failure {
    Failure(
      .fieldInvalid, "\(path): \(description)",
      details: [Wire.BadRequest(field: path, description: description)])
  }
}

// MARK: - Where errors of other modules become reasons

extension Failure {
  init(_ error: MessageError) {
    // Bytes that are no message at all have no field to name.
    let violation = Wire.BadRequest(error) ?? Wire.BadRequest(field: "", description: "\(error)")
    self.init(.fieldInvalid, error.description, details: [violation])
  }

  init(_ error: StoreError, log: ServiceLog) {
    switch error {
    case .unavailable:
      self.init(.storageUnavailable, "the database is away", retryAfter: .seconds(1))
    case .overloaded:
      self.init(.overloaded, "too many calls wait", retryAfter: .seconds(1))
    case .server, .schema:
      let incident = log.incident("\(error)")
      self.init(.internal, "an internal error", metadata: ["incident_id": incident])
    }
  }
}

// MARK: - Where reasons become statuses

extension Failure {
  var code: StatusCode {
    switch reason {
    case .apiKeyMissing, .apiKeyMalformed, .apiKeyInvalid, .apiKeyExpired, .apiKeyRevoked:
      .unauthenticated
    case .scopeMissing, .modelNotAllowed, .tenantSuspended: .permissionDenied
    case .conversationNotFound, .generationNotFound: .notFound
    case .conversationExists: .alreadyExists
    case .fieldInvalid, .contextTooLong, .requestIDReused: .invalidArgument
    case .contextNotReducible, .toolResultsMissing, .conversationTooShort, .priceNotConfigured,
      .upstreamCreditExhausted, .upstreamAuth, .contentFiltered:
      .failedPrecondition
    case .turnInProgress, .conversationChanged, .generationStopped, .upstreamOutcomeUnknown:
      .aborted
    case .budgetExceeded, .rateLimited, .concurrencyLimited: .resourceExhausted
    case .overloaded, .shuttingDown, .upstreamRateLimited, .upstreamUnavailable,
      .storageUnavailable:
      .unavailable
    case .upstreamTimeout: .deadlineExceeded
    case .notImplemented: .unimplemented
    case .internal, .unspecified, .unrecognized: .internalError
    }
  }

  /// The google.rpc.Status that the trailers carry and a repeat of the request is given.
  var status: Wire.Status {
    var all: [any WireMessage] = [Wire.ErrorInfo(reason: reason, metadata: metadata)]
    all += details
    if let retryAfter { all.append(Wire.RetryInfo(after: retryAfter)) }
    return Wire.Status(
      code: Wire.Code(rawValue: Int32(code.rawValue)), message: message, details: all)
  }

  var rpcError: RPCError {
    var trailers = Metadata()
    if let retryAfter {
      trailers.add("grpc-retry-pushback-ms", RPCError.pushback(retryAfter))
    } else if forbidsRetry {
      trailers.add("grpc-retry-pushback-ms", "-1")
    }
    return RPCError(code, message, details: status.encode(), metadata: trailers)
  }
}

extension RPCError {
  /// A failure that was stored as its status.
  init(_ status: Wire.Status) {
    let code = StatusCode(rawValue: Int(status.code)) ?? .unknown
    var trailers = Metadata()
    if let retry = try? status.detail(Wire.RetryInfo.self)?.retryDelay?.duration {
      trailers.add("grpc-retry-pushback-ms", Self.pushback(retry))
    } else if (try? status.detail(Wire.QuotaFailure.self)) ?? nil != nil {
      trailers.add("grpc-retry-pushback-ms", "-1")
    }
    self.init(
      code == .ok ? .unknown : code, status.message, details: status.encode(),
      metadata: trailers)
  }

  /// Whole milliseconds, rounded up.
  fileprivate static func pushback(_ delay: Duration) -> String {
    String(Int((delay / .milliseconds(1)).rounded(.up)))
  }
}
