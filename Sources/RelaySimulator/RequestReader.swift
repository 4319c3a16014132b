/// Reads HTTP/1.1 requests from one connection, one after another.
///
/// - Limits: `headBytesMax` and `bodyBytesMax`, inclusive.
/// - Source: RFC 9112, sections 2.2, 6 and 7.1 (no trailers, no obsolete folding).
struct RequestReader {
  /// Bytes of request line and headers.
  static let headBytesMax = 64 << 10
  /// Bytes of a body: eight messages of the greatest size.
  static let bodyBytesMax = 64 << 20
  private static let readBytes = 64 << 10

  /// Why there is no request.
  enum Failure: Error, Equatable {
    /// The peer closed, between requests or inside one.
    case closed
    case malformed
    case tooLarge
  }

  private let socket: BlockingSocket
  private var buffer: [UInt8] = []

  init(socket: BlockingSocket) { self.socket = socket }

  mutating func next() throws(Failure) -> HTTPRequest {
    let head = try readHead()
    var lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
    let start = lines.popFirst()?.split(separator: " ", omittingEmptySubsequences: false) ?? []
    guard start.count == 3, start[2] == "HTTP/1.1" || start[2] == "HTTP/1.0" else {
      throw .malformed
    }
    var request = HTTPRequest(
      method: String(start[0]), path: String(start[1].prefix { $0 != "?" }), headers: [],
      body: [], keepsAlive: start[2] == "HTTP/1.1")
    for line in lines {
      guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
        throw .malformed
      }
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      request.headers.append((line[..<colon].lowercased(), String(value)))
    }
    if request.values(of: "connection").contains(where: { $0.lowercased() == "close" }) {
      request.keepsAlive = false
    }
    if request.values(of: "expect").contains(where: { $0.lowercased() == "100-continue" }) {
      _ = socket.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)[...])
    }
    request.body = try readBody(of: request)
    return request
  }

  private mutating func readHead() throws(Failure) -> String {
    var searched = 0
    while true {
      if let end = firstEnd(from: searched) {
        let head = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeSubrange(..<(end + 4))
        return head
      }
      guard buffer.count <= RequestReader.headBytesMax else { throw .tooLarge }
      searched = max(buffer.count - 3, 0)
      try fill()
    }
  }

  /// Where the empty line begins.
  private func firstEnd(from start: Int) -> Int? {
    guard buffer.count >= 4 else { return nil }
    for at in start..<max(buffer.count - 3, start)
    where buffer[at] == 13 && buffer[at + 1] == 10 && buffer[at + 2] == 13 && buffer[at + 3] == 10 {
      return at
    }
    return nil
  }

  private mutating func readBody(of request: HTTPRequest) throws(Failure) -> [UInt8] {
    if let coding = request.values(of: "transfer-encoding").first {
      guard coding.lowercased() == "chunked" else { throw .malformed }
      return try readChunks()
    }
    let lengths = Set(request.values(of: "content-length"))
    guard let text = lengths.first else { return [] }
    guard lengths.count == 1, let length = Int(text), length >= 0 else { throw .malformed }
    return try take(length)
  }

  private mutating func readChunks() throws(Failure) -> [UInt8] {
    var body: [UInt8] = []
    while true {
      let line = try takeLine()
      guard let length = Int(line.prefix { $0 != ";" }, radix: 16), length >= 0 else {
        throw .malformed
      }
      guard body.count + length <= RequestReader.bodyBytesMax else { throw .tooLarge }
      if length == 0 {
        guard try takeLine().isEmpty else { throw .malformed }
        return body
      }
      body += try take(length)
      guard try takeLine().isEmpty else { throw .malformed }
    }
  }

  private mutating func takeLine() throws(Failure) -> String {
    while true {
      if let end = buffer.firstIndex(of: 10) {
        guard end > 0, buffer[end - 1] == 13 else { throw .malformed }
        let line = String(decoding: buffer[..<(end - 1)], as: UTF8.self)
        buffer.removeSubrange(...end)
        return line
      }
      guard buffer.count <= RequestReader.headBytesMax else { throw .tooLarge }
      try fill()
    }
  }

  private mutating func take(_ count: Int) throws(Failure) -> [UInt8] {
    guard count <= RequestReader.bodyBytesMax else { throw .tooLarge }
    while buffer.count < count { try fill() }
    let taken = Array(buffer[..<count])
    buffer.removeSubrange(..<count)
    return taken
  }

  private mutating func fill() throws(Failure) {
    let bytes = socket.read(atMost: RequestReader.readBytes)
    guard !bytes.isEmpty else { throw .closed }
    buffer += bytes
  }
}
