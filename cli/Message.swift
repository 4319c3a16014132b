import Glibc

/// What people read: standard error, with nothing secret in it.
enum Message {
  static func show(_ text: String) {
    let bytes = Array((scrubbed(text) + "\n").utf8)
    // The array is ours; there is nowhere to say that standard error is closed.
    _ = unsafe Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }

  /// Asks on the terminal; without one, and without `--yes`, nothing is done.
  static func confirm(_ question: String, isGiven: Bool) throws(CommandFailure) {
    if isGiven { return }
    guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
      throw CommandFailure(.refused, "there is no terminal to ask on: give --yes to do this")
    }
    let bytes = Array("\(question) [y/N] ".utf8)
    // The array is ours.
    _ = unsafe Glibc.write(STDERR_FILENO, bytes, bytes.count)
    guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
      throw CommandFailure(.refused, "not confirmed: nothing was changed")
    }
  }

  /// Messages repeat arguments that were not understood, among which a secret may be.
  private static func scrubbed(_ text: String) -> String {
    text.replacing(/rct_[A-Za-z0-9]+_[A-Za-z0-9]+/, with: "rct_…")
      .replacing(/:\/\/[^\s\/@]*:[^\s@]*@/, with: "://…@")
      .replacing(/(?i)password(\s*=\s*)\S+/) { "password\($0.output.1)…" }
  }
}
