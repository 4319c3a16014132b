/// Splits received bytes into gRPC messages.
///
/// - Shape: each message is a 1-byte compression flag, a 4-byte big-endian length, then the bytes.
/// - Units: lengths in bytes; `messageBytesMax` is inclusive.
/// - Isolation: none; a value, driven by its call.
/// - Ownership: input is borrowed; a message's bytes are copied once, into the array returned.
/// - Source: gRPC over HTTP/2, "Length-Prefixed-Message".
public struct MessageFramer: ~Copyable {
  /// One whole message.
  public struct Message: Sendable, Equatable {
    /// The sender's compression flag.
    public var isCompressed: Bool
    /// The message, without its prefix.
    public var bytes: [UInt8]
  }

  /// Why the bytes cannot be a sequence of messages.
  public enum Failure: Error, Equatable, Sendable {
    /// The prefix announces `length` bytes, above the limit. The call fails, the connection lives.
    case messageTooLarge(length: Int)
    /// The compression flag is neither 0 nor 1.
    case badCompressionFlag(UInt8)
  }

  private let messageBytesMax: Int
  private var prefix: UInt64 = 0
  private var prefixBytes = 0
  private var length = 0
  private var partial: [UInt8] = []

  /// A framer at the start of a message.
  public init(messageBytesMax: Int) {
    self.messageBytesMax = messageBytesMax
  }

  /// Whether a message has begun and is not whole: the body must not end here.
  public var isInsideMessage: Bool { prefixBytes > 0 }

  /// Bytes held for the unfinished message.
  public var bufferedBytes: Int { partial.count }

  /// Takes bytes from `input`, starting at `offset`, until a message is whole.
  ///
  /// - Returns: the message, or nil when all input was taken and more is needed. `offset` is
  ///   moved past what was taken; call again while a message comes back.
  /// - Throws: `Failure`; the framer must not be fed again.
  public mutating func next(
    _ input: borrowing Span<UInt8>, from offset: inout Int
  ) throws(Failure) -> Message? {
    if prefixBytes < GRPCWireLimits.prefixBytes {
      guard try takePrefix(input, from: &offset) else { return nil }
    }
    let take = min(length - partial.count, input.count - offset)
    if take > 0 {
      partial.append(span: input.extracting(offset..<offset + take))
      offset += take
    }
    guard partial.count == length else { return nil }
    let message = Message(isCompressed: prefix >> 32 == 1, bytes: partial)
    partial = []
    prefix = 0
    prefixBytes = 0
    return message
  }

  private mutating func takePrefix(
    _ input: borrowing Span<UInt8>, from offset: inout Int
  ) throws(Failure) -> Bool {
    while prefixBytes < GRPCWireLimits.prefixBytes {
      guard offset < input.count else { return false }
      prefix = prefix << 8 | UInt64(input[offset])
      prefixBytes += 1
      offset += 1
    }
    guard prefix >> 32 <= 1 else { throw .badCompressionFlag(UInt8(prefix >> 32)) }
    length = Int(prefix & 0xFFFF_FFFF)
    guard length <= messageBytesMax else { throw .messageTooLarge(length: length) }
    partial.reserveCapacity(min(length, GRPCWireLimits.reservedBytesMax))
    return true
  }

  /// The 5 bytes that go before a message of `length` bytes.
  public static func prefix(length: Int, isCompressed: Bool = false) -> InlineArray<5, UInt8> {
    let bytes = UInt32(length)
    return [
      isCompressed ? 1 : 0, UInt8(bytes >> 24), UInt8(bytes >> 16 & 0xFF), UInt8(bytes >> 8 & 0xFF),
      UInt8(bytes & 0xFF),
    ]
  }
}

extension [UInt8] {
  /// Appends the bytes of a span.
  mutating func append(span: borrowing Span<UInt8>) {
    // Pointer use: the standard library has no append of a Span yet; the pointer lives for the
    // call and is only read.
    unsafe span.withUnsafeBufferPointer { bytes in unsafe append(contentsOf: bytes) }
  }
}
