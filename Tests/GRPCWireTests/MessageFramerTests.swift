import GRPCWire
import Testing

@Suite struct MessageFramerTests {
  private func frame(_ bytes: [UInt8], flag: UInt8 = 0) -> [UInt8] {
    let prefix = MessageFramer.prefix(length: bytes.count)
    return [flag] + (1..<5).map { prefix[$0] } + bytes
  }

  /// Feeds `input` in pieces of `step` bytes.
  private func messages(_ input: [UInt8], step: Int, max: Int = 1000) throws -> [[UInt8]] {
    var framer = MessageFramer(messageBytesMax: max)
    var found: [[UInt8]] = []
    var start = 0
    while start < input.count {
      let piece = Array(input[start..<min(start + step, input.count)])
      var offset = 0
      while let message = try framer.next(piece.span, from: &offset) {
        found.append(message.bytes)
      }
      #expect(offset == piece.count)
      start += step
    }
    let (isInside, buffered) = (framer.isInsideMessage, framer.bufferedBytes)
    #expect(!isInside && buffered == 0)
    return found
  }

  @Test func everyCutGivesTheSameMessages() throws {
    let expected: [[UInt8]] = [[], [1], Array(0..<200), [], [7, 7, 7]]
    let input = expected.flatMap { frame($0) }
    for step in 1...input.count {
      #expect(try messages(input, step: step) == expected, "step \(step)")
    }
  }

  @Test func limitIsInclusive() throws {
    let full = [UInt8](repeating: 5, count: 10)
    #expect(try messages(frame(full), step: 4, max: 10) == [full])
    #expect(throws: MessageFramer.Failure.messageTooLarge(length: 11)) {
      try messages(frame(full + [5]), step: 1, max: 10)
    }
  }

  @Test func lyingPrefixReservesLittle() throws {
    var framer = MessageFramer(messageBytesMax: Int(UInt32.max))
    let input: [UInt8] = [0, 0xFF, 0xFF, 0xFF, 0xFF, 1]
    var offset = 0
    let message = try framer.next(input.span, from: &offset)
    #expect(message == nil)
    let (isInside, buffered) = (framer.isInsideMessage, framer.bufferedBytes)
    #expect(isInside && buffered == 1)
  }

  @Test func compressionFlag() throws {
    var framer = MessageFramer(messageBytesMax: 10)
    var offset = 0
    let message = try framer.next(frame([1], flag: 1).span, from: &offset)
    #expect(message?.isCompressed == true)
    #expect(message?.bytes == [1])
    #expect(throws: MessageFramer.Failure.badCompressionFlag(2)) {
      var framer = MessageFramer(messageBytesMax: 10)
      var offset = 0
      _ = try framer.next(frame([1], flag: 2).span, from: &offset)
    }
  }
}
