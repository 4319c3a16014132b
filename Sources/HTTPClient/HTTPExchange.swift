/// An answer whose body is read by chunks, as it comes.
///
/// - Isolation: its client's reactor; one reader.
/// - Back-pressure: when `bufferedBytesMax` wait for the reader, the connection is read no further.
/// - Ends: at the first nil or error of `nextChunk`, by `cancel`, or with its last reference.
public final class HTTPExchange {
  public let head: HTTPResponseHead
  /// Known when the answer has ended; until then `.none`.
  public private(set) var timings = HTTPTimings.none
  private let client: HTTPClient
  private var transfer: Transfer?

  init(client: HTTPClient, transfer: Transfer) {
    head = HTTPResponseHead(status: transfer.inbox.status, headers: transfer.inbox.headers)
    self.client = client
    self.transfer = transfer
  }

  deinit { cancel() }

  /// The bytes that came since the last call, at least one; nil at the end.
  ///
  /// - Throws: the transfer's failure, after all bytes that came before it were returned.
  public func nextChunk() async throws(HTTPClientError) -> [UInt8]? {
    guard let transfer else { return nil }
    await client.wait(transfer, for: .chunk)
    if !transfer.inbox.received.isEmpty {
      let chunk = transfer.inbox.received
      transfer.inbox.received = []
      client.didTake(from: transfer)
      return chunk
    }
    let outcome = transfer.outcome
    self.transfer = nil
    client.recycle(transfer)
    if let outcome { timings = try outcome.get() }
    return nil
  }

  /// Gives the rest up: the connection ends.
  public func cancel() {
    guard let transfer else { return }
    self.transfer = nil
    client.recycle(transfer)
  }
}
