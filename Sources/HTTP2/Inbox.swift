/// What the C library's callbacks append to, and nothing else.
///
/// The session drains it after the C call has returned.
final class Inbox {
  var batch = EventBatch()
  /// Bodies that were sent whole and wait for their trailers.
  var bodiesAtEnd: [OutgoingBody] = []
  private let headerListBytesMax: Int
  private let bodyLowWaterBytes: Int
  private var blockFields = 0
  private var blockBytes = 0
  private var isBlockTruncated = false

  init(_ limits: HTTP2Limits) {
    headerListBytesMax = limits.headerListBytesMax
    bodyLowWaterBytes = limits.bodyLowWaterBytes
  }

  func beginHeaders() {
    blockFields = batch.fields.count
    blockBytes = 0
    isBlockTruncated = false
  }

  func header(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    // The size of a field is counted as RFC 9113, section 10.5.1 does: with 32 bytes of overhead.
    blockBytes += name.count + value.count + 32
    guard blockBytes <= headerListBytesMax else {
      isBlockTruncated = true
      return
    }
    let nameStart = batch.bytes.count
    unsafe batch.bytes.append(contentsOf: name)
    let valueStart = batch.bytes.count
    unsafe batch.bytes.append(contentsOf: value)
    batch.fields.append(
      EventBatch.Field(nameStart: nameStart, valueStart: valueStart, end: batch.bytes.count))
  }

  func endHeaders(_ stream: Int32) {
    batch.events.append(
      .headers(
        StreamID(rawValue: stream), fields: blockFields..<batch.fields.count,
        isTruncated: isBlockTruncated))
  }

  func data(_ stream: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
    let start = batch.bytes.count
    unsafe batch.bytes.append(contentsOf: bytes)
    batch.events.append(.data(StreamID(rawValue: stream), bytes: start..<batch.bytes.count))
  }

  func record(_ event: Event) { batch.events.append(event) }

  func supplied(_ body: OutgoingBody, isLast: Bool) {
    if isLast && body.trailers != nil { bodiesAtEnd.append(body) }
    if body.wantsDrained && body.pendingBytes < bodyLowWaterBytes {
      body.wantsDrained = false
      batch.events.append(.drained(StreamID(rawValue: body.stream)))
    }
  }
}
