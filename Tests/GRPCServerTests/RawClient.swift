import GRPCWire
import Glibc
import HTTP2

/// A client on a blocking socket, which can misbehave.
final class RawClient {
  struct Reply {
    var blocks: [[String: String]] = []
    var body: [UInt8] = []
    var closed: ErrorCode?

    var status: Int? { blocks.last?["grpc-status"].flatMap { Int($0) } }
    var httpStatus: String? { blocks.first?[":status"] }
    var isTrailersOnly: Bool { blocks.count == 1 && status != nil }
  }

  let session: Session
  var replies: [StreamID: Reply] = [:]
  var hasGoAway = false
  private(set) var isOver = false
  private let descriptor: Int32

  init(port: UInt16, limits: HTTP2Limits = HTTP2Limits()) {
    session = Session(.client, limits: limits)
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    var timeout = timeval(tv_sec: 10, tv_usec: 0)
    var on: Int32 = 1
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    unsafe setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    let connected = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    precondition(connected == 0, "cannot connect")
  }

  deinit { disconnect() }

  func disconnect() {
    if !isOver { close(descriptor) }
    isOver = true
  }

  static func headers(
    _ path: String, replacing: [String: String?] = [:], adding: [(String, String)] = []
  ) -> HeaderList {
    var headers = HeaderList()
    let standard = [
      (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
      ("te", "trailers"), ("content-type", "application/grpc"),
    ]
    for (name, value) in standard {
      if let value = replacing[name, default: value] { headers.add(name, value) }
    }
    for (name, value) in adding { headers.add(name, value) }
    return headers
  }

  static func framed(_ message: [UInt8]) -> [UInt8] {
    let prefix = MessageFramer.prefix(length: message.count)
    return prefix.indices.map { prefix[$0] } + message
  }

  /// Begins a call; `body` is sent as it is.
  func begin(_ headers: HeaderList, body: [UInt8], isEnded: Bool = true) -> StreamID {
    let stream = session.request(headers)!
    session.write(stream) { $0 += body }
    if isEnded { session.finish(stream) }
    replies[stream] = Reply()
    return stream
  }

  /// Sends what is waiting, `step` bytes in a segment.
  func flush(step: Int = .max) throws {
    var output: [UInt8] = []
    try session.fill(&output, limit: .max)
    send(output, step: step)
  }

  func send(_ bytes: [UInt8], step: Int = .max) {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(
          descriptor, $0.baseAddress! + sent, min(step, $0.count - sent), Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      sent += count
    }
  }

  /// Reads once and acts; false when the peer ended.
  @discardableResult
  func read(consuming: Bool = true) throws -> Bool {
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return false }
    try session.receive(buffer.span.extracting(0..<count))
    while session.hasEvents {
      let batch = session.takeEvents()
      for event in batch.events { handle(event, batch, consuming: consuming) }
      session.recycle(batch)
    }
    try flush()
    return true
  }

  /// Reads bytes that are not HTTP/2 until the peer ends.
  func readRaw() -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { return bytes }
      bytes += buffer[0..<count]
    }
  }

  private func handle(_ event: Event, _ batch: borrowing EventBatch, consuming: Bool) {
    switch event {
    case .headers(let stream, let fields, _):
      var block: [String: String] = [:]
      batch.forEachField(fields) { name, value in block[Self.text(name)] = Self.text(value) }
      replies[stream, default: Reply()].blocks.append(block)
    case .data(let stream, let bytes):
      replies[stream, default: Reply()].body += batch.copyBytes(bytes)
      if consuming { session.consume(stream, bytes: bytes.count) }
    case .closed(let stream, let code): replies[stream, default: Reply()].closed = code
    case .goAway: hasGoAway = true
    default: break
    }
  }

  private static func text(_ bytes: borrowing Span<UInt8>) -> String {
    var copy: [UInt8] = []
    for index in 0..<bytes.count { copy.append(bytes[index]) }
    return String(decoding: copy, as: UTF8.self)
  }

  /// Reads until the stream is over.
  func reply(_ stream: StreamID) throws -> Reply {
    while replies[stream]?.closed == nil { guard try read() else { break } }
    return replies[stream] ?? Reply()
  }

  /// One whole call.
  func call(
    _ path: String, _ message: [UInt8] = [], adding: [(String, String)] = [], step: Int = .max
  ) throws -> Reply {
    let stream = begin(
      Self.headers(path, adding: adding), body: Self.framed(message))
    try flush(step: step)
    return try reply(stream)
  }
}
