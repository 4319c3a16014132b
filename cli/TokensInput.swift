import Glibc

/// Reads files and standard input in parts, with a progress bar for large files in a terminal.
enum TokensInput {
  /// Bytes read at a time.
  private static let partBytes = 1 << 20
  /// A file of at least so many bytes gets a progress bar: smaller ones take no noticeable time.
  private static let progressBytes = 32 << 20

  /// Lends each part of an input to `body`; "-" is standard input.
  static func read(_ path: String, _ body: ([UInt8]) throws -> Void) throws {
    var descriptor = STDIN_FILENO
    if path != "-" {
      // The path is a literal string for the length of the call.
      descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
      if descriptor < 0 { throw TokensFailure("cannot open \(path): \(reason())") }
    }
    defer { if path != "-" { close(descriptor) } }
    var bar = ProgressLine(path: path, size: size(descriptor))
    defer { bar.clear() }
    var buffer = [UInt8](repeating: 0, count: partBytes)
    while true {
      // The buffer is ours and as long as we say.
      let got = unsafe Glibc.read(descriptor, &buffer, buffer.count)
      if got < 0 {
        if errno == EINTR { continue }
        throw TokensFailure("cannot read \(path): \(reason())")
      }
      if got == 0 { return }
      try body(got == buffer.count ? buffer : Array(buffer[..<got]))
      bar.advance(by: got)
    }
  }

  /// Writes a line to standard output.
  static func print(_ line: String) throws { try write(Array("\(line)\n".utf8)) }

  /// Writes bytes to standard output, unbuffered: it takes all output of these commands.
  static func write(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      // The slice is ours and as long as we say.
      let written = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
      }
      if written < 0 && errno == EINTR { continue }
      if written <= 0 { throw TokensFailure("cannot write: \(reason())") }
      rest = rest.dropFirst(written)
    }
  }

  private static func reason() -> String {
    // strerror's text is copied at once.
    unsafe String(cString: strerror(errno))
  }

  /// The size of a regular file; nil for pipes and terminals.
  private static func size(_ descriptor: Int32) -> Int? {
    var status = stat()
    // `status` is ours and outlives the call.
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      return nil
    }
    return Int(status.st_size)
  }

  /// One line on standard error that is rewritten as work goes on, and removed at the end.
  private struct ProgressLine {
    private let path: String
    private let size: Int
    private let isShown: Bool
    private var done = 0
    private var percent = -1

    init(path: String, size: Int?) {
      self.path = path
      self.size = size ?? 0
      isShown = self.size >= TokensInput.progressBytes && isatty(STDERR_FILENO) == 1
    }

    mutating func advance(by bytes: Int) {
      done += bytes
      let now = isShown ? min(100, done * 100 / size) : percent
      if now == percent { return }
      percent = now
      let filled = String(repeating: "#", count: now / 4)
      let empty = String(repeating: ".", count: 25 - now / 4)
      show("\r\(filled)\(empty) \(now)% \(path)")
    }

    func clear() {
      if percent >= 0 { show("\r\u{1B}[K") }
    }

    private func show(_ text: String) {
      let bytes = Array(text.utf8)
      // The array is ours; a progress bar that cannot be written is no failure.
      _ = unsafe Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
  }
}
