import Testing

@testable import Messages

/// What is refused, with the path to it.
@Suite struct RefusalTests {
  /// A way to put one text into a message, and the path by which the error names it.
  struct Place: Sendable, CustomTestStringConvertible {
    var path: String
    var type: any WireMessage.Type
    var bytes: @Sendable ([UInt8]) -> [UInt8]

    var testDescription: String { path }
  }

  static let places: [Place] = [
    Place(path: "conversation_id", type: Wire.GetRequest.self) { field(1, $0) },
    Place(path: "request_id", type: Wire.GenerateRequest.self) { field(6, $0) },
    Place(path: "message.text", type: Wire.GenerateRequest.self) { field(2, field(2, $0)) },
    Place(path: "messages[2].text", type: Wire.AppendRequest.self) {
      field(2, []) + field(2, field(2, "fine")) + field(2, field(2, $0))
    },
    Place(path: "options.stop[1]", type: Wire.GenerateRequest.self) {
      field(3, field(8, "fine") + field(8, $0))
    },
    Place(path: "message.parts[0].text", type: Wire.CreateRequest.self) {
      field(4, field(3, field(1, $0)))
    },
    Place(path: "message.parts[1].image.url", type: Wire.CreateRequest.self) {
      field(4, field(3, field(1, "fine")) + field(3, field(2, field(1, $0))))
    },
    Place(path: "metadata[1].key", type: Wire.CreateRequest.self) {
      field(6, field(1, "a") + field(2, "b")) + field(6, field(1, $0))
    },
    Place(path: "metadata[0].value", type: Wire.CreateRequest.self) {
      field(6, field(1, "a") + field(2, $0))
    },
    Place(path: "event.tool_call.arguments", type: Wire.StreamGenerateResponse.self) {
      field(1, field(4, field(4, $0)))
    },
  ]

  // Lone continuation, cut sequence, overlong, surrogate, past U+10FFFF, never-used byte.
  static let notUTF8 = ["80", "e282", "c0af", "eda080", "f4908080", "ff"].map { hex($0) }

  @Test(arguments: places) func textThatIsNotUTF8(_ place: Place) {
    for bad in Self.notUTF8 {
      for bytes in [bad, Array("x".utf8) + bad, bad + Array("y".utf8)] {
        #expect(throws: MessageError.invalidField(path: place.path, reason: .notUTF8)) {
          try reencoded(place.type, place.bytes(bytes))
        }
      }
    }
  }

  @Test(arguments: places) func textWithNUL(_ place: Place) {
    for bytes in ["00", "6100", "0061", "f09f998200"].map({ hex($0) }) {
      #expect(throws: MessageError.invalidField(path: place.path, reason: .nul)) {
        try reencoded(place.type, place.bytes(bytes))
      }
    }
  }

  @Test(arguments: places) func anyOtherTextIsKept(_ place: Place) throws {
    let long = String(repeating: "é", count: 5000)
    for text in ["", "a", "日本語", "🙂‍↔️", "\u{10FFFF}\u{1}\u{7F}", long] {
      let bytes = place.bytes(Array(text.utf8))
      let once = try reencoded(place.type, bytes)
      #expect(try reencoded(place.type, once) == once)
      if !text.isEmpty { #expect(String(decoding: once, as: UTF8.self).contains(text)) }
    }
  }

  @Test func descriptionsQuoteNothing() {
    let error = MessageError.invalidField(path: "message.text", reason: .nul)
    #expect(error.description == "message.text: the text holds U+0000")
    #expect(Wire.BadRequest(error)?.fieldViolations.first?.field == "message.text")
    #expect(Wire.BadRequest(MessageError.malformed) == nil)
  }

  @Test func singularMessagesThatComeTwice() throws {
    func path(_ path: String) -> MessageError { .invalidField(path: path, reason: .givenTwice) }
    let message = field(2, [0x08, 0x03])
    #expect(throws: path("message")) { try Wire.GenerateRequest(decoding: message + message) }
    #expect(throws: path("message")) { try Wire.GenerateRequest(decoding: message + field(2, [])) }
    let image = field(3, field(2, []) + field(2, []))
    #expect(throws: path("messages.parts.image")) {
      try Wire.AppendRequest(decoding: field(2, []) + field(2, field(3, []) + image))
    }
    let usage = field(2, [0x08, 1])
    #expect(throws: path("usage")) { try Wire.UsageGroup(decoding: usage + usage) }
    // Two members of a oneof: the last counts.
    let event = field(3, []) + field(4, [])
    let decoded = try Wire.GenerationEvent(decoding: event)
    #expect(decoded.event == .toolCall(Wire.ToolCallDelta()))
  }

  @Test func lengthsThatLie() {
    for length in [1, 127, 1 << 20, Int(Int32.max), Int(UInt32.max), Int.max, -1] {
      #expect(throws: MessageError.malformed) {
        try Wire.GetRequest(decoding: [0x0A] + varint(length))
      }
    }
    // A length of ten bytes and more, and a key of more than 32 bits.
    #expect(throws: MessageError.malformed) {
      try Wire.GetRequest(decoding: [0x0A] + Array(repeating: 0x80, count: 10) + [0x01])
    }
    #expect(throws: MessageError.malformed) {
      try Wire.GetRequest(decoding: Array(repeating: 0xFF, count: 12))
    }
  }
}

/// The limits, at them and past them.
@Suite struct LimitTests {
  @Test func elements() throws {
    let atMost = Wire.GenerationOptions(stop: Array(repeating: "s", count: Limits.elementsMax))
    #expect(try Wire.GenerationOptions(decoding: atMost.encode()) == atMost)
    let over = Wire.GenerationOptions(stop: Array(repeating: "s", count: Limits.elementsMax + 1))
    let error = MessageError.invalidField(path: "stop", reason: .tooManyElements)
    #expect(throws: error) { try Wire.GenerationOptions(decoding: over.encode()) }

    let numbers = Wire.CountTokensResponse(
      messageTokens: Array(repeating: 5, count: Limits.elementsMax + 1))
    #expect(throws: MessageError.invalidField(path: "message_tokens", reason: .tooManyElements)) {
      try Wire.CountTokensResponse(decoding: numbers.encode())
    }
  }

  @Test func messageBytes() {
    let zeros = [UInt8](repeating: 0, count: Limits.messageBytesMax + 1)
    #expect(throws: MessageError.tooLarge) { try Wire.GetRequest(decoding: zeros) }
  }

  @Test func smallElementsThatUnpackToMuch() {
    // Two bytes each; a struct of NewMessage is two hundred.
    let messages = Array(repeating: [0x12, 0x00] as [UInt8], count: 200_000).flatMap(\.self)
    #expect(throws: MessageError.tooLarge) { try Wire.AppendRequest(decoding: messages) }
    // Nothing but one number, again and again.
    let numbers = Array(repeating: [0x10, 0x01] as [UInt8], count: 2_000_000).flatMap(\.self)
    #expect(throws: MessageError.tooLarge) { try Wire.PinRequest(decoding: numbers) }
  }

  @Test func aLargeTextIsNoTrouble() throws {
    let text = String(repeating: "Größe 🙂 ", count: 300_000)
    let request = Wire.AppendRequest(
      conversationID: "c", messages: [Wire.NewMessage(role: .user, text: text)])
    let bytes = request.encode()
    #expect(bytes.count > 3 << 20)
    #expect(try Wire.AppendRequest(decoding: bytes) == request)
  }

  @Test func aThousandMessagesAreNoTrouble() throws {
    let message = Wire.NewMessage(role: .user, text: "x", metadata: ["k": "v"])
    let request = Wire.AppendRequest(messages: Array(repeating: message, count: 1000))
    #expect(try Wire.AppendRequest(decoding: request.encode()) == request)
  }

  @Test(arguments: Fixture.all.filter { $0.kind == "full0" })
  func memoryThatEndsAnywhere(_ fixture: Fixture) throws {
    // Every allocation fails once: each limit of 16 bytes more gives one more allocation.
    var limit = 0
    while limit < 1 << 20 {
      do {
        let bytes = try decodeAndEncode(fixture.type, fixture.bytes, unpackedBytesMax: limit)
        #expect(bytes == fixture.bytes)
        return
      } catch {
        #expect(error == .tooLarge)
      }
      limit += 16
    }
    Issue.record("never enough")
  }

  private func decodeAndEncode(
    _ type: any WireMessage.Type, _ bytes: [UInt8], unpackedBytesMax limit: Int
  ) throws(MessageError) -> [UInt8] {
    guard let top = type as? any TopLevelMessage.Type else { throw .malformed }
    return try limited(top, bytes, limit)
  }

  private func limited<M: TopLevelMessage>(
    _ type: M.Type, _ bytes: [UInt8], _ limit: Int
  ) throws(MessageError) -> [UInt8] {
    let result = unsafe bytes.withUnsafeBytes { raw in
      Result { () throws(MessageError) -> M in
        try unsafe Decoder.decode(raw, unpackedBytesMax: limit)
      }
    }
    return try result.get().encode()
  }
}
