import GRPCWire
import Testing

@Suite struct HeaderValueTests {
  @Test(arguments: [
    ("1H", Duration.seconds(3600)), ("2M", .seconds(120)), ("3S", .seconds(3)),
    ("4m", .milliseconds(4)), ("5u", .microseconds(5)), ("6n", .nanoseconds(6)),
    ("00000000n", .zero), ("99999999H", .seconds(99_999_999 * 3600)),
  ])
  func timeout(_ text: String, _ expected: Duration) {
    #expect(Timeout.parse(Array(text.utf8).span) == expected)
  }

  @Test(arguments: ["", "S", "1", "1s", "-1S", "1.5S", "123456789S", " 1S", "1S ", "1SS"])
  func malformedTimeout(_ text: String) {
    #expect(Timeout.parse(Array(text.utf8).span) == nil)
  }

  @Test func percentEncoding() {
    #expect(PercentEncoding.encode("plain ~!") == Array("plain ~!".utf8))
    #expect(PercentEncoding.encode("50%\n\u{7F}é") == Array("50%25%0A%7F%C3%A9".utf8))
    #expect(PercentEncoding.decode(Array("a%zz%4".utf8)) == "a%zz%4")
    #expect(PercentEncoding.decode(Array("%c3%A9".utf8)) == "é")
  }

  @Test func percentEncodingRoundTrips() {
    for scalar in (0..<0x3000).compactMap(Unicode.Scalar.init) {
      let text = "a\(Character(scalar))%"
      #expect(PercentEncoding.decode(PercentEncoding.encode(text)) == text)
    }
  }

  @Test func longMessageIsCutAtACharacter() {
    let encoded = PercentEncoding.encode(String(repeating: "é", count: 5000))
    #expect(encoded.count <= GRPCWireLimits.statusMessageBytesMax)
    #expect(encoded.count % 6 == 0)
  }
}
