/// The namespace of every type of `Protos/`; the types themselves are generated.
///
/// `recount.v1.NewMessage` is `Wire.NewMessage`, `google.rpc.Status` is `Wire.Status`, and
/// `google.protobuf.Any`, whose name Swift keeps for itself, is `Wire.PackedAny`.
public enum Wire {}

/// A message that is sent on its own: a value that can be read from bytes and written to bytes.
///
/// - Isolation: none; a value.
/// - Ownership: the value holds copies; neither bytes nor C structs are kept.
public protocol WireMessage: Equatable, Sendable {
  /// The full name, such as `recount.v1.GenerateRequest`.
  static var protoName: String { get }

  /// Reads the protobuf encoding. Unknown fields are skipped; of a singular field that comes twice
  /// the last value counts.
  ///
  /// - Throws: `.malformed` for what is no such message, `.tooLarge` past `Limits`,
  ///   `.invalidField` for text that is not UTF-8 or holds U+0000, and for a
  ///   singular message that comes twice.
  init(decoding bytes: UnsafeRawBufferPointer) throws(MessageError)

  /// Writes the protobuf encoding: fields by number, maps by key, so equal values give equal bytes.
  func encode() -> [UInt8]
}

// Inlinable, so that a caller's module knows the type that it reads: a third less time.
extension WireMessage {
  /// Reads the protobuf encoding; see `init(decoding:)` of a raw buffer.
  @inlinable
  public init(decoding bytes: [UInt8]) throws(MessageError) {
    self = try unsafe Self(decoding: bytes.span.bytes)
  }

  /// Reads the protobuf encoding; see `init(decoding:)` of a raw buffer.
  @inlinable
  public init(decoding bytes: ArraySlice<UInt8>) throws(MessageError) {
    self = try unsafe Self(decoding: bytes.span.bytes)
  }

  /// Reads the protobuf encoding; see `init(decoding:)` of a raw buffer.
  @inlinable
  public init(decoding bytes: RawSpan) throws(MessageError) {
    self = try unsafe bytes.withUnsafeBytes { (buffer) throws(MessageError) -> Self in
      try unsafe Self(decoding: buffer)
    }
  }
}
