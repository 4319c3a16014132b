import CLinux
import Glibc

/// A thread that runs one body, to be joined once.
///
/// - Ownership: the thread; `join` waits for its end.
struct LoopThread: ~Copyable, @unchecked Sendable {
  private let handle: pthread_t

  /// The calling thread's identity, for comparisons.
  static var current: UInt { UInt(bitPattern: Int(truncatingIfNeeded: pthread_self())) }

  init(name: String, _ body: @escaping @Sendable () -> Void) throws(ReactorError) {
    let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
    var handle = pthread_t()
    let code = unsafe pthread_create(
      &handle, nil,
      { argument in
        let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        // The kernel takes 15 bytes.
        unsafe recount_name_thread(String(start.name.prefix(15)))
        start.body()
        return nil
      }, unsafe start.toOpaque())
    guard code == 0 else {
      unsafe start.release()
      throw .cannotStart(errno: code)
    }
    self.handle = handle
  }

  consuming func join() { _ = pthread_join(handle, nil) }

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }
}
