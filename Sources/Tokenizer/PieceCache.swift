internal import Synchronization

/// What was learned about pieces: how many tokens they are.
///
/// - Shape: three tables, for pieces of up to 15, 30 and 62 bytes. A slot holds the piece itself
///   beside its count, so an answer is exact whatever the hash does. The first two have buckets of
///   one cache line, four and two slots, so that few pieces push each other out; one that finds its
///   bucket full overwrites the slot that its hash names. The last word of a slot is: up to 7 or 6
///   bytes, the count, the length.
///   Beside them, which tokens can follow which; and before them a table of the pieces of up to 7
///   bytes that were met last, 8 bytes each, so that the commonest words share few cache lines.
/// - Limits: 65,536 slots of 16 bytes, 32,768 of 32, 16,384 of 64, twice 16,384 of 8: 3.4 MB, never
///   more. At most `cachesMax` caches are made for an encoding, each when it is first needed, and
///   kept.
/// - Isolation: one borrower at a time, by the shelf's lock; who finds all of them lent works
///   without one.
/// - The hash is seeded per process, so that nobody can prepare pieces that all collide.
struct PieceCache: BitwiseCopyable, Sendable {
  static let cachesMax = 4
  static let smallBytes = 30
  static let largeBytes = 62
  private static let hotSlots = 16_384
  private static let mediumBuckets = 16_384
  private static let smallBuckets = 16_384
  private static let pairSlots = 16_384
  private static let largeSlots = 16_384
  private static let processSeed = UInt64.random(in: .min ... .max)

  private let seed = PieceCache.processSeed
  private let hot = FixedTable<UInt64>(repeating: 0, count: PieceCache.hotSlots)
  private let medium = FixedTable<Medium>(
    repeating: Medium(), count: PieceCache.mediumBuckets * 4)
  private let small = FixedTable<Small>(repeating: Small(), count: PieceCache.smallBuckets * 2)
  private let large = FixedTable<Large>(repeating: Large(), count: PieceCache.largeSlots)
  private let pairs = FixedTable<UInt64>(repeating: 0, count: PieceCache.pairSlots)

  /// A piece of at most 15 bytes, as in `TokenTable`; the upper half of the last byte is the count.
  private struct Medium: BitwiseCopyable {
    var low: UInt64 = 0
    var high: UInt64 = 0
  }

  /// A piece of 16 to 30 bytes. All zeros: free, since no piece is empty.
  struct Small: BitwiseCopyable {
    var a: UInt64 = 0
    var b: UInt64 = 0
    var c: UInt64 = 0
    var d: UInt64 = 0
  }

  /// A piece of 31 to 62 bytes.
  struct Large: BitwiseCopyable {
    var first = Small()
    var second = Small()
  }

  static let countMask: UInt64 = 0xFF << 48

  /// A seeded folded multiplication.
  @inline(__always)
  private func mix(_ one: UInt64, _ other: UInt64) -> UInt64 {
    let product = (one ^ seed).multipliedFullWidth(by: other ^ 0x9E37_79B9_7F4A_7C15)
    return product.high ^ product.low
  }

  @inline(__always)
  private func mix(_ piece: Small) -> UInt64 {
    mix(piece.a, piece.b ^ piece.d) ^ mix(piece.c, piece.d &* 0xD6E8_FEB8_6659_FD93)
  }

  @inline(__always)
  private static func matches(_ one: Small, _ piece: Small) -> Bool {
    (one.a ^ piece.a) | (one.b ^ piece.b) | (one.c ^ piece.c)
      | ((one.d ^ piece.d) & ~countMask) == 0
  }

  /// The count of a piece of at most 7 bytes, by its `TokenTable.shortKey`; see `count(_:learn:)`.
  ///
  /// The upper half of the key's last byte, where lengths up to 7 leave room, holds the count.
  @inline(__always)
  func hotCount(_ key: UInt64, learn: () -> Int) -> Int {
    let slot = Int(truncatingIfNeeded: mix(key, 0) & UInt64(Self.hotSlots - 1))
    let found = hot[slot]
    if (found ^ key) &<< 4 == 0 { return Int(truncatingIfNeeded: found &>> 60) }
    let count = learn()
    hot[slot] = key | UInt64(truncatingIfNeeded: count) &<< 60
    return count
  }

  /// The count of a piece of at most 15 bytes, by its first 8 and its `TokenTable.mediumKey`, or
  /// what `learn` says of it, which is kept.
  @inline(__always)
  func count(_ low: UInt64, _ high: UInt64, learn: () -> Int) -> Int {
    let hash = mix(low, high)
    let slot = Int(truncatingIfNeeded: hash & UInt64(Self.mediumBuckets - 1)) &* 4
    // All four without a branch: which one it is cannot be foreseen. Counts are never 0.
    var count: UInt64 = 0
    for way in 0..<4 {
      let found = medium[slot &+ way]
      let isIt = (found.low ^ low) | ((found.high ^ high) &<< 4) == 0
      count |= isIt ? found.high &>> 60 : 0
    }
    if count != 0 { return Int(truncatingIfNeeded: count) }
    return learnMedium(low, high, slot, hash, learn())
  }

  @inline(never)
  private func learnMedium(
    _ low: UInt64, _ high: UInt64, _ slot: Int, _ hash: UInt64, _ count: Int
  ) -> Int {
    var way = Int(truncatingIfNeeded: hash &>> 62)
    for free in 0..<4 where medium[slot + free].high == 0 { way = free }
    medium[slot + way] = Medium(low: low, high: high | UInt64(count) << 60)
    return count
  }

  /// Whether a token can follow another, or what `learn` says of it, which is kept.
  @inline(__always)
  func canFollow(_ left: Int, _ right: Int, learn: () -> Bool) -> Bool {
    // The lowest bit is the answer; the next keeps a slot from being 0, which is free.
    let key = (UInt64(left) << 18 | UInt64(right)) << 2 | 2
    let slot = place(scramble(key), in: Self.pairSlots)
    let found = pairs[slot]
    if found & ~1 == key { return found & 1 != 0 }
    let answer = learn()
    pairs[slot] = key | (answer ? 1 : 0)
    return answer
  }

  /// The count of a small piece, or what `learn` says of it, which is kept.
  @inline(__always)
  func count(_ piece: Small, learn: () -> Int) -> Int {
    let hash = mix(piece)
    let slot = Int(truncatingIfNeeded: hash & UInt64(Self.smallBuckets - 1)) &* 2
    let (one, other) = (small[slot], small[slot + 1])
    if Self.matches(one, piece) { return Int(one.d >> 48 & 0xFF) }
    if Self.matches(other, piece) { return Int(other.d >> 48 & 0xFF) }
    let count = learn()
    var learnt = piece
    learnt.d |= UInt64(count) << 48
    let way = one.d == 0 ? 0 : other.d == 0 ? 1 : Int(truncatingIfNeeded: hash >> 63)
    small[slot + way] = learnt
    return count
  }

  /// The count of a large piece, or what `learn` says of it, which is kept.
  @inline(__always)
  func count(_ piece: Large, learn: () -> Int) -> Int {
    let hash = mix(mix(piece.first), mix(piece.second))
    let slot = place(hash & 0xFFFF_FFFF, in: Self.largeSlots)
    let found = large[slot]
    if found.first.a == piece.first.a && found.first.b == piece.first.b
      && found.first.c == piece.first.c && found.first.d == piece.first.d
      && Self.matches(found.second, piece.second)
    {
      return Int(found.second.d >> 48 & 0xFF)
    }
    let count = learn()
    var learnt = piece
    learnt.second.d |= UInt64(count) << 48
    large[slot] = learnt
    return count
  }
}

/// The caches of one encoding that are not lent.
private final class CacheShelf: Sendable {
  private struct State {
    var free: [PieceCache] = []
    var made = 0
  }

  private let state = Mutex(State())

  static let cl100kBase = CacheShelf()
  static let o200kBase = CacheShelf()
  static let deepSeekV3 = CacheShelf()

  func take() -> PieceCache? {
    state.withLock { state in
      if let cache = state.free.popLast() { return cache }
      if state.made == PieceCache.cachesMax { return nil }
      state.made += 1
      return PieceCache()
    }
  }

  func giveBack(_ cache: PieceCache) {
    state.withLock { $0.free.append(cache) }
  }
}

extension PieceCache {
  /// Lends a cache of an encoding to `body`, or nil when all are in use.
  static func borrowing<Result>(
    _ encoding: Encoding, _ body: (PieceCache?) -> Result
  ) -> Result {
    let shelf =
      switch encoding {
      case .cl100kBase: CacheShelf.cl100kBase
      case .o200kBase: CacheShelf.o200kBase
      case .deepSeekV3: CacheShelf.deepSeekV3
      }
    let cache = shelf.take()
    defer { if let cache { shelf.giveBack(cache) } }
    return body(cache)
  }
}
