/// One way of cutting text into pieces; a piece's tokens never reach over its ends.
protocol Splitter {
  /// The end of the piece that starts at `start`, which is before the end of the text.
  static func pieceEnd(_ scanner: Scanner, _ start: Int) -> Int

  /// The piece at `start` if it is a plain word, by a quicker way that agrees with `pieceEnd`.
  static func word(_ text: ByteText, _ start: Int) -> Word?
}

/// The pattern of `cl100k_base`.
enum CL100KSplitter: Splitter {
  @inline(__always)
  static func word(_ text: ByteText, _ start: Int) -> Word? { WordScanner.letters(text, start) }

  @inline(__always)
  static func pieceEnd(_ scanner: Scanner, _ start: Int) -> Int {
    let text = scanner.text
    let (found, next) = scanner.character(at: start)
    if found.has(CharacterClass.letter) { return letters(scanner, next) }
    if found.has(CharacterClass.number) { return scanner.numbers(start) }
    if text[start] == UInt8(ascii: "'") {
      let length = scanner.contraction(next)
      if length > 0 { return next + length }
    }
    if !found.has(CharacterClass.lineBreak) && next < text.count {
      let (second, afterSecond) = scanner.character(at: next)
      if second.has(CharacterClass.letter) { return letters(scanner, afterSecond) }
      let barred = CharacterClass.letter | CharacterClass.number | CharacterClass.space
      if text[start] == UInt8(ascii: " ") && !second.has(barred) {
        return scanner.others(afterSecond, slashInTail: false)
      }
    }
    if found.has(CharacterClass.space) {
      return scanner.spaces(start, wholeAtEnd: true) { _, _ in false }
    }
    return scanner.others(next, slashInTail: false)
  }

  @inline(__always)
  private static func letters(_ scanner: Scanner, _ index: Int) -> Int {
    scanner.run(index, asciiMiss: missesLetter) { $0.has(CharacterClass.letter) }
  }
}

/// The pattern of `o200k_base`.
enum O200KSplitter: Splitter {
  @inline(__always)
  static func word(_ text: ByteText, _ start: Int) -> Word? {
    WordScanner.capitalised(text, start)
  }

  @inline(__always)
  static func pieceEnd(_ scanner: Scanner, _ start: Int) -> Int {
    let text = scanner.text
    let (found, next) = scanner.character(at: start)
    if found.has(CharacterClass.letter) {
      return suffixed(scanner, word(scanner, start).end)
    }
    if found.has(CharacterClass.number) { return scanner.numbers(start) }
    if let end = prefixed(scanner, start, found, next) { return suffixed(scanner, end) }
    if text[start] == UInt8(ascii: " ") && next < text.count {
      let (second, afterSecond) = scanner.character(at: next)
      let barred = CharacterClass.letter | CharacterClass.number | CharacterClass.space
      if !second.has(barred) { return scanner.others(afterSecond, slashInTail: true) }
    }
    if found.has(CharacterClass.space) {
      return scanner.spaces(start, wholeAtEnd: false) { _, _ in false }
    }
    return scanner.others(next, slashInTail: true)
  }

  /// A word after the prefix character at `start`, or one that starts with it when it is a mark.
  @inline(__always)
  private static func prefixed(
    _ scanner: Scanner, _ start: Int, _ found: CharacterClass, _ next: Int
  ) -> Int? {
    if found.has(CharacterClass.lineBreak) { return nil }
    let isMark = found.has(CharacterClass.letterOrMark)
    if next < scanner.text.count {
      let (end, endsInLower) = word(scanner, next)
      if end > next && (endsInLower || !isMark) { return end }
    }
    return isMark ? word(scanner, start).end : nil
  }

  /// The word from `start`: uppers* lowers+, else uppers+ lowers*; `end == start` if none is there.
  ///
  /// The two sides share the caseless letters and the marks, so the run of uppers may have to give
  /// back its tail: to the last character that also is on the lower side, which is remembered.
  @inline(__always)
  private static func word(_ scanner: Scanner, _ start: Int) -> (end: Int, endsInLower: Bool) {
    let text = scanner.text
    var at = start
    var afterLower = start
    while at < text.count {
      let (found, next) = scanner.character(at: at)
      if !found.has(CharacterClass.upperSide) {
        guard found.has(CharacterClass.lowerSide) else { break }
        let end = scanner.run(next, asciiMiss: missesLower) {
          $0.has(CharacterClass.lowerSide)
        }
        return (end, true)
      }
      if found.has(CharacterClass.lowerSide) { afterLower = next }
      at = next
    }
    return afterLower > start ? (afterLower, true) : (at, false)
  }

  /// The end of a word with the contraction that may follow it.
  @inline(__always)
  private static func suffixed(_ scanner: Scanner, _ end: Int) -> Int {
    guard end < scanner.text.count, scanner.text[end] == UInt8(ascii: "'") else { return end }
    let length = scanner.contraction(end + 1)
    return length > 0 ? end + 1 + length : end
  }
}

/// The three splits of DeepSeek V3, done in one walk.
///
/// Numbers are pieces of their own. CJK runs and what lies between them are fragments; the third
/// pattern cuts each of them and sees its end as the end of the text. What that leaves unmatched
/// (controls, format characters, private use, unassigned) is a piece of its own, as long as
/// possible.
enum DeepSeekSplitter: Splitter {
  @inline(__always)
  static func word(_ text: ByteText, _ start: Int) -> Word? { WordScanner.letters(text, start) }

  @inline(__always)
  static func pieceEnd(_ scanner: Scanner, _ start: Int) -> Int {
    let text = scanner.text
    let (found, next) = scanner.character(at: start)
    if found.has(CharacterClass.number) { return scanner.numbers(start) }
    let fragment = Fragment(found)
    if found.has(CharacterClass.letterOrMark) { return letters(scanner, next, fragment) }
    if next < text.count {
      let (second, afterSecond) = scanner.character(at: next)
      if found.has(CharacterClass.symbol) {
        if text[start] < 0x80 && text[next] < 0x80 && second.has(CharacterClass.letter) {
          return asciiLetters(scanner, afterSecond)
        }
      } else if !found.has(CharacterClass.lineBreak) && fragment.isWord(second) {
        return letters(scanner, afterSecond, fragment)
      }
      if text[start] == UInt8(ascii: " ") && fragment.isSymbol(second) {
        return symbols(scanner, afterSecond, fragment)
      }
    }
    if found.has(CharacterClass.symbol) { return symbols(scanner, next, fragment) }
    if found.has(CharacterClass.space) {
      return scanner.spaces(start, wholeAtEnd: false) { _, stop in
        stop.has(CharacterClass.number | CharacterClass.cjk)
      }
    }
    return unmatched(scanner, next, fragment)
  }

  /// Which kind of fragment a character is in: a CJK run, or not.
  private struct Fragment {
    let side: UInt8

    @inline(__always)
    init(_ found: CharacterClass) { side = found.rawValue & CharacterClass.cjk }

    /// Whether a character is in the same fragment and a letter or a mark.
    @inline(__always)
    func isWord(_ found: CharacterClass) -> Bool {
      found.has(CharacterClass.letterOrMark) && found.rawValue & CharacterClass.cjk == side
    }

    /// Whether a character is in the same fragment and punctuation or a symbol.
    @inline(__always)
    func isSymbol(_ found: CharacterClass) -> Bool {
      found.has(CharacterClass.symbol) && found.rawValue & CharacterClass.cjk == side
    }
  }

  @inline(__always)
  private static func letters(_ scanner: Scanner, _ index: Int, _ fragment: Fragment) -> Int {
    if fragment.side != 0 {
      return scanner.run(index, asciiMiss: { _ in 0x80 }, accepts: fragment.isWord)
    }
    return scanner.run(index, asciiMiss: missesLetter, accepts: fragment.isWord)
  }

  @inline(__always)
  private static func asciiLetters(_ scanner: Scanner, _ index: Int) -> Int {
    let text = scanner.text
    var at = index
    while at < text.count, text[at] < 0x80,
      scanner.classes[ascii: text[at]].has(CharacterClass.letter)
    {
      at += 1
    }
    return at
  }

  @inline(__always)
  private static func symbols(_ scanner: Scanner, _ index: Int, _ fragment: Fragment) -> Int {
    let text = scanner.text
    var at = index
    while at < text.count {
      let (found, next) = scanner.character(at: at)
      if !fragment.isSymbol(found) { break }
      at = next
    }
    if fragment.side != 0 { return at }
    while at < text.count, text[at] == 0x0A || text[at] == 0x0D { at += 1 }
    return at
  }

  /// From a character that no pattern matches to before the next match.
  private static func unmatched(_ scanner: Scanner, _ index: Int, _ fragment: Fragment) -> Int {
    var at = index
    while at < scanner.text.count {
      let (found, next) = scanner.character(at: at)
      if found.rawValue != fragment.side { break }
      // A bare character before a word is that word's prefix.
      if next < scanner.text.count, fragment.isWord(scanner.character(at: next).0) { break }
      at = next
    }
    return at
  }
}
