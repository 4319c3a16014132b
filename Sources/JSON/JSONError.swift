/// Why a JSON text was refused, and where.
///
/// It quotes nothing of the text, so anybody may read it.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public var code: Code
  /// The byte, counted from 0, at which it was noticed.
  public var offset: Int

  /// The kinds of refusal; the raw value is a phrase for people.
  public enum Code: String, Sendable, Hashable, CaseIterable {
    case unexpectedEnd = "the text ends too early"
    case unexpectedByte = "unexpected byte"
    case invalidUTF8 = "not UTF-8"
    case invalidEscape = "unknown or incomplete escape"
    case controlCharacter = "control character inside a string"
    case loneSurrogate = "surrogate without its partner"
    case nul = "U+0000 is not accepted"
    case invalidNumber = "malformed number"
    case duplicateKey = "duplicate key"
    case tooDeep = "nested too deeply"
    case tooLarge = "too many bytes"
    case tooManyValues = "too many values"
    case trailingBytes = "bytes after the value"
  }

  public init(_ code: Code, at offset: Int) {
    self.code = code
    self.offset = offset
  }

  public var description: String { "invalid JSON: \(code.rawValue) at byte \(offset)" }
}
