/// Appends canonical JSON to bytes, without a tree.
///
/// - Shape: no white space; members in the order in which they are written; strings in UTF-8 with
///   only `"`, `\` and control characters escaped (the short form where there is one, else
///   `\u00` and two lower-case digits); numbers as their text. The same calls give the same bytes,
///   and appending to an array only appends bytes, so an array without its bracket is a prefix of
///   every longer array that begins alike.
/// - Isolation: none; a value.
/// - Limits: none of its own; the caller bounds what it writes.
/// - Our bugs: a value without a name inside an object is not noticed; an end without a beginning
///   is a precondition.
public struct JSONWriter: Sendable {
  /// What was written.
  public private(set) var bytes: [UInt8]
  private var needsComma = false
  private var depth = 0

  /// - Parameter capacity: bytes to set aside at once.
  public init(capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// Whether every object and array is closed.
  public var isBalanced: Bool { depth == 0 }

  public mutating func beginObject() { open(UInt8(ascii: "{")) }
  public mutating func endObject() { close(UInt8(ascii: "}")) }
  public mutating func beginArray() { open(UInt8(ascii: "[")) }
  public mutating func endArray() { close(UInt8(ascii: "]")) }

  /// A member's name; its value is written next.
  public mutating func name(_ name: String) {
    separate()
    appendQuoted(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  public mutating func string(_ text: String) {
    separate()
    appendQuoted(text)
  }

  public mutating func integer(_ value: some FixedWidthInteger) {
    separate()
    append(String(value))
  }

  public mutating func number(_ number: JSONNumber) {
    separate()
    append(number.text)
  }

  public mutating func bool(_ value: Bool) {
    separate()
    append(value ? "true" : "false")
  }

  public mutating func null() {
    separate()
    append("null")
  }

  /// Bytes that are one JSON value already, such as another writer's; they are not checked.
  public mutating func raw(_ json: [UInt8]) {
    separate()
    bytes.append(contentsOf: json)
  }

  /// Bytes that are JSON values already, separated by commas: a run of elements or of members,
  /// possibly empty; they are not checked.
  public mutating func rawItems(_ items: [UInt8]) {
    guard !items.isEmpty else { return }
    separate()
    bytes.append(contentsOf: items)
  }

  /// A whole tree.
  public mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .bool(let value): bool(value)
    case .number(let value): number(value)
    case .string(let value): string(value)
    case .array(let elements):
      beginArray()
      for element in elements { self.value(element) }
      endArray()
    case .object(let object):
      beginObject()
      for member in object.members { self.member(member.name, member.value) }
      endObject()
    }
  }

  /// A member: its name and a tree.
  public mutating func member(_ name: String, _ value: JSONValue) {
    self.name(name)
    self.value(value)
  }

  /// A member: its name and a string.
  public mutating func member(_ name: String, _ text: String) {
    self.name(name)
    string(text)
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
    depth += 1
  }

  private mutating func close(_ bracket: UInt8) {
    precondition(depth > 0, "an end without a beginning")
    depth -= 1
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func appendQuoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    StringEscaping.append(text, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
  }
}
