/// A caller that waits for its answer; resumed exactly once.
///
/// The checked continuation costs a third more; each entry of a lane is resumed by the one place
/// that takes it out of the queue for good, which is what makes the unchecked one sound.
@safe struct Waiter<Value: Sendable> {
  private let continuation: UnsafeContinuation<Result<Value, PostgresError>, Never>

  func resume(_ result: Result<Value, PostgresError>) {
    unsafe continuation.resume(returning: result)
  }

  /// Suspends the caller until the waiter given to `body` is resumed.
  static func wait(
    _ body: (Waiter<Value>) -> Void
  ) async throws(PostgresError) -> Value {
    let result = await unsafe withUnsafeContinuation { continuation in
      unsafe body(Waiter(continuation: continuation))
    }
    return try result.get()
  }

  private init(continuation: UnsafeContinuation<Result<Value, PostgresError>, Never>) {
    unsafe self.continuation = continuation
  }
}
