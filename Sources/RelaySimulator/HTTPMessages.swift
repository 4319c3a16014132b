/// A request, read whole.
struct HTTPRequest {
  var method: String
  /// Without the query.
  var path: String
  /// Names in lower case; repeated ones are kept.
  var headers: [(name: String, value: String)]
  var body: [UInt8]
  var keepsAlive: Bool

  func values(of name: String) -> [String] {
    headers.filter { $0.name == name }.map(\.value)
  }
}

/// What is sent back, and what is done to it on the way.
struct HTTPReply {
  var status: Int
  var headers: [(name: String, value: String)] = []
  var contentType = "application/json"
  var body: [UInt8]
  var delivery = Delivery()
  /// Sent instead of the body.
  var stream: EventStream?

  /// How the bytes travel; the default is at once and whole.
  struct Delivery: Equatable {
    var latencyMilliseconds = 0
    /// Between the headers and the body.
    var bodyDelayMilliseconds = 0
    /// The body in pieces of this many bytes; 0 sends it whole.
    var trickleBytes = 0
    var trickleMilliseconds = 0
    var cut: Cut?
    var resets = false
  }

  /// Where the connection ends early.
  enum Cut: String, CaseIterable {
    case beforeHeaders = "before_headers"
    case insideHeaders = "inside_headers"
    case beforeBody = "before_body"
    case insideBody = "inside_body"
    // Of a stream; in another answer they are `insideBody`.
    case insideChunk = "inside_chunk"
    case betweenChunks = "between_chunks"
    case beforeFinish = "before_finish"
    case beforeUsage = "before_usage"
    case beforeDone = "before_done"
  }

  /// The status line and the headers.
  func head(keepsAlive: Bool) -> [UInt8] {
    var text = "HTTP/1.1 \(status) \(HTTPReply.reason(status))\r\n"
    text += "Content-Type: \(contentType)\r\n"
    text += stream == nil ? "Content-Length: \(body.count)\r\n" : "Transfer-Encoding: chunked\r\n"
    for header in headers { text += "\(header.name): \(header.value)\r\n" }
    text += "Connection: \(keepsAlive ? "keep-alive" : "close")\r\n\r\n"
    return Array(text.utf8)
  }

  private static func reason(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 404: "Not Found"
    case 413: "Content Too Large"
    case 429: "Too Many Requests"
    case 500: "Internal Server Error"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    default: "Status"
    }
  }
}
