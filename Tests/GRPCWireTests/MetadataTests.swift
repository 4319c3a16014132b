import GRPCWire
import Testing

@Suite struct MetadataTests {
  private func wire(_ name: String, _ value: String) -> Metadata {
    var metadata = Metadata()
    metadata.add(wireName: Array(name.utf8).span, wireValue: Array(value.utf8).span)
    return metadata
  }

  @Test func keepsOrderAndRepeats() {
    var metadata = Metadata()
    metadata.add("a", "1")
    metadata.add("b", "2")
    metadata.add("a", "3")
    #expect(metadata.count == 3)
    #expect(metadata["a"] == "1")
    #expect(metadata.values("a") == ["1", "3"])
    #expect(metadata["c"] == nil)
    var other = Metadata()
    other.add("z", "0")
    other.append(metadata)
    var seen: [String] = []
    other.forEach { seen.append("\($0)=\($1)") }
    #expect(seen == ["z=0", "a=1", "b=2", "a=3"])
  }

  @Test func binaryRoundTripsAtEveryLength() {
    for count in 0..<70 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + 200) }
      var metadata = Metadata()
      metadata.add(binary: "x-bin", bytes)
      #expect(metadata.binary("x-bin") == bytes)
      #expect(metadata["x-bin"]?.contains("=") == false)
    }
  }

  @Test(arguments: [
    ("AA", [UInt8(0)]), ("AA==", [0]), ("AAE", [0, 1]), ("AAE=", [0, 1]), ("", []),
    ("+/+/", [0xFB, 0xFF, 0xBF]), ("AAE=,AA", [0, 1]),
  ])
  func binaryIsReadPaddedOrNot(_ text: String, _ bytes: [UInt8]) {
    #expect(wire("x-bin", text).binary("x-bin") == bytes)
  }

  @Test(arguments: ["A", "AAAAA", "A-_A", "AA=", "A===", "AA AA"])
  func malformedBinary(_ text: String) {
    #expect(wire("x-bin", text).binary("x-bin") == nil)
  }

  @Test func invalidUTF8IsNoText() {
    var metadata = Metadata()
    metadata.add(wireName: Array("x".utf8).span, wireValue: ([0xFF, 0x41] as [UInt8]).span)
    #expect(metadata["x"] == nil)
    #expect(metadata.values("x") == [])
  }
}
