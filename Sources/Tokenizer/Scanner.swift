/// Finds where pieces end. The shared parts of the three splitters.
///
/// - Shape: `pieceEnd(p)` needs `p < text.count` at the start of a piece; it returns the end.
///   The splitters are hand-written from the published patterns and need no regex engine.
/// - Isolation: none; a value over a borrowed text.
struct Scanner {
  let text: ByteText
  let classes: CharacterClasses

  @inline(__always)
  init(_ text: ByteText) {
    self.text = text
    classes = CharacterClasses.unicode16
  }

  /// The class of the character at `index` and the index after it.
  @inline(__always)
  func character(at index: Int) -> (CharacterClass, next: Int) {
    let byte = text[index]
    if byte < 0x80 { return (classes[ascii: byte], index + 1) }
    let (point, length) = text.scalar(at: index)
    return (classes[point], index + length)
  }

  /// Runs from `index` over the characters that `accepts` takes.
  ///
  /// `asciiMiss` marks in a word the bytes that are not in the set, every byte from 0x80 included.
  @inline(__always)
  func run(
    _ index: Int, asciiMiss: (UInt64) -> UInt64, accepts: (CharacterClass) -> Bool
  ) -> Int {
    var at = index
    while true {
      if at + 8 <= text.count {
        let miss = asciiMiss(text.word(at: at))
        if miss == 0 {
          at += 8
          continue
        }
        at += miss.trailingZeroBitCount >> 3
        if text[at] < 0x80 { return at }
      } else if at >= text.count {
        return at
      }
      repeat {
        let (found, next) = character(at: at)
        if !accepts(found) { return at }
        at = next
        // Past ASCII, what follows mostly is so too: no use in trying 8 bytes again.
      } while at < text.count && text[at] >= 0x80
    }
  }

  /// Up to three numbers from `index`, which is one.
  @inline(__always)
  func numbers(_ index: Int) -> Int {
    var at = index
    var left = 3
    while left > 0 && at < text.count {
      let (found, next) = character(at: at)
      if !found.has(CharacterClass.number) { break }
      at = next
      left -= 1
    }
    return at
  }

  /// Runs over characters that are no letter, number or space, then over `tail` bytes.
  @inline(__always)
  func others(_ index: Int, slashInTail: Bool) -> Int {
    let barred = CharacterClass.letter | CharacterClass.number | CharacterClass.space
    var at = index
    while at < text.count {
      let (found, next) = character(at: at)
      if found.has(barred) { break }
      at = next
    }
    while at < text.count {
      let byte = text[at]
      guard byte == 0x0A || byte == 0x0D || (slashInTail && byte == 0x2F) else { break }
      at += 1
    }
    return at
  }

  /// The length of a contraction's letters at `index`, which follows an apostrophe: s (also the
  /// long s, U+017F, by case folding), d, m, t, ll, ve, re; 0 if there is none.
  @inline(__always)
  func contraction(_ index: Int) -> Int {
    guard index < text.count else { return 0 }
    let first = text[index] | 0x20
    switch first {
    case UInt8(ascii: "s"), UInt8(ascii: "d"), UInt8(ascii: "m"), UInt8(ascii: "t"):
      return 1
    case UInt8(ascii: "l"), UInt8(ascii: "v"), UInt8(ascii: "r"):
      guard index + 1 < text.count else { return 0 }
      let wanted = first == UInt8(ascii: "l") ? UInt8(ascii: "l") : UInt8(ascii: "e")
      return text[index + 1] | 0x20 == wanted ? 2 : 0
    default:
      return text[index] == 0xC5 && text[index + 1] == 0xBF ? 2 : 0
    }
  }

  /// The end of a whitespace piece at `index`.
  ///
  /// A run with a CR or LF ends after the last of them; else a run that reaches `isEnd` is whole;
  /// else all but its last character, if it has more than one.
  /// `wholeAtEnd`: a run that reaches the end is whole even if it holds a line break.
  @inline(__always)
  func spaces(
    _ index: Int, wholeAtEnd: Bool, isEnd: (Int, CharacterClass) -> Bool
  ) -> Int {
    var at = index
    var last = index
    var afterBreak = index
    var stop: CharacterClass?
    while at < text.count {
      let (found, next) = character(at: at)
      if !found.has(CharacterClass.space) {
        stop = found
        break
      }
      if found.has(CharacterClass.lineBreak) { afterBreak = next }
      last = at
      at = next
    }
    let reachesEnd = stop.map { isEnd(at, $0) } ?? true
    if reachesEnd && (wholeAtEnd || afterBreak == index) { return at }
    if afterBreak > index { return afterBreak }
    return last > index ? last : at
  }
}

/// Marks the bytes of a word that are no ASCII letters, by their high bits.
@inline(__always)
func missesLetter(_ word: UInt64) -> UInt64 {
  missesLower(word | 0x2020_2020_2020_2020)
}

/// Marks the bytes of a word that are not `a` to `z`, by their high bits.
@inline(__always)
func missesLower(_ word: UInt64) -> UInt64 {
  misses(word, from: 0x61, through: 0x7A)
}

/// Marks the bytes of a word that are not `A` to `Z`, by their high bits.
@inline(__always)
func missesUpper(_ word: UInt64) -> UInt64 {
  misses(word, from: 0x41, through: 0x5A)
}

/// Marks the bytes of a word outside of an ASCII range, by their high bits.
///
/// Seven-bit sums cannot carry into the next byte: a byte that is at least `first` reaches 0x80,
/// one past `last` does so in the second sum.
@inline(__always)
private func misses(_ word: UInt64, from first: UInt64, through last: UInt64) -> UInt64 {
  let ones: UInt64 = 0x0101_0101_0101_0101
  let low = word & (0x7F &* ones)
  let reaches = low &+ (0x80 &- first) &* ones
  let passes = low &+ (0x7F &- last) &* ones
  return (~reaches | passes | word) & (0x80 &* ones)
}
