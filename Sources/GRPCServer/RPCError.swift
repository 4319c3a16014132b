public import GRPCWire

/// How a call fails: everything that its trailers say.
///
/// `description` names the code alone; `message` and `details` are for the caller.
public struct RPCError: Error, Sendable, Equatable, CustomStringConvertible {
  /// `grpc-status`; never `.ok`.
  public var code: StatusCode
  /// `grpc-message`, not encoded yet.
  public var message: String
  /// A serialised google.rpc.Status for `grpc-status-details-bin`; empty for none.
  public var details: [UInt8]
  /// Further trailers, such as `grpc-retry-pushback-ms`.
  public var metadata: Metadata

  /// A failure.
  ///
  /// - Precondition: `code` is not `.ok`.
  public init(
    _ code: StatusCode, _ message: String, details: [UInt8] = [], metadata: Metadata = Metadata()
  ) {
    precondition(code != .ok, "an error is not ok")
    self.code = code
    self.message = message
    self.details = details
    self.metadata = metadata
  }

  /// The code's name.
  public var description: String { "RPCError(\(code))" }
}
