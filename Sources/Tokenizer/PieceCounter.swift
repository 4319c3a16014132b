/// The tokens of one piece: a look into the vocabulary, then into the cache, then merging.
struct PieceCounter {
  let vocabulary: Vocabulary
  let cache: PieceCache?
  private let tokens: TokenTable

  init(vocabulary: Vocabulary, cache: PieceCache?) {
    self.vocabulary = vocabulary
    self.cache = cache
    tokens = vocabulary.tokens
  }

  /// The number of tokens of a word that lies within `low` and `high`, the next 16 bytes.
  @inline(__always)
  func count(_ text: ByteText, _ start: Int, _ word: Word) -> Int {
    let length = word.length
    if length <= TokenTable.shortMax {
      return countShort(text, start, start &+ length, word.low & lowBytes(length))
    }
    let high = TokenTable.mediumKey(word.high & lowBytes(length - 8), length)
    return countMedium(text, start, start + length, word.low, high)
  }

  /// The number of tokens of the piece from `start` to before `end` (`start < end`).
  @inline(__always)
  func count(_ text: ByteText, _ start: Int, _ end: Int) -> Int {
    let length = end - start
    if length <= TokenTable.shortMax {
      return countShort(text, start, end, text.word(at: start, length: length))
    }
    if length <= TokenTable.mediumMax {
      let high = text.word(at: start + 8, length: length - 8)
      return countMedium(
        text, start, end, text.word(at: start), TokenTable.mediumKey(high, length))
    }
    return countLong(text, start, end)
  }

  @inline(__always)
  private func countShort(_ text: ByteText, _ start: Int, _ end: Int, _ bytes: UInt64) -> Int {
    let key = TokenTable.shortKey(bytes, end &- start)
    guard let cache else { return countUnmet(text, start, end, key) }
    return cache.hotCount(key) { countUnmet(text, start, end, key) }
  }

  /// A piece of at most 7 bytes that the hot table does not hold.
  @inline(never)
  private func countUnmet(_ text: ByteText, _ start: Int, _ end: Int, _ key: UInt64) -> Int {
    if tokens.holdsShort(key) { return 1 }
    guard let cache else { return merge(text, start, end) }
    // The cache keeps the length apart from the bytes, as for longer pieces.
    return cache.count(key & lowBytes(7), TokenTable.mediumKey(0, end - start)) {
      merge(text, start, end)
    }
  }

  /// A piece of 8 to 15 bytes: the cache first, since it is smaller than the vocabulary.
  @inline(__always)
  private func countMedium(
    _ text: ByteText, _ start: Int, _ end: Int, _ low: UInt64, _ high: UInt64
  ) -> Int {
    guard let cache else { return countUnmet(text, start, end, low, high) }
    return cache.count(low, high) { countUnmet(text, start, end, low, high) }
  }

  private func countUnmet(
    _ text: ByteText, _ start: Int, _ end: Int, _ low: UInt64, _ high: UInt64
  ) -> Int {
    tokens.holdsMedium(low, high) ? 1 : merge(text, start, end)
  }

  @inline(never)
  private func countLong(_ text: ByteText, _ start: Int, _ end: Int) -> Int {
    let length = end - start
    guard let cache, length <= PieceCache.largeBytes else { return countUnmet(text, start, end) }
    let first = quarter(text, start, min(length, 32))
    if length <= PieceCache.smallBytes {
      var piece = first
      piece.d |= UInt64(length) &<< 56
      return cache.count(piece) { countUnmet(text, start, end) }
    }
    var second = length > 32 ? quarter(text, start + 32, length - 32) : PieceCache.Small()
    second.d |= UInt64(length) &<< 56
    return cache.count(PieceCache.Large(first: first, second: second)) {
      countUnmet(text, start, end)
    }
  }

  /// A piece of 16 bytes and more that the cache does not hold.
  private func countUnmet(_ text: ByteText, _ start: Int, _ end: Int) -> Int {
    vocabulary.index(text, start, end) != nil ? 1 : merge(text, start, end)
  }

  /// Up to 32 bytes as four words.
  @inline(__always)
  private func quarter(_ text: ByteText, _ start: Int, _ length: Int) -> PieceCache.Small {
    func word(_ offset: Int) -> UInt64 {
      length > offset ? text.word(at: start + offset, length: min(8, length - offset)) : 0
    }
    return PieceCache.Small(a: word(0), b: word(8), c: word(16), d: word(24))
  }

  @inline(never)
  private func merge(_ text: ByteText, _ start: Int, _ end: Int) -> Int {
    PieceMerger(vocabulary: vocabulary, cache: cache).withTokens(text, start, end) { $0.count }
  }

  /// Appends the ids of the piece's tokens.
  @inline(__always)
  func appendIDs(_ text: ByteText, _ start: Int, _ end: Int, to ids: inout [UInt32]) {
    let first = UInt32(truncatingIfNeeded: vocabulary.firstID)
    if let index = vocabulary.index(text, start, end) {
      ids.append(UInt32(truncatingIfNeeded: index) &+ first)
      return
    }
    PieceMerger(vocabulary: vocabulary, cache: cache).withTokens(text, start, end) { run in
      for position in 0..<run.count {
        ids.append(UInt32(truncatingIfNeeded: run[position]) &+ first)
      }
    }
  }
}
