/// The tokens of 16 bytes and more: few, but some share a prefix of a hundred bytes.
///
/// - Shape: groups by the first 16 bytes, found by hash; within a group in the order of their
///   bytes, each with a link to the longest other token that is a prefix of it. So the longest
///   match of a text takes one binary search and a walk up the links, however long the tokens.
struct LongTokens: BitwiseCopyable, Sendable {
  static let prefixBytes = 16

  private struct Group: BitwiseCopyable {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var first: UInt32 = 0
    /// 0 marks a free slot.
    var count: UInt32 = 0
  }

  private struct Entry: BitwiseCopyable {
    var start: UInt32
    var length: UInt16
    /// Steps back in the group to the longest token that is a prefix; 0 if there is none.
    var toPrefix: UInt16
    var index: UInt32
  }

  private let groups: FixedTable<Group>
  private let entries: FixedTable<Entry>
  private let bytes: FixedTable<UInt8>

  /// `tokens`: (start in `bytes`, length, index) of every long token.
  init(_ tokens: [(start: Int, length: Int, index: Int)], bytes: FixedTable<UInt8>) {
    self.bytes = bytes
    let sorted = tokens.sorted { one, other in
      let (left, right) = (
        bytes.bytes.slice(one.start, one.start + one.length),
        bytes.bytes.slice(other.start, other.start + other.length)
      )
      let common = commonPrefix(left, 0, right, 0)
      if common == left.count || common == right.count { return left.count < right.count }
      return left[common] < right[common]
    }
    groups = FixedTable(repeating: Group(), count: sorted.count * 5 / 2 + 8)
    var made: [Entry] = []
    made.reserveCapacity(sorted.count)
    var groupStart = 0
    for (position, token) in sorted.enumerated() {
      let text = bytes.bytes.slice(token.start, token.start + token.length)
      let (low, high) = (text.word(at: 0), text.word(at: 8))
      let slot = Self.slot(groups, low, high)
      if groups[slot].count == 0 {
        groups[slot] = Group(low: low, high: high, first: UInt32(position), count: 0)
        groupStart = position
      }
      groups[slot].count += 1
      var prefix = position - 1
      while prefix >= groupStart {
        let entry = made[prefix]
        let length = Int(entry.length)
        let other = bytes.bytes.slice(Int(entry.start), Int(entry.start) + length)
        if length < token.length && commonPrefix(other, 0, text, 0) == length { break }
        prefix = entry.toPrefix == 0 ? -1 : prefix - Int(entry.toPrefix)
      }
      made.append(
        Entry(
          start: UInt32(token.start), length: UInt16(token.length),
          toPrefix: prefix >= groupStart ? UInt16(position - prefix) : 0,
          index: UInt32(token.index)))
    }
    entries = FixedTable(made)
  }

  @inline(__always)
  private static func slot(_ groups: FixedTable<Group>, _ low: UInt64, _ high: UInt64) -> Int {
    var slot = place(scramble(low, high), in: groups.count)
    while true {
      let group = groups[slot]
      if group.count == 0 || (group.low == low && group.high == high) { return slot }
      slot = slot + 1 == groups.count ? 0 : slot + 1
    }
  }

  /// The longest long token that starts at `start` and ends at or before `end`.
  ///
  /// Needs `start + 16 <= end`.
  func longestMatch(_ text: ByteText, _ start: Int, _ end: Int) -> (index: Int, length: Int)? {
    let group = groups[Self.slot(groups, text.word(at: start), text.word(at: start + 8))]
    if group.count == 0 { return nil }
    let limited = text.slice(0, end)
    // The last entry that is not after the text, and how many bytes it shares with it.
    var lower = Int(group.first)
    var upper = lower + Int(group.count)
    var shared = 0
    while lower < upper {
      let middle = (lower + upper) / 2
      let entry = entries[middle]
      let token = bytes.bytes.slice(Int(entry.start), Int(entry.start) + Int(entry.length))
      let common = commonPrefix(token, 0, limited, start)
      let isAfter =
        common < token.count && (start + common == end || token[common] > text[start + common])
      if isAfter {
        upper = middle
      } else {
        lower = middle + 1
        shared = common
      }
    }
    var at = lower - 1
    if at < Int(group.first) { return nil }
    while true {
      let entry = entries[at]
      if Int(entry.length) <= shared { return (Int(entry.index), Int(entry.length)) }
      if entry.toPrefix == 0 { return nil }
      at -= Int(entry.toPrefix)
    }
  }
}

/// The number of equal bytes of `one` from `oneStart` and `other` from `otherStart`.
func commonPrefix(_ one: ByteText, _ oneStart: Int, _ other: ByteText, _ otherStart: Int) -> Int {
  let most = min(one.count - oneStart, other.count - otherStart)
  var common = 0
  while common + 8 <= most {
    let differing = one.word(at: oneStart + common) ^ other.word(at: otherStart + common)
    if differing != 0 { return common + (differing.trailingZeroBitCount >> 3) }
    common += 8
  }
  while common < most && one[oneStart + common] == other[otherStart + common] { common += 1 }
  return common
}
