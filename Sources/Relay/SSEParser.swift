/// Splits a stream of server-sent events into events.
///
/// - Shape: lines end in LF, CR or CRLF; a line is `field: value`, a comment (`: …`) or empty,
///   which ends the event. `data` lines are joined by LF; an event without any is none. A byte
///   order mark may come first. `id` and `retry` are for browsers that reconnect, and are left out.
/// - Isolation: none; a value, driven by its reader: `append`, then `next` until nil.
/// - Ownership: what was appended is kept until `next` has passed it.
/// - Throws: `.eventTooLarge`, for good; all events that were whole before it came out first.
/// - Source: HTML Living Standard, section 9.2.6; at the end see `finish`.
struct SSEParser: Sendable {
  /// Bytes of one line, and of the data of one event, inclusive: far above any delta.
  static let eventBytesMax = 1 << 20

  struct Event: Sendable, Equatable {
    /// The `event` field; empty if there was none.
    var name: [UInt8] = []
    var data: [UInt8] = []
  }

  enum Failure: Error, Equatable { case eventTooLarge }

  private let bytesMax: Int
  private var input: [UInt8] = []
  private var position = 0
  private var line: [UInt8] = []
  private var event = Event()
  private var hasData = false
  /// The last byte was CR: a LF that follows belongs to it.
  private var isAfterCR = false
  private var isFirstLine = true

  init(eventBytesMax: Int = Self.eventBytesMax) { bytesMax = eventBytesMax }

  /// Takes the next bytes of the stream.
  mutating func append(_ bytes: [UInt8]) {
    if position == input.count {
      input = bytes
    } else {
      input.removeSubrange(..<position)
      input += bytes
    }
    position = 0
  }

  /// The next whole event; nil when more bytes are needed.
  mutating func next() throws(Failure) -> Event? {
    while position < input.count {
      if isAfterCR {
        isAfterCR = false
        if input[position] == UInt8(ascii: "\n") {
          position += 1
          continue
        }
      }
      let rest = input[position...]
      let end = rest.firstIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
      let piece = rest[..<(end ?? rest.endIndex)]
      guard line.count + piece.count <= bytesMax else { throw .eventTooLarge }
      line += piece
      guard let end else {
        position = input.count
        return nil
      }
      isAfterCR = input[end] == UInt8(ascii: "\r")
      position = end + 1
      if let event = try endLine() { return event }
    }
    return nil
  }

  /// What an orderly end of the stream leaves: the last event, though no empty line ended it.
  ///
  /// The standard drops it; a paid answer's last words are worth a look.
  mutating func finish() throws(Failure) -> Event? {
    if let event = try next() { return event }
    if !line.isEmpty, let event = try endLine() { return event }
    return try endLine()
  }

  /// Reads the line that has ended; gives the event if that ended one.
  private mutating func endLine() throws(Failure) -> Event? {
    defer { line.removeAll(keepingCapacity: true) }
    if isFirstLine {
      isFirstLine = false
      if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    }
    guard !line.isEmpty else {
      defer {
        event = Event()
        hasData = false
      }
      return hasData ? event : nil
    }
    let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
    var value = line[colon...].dropFirst()
    if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
    if line[..<colon].elementsEqual("data".utf8) {
      guard event.data.count + (hasData ? 1 : 0) + value.count <= bytesMax else {
        throw .eventTooLarge
      }
      if hasData { event.data.append(UInt8(ascii: "\n")) }
      event.data += value
      hasData = true
    } else if line[..<colon].elementsEqual("event".utf8) {
      event.name = Array(value)
    }
    return nil
  }
}
