import Foundation

/// One client's connection, on a thread of its own: read a request, answer it, again.
struct Connection {
  let socket: BlockingSocket
  let simulator: Simulator

  func run() {
    var reader = RequestReader(socket: socket)
    while true {
      do throws(RequestReader.Failure) {
        let request = try reader.next()
        guard let reply = simulator.reply(to: request, isPeerGone: { socket.isPeerGone }),
          deliver(reply, keepsAlive: request.keepsAlive), request.keepsAlive
        else { return }
      } catch {
        if let status = error.status {
          let body = APIError(status: status, message: "the request could not be read").body
          _ = deliver(HTTPReply(status: status, body: body), keepsAlive: false)
        }
        return
      }
    }
  }

  /// Sends the reply as its script wants it; false when the connection is to be closed.
  private func deliver(_ reply: HTTPReply, keepsAlive: Bool) -> Bool {
    let delivery = reply.delivery
    guard wait(delivery.latencyMilliseconds) else { return false }
    if delivery.resets { socket.resetOnClose() }
    let head = reply.head(keepsAlive: keepsAlive)
    switch delivery.cut {
    case .beforeHeaders: return false
    case .insideHeaders:
      _ = socket.write(head[..<(head.count / 2)])
      return settleThenCut()
    case .beforeBody where reply.stream == nil:
      _ = socket.write(head[...])
      return settleThenCut()
    case .some where reply.stream == nil:
      _ = socket.write(head + reply.body[..<(reply.body.count / 2)])
      return settleThenCut()
    default: break
    }
    if let stream = reply.stream {
      guard socket.write(head[...]), wait(delivery.bodyDelayMilliseconds) else { return false }
      return deliver(stream, cut: delivery.cut)
    }
    if delivery.bodyDelayMilliseconds == 0, delivery.trickleBytes == 0 {
      return socket.write((head + reply.body)[...])
    }
    guard socket.write(head[...]), wait(delivery.bodyDelayMilliseconds) else { return false }
    let piece = delivery.trickleBytes > 0 ? delivery.trickleBytes : max(reply.body.count, 1)
    for start in stride(from: 0, to: reply.body.count, by: piece) {
      let end = min(start + piece, reply.body.count)
      guard socket.write(reply.body[start..<end]), wait(delivery.trickleMilliseconds) else {
        return false
      }
    }
    return true
  }

  /// A reset may overtake bytes that the peer has not read yet; give it time to read them.
  func settleThenCut() -> Bool {
    Thread.sleep(forTimeInterval: 0.02)
    return false
  }

  /// Waits, watching the peer; false when it has gone.
  func wait(_ milliseconds: Int) -> Bool {
    var left = milliseconds
    while left > 0 {
      let step = min(left, Simulator.watchMilliseconds)
      Thread.sleep(forTimeInterval: Double(step) / 1000)
      left -= step
      if left > 0, socket.isPeerGone { return false }
    }
    return true
  }
}

extension RequestReader.Failure {
  fileprivate var status: Int? {
    switch self {
    case .closed: nil
    case .malformed: 400
    case .tooLarge: 413
    }
  }
}
