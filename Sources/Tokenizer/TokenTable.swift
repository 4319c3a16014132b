/// Hash tables from a token's bytes to its index, in tiers by length. Filled once, then read.
///
/// - Shape: open addressing with linear probing at a load of at most 0.45, so a probe touches
///   about one cache line. Up to 7 bytes: one word with the length in its top byte. 8 to 15 bytes:
///   two words, the length in the top byte of the second. Indices lie in a parallel table, since
///   counting never needs them. Longer tokens are in `LongTokens`.
struct TokenTable: BitwiseCopyable, Sendable {
  static let shortMax = 7
  static let mediumMax = 15

  private let short: FixedTable<UInt64>
  private let shortIndex: FixedTable<UInt32>
  private let medium: FixedTable<Pair>
  private let mediumIndex: FixedTable<UInt32>

  private struct Pair: BitwiseCopyable {
    var low: UInt64
    var high: UInt64
  }

  init(shortCount: Int, mediumCount: Int) {
    short = FixedTable(repeating: 0, count: Self.slots(for: shortCount))
    shortIndex = FixedTable(repeating: 0, count: short.count)
    medium = FixedTable(repeating: Pair(low: 0, high: 0), count: Self.slots(for: mediumCount))
    mediumIndex = FixedTable(repeating: 0, count: medium.count)
  }

  private static func slots(for count: Int) -> Int { count * 20 / 9 + 8 }

  /// The word which stands for `length` (1...7) bytes.
  @inline(__always)
  static func shortKey(_ bytes: UInt64, _ length: Int) -> UInt64 {
    bytes | UInt64(length) &<< 56
  }

  /// The upper word which stands for 8 + `length` - 8 (8...15) bytes.
  @inline(__always)
  static func mediumKey(_ upper: UInt64, _ length: Int) -> UInt64 {
    upper | UInt64(length) &<< 56
  }

  @inline(__always)
  private func shortSlot(_ key: UInt64) -> Int {
    var slot = place(scramble(key), in: short.count)
    while true {
      let found = short[slot]
      if found == key || found == 0 { return slot }
      slot = slot + 1 == short.count ? 0 : slot + 1
    }
  }

  @inline(__always)
  private func mediumSlot(_ low: UInt64, _ high: UInt64) -> Int {
    var slot = place(scramble(low, high), in: medium.count)
    while true {
      let found = medium[slot]
      if (found.low == low && found.high == high) || found.high == 0 { return slot }
      slot = slot + 1 == medium.count ? 0 : slot + 1
    }
  }

  @inline(__always)
  func holdsShort(_ key: UInt64) -> Bool { short[shortSlot(key)] != 0 }

  @inline(__always)
  func holdsMedium(_ low: UInt64, _ high: UInt64) -> Bool {
    medium[mediumSlot(low, high)].high != 0
  }

  @inline(__always)
  func indexOfShort(_ key: UInt64) -> Int? {
    let slot = shortSlot(key)
    return short[slot] != 0 ? Int(shortIndex[slot]) : nil
  }

  @inline(__always)
  func indexOfMedium(_ low: UInt64, _ high: UInt64) -> Int? {
    let slot = mediumSlot(low, high)
    return medium[slot].high != 0 ? Int(mediumIndex[slot]) : nil
  }

  /// Adds a token of at most 15 bytes; used by the loader alone.
  func insert(_ token: ByteText, index: Int) {
    if token.count <= Self.shortMax {
      let key = Self.shortKey(token.word(at: 0, length: token.count), token.count)
      let slot = shortSlot(key)
      short[slot] = key
      shortIndex[slot] = UInt32(index)
    } else {
      let low = token.word(at: 0)
      let high = Self.mediumKey(token.word(at: 8, length: token.count - 8), token.count)
      let slot = mediumSlot(low, high)
      medium[slot] = Pair(low: low, high: high)
      mediumIndex[slot] = UInt32(index)
    }
  }
}

/// Spreads a key over 32 bits.
@inline(__always)
func scramble(_ key: UInt64) -> UInt64 {
  // 2^64 / golden ratio, odd: the upper half of the product depends on every bit below it.
  ((key ^ key &>> 32) &* 0x9E37_79B9_7F4A_7C15) &>> 32
}

@inline(__always)
func scramble(_ low: UInt64, _ high: UInt64) -> UInt64 {
  scramble(low ^ (high &* 0xD6E8_FEB8_6659_FD93))
}

/// A place in a table of `count` slots for a 32-bit hash, without a division.
@inline(__always)
func place(_ hash: UInt64, in count: Int) -> Int {
  Int(truncatingIfNeeded: (hash &* UInt64(truncatingIfNeeded: count)) &>> 32)
}
