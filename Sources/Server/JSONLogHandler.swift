import Dispatch
import Foundation
import Logging
import Synchronization

/// JSON lines on stderr, written by a thread of their own: whoever logs never waits.
struct JSONLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level
  private let label: String

  init(label: String, level: Logger.Level) {
    self.label = label
    logLevel = level
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var fields: [String: String] = [
      "time": Date().ISO8601Format(.iso8601(timeZone: .gmt, includingFractionalSeconds: true)),
      "level": event.level.rawValue, "logger": label, "message": "\(event.message)",
    ]
    for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 })
    where fields[key] == nil {
      fields[key] = "\(value)"
    }
    LogWriter.shared.write(fields)
  }
}

/// The one writer of stderr.
///
/// - Limits: `linesMax` lines wait; further ones are dropped and counted, and the count is told as
///   soon as there is room.
final class LogWriter: Sendable {
  static let shared = LogWriter()
  static let linesMax = 4096

  private let queue = DispatchQueue(label: "recount.log")
  private let waiting = Atomic<Int>(0)
  private let dropped = Atomic<Int>(0)

  func write(_ fields: [String: String]) {
    guard waiting.add(1, ordering: .relaxed).newValue <= Self.linesMax else {
      waiting.subtract(1, ordering: .relaxed)
      dropped.add(1, ordering: .relaxed)
      return
    }
    queue.async { [self] in
      var fields = fields
      let lost = dropped.exchange(0, ordering: .relaxed)
      if lost > 0 { fields["lines_dropped"] = String(lost) }
      let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
      if var line = try? JSONSerialization.data(withJSONObject: fields, options: options) {
        line.append(UInt8(ascii: "\n"))
        try? FileHandle.standardError.write(contentsOf: line)
      }
      waiting.subtract(1, ordering: .relaxed)
    }
  }

  /// Waits until what was logged is written.
  func flush() { queue.sync {} }
}
