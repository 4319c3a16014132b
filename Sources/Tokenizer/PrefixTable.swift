/// Which lengths of tokens exist behind a prefix of 2, 3 and 6 bytes: the way to a longest match.
///
/// - Shape: 2 bytes: an index for each of the 65,536 pairs. 3 bytes: a word of the prefix (24
///   bits), the longest token within it (18), and flags. 6 bytes: a word of the prefix (48 bits)
///   and a bit for each length from 6 to 15 and for "longer". A 3-byte prefix is one character in
///   most scripts of Asia, so a text in them takes one probe and a miss per character.
struct PrefixTable: BitwiseCopyable, Sendable {
  private let singles: FixedTable<UInt32>
  private let pairs: FixedTable<UInt32>
  private let threes: FixedTable<UInt64>
  private let sixes: FixedTable<UInt64>

  static let lengthFour: UInt64 = 1 << 42
  static let lengthFive: UInt64 = 1 << 43
  static let sixOrMore: UInt64 = 1 << 44
  private static let occupied: UInt64 = 1 << 63
  private static let low24: UInt64 = 0xFF_FFFF
  private static let low48: UInt64 = 0xFFFF_FFFF_FFFF

  /// The bit of "16 bytes and more" among the lengths behind six bytes.
  static let long: UInt64 = 1 << 10

  init(threesMax: Int, sixesMax: Int) {
    singles = FixedTable(repeating: 0, count: 256)
    pairs = FixedTable(repeating: 0, count: 65_536)
    threes = FixedTable(repeating: 0, count: threesMax * 5 / 2 + 8)
    sixes = FixedTable(repeating: 0, count: sixesMax * 5 / 2 + 8)
  }

  @inline(__always)
  private func threeSlot(_ prefix: UInt64) -> Int {
    var slot = place(scramble(prefix), in: threes.count)
    while true {
      let found = threes[slot]
      if found == 0 || found & Self.low24 == prefix { return slot }
      slot = slot + 1 == threes.count ? 0 : slot + 1
    }
  }

  @inline(__always)
  private func sixSlot(_ prefix: UInt64) -> Int {
    var slot = place(scramble(prefix), in: sixes.count)
    while true {
      let found = sixes[slot]
      if found == 0 || found & Self.low48 == prefix { return slot }
      slot = slot + 1 == sixes.count ? 0 : slot + 1
    }
  }

  /// The token that is the lowest byte of `word`.
  @inline(__always)
  func single(_ word: UInt64) -> Int { Int(singles[Int(word & 0xFF)]) }

  /// The longest token within the two lowest bytes of `word`.
  @inline(__always)
  func withinTwo(_ word: UInt64) -> Int { Int(pairs[Int(word & 0xFFFF)]) }

  /// The entry of the three lowest bytes, 0 if no token of three or more bytes starts so.
  @inline(__always)
  func afterThree(_ word: UInt64) -> UInt64 { threes[threeSlot(word & Self.low24)] }

  /// The index in an entry of `afterThree`.
  @inline(__always)
  static func index(_ entry: UInt64) -> Int { Int(entry >> 24 & 0x3FFFF) }

  /// A bit for each length, from 6 (bit 0) to 15 (bit 9), and `long`.
  @inline(__always)
  func afterSix(_ word: UInt64) -> UInt64 { sixes[sixSlot(word & Self.low48)] >> 48 & 0x7FFF }

  /// Adds a token. Tokens of one and two bytes come before all longer ones (see `Vocabulary`).
  func insert(_ token: ByteText, index: Int) {
    if token.count == 1 {
      singles[Int(token[0])] = UInt32(index)
      for second in 0..<256 { pairs[Int(token[0]) | second << 8] = UInt32(index) }
      return
    }
    if token.count == 2 {
      pairs[Int(token[0]) | Int(token[1]) << 8] = UInt32(index)
      return
    }
    let prefix = token.word(at: 0, length: 3)
    let slot = threeSlot(prefix)
    if threes[slot] == 0 {
      threes[slot] = Self.occupied | UInt64(withinTwo(prefix)) << 24 | prefix
    }
    switch token.count {
    case 3: threes[slot] = threes[slot] & ~(0x3FFFF << 24) | UInt64(index) << 24
    case 4: threes[slot] |= Self.lengthFour
    case 5: threes[slot] |= Self.lengthFive
    default:
      threes[slot] |= Self.sixOrMore
      let six = sixSlot(token.word(at: 0, length: 6))
      let bit = token.count > 15 ? Self.long : 1 << UInt64(token.count - 6)
      sixes[six] |= token.word(at: 0, length: 6) | (bit | 1 << 15) << 48
    }
  }
}
