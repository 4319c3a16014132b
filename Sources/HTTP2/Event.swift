/// A stream within one session.
public struct StreamID: Hashable, Sendable {
  /// The identifier on the wire: odd for streams that a client began.
  public let rawValue: Int32

  /// The stream with this identifier.
  public init(rawValue: Int32) { self.rawValue = rawValue }
}

/// Why a stream or a connection ended.
///
/// - Source: RFC 9113, section 7.
public struct ErrorCode: Hashable, Sendable {
  /// The code on the wire.
  public let rawValue: UInt32

  /// The code with this value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let noError = ErrorCode(rawValue: 0x0)
  public static let protocolError = ErrorCode(rawValue: 0x1)
  public static let internalError = ErrorCode(rawValue: 0x2)
  public static let refusedStream = ErrorCode(rawValue: 0x7)
  public static let cancel = ErrorCode(rawValue: 0x8)
  public static let enhanceYourCalm = ErrorCode(rawValue: 0xb)
}

/// Why a session cannot go on.
public enum SessionError: Error, Sendable, Equatable {
  /// The first bytes are not the HTTP/2 preface; nothing was sent yet.
  case notHTTP2
  /// The peer makes us hold too many acknowledgements.
  case flooded
  /// The library refuses to go on; its code, for the log.
  case failed(code: Int)
}

/// Something that happened on a session. Ranges index the batch that the event came in.
public enum Event: Sendable, Equatable {
  /// A header block: a request, a response or trailers. `isTruncated` says that it was above the
  /// limit and that fields are missing.
  case headers(StreamID, fields: Range<Int>, isTruncated: Bool)
  /// Bytes of a body. They hold the peer's window until `Session.consume`.
  case data(StreamID, bytes: Range<Int>)
  /// The peer ended its side.
  case ended(StreamID)
  /// Fewer than `bodyLowWaterBytes` of the stream's outgoing body are left.
  case drained(StreamID)
  /// The stream is over, both ways.
  case closed(StreamID, ErrorCode)
  /// The peer acknowledged a PING of ours.
  case pingAcknowledged
  /// The peer will not serve streams above this one.
  case goAway(lastStream: StreamID, ErrorCode)
}

/// Events in the order of the wire, with the bytes that they speak of.
public struct EventBatch: Sendable {
  struct Field: Sendable {
    var nameStart: Int
    var valueStart: Int
    var end: Int
  }

  /// The events, oldest first.
  public internal(set) var events: [Event] = []
  var bytes: [UInt8] = []
  var fields: [Field] = []
  private var isBlockOpen = false
  private var blockFields = 0
  private var blockBytes = 0
  private var isBlockTruncated = false

  /// Visits the fields of a header block in order.
  public func forEachField(
    _ range: Range<Int>,
    _ body: (_ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>) -> Void
  ) {
    for field in fields[range] {
      body(
        bytes.span.extracting(field.nameStart..<field.valueStart),
        bytes.span.extracting(field.valueStart..<field.end))
    }
  }

  /// Lends the bytes of a data event.
  public func withBytes<Result, Failure: Error>(
    _ range: Range<Int>, _ body: (borrowing Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(bytes.span.extracting(range))
  }

  /// The bytes of a data event, copied.
  public func copyBytes(_ range: Range<Int>) -> [UInt8] { Array(bytes[range]) }

  // Each step of a callback is one method, so that a class's field is accessed once for it.

  mutating func beginBlock() {
    isBlockOpen = true
    blockFields = fields.count
    blockBytes = 0
    isBlockTruncated = false
  }

  mutating func addField(
    _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>,
    headerListBytesMax: Int
  ) {
    // The size of a field is counted as RFC 9113, section 10.5.1 does: with 32 bytes of overhead.
    blockBytes += name.count + value.count + 32
    guard blockBytes <= headerListBytesMax else {
      isBlockTruncated = true
      return
    }
    let nameStart = bytes.count
    // Pointer use: the library lends the field for the length of the callback.
    unsafe bytes.append(contentsOf: name)
    let valueStart = bytes.count
    unsafe bytes.append(contentsOf: value)
    fields.append(Field(nameStart: nameStart, valueStart: valueStart, end: bytes.count))
  }

  /// Takes over the header block that has begun in the batch before and not ended there.
  mutating func continueBlock(of previous: inout EventBatch) {
    guard previous.isBlockOpen else { return }
    beginBlock()
    blockBytes = previous.blockBytes
    isBlockTruncated = previous.isBlockTruncated
    for field in previous.fields[previous.blockFields...] {
      let shift = bytes.count - field.nameStart
      bytes += previous.bytes[field.nameStart..<field.end]
      fields.append(
        Field(
          nameStart: field.nameStart + shift, valueStart: field.valueStart + shift,
          end: field.end + shift))
    }
    previous.isBlockOpen = false
  }

  mutating func endBlock(_ stream: Int32) {
    isBlockOpen = false
    events.append(
      .headers(
        StreamID(rawValue: stream), fields: blockFields..<fields.count,
        isTruncated: isBlockTruncated))
  }

  mutating func addData(_ stream: Int32, _ data: UnsafeBufferPointer<UInt8>) {
    let start = bytes.count
    // Pointer use: the library lends the bytes for the length of the callback.
    unsafe bytes.append(contentsOf: data)
    events.append(.data(StreamID(rawValue: stream), bytes: start..<bytes.count))
  }

  mutating func clear(keepingBytes limit: Int) {
    isBlockOpen = false
    events.removeAll(keepingCapacity: true)
    fields.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: bytes.capacity <= limit)
  }
}
