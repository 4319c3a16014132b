import Messages
import Testing

/// Every published message, against the bytes that Python's protobuf writes for it.
@Suite struct WireCompatibilityTests {
  @Test func everyTypeHasFixtures() {
    let names = Set(Fixture.all.map { $0.type.protoName })
    #expect(names == Set(wireTypes.map { $0.protoName }))
    #expect(Fixture.all.count > 2 * wireTypes.count)
  }

  @Test(arguments: Fixture.all) func readsAndWritesTheSameBytes(_ fixture: Fixture) throws {
    #expect(try reencoded(fixture.type, fixture.bytes) == fixture.bytes)
  }

  @Test(arguments: Fixture.all) func endsBetweenFieldsOnly(_ fixture: Fixture) {
    var valid = 0
    for count in fixture.bytes.indices {
      do {
        let prefix = Array(fixture.bytes[..<count])
        // What is there is understood; what is not there cannot be.
        #expect(try reencoded(fixture.type, prefix) == prefix, "\(count) bytes")
        valid += 1
      } catch {
        #expect(error == .malformed, "\(count) bytes")
      }
    }
    #expect(valid == fixture.validPrefixes)
  }

  @Test(arguments: Fixture.all) func skipsUnknownFields(_ fixture: Fixture) throws {
    // The field 1900, once in each wire type that exists in proto3.
    let unknown = hex("e0760a" + "e1760102030405060708" + "e27603616263" + "e57601020304")
    let longer = unknown + fixture.bytes + unknown
    #expect(try reencoded(fixture.type, longer) == fixture.bytes)
  }

  @Test(arguments: Fixture.all) func refusesWhatIsNoWireType(_ fixture: Fixture) {
    for key: UInt8 in [0x0B, 0x0C, 0x0E, 0x0F] {
      #expect(throws: MessageError.malformed) {
        try reencoded(fixture.type, fixture.bytes + [key])
      }
    }
    // The field number 0.
    #expect(throws: MessageError.malformed) {
      try reencoded(fixture.type, fixture.bytes + [0x00, 0x00])
    }
  }
}

/// Fields by name: bytes that Python wrote, against values that Swift writes.
@Suite struct FieldTests {
  @Test func request() throws {
    let request = Wire.GenerateRequest(
      conversationID: "c",
      message: Wire.NewMessage(
        role: .user, parts: [.init(part: .text("hi")), .init(part: .image(.init(url: "u")))],
        metadata: ["b": "2", "a": "1"]),
      options: Wire.GenerationOptions(temperature: 0, stop: ["x", ""], seed: -1),
      expectedLastSeq: 0, abandonTools: true, requestID: "")
    let bytes = hex(
      """
      0a0163121f08031a040a0268691a0512030a01753a060a01611201313a060a01621201321a19290000000000 \
      000000420178420048ffffffffffffffffff01200028013200
      """)
    #expect(request.encode() == bytes)
    #expect(try Wire.GenerateRequest(decoding: bytes) == request)
  }

  @Test func absenceDiffersFromZeroAndEmpty() throws {
    let absent = try Wire.GenerateRequest(decoding: [])
    #expect(absent == Wire.GenerateRequest())
    #expect(absent.expectedLastSeq == nil && absent.requestID == nil && absent.message == nil)
    let present = try Wire.GenerateRequest(decoding: hex("1200 2000 3200"))
    #expect(present.expectedLastSeq == 0 && present.requestID == "")
    #expect(present.message == Wire.NewMessage())
    #expect(absent.encode() == [])
    #expect(present.encode() == hex("1200 2000 3200"))
  }

  @Test func theLastMemberOfAOneOfCounts() throws {
    let both = field(1, "text") + field(2, field(1, "url"))
    #expect(try Wire.ContentPart(decoding: both).part == .image(Wire.Image(url: "url")))
    let back = field(2, field(1, "url")) + field(1, "text")
    #expect(try Wire.ContentPart(decoding: back).part == .text("text"))
    #expect(try Wire.ContentPart(decoding: field(1, "")).part == .text(""))
    #expect(try Wire.ContentPart(decoding: []).part == nil)
  }

  @Test func theLastOfASingularFieldCounts() throws {
    let texts = field(1, "a") + field(1, "b")
    #expect(try Wire.GetRequest(decoding: texts).conversationID == "b")
    let numbers: [UInt8] = [0x10, 1, 0x10, 0]
    #expect(try Wire.PinRequest(decoding: numbers).seq == 0)
    let optional: [UInt8] = [0x18, 1, 0x18, 0]
    #expect(try Wire.PinRequest(decoding: optional).pinned == false)
  }

  @Test func mapsKeepTheLastValueAndAreWrittenByKey() throws {
    let entries = [("k", "1"), ("a", "2"), ("k", "3")]
    let bytes = entries.flatMap { field(7, field(1, $0.0) + field(2, $0.1)) }
    let message = try Wire.NewMessage(decoding: bytes)
    #expect(message.metadata == ["k": "3", "a": "2"])
    #expect(
      message.encode() == field(7, field(1, "a") + field(2, "2"))
        + field(7, field(1, "k") + field(2, "3")))
    #expect(try Wire.NewMessage(decoding: field(7, [])).metadata == ["": ""])
  }

  @Test func packedAndUnpackedNumbersAreBothRead() throws {
    let packed = field(2, [1, 2, 0xFF, 0x01])
    let loose: [UInt8] = [0x10, 1, 0x10, 2, 0x10, 0xFF, 0x01]
    #expect(try Wire.CountTokensResponse(decoding: packed).messageTokens == [1, 2, 255])
    #expect(try Wire.CountTokensResponse(decoding: loose).messageTokens == [1, 2, 255])
    #expect(Wire.CountTokensResponse(messageTokens: [1, 2, 255]).encode() == packed)
  }

  @Test func enumsKeepWhatTheyDoNotKnow() throws {
    for raw in [6, 99, Int(Int32.max), -1, Int(Int32.min)] {
      let message = try Wire.NewMessage(decoding: [0x08] + varint(raw))
      #expect(message.role == .unrecognized(Int32(raw)))
      #expect(message.role.rawValue == Int32(raw))
      #expect(message.role.name == "\(raw)")
      #expect(message.encode() == [0x08] + varint(raw))
    }
    #expect(Wire.Role.known.map(\.rawValue) == [0, 1, 2, 3, 4, 5])
    #expect(Wire.Role.known.allSatisfy { Wire.Role(rawValue: $0.rawValue) == $0 })
    #expect(Wire.Role.assistant.name == "ASSISTANT")
  }

  @Test(arguments: [Int64.min, -1, 0, 1, .max]) func numbersKeepTheirEnds(_ number: Int64) throws {
    let message = Wire.AppendRequest(expectedLastSeq: number)
    #expect(try Wire.AppendRequest(decoding: message.encode()) == message)
    let small = Int32(truncatingIfNeeded: number)
    let list = Wire.ListRequest(pageSize: small)
    #expect(try Wire.ListRequest(decoding: list.encode()) == list)
  }

  @Test(arguments: [0.7, -1.5, .infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude])
  func doublesKeepTheirBits(_ value: Double) throws {
    let options = Wire.GenerationOptions(temperature: value, topP: .nan)
    let decoded = try Wire.GenerationOptions(decoding: options.encode())
    #expect(decoded.temperature == value)
    #expect(decoded.topP?.isNaN == true)
  }

  @Test func everySourceOfBytesIsRead() throws {
    let bytes = Wire.GetRequest(conversationID: "here").encode()
    let expected = Wire.GetRequest(conversationID: "here")
    #expect(try Wire.GetRequest(decoding: bytes) == expected)
    #expect(try Wire.GetRequest(decoding: ([0xFF] + bytes)[1...]) == expected)
    let fromSpan = try unsafe Wire.GetRequest(decoding: bytes.span.bytes)
    #expect(fromSpan == expected)
    let fromBuffer = try unsafe bytes.withUnsafeBytes { try unsafe Wire.GetRequest(decoding: $0) }
    #expect(fromBuffer == expected)
  }
}
