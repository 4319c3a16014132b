import Domain
import Testing

@Suite struct APIKeyTests {
  /// Made by Python's `zlib.crc32` and `hashlib.sha256`.
  static let known = "rct_abcdefghijkl_abcdefghijklmnopqrstuvwxyz2345671a984b57"

  @Test func aKnownKeyIsRead() throws {
    let key = try APIKey(parsing: Self.known)
    #expect(key.id == "abcdefghijkl")
    #expect(key.text == Self.known)
    let hash = key.secretHash.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
    #expect(hash.joined() == "84cb29b2c78b393c0d30a90d5a9f670267d02d9ec3743fc1800acff8b03bac15")
    // Its checksum begins with zeros.
    let zeros = "rct_abcdefghijkl_aaaaaaaaaaaaaaaaaaaaaaaaaaaaqcba000219f5"
    #expect(try APIKey(parsing: zeros).text == zeros)
  }

  @Test func aMadeKeyReadsBack() throws {
    var seen = Set<String>()
    for _ in 0..<200 {
      let made = try APIKey.generate()
      let read = try APIKey(parsing: made.text)
      #expect(read.id == made.id && read.secretHash == made.secretHash)
      #expect(read.matches(hash: made.secretHash))
      seen.insert(made.text)
      seen.insert(made.id)
    }
    #expect(seen.count == 400)
  }

  @Test func aSecretMatchesItsHashAlone() throws {
    let key = try APIKey.generate()
    var other = key.secretHash
    for bit in 0..<256 {
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(!key.matches(hash: other))
      other[bit / 8] ^= 1 << UInt8(bit % 8)
    }
    #expect(key.matches(hash: other))
    #expect(!key.matches(hash: []) && !key.matches(hash: Array(other.dropLast())))
    #expect(!key.matches(hash: try APIKey.generate().secretHash))
  }

  @Test func everyTypingErrorIsRefused() throws {
    let known = Array(Self.known)
    for index in known.indices {
      for wrong in "abz2370189AZ_ é\u{0}" where wrong != known[index] {
        var text = known
        text[index] = wrong
        #expect(throws: APIKey.ParseError.self) { try APIKey(parsing: String(text)) }
      }
      var short = known
      short.remove(at: index)
      #expect(throws: APIKey.ParseError.self) { try APIKey(parsing: String(short)) }
      if index > 0, known[index] != known[index - 1] {
        var swapped = known
        swapped.swapAt(index, index - 1)
        #expect(throws: APIKey.ParseError.self) { try APIKey(parsing: String(swapped)) }
      }
    }
  }

  @Test(arguments: [
    ("", "it does not begin with rct_"),
    ("sk-abc", "it does not begin with rct_"),
    ("Bearer \(known)", "it does not begin with rct_"),
    ("RCT_\(known.dropFirst(4))", "it does not begin with rct_"),
    ("rct_", "it does not have 57 characters"),
    ("\(known)\n", "it does not have 57 characters"),
    (String(repeating: known, count: 1000), "it does not have 57 characters"),
    (known.uppercased().replacing("RCT_", with: "rct_"), "it has a character that no key has"),
    ("\(known.dropLast())0", "its checksum is wrong"),
  ])
  func whatIsWrongIsSaid(text: String, why: String) {
    #expect(throws: APIKey.ParseError.malformed(why)) { try APIKey(parsing: text) }
  }

  @Test func nothingPrintedHasTheSecret() throws {
    let key = try APIKey.generate()
    let secret = String(key.text.dropFirst(17).prefix(32))
    var dumped = ""
    dump((key, [key], Optional(key)), to: &dumped)
    for text in ["\(key)", String(reflecting: key), dumped, "\([key])", "\(Optional(key) as Any)"] {
      #expect(text.contains(key.id))
      #expect(!text.contains(secret) && !text.contains(key.text))
      #expect(!text.contains("\(Array(secret.utf8))") && !text.contains("- \(secret.utf8.first!)"))
    }
  }
}

@Suite struct DigestTests {
  @Test func theStandardsExample() {
    // FIPS 180-2, appendix B.1.
    let digest = Digest.sha256(Array("abc".utf8))
    #expect(digest.count == 32)
    #expect(digest.prefix(4) == [0xBA, 0x78, 0x16, 0xBF] && digest.last == 0xAD)
    #expect(Digest.sha256([]).prefix(4) == [0xE3, 0xB0, 0xC4, 0x42])
  }
}
