/// A word of ASCII letters with an optional space before it, and the 16 bytes that hold it.
struct Word: BitwiseCopyable {
  let length: Int
  let low: UInt64
  /// Means something only if the word has more than 8 bytes.
  let high: UInt64
}

/// The quick way for the commonest piece, without looking at one character at a time.
///
/// Most pieces of Latin text are a space and a few letters. Their end is found by arithmetic on
/// 8 bytes, and the same 8 bytes are the key for the vocabulary. Anything else (another prefix, 16
/// bytes and more, a character past ASCII at the end, the end of the text) gives nil and takes
/// the full scanner, which decides the same.
enum WordScanner {
  private static let highBits: UInt64 = 0x8080_8080_8080_8080

  /// A piece that is `[ ]?[A-Za-z]+` before another ASCII character.
  @inline(__always)
  static func letters(_ text: ByteText, _ start: Int) -> Word? {
    if start + 17 > text.count { return nil }
    let low = text.word(at: start)
    let space: UInt64 = low & 0xFF == 0x20 ? 1 : 0
    let miss = missesLetter(low) & ~(space << 7)
    return finish(text, start, low, miss, leastBytes: Int(space) + 1, missesLetter)
  }

  /// A piece that is `[ ]?[A-Z]?[a-z]+` before another ASCII character that is no apostrophe.
  @inline(__always)
  static func capitalised(_ text: ByteText, _ start: Int) -> Word? {
    if start + 17 > text.count { return nil }
    let low = text.word(at: start)
    let space: UInt64 = low & 0xFF == 0x20 ? 1 : 0
    let upper = ~missesUpper(low) & highBits
    // One capital may stand first, or second behind a space; a small letter must follow.
    let capital = upper & (0x80 << (8 * space))
    let miss = missesLower(low) & ~(space << 7) & ~capital
    let least = Int(space) + (capital != 0 ? 2 : 1)
    guard let word = finish(text, start, low, miss, leastBytes: least, missesLower) else {
      return nil
    }
    return text[start + word.length] == UInt8(ascii: "'") ? nil : word
  }

  @inline(__always)
  private static func finish(
    _ text: ByteText, _ start: Int, _ low: UInt64, _ miss: UInt64, leastBytes: Int,
    _ misses: (UInt64) -> UInt64
  ) -> Word? {
    if miss != 0 {
      let shift = UInt64(miss.trailingZeroBitCount & 0x38)
      let length = Int(shift >> 3)
      if length < leastBytes || (low >> shift) & 0x80 != 0 { return nil }
      return Word(length: length, low: low, high: 0)
    }
    let high = text.word(at: start + 8)
    let missHigh = misses(high)
    if missHigh == 0 { return nil }
    let shift = UInt64(missHigh.trailingZeroBitCount & 0x38)
    if (high >> shift) & 0x80 != 0 { return nil }
    return Word(length: 8 + Int(shift >> 3), low: low, high: high)
  }
}
