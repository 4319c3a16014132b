/// What a JSON text may hold, and what the reader does with characters that storage refuses.
///
/// - Units: bytes of UTF-8; levels of nesting; values of any kind.
public struct JSONOptions: Sendable, Hashable {
  /// The most bytes that a text may have (inclusive).
  public var bytesMax: Int
  /// The most arrays and objects that may be open at once (inclusive); at most `depthCeiling`.
  public var depthMax: Int
  /// The most values in one text (inclusive): a tree costs about 40 bytes a value.
  public var valuesMax: Int
  /// What happens to a `\u` escape of a surrogate that has no partner.
  public var loneSurrogate: Treatment
  /// What happens to the escape `\u0000`, which PostgreSQL's `text` cannot hold.
  public var nul: Treatment

  /// What the reader does with a character that is legal in JSON and troublesome in storage.
  public enum Treatment: Sendable, Hashable {
    /// The text is refused.
    case refuse
    /// The character becomes U+FFFD, so that a paid answer is never lost.
    case sanitise
  }

  /// The reader recurses; more nesting than this would endanger a thread's stack.
  public static let depthCeiling = 512
  /// Room for a 4 MiB message with every byte escaped, and its envelope.
  public static let defaultBytesMax = 32 << 20
  /// Tool schemas nest a dozen levels; 64 is generous.
  public static let defaultDepthMax = 64
  /// Enough for large tool schemas, too little to exhaust memory.
  public static let defaultValuesMax = 1_000_000

  public init(
    bytesMax: Int = defaultBytesMax, depthMax: Int = defaultDepthMax,
    valuesMax: Int = defaultValuesMax, loneSurrogate: Treatment = .refuse,
    nul: Treatment = .refuse
  ) {
    precondition(depthMax <= Self.depthCeiling, "depthMax above the reader's ceiling")
    self.bytesMax = bytesMax
    self.depthMax = depthMax
    self.valuesMax = valuesMax
    self.loneSurrogate = loneSurrogate
    self.nul = nul
  }

  /// For what callers send: everything doubtful is refused.
  public static let strict = JSONOptions()
  /// For what upstreams answer: troublesome characters become U+FFFD.
  public static let lenientCharacters = JSONOptions(loneSurrogate: .sanitise, nul: .sanitise)
}
