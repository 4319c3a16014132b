/// Which prompt prefixes were seen before, in blocks that stand for 1,024 tokens.
///
/// A block is 4,096 bytes of the prompt's bytes (four bytes a token); its digest covers all before
/// it, so equal digests mean equal prefixes.
struct PrefixCache {
  static let blockBytes = 4096
  static let blockTokens = 1024
  /// Digests kept; when they are full, the cache starts anew.
  static let blocksMax = 1 << 16

  private var seen: Set<[UInt8]> = []

  /// The tokens of `prompt` that were cached; afterwards all its whole blocks are.
  ///
  /// - Parameter scope: what separates caches: the model, and whose key it was.
  mutating func lookUpAndInsert(
    scope: String, prompt: [UInt8], promptTokens: Int
  ) -> Int {
    var digest = SHA256.digest(of: Array(scope.utf8)[...])
    var cached = 0
    var isWarm = true
    if seen.count > PrefixCache.blocksMax { seen = [] }
    var end = PrefixCache.blockBytes
    while end <= prompt.count {
      let block = prompt[(end - PrefixCache.blockBytes)..<end]
      digest = SHA256.digest(of: digest[...] + block)
      isWarm = !seen.insert(digest).inserted && isWarm
      if isWarm { cached += 1 }
      end += PrefixCache.blockBytes
    }
    let wholeBlocks = promptTokens / PrefixCache.blockTokens
    return min(cached, wholeBlocks) * PrefixCache.blockTokens
  }
}
