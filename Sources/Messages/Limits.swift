/// What a message may be at most when it is decoded.
///
/// protobuf-c has no limits of its own. Nesting needs none: no published type is recursive, so the
/// depth is bounded by the types (deploy/dev/check-protos.py holds that).
public enum Limits {
  /// The bytes of one message, inclusive. The server's own limit on a body is lower; a page of
  /// large messages that a client receives is not.
  public static let messageBytesMax = 64 << 20

  /// The elements of one repeated field or map, inclusive.
  public static let elementsMax = 10_000

  /// What a message may unpack to: `unpackedBytesMin + unpackedFactor × its bytes`. Two bytes on
  /// the wire can ask for a struct of 200.
  public static let unpackedFactor = 8
  /// The part of that limit that a small message has too.
  public static let unpackedBytesMin = 1 << 20

  static func unpackedBytesMax(encodedBytes: Int) -> Int {
    unpackedBytesMin + unpackedFactor * encodedBytes
  }
}
