/// Header fields to send, in order, in one array.
///
/// - Shape: names in lower case, pseudo-headers first. The caller vouches for names and values:
///   the session sends what it is given.
/// - Isolation: none; a value.
public struct HeaderList: Sendable {
  struct Field: Sendable {
    var nameStart: Int
    var valueStart: Int
    var end: Int
  }

  var bytes: [UInt8] = []
  var fields: [Field] = []

  /// No field.
  public init() {}

  /// The fields given, in order.
  public init(_ fields: KeyValuePairs<String, String>) {
    for (name, value) in fields { add(name, value) }
  }

  /// The number of fields.
  public var count: Int { fields.count }

  /// Adds a field of text.
  public mutating func add(_ name: String, _ value: String) {
    let nameStart = bytes.count
    bytes += name.utf8
    let valueStart = bytes.count
    bytes += value.utf8
    fields.append(Field(nameStart: nameStart, valueStart: valueStart, end: bytes.count))
  }

  /// Adds a field of bytes.
  public mutating func add(_ name: String, bytes value: [UInt8]) {
    let nameStart = bytes.count
    bytes += name.utf8
    let valueStart = bytes.count
    bytes += value
    fields.append(Field(nameStart: nameStart, valueStart: valueStart, end: bytes.count))
  }

  /// Adds a field as spans.
  public mutating func add(_ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>) {
    let nameStart = bytes.count
    for index in 0..<name.count { bytes.append(name[index]) }
    let valueStart = bytes.count
    for index in 0..<value.count { bytes.append(value[index]) }
    fields.append(Field(nameStart: nameStart, valueStart: valueStart, end: bytes.count))
  }
}
