/// The outcome of a call, as the `grpc-status` trailer carries it.
///
/// - Source: gRPC, "Status codes and their use in gRPC".
public enum StatusCode: Int, Sendable, Hashable, CaseIterable {
  /// The call succeeded.
  case ok = 0
  /// The caller cancelled.
  case cancelled = 1
  /// An error that carries no better code.
  case unknown = 2
  /// The request is wrong, whatever the state of the system.
  case invalidArgument = 3
  /// The deadline passed before the call ended.
  case deadlineExceeded = 4
  /// What was asked for does not exist.
  case notFound = 5
  /// What was to be created exists.
  case alreadyExists = 6
  /// The caller is known and may not do this.
  case permissionDenied = 7
  /// A quota or a limit is used up.
  case resourceExhausted = 8
  /// The state of the system does not allow this call.
  case failedPrecondition = 9
  /// A conflict with another call.
  case aborted = 10
  /// Past the valid range.
  case outOfRange = 11
  /// No such method, or a feature that is not there.
  case unimplemented = 12
  /// A bug of the server.
  case internalError = 13
  /// The service is not available now; a retry may help.
  case unavailable = 14
  /// Data was lost for good.
  case dataLoss = 15
  /// The caller is not known.
  case unauthenticated = 16
}
