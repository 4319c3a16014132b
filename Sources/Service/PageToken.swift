/// What a next page begins after, in a form that callers do not read: the method's letter and the
/// place, in hexadecimal.
enum PageToken {
  static func encode(_ method: Character, _ place: String) -> String {
    "\(method)\(place)".utf8.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }

  /// - Throws: `.fieldInvalid` for what this method never gave.
  static func decode(_ method: Character, _ token: String) throws(Failure) -> String {
    var bytes: [UInt8] = []
    var rest = Substring(token)
    while !rest.isEmpty {
      guard rest.utf8.count >= 2, let byte = UInt8(rest.prefix(2), radix: 16) else { throw wrong }
      bytes.append(byte)
      rest = rest.dropFirst(2)
    }
    guard let text = String(validating: bytes, as: UTF8.self), text.first == method,
      !text.utf8.contains(0)
    else {
      throw wrong
    }
    return String(text.dropFirst())
  }

  private static var wrong: Failure { .field("page_token", "it is none that this method gave") }
}
