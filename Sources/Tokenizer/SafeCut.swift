/// Places where a text may be cut so that the counts of both parts add up to the whole's.
///
/// Two kinds: before a whitespace other than CR and LF that follows a character which is no
/// whitespace; and after a CR or LF when the next character is neither whitespace nor "/". They
/// hold for all three encodings, whatever follows later. Elsewhere adding is wrong: "hello " and
/// "world" are 3 tokens, together 2. For speed the whitespace of the first kind is ASCII only.
extension Encoding {
  /// The last safe cut of `bytes` that lies after `start` and at or before `end`.
  ///
  /// Bytes that are not valid UTF-8 count as U+FFFD, as they do in `count(utf8:)`. A character
  /// that the end of `bytes` cuts off makes no cut, since it is not known yet.
  public static func lastSafeCut(
    in bytes: Span<UInt8>, after start: Int, atOrBefore end: Int
  ) -> Int? {
    var at = min(end, bytes.count - 1)
    while at > start && at > 0 {
      if isSafeCut(bytes, at) { return at }
      at -= 1
    }
    return nil
  }

  private static func isSafeCut(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
    let (left, right) = (bytes[at - 1], bytes[at])
    if left == 0x0A || left == 0x0D {
      if right < 0x80 { return right != UInt8(ascii: "/") && !isSpace(right) }
      return scalar(bytes, at).map { !isSpace($0) } ?? false
    }
    guard isSpace(right), right != 0x0A, right != 0x0D else { return false }
    if left < 0x80 { return !isSpace(left) }
    // The character before: at most 4 bytes, and its lead is none of 0x80..<0xC0.
    for start in stride(from: at - 1, through: max(0, at - 4), by: -1)
    where bytes[start] & 0xC0 != 0x80 {
      return !isSpace(scalar(bytes, start) ?? 0xFFFD)
    }
    return true
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  private static func isSpace(_ point: Int) -> Bool {
    CharacterClasses.unicode16[point].has(CharacterClass.space)
  }

  /// The code point at `at`, whose byte is 0x80 or more: U+FFFD if it is ill-formed, nil if the
  /// end of the bytes cuts it off.
  private static func scalar(_ bytes: Span<UInt8>, _ at: Int) -> Int? {
    let lead = bytes[at]
    let length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    if at + length > bytes.count { return nil }
    var copy: [UInt8] = []
    for offset in 0..<length { copy.append(bytes[at + offset]) }
    return String(decoding: copy, as: UTF8.self).unicodeScalars.first.map { Int($0.value) }
  }
}

/// Counts a text that grows, such as a streamed answer.
///
/// - Shape: the count up to the last safe cut is final; only what follows it is counted again.
///   `count` always equals `Encoding.count(utf8:)` of everything that was appended.
/// - Input: bytes; a character may arrive in parts. Until it is whole it counts as U+FFFD.
/// - Isolation: none; a value, driven by its owner.
/// - Limits: text without any cut is kept whole and is counted again for each `count`.
///
///     var counter = IncrementalCounter(.o200kBase)
///     counter.append(utf8: Array("Hello ".utf8))
///     counter.append(utf8: Array("world".utf8))
///     counter.count   // 2
public struct IncrementalCounter: Sendable {
  public let encoding: Encoding
  private var settled = 0
  private var tail: [UInt8] = []
  private var tailCount: Int? = 0

  public init(_ encoding: Encoding) { self.encoding = encoding }

  /// Adds bytes to the end of the text.
  public mutating func append(utf8 bytes: Span<UInt8>) {
    if bytes.isEmpty { return }
    let known = tail.count
    tail.reserveCapacity(known + bytes.count)
    for index in bytes.indices { tail.append(bytes[index]) }
    tailCount = nil
    // A cut that could not be told before lies at most one unfinished character back.
    let cut = Encoding.lastSafeCut(
      in: tail.span, after: max(0, known - 4), atOrBefore: tail.count - 1)
    guard let cut else { return }
    settled += encoding.count(utf8: tail.span.extracting(..<cut))
    tail.removeFirst(cut)
  }

  /// Adds bytes to the end of the text.
  public mutating func append(utf8 bytes: [UInt8]) { append(utf8: bytes.span) }

  /// Adds text to the end of the text.
  public mutating func append(_ text: String) { append(utf8: Array(text.utf8)) }

  /// The number of tokens of all that was appended.
  public var count: Int {
    mutating get {
      if let tailCount { return settled + tailCount }
      let counted = encoding.count(utf8: tail)
      tailCount = counted
      return settled + counted
    }
  }
}
