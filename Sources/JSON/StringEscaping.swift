/// The writer's inner loop.
///
/// Prompts are hundreds of kilobytes on every turn, so runs that need no escape are found eight
/// bytes at a time and copied whole. This is the module's only use of pointers: the buffer is
/// the string's own, borrowed for the call, and every load is inside its bounds.
enum StringEscaping {
  /// Appends `text`, escaped, without its quotes.
  static func append(_ text: String, to bytes: inout [UInt8]) {
    var text = text
    text.withUTF8 { input in
      var start = 0
      while start < input.count {
        let end = unsafe firstEscaped(in: input, from: start)
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: input[start..<end]))
        guard end < input.count else { return }
        escape(unsafe input[end], to: &bytes)
        start = end + 1
      }
    }
  }

  /// The first byte at or after `start` that JSON wants escaped, or the end.
  private static func firstEscaped(in input: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var at = start
    let raw = UnsafeRawBufferPointer(input)
    while at + 8 <= input.count {
      let word = unsafe raw.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian
      let quote = zeroBytes(word ^ 0x2222_2222_2222_2222)
      let backslash = zeroBytes(word ^ 0x5C5C_5C5C_5C5C_5C5C)
      // Clear only for bytes of at least 0x20; bytes above 0x7F are masked out.
      let control = (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
      let found = quote | backslash | control
      // A borrow can mark a byte above a true hit, never below one: the lowest mark is right.
      if found != 0 { return at + found.trailingZeroBitCount / 8 }
      at += 8
    }
    while at < input.count, unsafe !needsEscape(input[at]) { at += 1 }
    return at
  }

  /// The top bit of every byte of `word` that is zero (and perhaps of bytes above one).
  private static func zeroBytes(_ word: UInt64) -> UInt64 {
    (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
  }

  private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private static func escape(_ byte: UInt8, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case 0..<0x20:
      let digits = Array("0123456789abcdef".utf8)
      bytes.append(contentsOf: "u00".utf8)
      bytes.append(digits[Int(byte >> 4)])
      bytes.append(digits[Int(byte & 15)])
    default: bytes.append(byte)
    }
  }
}
