/// The UTF-8 bytes of one text, borrowed for the length of a call.
///
/// - Shape: valid UTF-8 (the callers validate or repair), `count` bytes, indices from 0.
/// - Ownership: borrowed; whoever makes one keeps the bytes alive and unchanged meanwhile.
/// - Limits: bounds are asserted in debug builds only. This is the hottest loop of the product and
///   every index comes from a scanner that compares it with `count` first; the golden and the
///   fuzz tests run with the assertions on.
@safe struct ByteText: BitwiseCopyable, @unchecked Sendable {
  private let base: UnsafePointer<UInt8>
  let count: Int

  init(_ base: UnsafePointer<UInt8>, count: Int) {
    unsafe self.base = base
    self.count = count
  }

  /// No bytes.
  static var empty: ByteText {
    CharacterClasses.unicode16.noBytes
  }

  @inline(__always)
  subscript(index: Int) -> UInt8 {
    assert(index >= 0 && index < count)
    return unsafe base[index]
  }

  /// The 8 bytes from `index`, the first lowest. Needs `index + 8 <= count`.
  @inline(__always)
  func word(at index: Int) -> UInt64 {
    assert(index >= 0 && index + 8 <= count)
    return unsafe UInt64(
      littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
  }

  /// `length` (0...8) bytes from `index`, the first lowest, zeros above.
  @inline(__always)
  func word(at index: Int, length: Int) -> UInt64 {
    assert(length >= 0 && length <= 8 && index + length <= count)
    if index + 8 <= count {
      return word(at: index) & lowBytes(length)
    }
    return partialWord(at: index, length: length)
  }

  /// The same near the end of the text, where 8 bytes cannot be loaded at once.
  @inline(never)
  private func partialWord(at index: Int, length: Int) -> UInt64 {
    if count >= 8 {
      return (word(at: count - 8) >> UInt64(8 * (index + 8 - count))) & lowBytes(length)
    }
    var word: UInt64 = 0
    for offset in 0..<length { word |= UInt64(self[index + offset]) &<< UInt64(8 * offset) }
    return word
  }

  /// The part from `start` to before `end`.
  @inline(__always)
  func slice(_ start: Int, _ end: Int) -> ByteText {
    assert(start >= 0 && start <= end && end <= count)
    return unsafe ByteText(base + start, count: end - start)
  }

  /// The code point that starts at `index` with a lead byte of 0x80 or more, and its length.
  @inline(__always)
  func scalar(at index: Int) -> (point: Int, length: Int) {
    let lead = Int(self[index])
    if lead < 0xE0 {
      return ((lead & 0x1F) << 6 | Int(self[index + 1]) & 0x3F, 2)
    }
    let middle = (Int(self[index + 1]) & 0x3F) << 6 | Int(self[index + 2]) & 0x3F
    if lead < 0xF0 {
      return ((lead & 0x0F) << 12 | middle, 3)
    }
    return ((lead & 0x07) << 18 | middle << 6 | Int(self[index + 3]) & 0x3F, 4)
  }
}

/// A mask of the lowest `length` (0...8) bytes of a word.
@inline(__always)
func lowBytes(_ length: Int) -> UInt64 {
  // Two shifts, each below 64, so that 8 needs no case of its own and the processor no test.
  let half = UInt64(truncatingIfNeeded: length &* 4)
  return ~((UInt64.max &<< half) &<< half)
}
