import Glibc
import HTTPClient

/// A relay's key in a file, read again at most once a second, so that a rotated key is taken up
/// without a restart.
///
/// - Isolation: none; its owner's. Reading a few bytes of a local file is the one thing that may
///   block the loop, for microseconds.
/// - Shape: the key, with white space around it.
/// - Limits: `keyBytesMax`.
struct CredentialFile {
  static let keyBytesMax = 4096
  static let refreshInterval = Duration.seconds(1)

  private let path: String
  private var credential: HTTPCredential?
  private var readAt: ContinuousClock.Instant?

  init(path: String) { self.path = path }

  /// The key; nil if the file cannot be read or holds none.
  mutating func current(at now: ContinuousClock.Instant) -> HTTPCredential? {
    if let readAt, readAt.duration(to: now) < CredentialFile.refreshInterval { return credential }
    readAt = now
    credential = CredentialFile.read(path).flatMap { HTTPCredential(bearer: $0) }
    return credential
  }

  /// The file's bytes without white space around them.
  static func read(_ path: String) -> [UInt8]? {
    // Why `unsafe`: C strings and a local array, each borrowed for one call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: keyBytesMax + 1)
    let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
    guard count >= 0, count <= keyBytesMax else { return nil }
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
    let trimmed = bytes[..<count].drop(while: isSpace)
    let end = trimmed.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? trimmed.startIndex
    return Array(trimmed[..<end])
  }
}
