/// Why the kernel refused the reactor something; holds its error number.
public enum ReactorError: Error, Sendable, Equatable {
  /// No epoll instance, eventfd or thread could be made.
  case cannotStart(errno: Int32)
  /// A descriptor cannot be watched: closed, not pollable, or too many.
  case cannotWatch(errno: Int32)
}
