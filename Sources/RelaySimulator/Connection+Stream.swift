import Synchronization

extension Connection {
  /// Sends a stream's events, each as one HTTP chunk; false when the connection is to be closed.
  ///
  /// The head has left before, and the script's cuts there have been made.
  func deliver(_ stream: EventStream, cut: HTTPReply.Cut?) -> Bool {
    let sender = StreamSender(connection: self, pauseMilliseconds: stream.pauseMilliseconds)
    let (written, ending) = sender.send(stream, cut: cut)
    simulator.streamEnded(stream.attempt, bytes: written, ending: ending)
    guard ending == .cut, !stream.isOrderly else { return ending != .gone }
    return settleThenCut()
  }
}

/// Writes events as HTTP chunks (RFC 9112, section 7.1) and counts their bytes.
private struct StreamSender {
  let connection: Connection
  let pauseMilliseconds: Int

  /// - Returns: bytes of events written, and how it ended.
  func send(_ stream: EventStream, cut: HTTPReply.Cut?) -> (Int, CallLog.Ending) {
    var written = 0
    let place = cut.flatMap { stream.place(of: $0) }
    let deltas = stream.events.prefix { $0.kind == .delta }.count
    for index in 0...stream.events.count {
      if index == deltas {
        for _ in 0..<stream.fillerCount {
          guard write(stream.filler, counting: &written) else { return (written, .gone) }
        }
      }
      if let place, index == place.index {
        return (written, end(stream, isInside: place.isInside, at: index, written: &written))
      }
      guard index < stream.events.count else { break }
      guard write(stream.events[index].bytes, counting: &written) else { return (written, .gone) }
    }
    return (written, terminate() ? .complete : .gone)
  }

  private func end(
    _ stream: EventStream, isInside: Bool, at index: Int, written: inout Int
  ) -> CallLog.Ending {
    if isInside {
      let bytes = stream.events[index].bytes
      let half = Array(bytes[..<(bytes.count / 2)])
      // Torn inside the HTTP chunk too, unless only the event is to be torn.
      let frame = stream.isOrderly ? framed(half) : Array(framed(bytes)[..<(bytes.count / 2)])
      guard connection.socket.write(frame[...]) else { return .gone }
      written += half.count
      connection.simulator.streamed(half.count)
    }
    if stream.isOrderly { return terminate() ? .cut : .gone }
    return .cut
  }

  private func write(_ event: [UInt8], counting written: inout Int) -> Bool {
    guard connection.socket.write(framed(event)[...]) else { return false }
    written += event.count
    connection.simulator.streamed(event.count)
    return connection.wait(pauseMilliseconds)
  }

  private func terminate() -> Bool { connection.socket.write(Array("0\r\n\r\n".utf8)[...]) }

  private func framed(_ bytes: [UInt8]) -> [UInt8] {
    Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Array("\r\n".utf8)
  }
}

extension Simulator {
  /// Counts bytes of events that the kernel took.
  func streamed(_ bytes: Int) { state.withLock { $0.streamedBytes += bytes } }

  func streamEnded(_ attempt: String?, bytes: Int, ending: CallLog.Ending) {
    _ = settings.log?.append(
      CallLog.StreamEnd(
        attempt: attempt, milliseconds: CallLog.now(), ending: ending, bytes: bytes))
  }
}
