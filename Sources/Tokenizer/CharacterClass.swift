private import CVocabularies

/// What a code point is to the splitters: flags of Unicode 16.0, one byte.
///
/// The reference engines use exactly this version, so the classes come from the embedded table
/// and never from `Unicode.Scalar.Properties`, whose version floats with the standard library.
struct CharacterClass: BitwiseCopyable {
  let rawValue: UInt8

  /// Lu Lt Lm Lo M: may stand on the left of an o200k word.
  static let upperSide: UInt8 = 1
  /// Ll Lm Lo M: may stand on the right of an o200k word.
  static let lowerSide: UInt8 = 2
  /// \p{L}
  static let letter: UInt8 = 4
  /// \p{N}
  static let number: UInt8 = 8
  /// \s
  static let space: UInt8 = 16
  /// \p{P} or \p{S}
  static let symbol: UInt8 = 32
  /// CR or LF
  static let lineBreak: UInt8 = 64
  /// The ideographs, Hiragana and Katakana of DeepSeek's second split.
  static let cjk: UInt8 = 128

  /// A letter or a mark.
  static let letterOrMark: UInt8 = upperSide | lowerSide

  @inline(__always)
  func has(_ flags: UInt8) -> Bool { rawValue & flags != 0 }
}

/// The two-stage table: a block number for each 128 code points, then the blocks.
struct CharacterClasses: Sendable {
  private static let blocks = 0x110000 / 128

  private let table: ByteText

  /// The table that is embedded in the program.
  static let unicode16 = CharacterClasses()

  private init() {
    let embedded = unsafe recount_unicode_classes()
    unsafe table = ByteText(embedded.bytes, count: embedded.count)
  }

  /// An empty text; it has to point somewhere.
  var noBytes: ByteText { table.slice(0, 0) }

  /// The class of an ASCII byte: block 0 comes first.
  @inline(__always)
  subscript(ascii byte: UInt8) -> CharacterClass {
    CharacterClass(rawValue: table[Self.blocks + Int(byte)])
  }

  @inline(__always)
  subscript(point: Int) -> CharacterClass {
    let block = Int(table[point >> 7])
    return CharacterClass(rawValue: table[Self.blocks + (block << 7) + (point & 127)])
  }
}
