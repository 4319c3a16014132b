import HTTP2

/// A client and a server session, joined by hand.
struct Wire {
  let client: Session
  let server: Session

  init(serverLimits: HTTP2Limits = HTTP2Limits(), clientLimits: HTTP2Limits = HTTP2Limits()) {
    client = Session(.client, limits: clientLimits)
    server = Session(.server, limits: serverLimits)
  }

  /// Carries bytes both ways, `step` at a time, until both are silent; `after` each piece.
  func settle(step: Int = .max, after: () -> Void = {}) throws {
    var isBusy = true
    while isBusy {
      let up = try carry(from: client, to: server, step: step, after: after)
      let down = try carry(from: server, to: client, step: step, after: after)
      isBusy = up || down
    }
  }

  @discardableResult
  func carry(
    from: Session, to: Session, step: Int = .max, after: () -> Void = {}
  ) throws -> Bool {
    var output: [UInt8] = []
    try from.fill(&output, limit: .max)
    var start = 0
    while start < output.count {
      let end = step < output.count - start ? start + step : output.count
      try to.receive(output.span.extracting(start..<end))
      start = end
      after()
    }
    return !output.isEmpty
  }

  static let request = HeaderList([
    ":method": "POST", ":scheme": "http", ":authority": "a", ":path": "/s/m",
  ])
  static let response = HeaderList([":status": "200"])
}

/// What a session heard about its streams, gathered.
struct Heard {
  var headers: [[String: String]] = []
  var body: [UInt8] = []
  var events: [Event] = []
  var isTruncated = false
  var closed: ErrorCode?

  /// Takes everything; bodies are consumed unless told otherwise.
  mutating func take(from session: Session, consuming: Bool = true) {
    while session.hasEvents {
      let batch = session.takeEvents()
      for event in batch.events {
        events.append(event)
        switch event {
        case .headers(_, let fields, let truncated):
          var block: [String: String] = [:]
          batch.forEachField(fields) { name, value in
            block[Self.text(name)] = Self.text(value)
          }
          headers.append(block)
          isTruncated = isTruncated || truncated
        case .data(let stream, let bytes):
          body += batch.copyBytes(bytes)
          if consuming { session.consume(stream, bytes: bytes.count) }
        case .closed(_, let code): closed = code
        default: break
        }
      }
      session.recycle(batch)
    }
  }

  static func text(_ bytes: borrowing Span<UInt8>) -> String {
    var copy: [UInt8] = []
    for index in 0..<bytes.count { copy.append(bytes[index]) }
    return String(decoding: copy, as: UTF8.self)
  }
}
