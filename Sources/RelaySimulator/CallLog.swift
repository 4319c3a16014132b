import Glibc
import JSON
import Synchronization

/// One JSON line for each call, in the file before the call is answered.
///
/// A line is one `write` to a file opened for appending, so a killed simulator loses none that
/// preceded an answer. It holds no prompt, no answer and no key.
final class CallLog: Sendable {
  private let descriptor: Int32
  private let lock = Mutex(())

  /// Appends to the file; nil if it cannot be opened.
  init?(path: String) {
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    if descriptor < 0 { return nil }
  }

  deinit { close(descriptor) }

  /// What is known of a call before its answer leaves.
  struct Entry {
    var attempt: String?
    var milliseconds: Int64
    var model: String?
    var messages: Int?
    var sha256: String?
    var status: Int
    var outcome: Outcome
    var usage: Answer.Usage?
  }

  /// What becomes of the call.
  enum Outcome: String {
    /// A completion, with the usage that it reports.
    case answered
    /// The simulator's own refusal, or a scripted status of 400 and above.
    case refused
    /// Bytes from the script instead of an answer.
    case garbage
    /// The connection ends early.
    case cut
  }

  /// How a stream ended.
  enum Ending: String {
    case complete
    /// By the script.
    case cut
    /// The client left.
    case gone
  }

  /// What is known of a stream when it has ended.
  struct StreamEnd {
    var attempt: String?
    var milliseconds: Int64
    var ending: Ending
    /// Of events, without HTTP's framing, that the kernel took.
    var bytes: Int
  }

  /// False if the line could not be written whole.
  func append(_ end: StreamEnd) -> Bool {
    var writer = JSONWriter(capacity: 128)
    writer.beginObject()
    writer.member("time_ms", .number(JSONNumber(end.milliseconds)))
    writer.member("attempt", end.attempt.map(JSONValue.string) ?? .null)
    writer.member("stream", end.ending.rawValue)
    writer.member("bytes", .number(JSONNumber(end.bytes)))
    writer.endObject()
    return append(line: writer.bytes)
  }

  /// False if the line could not be written whole.
  func append(_ entry: Entry) -> Bool {
    var writer = JSONWriter(capacity: 320)
    writer.beginObject()
    writer.member("time_ms", .number(JSONNumber(entry.milliseconds)))
    writer.member("attempt", entry.attempt.map(JSONValue.string) ?? .null)
    writer.member("model", entry.model.map(JSONValue.string) ?? .null)
    writer.member("messages", entry.messages.map { .number(JSONNumber($0)) } ?? .null)
    writer.member("sha256", entry.sha256.map(JSONValue.string) ?? .null)
    writer.member("status", .number(JSONNumber(entry.status)))
    writer.member("outcome", entry.outcome.rawValue)
    writer.name("usage")
    if let usage = entry.usage { usage.write(to: &writer) } else { writer.null() }
    writer.endObject()
    return append(line: writer.bytes)
  }

  private func append(line: [UInt8]) -> Bool {
    let line = line + [10]
    return lock.withLock { _ in unsafe write(descriptor, line, line.count) == line.count }
  }

  /// Now, in milliseconds of Unix time.
  static func now() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}
