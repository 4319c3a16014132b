/// What is left to send of one stream's body.
///
/// The session owns it as long as the stream is open; the C library holds a pointer to it for that
/// time and no longer.
final class OutgoingBody {
  /// What the C library is to do after it asked for bytes.
  enum Supply {
    /// This many bytes were copied; `isLast` ends the body.
    case copied(Int, isLast: Bool)
    /// Nothing now; ask again after a resume.
    case deferred
  }

  /// Sent bytes that are kept before they are dropped.
  static let sentBytesMax = 64 * 1024

  var stream: Int32 = 0
  /// The bytes; those before `offset` are sent.
  var bytes: [UInt8] = []
  private var offset = 0
  /// No more will be added.
  var isFinished = false
  /// Sent after the body; without them the body's last frame ends the stream.
  var trailers: HeaderList?
  /// The library waits for a resume.
  var isDeferred = false
  /// Someone waits for `Event.drained`.
  var wantsDrained = false

  var pendingBytes: Int { bytes.count - offset }

  /// Copies as much as fits.
  func supply(_ destination: UnsafeMutableRawBufferPointer) -> Supply {
    let count = min(destination.count, pendingBytes)
    if count == 0 && !isFinished {
      isDeferred = true
      return .deferred
    }
    if count > 0 {
      // Pointer use: the library lends a frame's buffer for the length of the callback.
      unsafe bytes.withUnsafeBytes { source in
        unsafe destination.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + count]))
      }
      offset += count
    }
    if pendingBytes == 0 {
      bytes.removeAll(keepingCapacity: true)
      offset = 0
    } else if offset >= Self.sentBytesMax && offset >= pendingBytes {
      // What is moved is no more than what was sent since the last move.
      bytes.removeFirst(offset)
      offset = 0
    }
    return .copied(count, isLast: pendingBytes == 0 && isFinished)
  }

  /// Forgets everything, for reuse by another stream.
  func clear() {
    bytes.removeAll(keepingCapacity: true)
    offset = 0
    isFinished = false
    trailers = nil
    isDeferred = false
    wantsDrained = false
  }
}
