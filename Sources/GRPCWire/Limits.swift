/// The named limits of the gRPC wire format.
public enum GRPCWireLimits {
  /// Bytes before each message: the compression flag and a 4-byte length.
  public static let prefixBytes = 5
  /// How much is reserved for a message before its bytes arrive; a prefix that lies reserves
  /// no more than this.
  public static let reservedBytesMax = 64 * 1024
  /// Digits in `grpc-timeout`.
  public static let timeoutDigitsMax = 8
  /// Bytes of a percent-encoded `grpc-message`; a longer one is cut at a character.
  public static let statusMessageBytesMax = 4096
}
