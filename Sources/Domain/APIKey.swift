/// An API key with its secret, as a caller presents it or as it has just been made.
///
/// - Shape: `rct_<id>_<secret><crc32>`: an id of 12 and a secret of 32 characters of `a-z2-7`
///   (160 bits), then 8 hexadecimal digits, the CRC-32 of all that stands before them.
/// - Secrecy: only `text` has the secret; what is printed, logged or mirrored has the id alone.
public struct APIKey: Sendable {
  public static let prefix = "rct_"
  /// Public: it names the key in the database, in receipts and in logs.
  public let id: String
  private let secret: [UInt8]

  private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
  private static let idLength = 12
  private static let secretLength = 32
  private static let checksumLength = 8
  private static let length = 4 + idLength + 1 + secretLength + checksumLength

  public enum ParseError: Error, Sendable, Equatable {
    /// What is wrong, in words that repeat nothing of the text.
    case malformed(String)
  }

  /// OpenSSL has no random bytes.
  public struct NoRandomness: Error, Sendable, Equatable {}

  /// Reads a key; checks prefix, length, characters and checksum, and needs no I/O for it.
  public init(parsing text: some StringProtocol) throws(ParseError) {
    let bytes = Array(text.utf8.prefix(Self.length + 1))
    guard bytes.starts(with: Self.prefix.utf8) else {
      throw .malformed("it does not begin with rct_")
    }
    guard bytes.count == Self.length else {
      throw .malformed("it does not have \(Self.length) characters")
    }
    let id = bytes[4..<(4 + Self.idLength)]
    let separator = id.endIndex
    let secret = bytes[(separator + 1)..<(separator + 1 + Self.secretLength)]
    let isMadeOfIt = { (part: ArraySlice<UInt8>) in part.allSatisfy(Self.alphabet.contains) }
    guard isMadeOfIt(id), bytes[separator] == UInt8(ascii: "_"), isMadeOfIt(secret) else {
      throw .malformed("it has a character that no key has")
    }
    guard bytes[secret.endIndex...].elementsEqual(Self.checksum(bytes[..<secret.endIndex])) else {
      throw .malformed("its checksum is wrong")
    }
    self.id = String(decoding: id, as: UTF8.self)
    self.secret = Array(secret)
  }

  private init(id: String, secret: [UInt8]) {
    self.id = id
    self.secret = secret
  }

  /// A new key of 160 random bits, under a new id of 60.
  public static func generate() throws(NoRandomness) -> APIKey {
    guard let random = OpenSSL.randomBytes(idLength + secretLength) else { throw NoRandomness() }
    // 256 is a multiple of 32, so each character is as likely as another.
    let characters = random.map { alphabet[Int($0 % 32)] }
    return APIKey(
      id: String(decoding: characters[..<idLength], as: UTF8.self),
      secret: Array(characters[idLength...]))
  }

  /// The whole key. To be shown once, and kept nowhere.
  public var text: String {
    let body = Self.prefix.utf8 + Array(id.utf8) + [UInt8(ascii: "_")] + secret
    return String(decoding: body + Self.checksum(body[...]), as: UTF8.self)
  }

  /// SHA-256 of the secret part: 160 random bits need no slow hash.
  public var secretHash: [UInt8] { Digest.sha256(secret) }

  /// Whether a stored hash is this secret's; its time does not depend on the bytes.
  public func matches(hash: [UInt8]) -> Bool { OpenSSL.isEqual(secretHash, hash) }

  /// 8 hexadecimal digits in lower case.
  private static func checksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    let digits = Array(String(CRC32.checksum(bytes), radix: 16).utf8)
    return [UInt8](repeating: UInt8(ascii: "0"), count: checksumLength - digits.count) + digits
  }
}

extension APIKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "\(Self.prefix)\(id)_…" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}
