import CLinux
import Glibc

/// The kernel's side of a reactor: an epoll instance and the eventfd that wakes it.
///
/// - Ownership: both descriptors.
/// - Isolation: the reactor's thread, but for `wake`.
struct Poller: ~Copyable {
  private let epoll: Int32
  private let eventfd: Int32
  private var ready: [recount_ready]

  /// The eventfd's token; slots are never negative.
  static let wakeToken = UInt64.max

  init(eventsMax: Int) throws(ReactorError) {
    // Both are tried before either is looked at: a failure then frees what there is by `deinit`.
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    eventfd = CLinux.eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    ready = [recount_ready](repeating: recount_ready(), count: eventsMax)
    guard epoll >= 0, eventfd >= 0 else { throw .cannotStart(errno: errno) }
    let made = recount_epoll_control(
      epoll, EPOLL_CTL_ADD, eventfd, EPOLLIN.rawValue, Self.wakeToken)
    guard made == 0 else { throw .cannotStart(errno: errno) }
  }

  deinit {
    if eventfd >= 0 { close(eventfd) }
    if epoll >= 0 { close(epoll) }
  }

  /// Ends the current or next wait. From any thread.
  func wake() {
    var one: UInt64 = 1
    // EAGAIN means that the counter is full: it wakes in any case.
    _ = unsafe write(eventfd, &one, MemoryLayout<UInt64>.size)
  }

  private func drainWake() {
    var count: UInt64 = 0
    _ = unsafe read(eventfd, &count, MemoryLayout<UInt64>.size)
  }

  /// Watches a descriptor, or changes what it is watched for.
  func watch(_ descriptor: Int32, _ interest: Interest, token: UInt64) throws(ReactorError) {
    var mask: UInt32 = 0
    if interest.contains(.read) { mask |= EPOLLIN.rawValue }
    if interest.contains(.write) { mask |= EPOLLOUT.rawValue }
    if recount_epoll_control(epoll, EPOLL_CTL_MOD, descriptor, mask, token) == 0 { return }
    guard errno == ENOENT else { throw .cannotWatch(errno: errno) }
    guard recount_epoll_control(epoll, EPOLL_CTL_ADD, descriptor, mask, token) == 0 else {
      throw .cannotWatch(errno: errno)
    }
  }

  /// Watches no more. A descriptor that was closed has left by itself.
  func unwatch(_ descriptor: Int32) {
    _ = recount_epoll_control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0)
  }

  /// Waits and calls `body` for each ready descriptor's token.
  ///
  /// - Parameter timeout: nil waits without a limit.
  mutating func wait(timeout: Duration?, _ body: (UInt64, Readiness) -> Void) {
    let count = unsafe recount_epoll_wait(
      epoll, &ready, Int32(ready.count), Self.milliseconds(timeout))
    guard count > 0 else { return }
    for event in ready[..<Int(count)] {
      if event.token == Self.wakeToken {
        drainWake()
      } else {
        body(event.token, Self.readiness(event.events))
      }
    }
  }

  /// Rounded up, so that a timer is never early.
  private static func milliseconds(_ timeout: Duration?) -> Int32 {
    guard let timeout else { return -1 }
    if timeout <= .zero { return 0 }
    if timeout > .seconds(3600) { return 3_600_000 }
    let (seconds, attoseconds) = timeout.components
    let perMillisecond: Int64 = 1_000_000_000_000_000
    return Int32(seconds) * 1000 + Int32((attoseconds + perMillisecond - 1) / perMillisecond)
  }

  private static func readiness(_ events: UInt32) -> Readiness {
    var readiness: Readiness = []
    if events & EPOLLIN.rawValue != 0 { readiness.insert(.read) }
    if events & EPOLLOUT.rawValue != 0 { readiness.insert(.write) }
    if events & EPOLLHUP.rawValue != 0 { readiness.insert(.hangup) }
    if events & EPOLLERR.rawValue != 0 { readiness.insert(.error) }
    return readiness
  }
}
