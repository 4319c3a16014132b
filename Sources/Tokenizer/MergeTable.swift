/// The merges: which pair of tokens forms which token, and of which pair a token was formed.
///
/// - Shape: open addressing at a load of 0.5; a slot holds both parts and the whole, 18 bits each,
///   plus one, so that 0 is free. The parts of a token are read from the embedded vocabulary.
struct MergeTable: BitwiseCopyable, Sendable {
  private let slots: FixedTable<UInt64>
  /// A bit for each 21-bit hash of a pair: most pairs form nothing, which this tells at once.
  private let filter: FixedTable<UInt64>
  private let parts: ByteText

  /// `parts`: 6 bytes a token (see `deploy/dev/vocabulary.py`) behind 2 bytes of any value, so
  /// that a token's parts are the upper bytes of one word and none is read past the end.
  init(parts: ByteText, count: Int) {
    self.parts = parts
    slots = FixedTable(repeating: 0, count: count * 2 + 8)
    filter = FixedTable(repeating: 0, count: 1 << 15)
    for index in 0..<count {
      if let (left, right) = self.parts(of: index) {
        let key = UInt64(left) << 18 | UInt64(right)
        let hash = scramble(key)
        filter[Int(hash >> 17)] |= 1 << (hash >> 11 & 63)
        var slot = place(hash, in: slots.count)
        while slots[slot] != 0 { slot = slot + 1 == slots.count ? 0 : slot + 1 }
        slots[slot] = (key << 18 | UInt64(index)) + 1
      }
    }
  }

  /// The parts of the last merge that forms a token; nil for a single byte.
  @inline(__always)
  func parts(of index: Int) -> (left: Int, right: Int)? {
    let word = parts.word(at: 6 * index) >> 16
    let left = Int(word & 0xFF_FFFF)
    return left == 0xFF_FFFF ? nil : (left, Int(word >> 24))
  }

  /// The token which the pair forms, or `Int.max`.
  @inline(__always)
  func merged(_ left: Int, _ right: Int) -> Int {
    let key = UInt64(left) << 18 | UInt64(right)
    let hash = scramble(key)
    if filter[Int(hash >> 17)] >> (hash >> 11 & 63) & 1 == 0 { return Int.max }
    var slot = place(hash, in: slots.count)
    while true {
      let found = slots[slot]
      if found == 0 { return Int.max }
      if (found - 1) >> 18 == key { return Int((found - 1) & 0x3FFFF) }
      slot = slot + 1 == slots.count ? 0 : slot + 1
    }
  }

  /// Whether merging the bytes of both tokens gives back exactly these two.
  ///
  /// Undoes the merges on both sides of the seam, latest first. If a pair over the seam would have
  /// been merged before the one that is undone, the two tokens cannot stand side by side.
  func canFollow(_ left: Int, _ right: Int) -> Bool {
    var (one, other) = (left, right)
    var limit = Int.max
    while true {
      if merged(one, other) < limit { return false }
      if one > other {
        limit = one
        if let next = parts(of: one) {
          one = next.right
        } else {
          limit = other + 1
          guard let next = parts(of: other) else { return true }
          other = next.left
        }
      } else {
        limit = other + 1
        if let next = parts(of: other) {
          other = next.left
        } else {
          limit = one
          guard let next = parts(of: one) else { return true }
          one = next.right
        }
      }
    }
  }
}
