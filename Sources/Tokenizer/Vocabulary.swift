private import CVocabularies

/// The tables of one vocabulary. Immutable once loaded, shared by all cores, never freed.
///
/// - Shape: tokens are named by *index*, their place in the order of merges; an id is the index
///   plus `firstID`.
/// - Limits: at most 2^18 tokens, each of at most 255 bytes (the longest known is 128).
/// - Source: the published ranks, in the compact form of `deploy/dev/vocabulary.py`.
struct Vocabulary: BitwiseCopyable, Sendable {
  let firstID: Int
  let tokens: TokenTable
  let long: LongTokens
  let prefixes: PrefixTable
  let merges: MergeTable
  private let bytes: FixedTable<UInt8>
  /// Where each token starts in `bytes`; one more than there are tokens.
  private let starts: FixedTable<UInt32>

  var count: Int { starts.count - 1 }

  static let cl100kBase = unsafe Vocabulary(embedded: recount_cl100k_base())
  static let o200kBase = unsafe Vocabulary(embedded: recount_o200k_base())
  static let deepSeekV3 = unsafe Vocabulary(embedded: recount_deepseek_v3())

  private init(embedded: recount_embedded) {
    self.init(compact: unsafe ByteText(embedded.bytes, count: embedded.count))
  }

  /// Loads a compact vocabulary. One that is not well formed is our own mistake.
  private init(compact: ByteText) {
    precondition(compact.count >= 12 && compact.word(at: 0, length: 4) == 0x3156_4352)
    let count = Int(compact.word(at: 4, length: 4))
    precondition(count <= 1 << 18 && compact.count == 12 + 6 * count)
    firstID = Int(compact.word(at: 8, length: 4))
    merges = MergeTable(parts: compact.slice(10, compact.count), count: count)

    // A token's length is the sum of its parts' lengths, and they come before it.
    let starts = FixedTable<UInt32>(repeating: 0, count: count + 1)
    var byteCount = 0
    for index in 0..<count {
      starts[index] = UInt32(byteCount)
      if let (left, right) = merges.parts(of: index) {
        precondition(left < index && right < index)
        byteCount += Int(starts[left + 1] - starts[left] + starts[right + 1] - starts[right])
      } else {
        byteCount += 1
      }
      starts[index + 1] = UInt32(byteCount)
    }
    let bytes = FixedTable<UInt8>(repeating: 0, count: byteCount)
    for index in 0..<count {
      var at = Int(starts[index])
      guard let (left, right) = merges.parts(of: index) else {
        bytes[at] = UInt8(compact.word(at: 10 + 6 * index) >> 40 & 0xFF)
        continue
      }
      for part in [left, right] {
        for source in Int(starts[part])..<Int(starts[part + 1]) {
          bytes[at] = bytes[source]
          at += 1
        }
      }
    }
    self.bytes = bytes
    self.starts = starts
    (tokens, long, prefixes) = Self.index(count: count, starts: starts, bytes: bytes)
  }

  /// Fills the tables that are searched by bytes, shorter tokens first.
  private static func index(
    count: Int, starts: FixedTable<UInt32>, bytes: FixedTable<UInt8>
  ) -> (TokenTable, LongTokens, PrefixTable) {
    var lengths = [Int](repeating: 0, count: 256)
    for index in 0..<count { lengths[Int(starts[index + 1] - starts[index])] += 1 }
    let tokens = TokenTable(
      shortCount: lengths[...TokenTable.shortMax].reduce(0, +),
      mediumCount: lengths[(TokenTable.shortMax + 1)...TokenTable.mediumMax].reduce(0, +))
    // Few prefixes are shared by less than two tokens; an eighth and a third are ample.
    let prefixes = PrefixTable(threesMax: count / 5, sixesMax: count * 2 / 5)
    var long: [(start: Int, length: Int, index: Int)] = []
    for pass in 1...3 {
      for index in 0..<count {
        let (start, end) = (Int(starts[index]), Int(starts[index + 1]))
        let length = end - start
        guard pass == min(length, 3) else { continue }
        let token = bytes.bytes.slice(start, end)
        prefixes.insert(token, index: index)
        if length > TokenTable.mediumMax {
          long.append((start, length, index))
        } else {
          tokens.insert(token, index: index)
        }
      }
    }
    return (tokens, LongTokens(long, bytes: bytes), prefixes)
  }

  /// The bytes of a token.
  @inline(__always)
  func bytes(of index: Int) -> ByteText {
    bytes.bytes.slice(Int(starts[index]), Int(starts[index + 1]))
  }

  @inline(__always)
  func length(of index: Int) -> Int { Int(starts[index + 1] - starts[index]) }

  /// The longest token that starts at `start` and ends at or before `end` (`start < end`).
  @inline(__always)
  func longestMatch(_ text: ByteText, _ start: Int, _ end: Int) -> (index: Int, length: Int) {
    let room = end - start
    let word = text.word(at: start, length: min(room, 8))
    if room >= 3 {
      let entry = prefixes.afterThree(word)
      if entry != 0 {
        if room >= 6, entry & PrefixTable.sixOrMore != 0,
          let found = matchAfterSix(text, start, room, word)
        {
          return found
        }
        if room >= 5, entry & PrefixTable.lengthFive != 0,
          let index = tokens.indexOfShort(TokenTable.shortKey(word & lowBytes(5), 5))
        {
          return (index, 5)
        }
        if room >= 4, entry & PrefixTable.lengthFour != 0,
          let index = tokens.indexOfShort(TokenTable.shortKey(word & lowBytes(4), 4))
        {
          return (index, 4)
        }
        let index = PrefixTable.index(entry)
        return (index, length(of: index))
      }
    }
    // One byte alone: a pair's entry would be about the byte after the end.
    let index = room >= 2 ? prefixes.withinTwo(word) : prefixes.single(word)
    return (index, length(of: index))
  }

  @inline(__always)
  private func matchAfterSix(
    _ text: ByteText, _ start: Int, _ room: Int, _ word: UInt64
  ) -> (index: Int, length: Int)? {
    var lengths = prefixes.afterSix(word)
    if lengths == 0 { return nil }
    if lengths & PrefixTable.long != 0, room >= LongTokens.prefixBytes,
      let found = long.longestMatch(text, start, start + room)
    {
      return found
    }
    lengths &= PrefixTable.long - 1
    if room < 15 { lengths &= (2 << UInt64(room - 6)) - 1 }
    if lengths == 0 { return nil }
    let upper = room > 8 ? text.word(at: start + 8, length: min(room - 8, 7)) : 0
    while lengths != 0 {
      let length = 6 + (63 - lengths.leadingZeroBitCount)
      lengths ^= 1 << UInt64(length - 6)
      let found =
        length <= TokenTable.shortMax
        ? tokens.indexOfShort(TokenTable.shortKey(word & lowBytes(length), length))
        : tokens.indexOfMedium(
          word, TokenTable.mediumKey(upper & lowBytes(length - 8), length))
      if let found { return (found, length) }
    }
    return nil
  }

  /// The token that is exactly the bytes from `start` to before `end`, if there is one.
  func index(_ text: ByteText, _ start: Int, _ end: Int) -> Int? {
    let length = end - start
    if length <= TokenTable.shortMax {
      return tokens.indexOfShort(
        TokenTable.shortKey(text.word(at: start, length: length), length))
    }
    if length <= TokenTable.mediumMax {
      return tokens.indexOfMedium(
        text.word(at: start),
        TokenTable.mediumKey(text.word(at: start + 8, length: length - 8), length))
    }
    guard let found = long.longestMatch(text, start, end), found.length == length else {
      return nil
    }
    return found.index
  }
}
