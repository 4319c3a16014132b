/// A byte-pair encoding whose vocabulary is public, and which is therefore counted exactly.
///
/// - Shape: ids equal those of the reference engines on every text (tiktoken for the first two,
///   Hugging Face tokenizers for DeepSeek V3). The text of special tokens is ordinary text.
/// - Input: UTF-8. A maximal part that is not valid becomes one U+FFFD.
/// - Isolation: none, and safe from any thread. The tables are loaded once, on first use; each
///   core learns pieces in a cache of fixed size.
///
///     let encoding = Encoding.named("o200k_base")!
///     encoding.count("Recount keeps conversations")   // 4
public enum Encoding: String, CaseIterable, Sendable {
  case cl100kBase = "cl100k_base"
  case o200kBase = "o200k_base"
  case deepSeekV3 = "deepseek_v3"

  /// The published name, such as `o200k_base`.
  public var name: String { rawValue }

  /// The encoding of that published name, if it is known.
  public static func named(_ name: String) -> Encoding? { Encoding(rawValue: name) }

  /// Loads the vocabulary now, so that no later call waits for it.
  public func prepare() { _ = vocabulary }

  var vocabulary: Vocabulary {
    switch self {
    case .cl100kBase: Vocabulary.cl100kBase
    case .o200kBase: Vocabulary.o200kBase
    case .deepSeekV3: Vocabulary.deepSeekV3
    }
  }

  /// The number of tokens of a text.
  public func count(_ text: String) -> Int {
    withBytes(of: text) { count($0, limit: .max) }
  }

  /// The number of tokens of UTF-8 bytes.
  public func count(utf8 bytes: Span<UInt8>) -> Int {
    withValid(bytes) { count($0, limit: .max) }
  }

  /// The number of tokens of UTF-8 bytes.
  public func count(utf8 bytes: [UInt8]) -> Int { count(utf8: bytes.span) }

  /// Whether a text has at most `limit` tokens; stops reading once it has more.
  public func isWithin(_ limit: Int, _ text: String) -> Bool {
    withBytes(of: text) { count($0, limit: limit) } <= limit
  }

  /// Whether UTF-8 bytes have at most `limit` tokens; stops reading once they have more.
  public func isWithin(_ limit: Int, utf8 bytes: Span<UInt8>) -> Bool {
    withValid(bytes) { count($0, limit: limit) } <= limit
  }

  /// Whether UTF-8 bytes have at most `limit` tokens; stops reading once they have more.
  public func isWithin(_ limit: Int, utf8 bytes: [UInt8]) -> Bool {
    isWithin(limit, utf8: bytes.span)
  }

  /// The ids of a text's tokens.
  public func encode(_ text: String) -> [UInt32] {
    withBytes(of: text) { ids($0) }
  }

  /// The ids of the tokens of UTF-8 bytes.
  public func encode(utf8 bytes: Span<UInt8>) -> [UInt32] {
    withValid(bytes) { ids($0) }
  }

  /// The ids of the tokens of UTF-8 bytes.
  public func encode(utf8 bytes: [UInt8]) -> [UInt32] { encode(utf8: bytes.span) }

  /// The bytes that the tokens stand for; a single token may end within a character.
  ///
  /// - Throws: `.unknownToken` for an id that the vocabulary does not have.
  public func decode(_ ids: [UInt32]) throws(TokenizerError) -> [UInt8] {
    let vocabulary = self.vocabulary
    var bytes: [UInt8] = []
    bytes.reserveCapacity(ids.count * 5)
    for id in ids {
      let index = Int(id) - vocabulary.firstID
      if index < 0 || index >= vocabulary.count {
        guard let special = specialToken(id) else { throw .unknownToken(id) }
        bytes.append(contentsOf: special.utf8)
        continue
      }
      let token = vocabulary.bytes(of: index)
      for position in 0..<token.count { bytes.append(token[position]) }
    }
    return bytes
  }

  /// The text of the special tokens that are published for this encoding.
  private func specialToken(_ id: UInt32) -> String? {
    switch (self, id) {
    case (.cl100kBase, 100_257), (.o200kBase, 199_999): "<|endoftext|>"
    case (.cl100kBase, 100_258): "<|fim_prefix|>"
    case (.cl100kBase, 100_259): "<|fim_middle|>"
    case (.cl100kBase, 100_260): "<|fim_suffix|>"
    case (.cl100kBase, 100_276), (.o200kBase, 200_018): "<|endofprompt|>"
    case (.deepSeekV3, 0): "<｜begin▁of▁sentence｜>"
    case (.deepSeekV3, 1): "<｜end▁of▁sentence｜>"
    case (.deepSeekV3, 2): "<｜▁pad▁｜>"
    default: nil
    }
  }
}

/// What a caller of the tokenizer got wrong.
public enum TokenizerError: Error, Equatable, CustomStringConvertible {
  /// The vocabulary has no such token.
  case unknownToken(UInt32)

  public var description: String {
    switch self {
    case .unknownToken(let id): "unknown token \(id)"
    }
  }
}

extension Encoding {
  /// Lends a string's bytes, which are valid by construction.
  private func withBytes<Result>(of text: String, _ body: (ByteText) -> Result) -> Result {
    var text = text
    return text.withUTF8 { buffer in
      guard let base = buffer.baseAddress else { return body(.empty) }
      return body(unsafe ByteText(base, count: buffer.count))
    }
  }

  /// Lends bytes that are valid UTF-8: those given, or a repaired copy.
  private func withValid<Result>(_ bytes: Span<UInt8>, _ body: (ByteText) -> Result) -> Result {
    unsafe bytes.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return body(.empty) }
      let text = unsafe ByteText(base, count: buffer.count)
      if isValidUTF8(text) { return body(text) }
      let repaired = unsafe String(decoding: buffer, as: UTF8.self)
      return withBytes(of: repaired, body)
    }
  }

  /// The sum of the pieces' counts; may stop once it exceeds `limit`.
  func count(_ text: ByteText, limit: Int) -> Int {
    PieceCache.borrowing(self) { cache in
      switch self {
      case .cl100kBase: total(CL100KSplitter.self, text, limit, cache)
      case .o200kBase: total(O200KSplitter.self, text, limit, cache)
      case .deepSeekV3: total(DeepSeekSplitter.self, text, limit, cache)
      }
    }
  }

  private func ids(_ text: ByteText) -> [UInt32] {
    PieceCache.borrowing(self) { cache in
      switch self {
      case .cl100kBase: ids(CL100KSplitter.self, text, cache)
      case .o200kBase: ids(O200KSplitter.self, text, cache)
      case .deepSeekV3: ids(DeepSeekSplitter.self, text, cache)
      }
    }
  }

  @inline(__always)
  private func total<S: Splitter>(
    _: S.Type, _ text: ByteText, _ limit: Int, _ cache: PieceCache?
  ) -> Int {
    let scanner = Scanner(text)
    let counter = PieceCounter(vocabulary: vocabulary, cache: cache)
    var (start, sum) = (0, 0)
    while start < text.count {
      if let word = S.word(text, start) {
        sum += counter.count(text, start, word)
        if sum > limit { return sum }
        start += word.length
        continue
      }
      let end = S.pieceEnd(scanner, start)
      sum += counter.count(text, start, end)
      if sum > limit { return sum }
      start = end
    }
    return sum
  }

  @inline(__always)
  private func ids<S: Splitter>(
    _: S.Type, _ text: ByteText, _ cache: PieceCache?
  ) -> [UInt32] {
    let scanner = Scanner(text)
    let counter = PieceCounter(vocabulary: vocabulary, cache: cache)
    var ids: [UInt32] = []
    // About what text in a well-covered script needs; others grow it.
    ids.reserveCapacity(text.count / 4 + 8)
    var start = 0
    while start < text.count {
      let end = S.pieceEnd(scanner, start)
      counter.appendIDs(text, start, end, to: &ids)
      start = end
    }
    return ids
  }
}
