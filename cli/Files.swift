import Glibc

/// A file that is read whole.
enum InputFile {
  /// The bytes; "-" is standard input.
  static func read(_ path: String, bytesMax: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try TokensInput.read(path) { part in
      bytes.append(contentsOf: part)
      if bytes.count > bytesMax {
        throw CommandFailure(.usage, "\(path): more than \(bytesMax) bytes")
      }
    }
    return bytes
  }
}

/// A new file that only its owner may read.
struct SecretFile: ~Copyable {
  private let path: String
  private let descriptor: Int32
  private var isKept = false

  /// Makes the file; one that exists is left alone.
  init(path: String) throws(CommandFailure) {
    // The path is ours for the length of the call.
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    self.path = path
    if descriptor < 0 {
      throw CommandFailure(
        errno == EEXIST ? .conflict : .failure, "cannot make \(path): \(SecretFile.reason())")
    }
  }

  deinit {
    if descriptor < 0 { return }
    close(descriptor)
    // The path is ours for the length of the call.
    if !isKept { _ = unsafe unlink(path) }
  }

  /// Writes all of it to the disk; the file goes again unless it is kept.
  func write(_ text: String) throws(CommandFailure) {
    let bytes = Array(text.utf8)
    // The array is ours.
    guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count,
      fsync(descriptor) == 0
    else { throw CommandFailure(.failure, "cannot write \(path): \(SecretFile.reason())") }
  }

  mutating func keep() { isKept = true }

  private static func reason() -> String {
    // strerror's text is copied at once.
    unsafe String(cString: strerror(errno))
  }
}
