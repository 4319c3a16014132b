extension JSONValue {
  /// Reads one JSON text, strictly.
  ///
  /// - Shape: RFC 8259: one value, white space around it, nothing else; UTF-8 without a mark.
  ///   Duplicate keys are refused, which the standard leaves open (§4).
  /// - Units: offsets in bytes from the start of `input`.
  /// - Ownership: `input` is borrowed; strings are copied.
  /// - Throws: a ``JSONError`` with the offset of the first fault.
  public init(
    parsing input: borrowing Span<UInt8>, options: JSONOptions = .strict
  ) throws(JSONError) {
    guard input.count <= options.bytesMax else {
      throw JSONError(.tooLarge, at: options.bytesMax)
    }
    var reader = JSONReader(options: options)
    self = try reader.text(input)
  }

  /// Reads one JSON text, strictly; see ``init(parsing:options:)-Span``.
  public init(parsing bytes: [UInt8], options: JSONOptions = .strict) throws(JSONError) {
    self = try JSONValue(parsing: bytes.span, options: options)
  }

  /// Reads one JSON text, strictly; see ``init(parsing:options:)-Span``.
  public init(parsing text: String, options: JSONOptions = .strict) throws(JSONError) {
    self = try JSONValue(parsing: Array(text.utf8), options: options)
  }
}

/// A recursive descent over one text: where it is, and what is left of the limits.
struct JSONReader {
  let options: JSONOptions
  var offset = 0
  private var depth = 0
  private var valuesLeft: Int

  init(options: JSONOptions) {
    self.options = options
    valuesLeft = options.valuesMax
  }

  mutating func text(_ input: borrowing Span<UInt8>) throws(JSONError) -> JSONValue {
    skipWhiteSpace(input)
    let value = try value(input)
    skipWhiteSpace(input)
    guard offset == input.count else { throw JSONError(.trailingBytes, at: offset) }
    return value
  }

  private mutating func value(_ input: borrowing Span<UInt8>) throws(JSONError) -> JSONValue {
    guard valuesLeft > 0 else { throw JSONError(.tooManyValues, at: offset) }
    valuesLeft -= 1
    switch try peek(input) {
    case UInt8(ascii: "{"): return .object(try object(input))
    case UInt8(ascii: "["): return .array(try array(input))
    case UInt8(ascii: "\""): return .string(try string(input))
    case UInt8(ascii: "t"):
      try literal("true", input)
      return .bool(true)
    case UInt8(ascii: "f"):
      try literal("false", input)
      return .bool(false)
    case UInt8(ascii: "n"):
      try literal("null", input)
      return .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return .number(try number(input))
    default: throw JSONError(.unexpectedByte, at: offset)
    }
  }

  private mutating func array(_ input: borrowing Span<UInt8>) throws(JSONError) -> [JSONValue] {
    try descend()
    var elements: [JSONValue] = []
    skipWhiteSpace(input)
    if try peek(input) == UInt8(ascii: "]") {
      ascend()
      return elements
    }
    while true {
      skipWhiteSpace(input)
      elements.append(try value(input))
      if try endsAfterItem(UInt8(ascii: "]"), input) { return elements }
    }
  }

  /// A text that is one object, and where its members' values stood.
  mutating func objectText(
    _ input: borrowing Span<UInt8>
  ) throws(JSONError) -> (JSONObject, [Range<Int>]) {
    skipWhiteSpace(input)
    guard try peek(input) == UInt8(ascii: "{") else {
      throw JSONError(.unexpectedByte, at: offset)
    }
    var ranges: [Range<Int>] = []
    let object = try object(input) { ranges.append($0) }
    skipWhiteSpace(input)
    guard offset == input.count else { throw JSONError(.trailingBytes, at: offset) }
    return (object, ranges)
  }

  private mutating func object(
    _ input: borrowing Span<UInt8>, eachValue: ((Range<Int>) -> Void)? = nil
  ) throws(JSONError) -> JSONObject {
    try descend()
    var members: [JSONObject.Member] = []
    var nameOffsets: [Int] = []
    skipWhiteSpace(input)
    if try peek(input) == UInt8(ascii: "}") {
      ascend()
      return JSONObject()
    }
    while true {
      skipWhiteSpace(input)
      guard try peek(input) == UInt8(ascii: "\"") else {
        throw JSONError(.unexpectedByte, at: offset)
      }
      nameOffsets.append(offset)
      let name = try string(input)
      skipWhiteSpace(input)
      guard try peek(input) == UInt8(ascii: ":") else {
        throw JSONError(.unexpectedByte, at: offset)
      }
      offset += 1
      skipWhiteSpace(input)
      let start = offset
      members.append(JSONObject.Member(name: name, value: try value(input)))
      eachValue?(start..<offset)
      if try endsAfterItem(UInt8(ascii: "}"), input) { break }
    }
    if let index = JSONObject.duplicate(in: members) {
      throw JSONError(.duplicateKey, at: nameOffsets[index])
    }
    return JSONObject(unique: members)
  }

  /// Consumes what follows an item: a comma (false) or the container's end (true).
  private mutating func endsAfterItem(
    _ end: UInt8, _ input: borrowing Span<UInt8>
  ) throws(JSONError) -> Bool {
    skipWhiteSpace(input)
    let byte = try peek(input)
    if byte == end {
      ascend()
      return true
    }
    guard byte == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: offset) }
    offset += 1
    return false
  }

  /// Consumes an opening bracket.
  private mutating func descend() throws(JSONError) {
    guard depth < options.depthMax else { throw JSONError(.tooDeep, at: offset) }
    depth += 1
    offset += 1
  }

  /// Consumes a closing bracket.
  private mutating func ascend() {
    depth -= 1
    offset += 1
  }

  private mutating func literal(
    _ word: StaticString, _ input: borrowing Span<UInt8>
  ) throws(JSONError) {
    for byte in word.description.utf8 {
      guard try peek(input) == byte else { throw JSONError(.unexpectedByte, at: offset) }
      offset += 1
    }
  }

  private mutating func number(_ input: borrowing Span<UInt8>) throws(JSONError) -> JSONNumber {
    guard let end = NumberGrammar.end(in: input, from: offset) else {
      throw JSONError(.invalidNumber, at: offset)
    }
    // `01` and `1.2.3` end the number early; name the number as the fault, not what follows.
    if end < input.count, JSONReader.continuesNumber(input[end]) {
      throw JSONError(.invalidNumber, at: offset)
    }
    defer { offset = end }
    return JSONNumber(checked: JSONReader.ascii(input.extracting(offset..<end)))
  }

  private static func continuesNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "+"),
      UInt8(ascii: "-"), UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  private func peek(_ input: borrowing Span<UInt8>) throws(JSONError) -> UInt8 {
    guard offset < input.count else { throw JSONError(.unexpectedEnd, at: offset) }
    return input[offset]
  }

  private mutating func skipWhiteSpace(_ input: borrowing Span<UInt8>) {
    while offset < input.count {
      switch input[offset] {
      case 0x20, 0x0A, 0x0D, 0x09: offset += 1
      default: return
      }
    }
  }
}
