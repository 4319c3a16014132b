// What curl's callbacks may touch: plain arrays, nothing that could call curl again.

/// What the multi handle asked for during a call of curl.
final class MultiInbox {
  /// A change of what a socket waits for, or its end, in the order in which curl said so.
  enum SocketEvent {
    case watch(Int32, reads: Bool, writes: Bool)
    case unwatch(Int32)
    /// curl is done with the socket. We close it after the call, when it is off epoll, so that its
    /// number cannot come back meanwhile.
    case close(Int32)
  }

  var socketEvents: [SocketEvent] = []
  /// Transfers to which something came, by id.
  var touched: [Int] = []
  /// The last wish for a time-out: nil none, negative cancels, else milliseconds.
  var timeoutMilliseconds: Int?
}

/// What one transfer received and has yet to send.
final class TransferInbox {
  /// The easy handle's.
  var id = 0
  /// Whether it is on the list of touched ones.
  var isTouched = false
  private let multi: MultiInbox
  var body: [UInt8] = []
  var bodyOffset = 0
  var status = 0
  var headers: [HTTPHeader] = []
  var isHeadComplete = false
  var received: [UInt8] = []
  var receivedTotal = 0
  var headerBytes = 0
  var isPaused = false
  var isTooLarge = false
  var responseBytesMax = 0
  var bufferedBytesMax = 0

  init(touched multi: MultiInbox) { self.multi = multi }

  private func touch() {
    if isTouched { return }
    isTouched = true
    multi.touched.append(id)
  }

  func reset() {
    body = []
    bodyOffset = 0
    status = 0
    headers = []
    isHeadComplete = false
    received = []
    receivedTotal = 0
    headerBytes = 0
    isTouched = false
    isPaused = false
    isTooLarge = false
  }

  /// Takes one header line, with its end; false if there are too many bytes.
  func appendHeaderLine(_ line: [UInt8]) -> Bool {
    touch()
    headerBytes += line.count
    guard headerBytes <= HTTPLimits.headerBytesMax else {
      isTooLarge = true
      return false
    }
    var text = String(decoding: line, as: UTF8.self)[...]
    // "\r\n" is one Character.
    while text.last?.isNewline == true { text.removeLast() }
    if text.hasPrefix("HTTP/") {
      // A new head: what came before it was an interim answer (RFC 9110 §15.2).
      let parts = text.split(separator: " ", maxSplits: 2)
      status = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
      headers = []
      isHeadComplete = false
    } else if text.isEmpty {
      isHeadComplete = status >= 200
    } else if !isHeadComplete, let colon = text.firstIndex(of: ":") {
      var value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      while value.last == " " || value.last == "\t" { value.removeLast() }
      headers.append(HTTPHeader(String(text[..<colon]), String(value)))
    }
    return true
  }

  /// What to do with bytes of the body that curl offers.
  enum Admission { case take, pause, refuse }

  func admit(_ count: Int) -> Admission {
    touch()
    guard receivedTotal + count <= responseBytesMax else {
      isTooLarge = true
      return .refuse
    }
    // A single piece may exceed the mark, else it could never be taken.
    guard received.isEmpty || received.count + count <= bufferedBytesMax else {
      isPaused = true
      return .pause
    }
    receivedTotal += count
    return .take
  }
}
