/// The custom metadata of a call, in order, repeated names allowed.
///
/// - Shape: names are lower-case ASCII; a name that ends in `-bin` has bytes, all others printable
///   ASCII. Everything is kept in one array as it stands on the wire.
/// - Isolation: none; a value.
/// - Source: gRPC over HTTP/2, "Custom-Metadata".
public struct Metadata: Sendable, Equatable {
  private struct Entry: Sendable, Equatable {
    var start: Int32
    var nameEnd: Int32
    var valueEnd: Int32
  }

  private static let usualBytes = 224
  private static let usualEntries = 4

  private var bytes: [UInt8] = []
  private var entries: [Entry] = []

  /// No metadata.
  public init() {}

  /// Whether there is no entry.
  public var isEmpty: Bool { entries.isEmpty }

  /// The number of entries, repeated names counted each.
  public var count: Int { entries.count }

  /// Adds a text value.
  ///
  /// - Precondition: `name` is of `[a-z0-9_.-]`, does not end in `-bin`, and `value` is printable
  ///   ASCII. Only our own code names headers, so a wrong one is a bug.
  public mutating func add(_ name: String, _ value: String) {
    precondition(!name.hasSuffix("-bin"), "a -bin name takes bytes")
    precondition(value.utf8.allSatisfy { 0x20...0x7E ~= $0 }, "a value must be printable ASCII")
    append(name: name, value: Array(value.utf8))
  }

  /// Adds a binary value, written as base64 without padding.
  ///
  /// - Precondition: `name` ends in `-bin`.
  public mutating func add(binary name: String, _ value: [UInt8]) {
    precondition(name.hasSuffix("-bin"), "a binary name ends in -bin")
    append(name: name, value: Base64.encode(value))
  }

  /// Adds an entry as it stood on the wire.
  public mutating func add(wireName: borrowing Span<UInt8>, wireValue: borrowing Span<UInt8>) {
    if entries.isEmpty {
      // Room for what stock clients send, so that it is allocated once.
      bytes.reserveCapacity(Self.usualBytes)
      entries.reserveCapacity(Self.usualEntries)
    }
    let start = bytes.count
    bytes.append(span: wireName)
    let nameEnd = bytes.count
    bytes.append(span: wireValue)
    entries.append(
      Entry(start: Int32(start), nameEnd: Int32(nameEnd), valueEnd: Int32(bytes.count)))
  }

  /// Adds all entries of another value after those here.
  public mutating func append(_ other: Metadata) {
    let shift = Int32(bytes.count)
    bytes += other.bytes
    for entry in other.entries {
      entries.append(
        Entry(
          start: entry.start + shift, nameEnd: entry.nameEnd + shift,
          valueEnd: entry.valueEnd + shift))
    }
  }

  /// The first value of a name, or nil if there is none or it is not UTF-8.
  public subscript(name: String) -> String? {
    for entry in entries where isName(name, of: entry) { return text(entry) }
    return nil
  }

  /// Every value of a name that is UTF-8, in order.
  public func values(_ name: String) -> [String] {
    entries.filter { isName(name, of: $0) }.compactMap { text($0) }
  }

  /// The bytes of the first value of a `-bin` name, padded or not; nil if absent or malformed.
  public func binary(_ name: String) -> [UInt8]? {
    for entry in entries where isName(name, of: entry) {
      let value = bytes[Int(entry.nameEnd)..<Int(entry.valueEnd)]
      // A list may be joined by commas (RFC 9110, section 5.3); the first member counts.
      return Base64.decode(value.prefix { $0 != UInt8(ascii: ",") })
    }
    return nil
  }

  /// Visits the entries in order; values that are not UTF-8 are repaired.
  public func forEach(_ body: (_ name: String, _ value: String) -> Void) {
    for entry in entries {
      body(
        String(decoding: bytes[Int(entry.start)..<Int(entry.nameEnd)], as: UTF8.self),
        String(decoding: bytes[Int(entry.nameEnd)..<Int(entry.valueEnd)], as: UTF8.self))
    }
  }

  /// Visits the entries as they stand on the wire, in order.
  public func forEachWire(
    _ body: (_ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>) -> Void
  ) {
    for entry in entries {
      body(
        bytes.span.extracting(Int(entry.start)..<Int(entry.nameEnd)),
        bytes.span.extracting(Int(entry.nameEnd)..<Int(entry.valueEnd)))
    }
  }

  private mutating func append(name: String, value: [UInt8]) {
    precondition(!name.isEmpty && name.utf8.allSatisfy(Self.isNameByte), "not a metadata name")
    add(wireName: Array(name.utf8).span, wireValue: value.span)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
    default: false
    }
  }

  private func isName(_ name: String, of entry: Entry) -> Bool {
    bytes[Int(entry.start)..<Int(entry.nameEnd)].elementsEqual(name.utf8)
  }

  private func text(_ entry: Entry) -> String? {
    String(validating: bytes[Int(entry.nameEnd)..<Int(entry.valueEnd)], as: UTF8.self)
  }
}
