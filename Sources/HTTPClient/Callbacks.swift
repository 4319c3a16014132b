import CCurl

// curl's callbacks. Each only appends to an inbox; the client acts after curl has returned.
//
// Why `unsafe`: curl hands back the untyped pointer that we gave it. A multi inbox lives as long
// as its client, which frees the multi handle first; a transfer's inbox as long as its easy handle.

/// What a callback was registered with.
private func multiInbox(_ pointer: UnsafeMutableRawPointer?) -> MultiInbox? {
  guard let pointer = unsafe pointer else { return nil }
  return unsafe Unmanaged<MultiInbox>.fromOpaque(pointer).takeUnretainedValue()
}

private func transferInbox(_ pointer: UnsafeMutableRawPointer?) -> TransferInbox? {
  guard let pointer = unsafe pointer else { return nil }
  return unsafe Unmanaged<TransferInbox>.fromOpaque(pointer).takeUnretainedValue()
}

@c func recountCurlSocket(
  _ easy: UnsafeMutableRawPointer?, _ socket: Int32, _ what: Int32,
  _ user: UnsafeMutableRawPointer?, _ socketUser: UnsafeMutableRawPointer?
) -> Int32 {
  let inbox = unsafe multiInbox(user)
  if what == CURL_POLL_REMOVE {
    inbox?.socketEvents.append(.unwatch(socket))
  } else {
    inbox?.socketEvents.append(
      .watch(socket, reads: what & CURL_POLL_IN != 0, writes: what & CURL_POLL_OUT != 0))
  }
  return 0
}

@c func recountCurlTimer(
  _ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ user: UnsafeMutableRawPointer?
) -> Int32 {
  unsafe multiInbox(user)?.timeoutMilliseconds = milliseconds
  return 0
}

@c func recountCurlClose(_ user: UnsafeMutableRawPointer?, _ socket: Int32) -> Int32 {
  unsafe multiInbox(user)?.socketEvents.append(.close(socket))
  return 0
}

@c func recountCurlHeader(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
  _ user: UnsafeMutableRawPointer?
) -> Int {
  guard let inbox = unsafe transferInbox(user) else { return 0 }
  let line = unsafe Array(UnsafeRawBufferPointer(start: bytes, count: size * count))
  return inbox.appendHeaderLine(line) ? size * count : 0
}

@c func recountCurlWrite(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
  _ user: UnsafeMutableRawPointer?
) -> Int {
  guard let inbox = unsafe transferInbox(user) else { return 0 }
  switch inbox.admit(size * count) {
  case .pause: return ccurl_write_pause
  case .refuse: return 0
  case .take:
    unsafe inbox.received.append(
      contentsOf: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
  }
}

@c func recountCurlRead(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
  _ user: UnsafeMutableRawPointer?
) -> Int {
  guard let inbox = unsafe transferInbox(user) else { return 0 }
  let length = min(size * count, inbox.body.count - inbox.bodyOffset)
  guard length > 0 else { return 0 }
  unsafe inbox.body.withUnsafeBytes { body in
    unsafe UnsafeMutableRawBufferPointer(start: bytes, count: length).copyMemory(
      from: UnsafeRawBufferPointer(
        rebasing: body[inbox.bodyOffset..<(inbox.bodyOffset + length)]))
  }
  inbox.bodyOffset += length
  return length
}

/// Refuses to rewind: when a reused connection dies after body bytes left, curl would send the
/// request again by itself, and an upstream that had acted on the first would act and bill twice.
@c func recountCurlSeek(
  _ user: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32
) -> Int32 {
  CURL_SEEKFUNC_FAIL
}
