/// Cuts one piece into tokens, exactly as merging its byte pairs in the order of ranks would.
///
/// Takes the longest token that fits and tests that it can follow the one before; when it cannot,
/// tries the next shorter one, and steps back when none is left. A sequence in which each token
/// can follow the one before is the only one that merging produces, so the answer is exact, and
/// since an end that failed is never tried again, the time is linear in the piece's length.
///
/// - Isolation: none; it works in memory of its own, on the stack for small pieces, which is
///   given back when it returns.
/// - Source: the algorithm of the rust-gems crate `bpe` (its README has the proof).
struct PieceMerger {
  let vocabulary: Vocabulary
  let cache: PieceCache?

  /// The indices of the piece from `start` to before `end`, in order, lent to `body`.
  @inline(__always)
  func withTokens<Result>(
    _ text: ByteText, _ start: Int, _ end: Int, _ body: (TokenRun) -> Result
  ) -> Result {
    // One extra bit, since the end itself can be an end. All bits start as 1: not yet failed.
    let length = end - start
    return unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: length) { tokens in
      unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: length / 64 + 1) { open in
        unsafe open.initialize(repeating: .max)
        let count = unsafe merge(text, start, end, tokens.baseAddress!, open.baseAddress!)
        return body(unsafe TokenRun(tokens.baseAddress!, count: count))
      }
    }
  }

  /// Writes the tokens' indices and returns their number. `open` has a bit for each possible end.
  private func merge(
    _ text: ByteText, _ start: Int, _ end: Int,
    _ tokens: UnsafeMutablePointer<UInt32>, _ open: UnsafeMutablePointer<UInt64>
  ) -> Int {
    var count = 0
    var at = start
    var (token, length) = vocabulary.longestMatch(text, at, end)
    while true {
      let offset = at + length - start
      let isOpen = unsafe open[offset >> 6] >> UInt64(offset & 63) & 1 != 0
      let before = count > 0 ? unsafe Int(tokens[count - 1]) : -1
      if isOpen && (count == 0 || canFollow(before, token)) {
        unsafe tokens[count] = UInt32(truncatingIfNeeded: token)
        count += 1
        at += length
        if at == end { return count }
        (token, length) = vocabulary.longestMatch(text, at, end)
      } else if length > 1 {
        (token, length) = vocabulary.longestMatch(text, at, at + length - 1)
      } else {
        // Nothing can end here: forget the token before and let it try a shorter one.
        let failed = at - start
        unsafe open[failed >> 6] &= ~(1 << UInt64(failed & 63))
        precondition(count > 0, "each token of a vocabulary is reached by merges")
        count -= 1
        token = unsafe Int(tokens[count])
        length = vocabulary.length(of: token)
        at -= length
      }
    }
  }

  @inline(__always)
  private func canFollow(_ left: Int, _ right: Int) -> Bool {
    guard let cache else { return vocabulary.merges.canFollow(left, right) }
    return cache.canFollow(left, right) { vocabulary.merges.canFollow(left, right) }
  }
}

/// The indices of one piece's tokens, borrowed.
@safe struct TokenRun {
  private let base: UnsafePointer<UInt32>
  let count: Int

  init(_ base: UnsafePointer<UInt32>, count: Int) {
    unsafe self.base = base
    self.count = count
  }

  @inline(__always)
  subscript(position: Int) -> Int {
    assert(position >= 0 && position < count)
    return unsafe Int(base[position])
  }
}
