import Glibc

/// Places where a debug build can be told to die by SIGKILL, to prove that nothing is lost there.
public enum KillPoint: String, Sendable, CaseIterable {
  case afterBegin = "after_begin"
  case afterRequestHeaders = "after_request_headers"
  case afterFirstByte = "after_first_byte"
  case beforeSettle = "before_settle"
  case afterCommit = "after_commit"

  /// Whether this build has them.
  public static var isAvailable: Bool {
    #if DEBUG
      true
    #else
      false
    #endif
  }

  /// Dies here if `armed` is this point.
  func reach(_ armed: KillPoint?) {
    guard Self.isAvailable, armed == self else { return }
    kill(getpid(), SIGKILL)
    // The signal may take a moment; nothing after this point may happen.
    while true { sleep(1) }
  }
}
