/// What the C library's callbacks append to, and nothing else.
///
/// The session drains it after the C call has returned.
final class Inbox {
  var batch = EventBatch()
  /// Bodies that were sent whole and wait for their trailers.
  var bodiesAtEnd: [OutgoingBody] = []
  private let headerListBytesMax: Int
  private let bodyLowWaterBytes: Int
  init(_ limits: HTTP2Limits) {
    headerListBytesMax = limits.headerListBytesMax
    bodyLowWaterBytes = limits.bodyLowWaterBytes
  }

  func beginHeaders() { batch.beginBlock() }

  func header(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    unsafe batch.addField(name, value, headerListBytesMax: headerListBytesMax)
  }

  func endHeaders(_ stream: Int32) { batch.endBlock(stream) }

  func data(_ stream: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
    unsafe batch.addData(stream, bytes)
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
