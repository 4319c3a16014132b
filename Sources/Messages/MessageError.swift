/// Why bytes were refused as a message.
///
/// It quotes nothing of the bytes, so anybody may read it.
public enum MessageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The bytes are no encoding of such a message.
  case malformed
  /// The message, or what it unpacks to, is over `Limits`.
  case tooLarge
  /// A field is wrong; the path is as `google.rpc.BadRequest` writes it: `messages[2].text`.
  case invalidField(path: String, reason: FieldReason)

  /// What is wrong with a field; the raw value is a phrase for people.
  public enum FieldReason: String, Hashable, Sendable, CaseIterable {
    case notUTF8 = "the text is not UTF-8"
    case nul = "the text holds U+0000"
    case tooManyElements = "there are too many elements"
    case givenTwice = "the message is given twice"
  }

  public var description: String {
    switch self {
    case .malformed: "the bytes are not a message of this type"
    case .tooLarge: "the message is too large"
    case .invalidField(let path, let reason): "\(path): \(reason.rawValue)"
    }
  }

  /// The same error, seen from the message that holds `field`.
  func within(_ field: StaticString, at index: Int? = nil) -> MessageError {
    within(index.map { "\(field)[\($0)]" } ?? "\(field)")
  }

  /// The same error, seen from the message that holds `place`.
  func within(_ place: String) -> MessageError {
    guard case .invalidField(let path, let reason) = self else { return self }
    return .invalidField(path: "\(place).\(path)", reason: reason)
  }
}
