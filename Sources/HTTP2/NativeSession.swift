// Every pointer of libnghttp2 lives in this file. `unsafe` stands here because C lends and takes
// raw pointers: what a callback lends is copied before it returns, and what we lend (the inbox, a
// body) is kept alive by `Session` for longer than the library can ask for it.
internal import CNghttp2

/// Which side of a connection a session is.
public enum Role: Sendable {
  /// Accepts streams.
  case server
  /// Begins streams.
  case client
}

/// Owns one `nghttp2_session`.
@safe
struct NativeSession: ~Copyable {
  private let session: OpaquePointer

  init(_ role: Role, _ limits: HTTP2Limits, _ inbox: Inbox) {
    var callbacks: OpaquePointer?
    unsafe precondition(nghttp2_session_callbacks_new(&callbacks) == 0, "out of memory")
    defer { unsafe nghttp2_session_callbacks_del(callbacks) }
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, onBeginHeaders)
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, onHeader)
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, onFrame)
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, onData)
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, onClose)

    var option: OpaquePointer?
    unsafe precondition(nghttp2_option_new(&option) == 0, "out of memory")
    defer { unsafe nghttp2_option_del(option) }
    unsafe nghttp2_option_set_no_auto_window_update(option, 1)
    unsafe nghttp2_option_set_no_closed_streams(option, 1)
    unsafe nghttp2_option_set_max_outbound_ack(option, limits.outboundAcksMax)
    unsafe nghttp2_option_set_max_settings(option, limits.settingsMax)
    unsafe nghttp2_option_set_max_continuations(option, limits.continuationsMax)
    unsafe nghttp2_option_set_stream_reset_rate_limit(
      option, UInt64(limits.resetBurst), UInt64(limits.resetsPerSecond))

    let owner = unsafe Unmanaged.passUnretained(inbox).toOpaque()
    var created: OpaquePointer?
    let result =
      switch role {
      case .server: unsafe nghttp2_session_server_new3(&created, callbacks, owner, option, nil)
      case .client: unsafe nghttp2_session_client_new3(&created, callbacks, owner, option, nil)
      }
    precondition(result == 0, "out of memory")
    unsafe session = created!
    submitSettings(role, limits)
  }

  deinit { unsafe nghttp2_session_del(session) }

  private func submitSettings(_ role: Role, _ limits: HTTP2Limits) {
    func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
      nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(value))
    }
    var entries = [
      entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.streamWindowBytes),
      entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.headerListBytesMax),
      entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
    ]
    switch role {
    case .server:
      entries.append(entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.concurrentStreamsMax))
    case .client: entries.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
    }
    let count = entries.count
    unsafe check(nghttp2_submit_settings(session, 0, &entries, count))
    unsafe check(
      nghttp2_session_set_local_window_size(session, 0, 0, Int32(limits.connectionWindowBytes)))
  }

  /// What cannot fail but for lack of memory or a bug of ours.
  private func check(_ result: Int32) {
    precondition(result == 0, "nghttp2 refused a call of ours")
  }

  func receive(_ bytes: borrowing Span<UInt8>) throws(SessionError) {
    let result = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe nghttp2_session_mem_recv(session, buffer.baseAddress, buffer.count)
    }
    if result < 0 { throw Self.error(Int32(result)) }
  }

  /// The next piece of output, appended; false when there is none.
  func send(appendingTo output: inout [UInt8]) throws(SessionError) -> Bool {
    var data: UnsafePointer<UInt8>?
    let count = unsafe nghttp2_session_mem_send(session, &data)
    if count < 0 { throw Self.error(Int32(count)) }
    guard count > 0, let bytes = unsafe data else { return false }
    unsafe output.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
    return true
  }

  private static func error(_ code: Int32) -> SessionError {
    switch code {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue: .notHTTP2
    case NGHTTP2_ERR_FLOODED.rawValue: .flooded
    default: .failed(code: Int(code))
    }
  }

  var wantsRead: Bool { unsafe nghttp2_session_want_read(session) != 0 }
  var wantsWrite: Bool { unsafe nghttp2_session_want_write(session) != 0 }

  /// Sends response headers; a body follows if given, else the stream ends with them.
  func respond(_ stream: Int32, _ headers: HeaderList, _ body: OutgoingBody?) -> Bool {
    unsafe withFields(headers) { fields, count in
      guard let body else {
        return unsafe nghttp2_submit_response(session, stream, fields, count, nil) == 0
      }
      var provider = unsafe provider(body)
      return unsafe nghttp2_submit_response(session, stream, fields, count, &provider) == 0
    }
  }

  /// Begins a stream; nil when there are no more identifiers.
  func request(_ headers: HeaderList, _ body: OutgoingBody?) -> Int32? {
    let stream = unsafe withFields(headers) { fields, count in
      guard let body else {
        return unsafe nghttp2_submit_request(session, nil, fields, count, nil, nil)
      }
      var provider = unsafe provider(body)
      return unsafe nghttp2_submit_request(session, nil, fields, count, &provider, nil)
    }
    return stream > 0 ? stream : nil
  }

  func trailers(_ stream: Int32, _ headers: HeaderList) {
    _ = unsafe withFields(headers) { fields, count in
      unsafe nghttp2_submit_trailer(session, stream, fields, count)
    }
  }

  func resume(_ stream: Int32) { _ = unsafe nghttp2_session_resume_data(session, stream) }

  func reset(_ stream: Int32, _ code: ErrorCode) {
    _ = unsafe nghttp2_submit_rst_stream(session, 0, stream, code.rawValue)
  }

  func consume(_ stream: Int32, _ bytes: Int) {
    _ = unsafe nghttp2_session_consume(session, stream, bytes)
  }

  func ping() { _ = unsafe nghttp2_submit_ping(session, 0, nil) }

  func shutdownNotice() { _ = unsafe nghttp2_submit_shutdown_notice(session) }

  func goAway(_ code: ErrorCode) {
    let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
    _ = unsafe nghttp2_submit_goaway(session, 0, last, code.rawValue, nil, 0)
  }

  func terminate(_ code: ErrorCode) {
    _ = unsafe nghttp2_session_terminate_session(session, code.rawValue)
  }

  private func provider(_ body: OutgoingBody) -> nghttp2_data_provider {
    unsafe nghttp2_data_provider(
      source: nghttp2_data_source(ptr: Unmanaged.passUnretained(body).toOpaque()),
      read_callback: onRead)
  }

  private func withFields<Result>(
    _ headers: HeaderList, _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
  ) -> Result {
    unsafe headers.bytes.withUnsafeBufferPointer { bytes in
      unsafe withUnsafeTemporaryAllocation(
        of: nghttp2_nv.self, capacity: headers.fields.count
      ) { fields in
        // The library copies names and values (no flag NO_COPY), so it may have mutable pointers.
        let base = unsafe UnsafeMutablePointer(mutating: bytes.baseAddress!)
        for (index, field) in headers.fields.enumerated() {
          unsafe fields.initializeElement(
            at: index,
            to: nghttp2_nv(
              name: base + field.nameStart, value: base + field.valueStart,
              namelen: field.valueStart - field.nameStart, valuelen: field.end - field.valueStart,
              flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
        }
        return unsafe body(UnsafePointer(fields.baseAddress), headers.fields.count)
      }
    }
  }
}

private func inbox(_ owner: UnsafeMutableRawPointer?) -> Inbox {
  unsafe Unmanaged<Inbox>.fromOpaque(owner!).takeUnretainedValue()
}

@c
private func onBeginHeaders(
  _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?,
  _ owner: UnsafeMutableRawPointer?
) -> Int32 {
  unsafe inbox(owner).beginHeaders()
  return 0
}

@c
private func onHeader(
  _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?,
  _ name: UnsafePointer<UInt8>?, _ nameLength: Int, _ value: UnsafePointer<UInt8>?,
  _ valueLength: Int, _ flags: UInt8, _ owner: UnsafeMutableRawPointer?
) -> Int32 {
  unsafe inbox(owner).header(
    UnsafeBufferPointer(start: name, count: nameLength),
    UnsafeBufferPointer(start: value, count: valueLength))
  return 0
}

@c
private func onFrame(
  _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?,
  _ owner: UnsafeMutableRawPointer?
) -> Int32 {
  let head = unsafe frame!.pointee.hd
  let inbox = unsafe inbox(owner)
  let endsStream = head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
  switch UInt32(head.type) {
  case NGHTTP2_HEADERS.rawValue:
    inbox.endHeaders(head.stream_id)
    if endsStream { inbox.record(.ended(StreamID(rawValue: head.stream_id))) }
  case NGHTTP2_DATA.rawValue:
    if endsStream { inbox.record(.ended(StreamID(rawValue: head.stream_id))) }
  case NGHTTP2_PING.rawValue:
    if head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 { inbox.record(.pingAcknowledged) }
  case NGHTTP2_GOAWAY.rawValue:
    let goAway = unsafe frame!.pointee.goaway
    inbox.record(
      unsafe .goAway(
        lastStream: StreamID(rawValue: goAway.last_stream_id),
        ErrorCode(rawValue: goAway.error_code)))
  default: break
  }
  return 0
}

@c
private func onData(
  _ session: OpaquePointer?, _ flags: UInt8, _ stream: Int32, _ bytes: UnsafePointer<UInt8>?,
  _ count: Int, _ owner: UnsafeMutableRawPointer?
) -> Int32 {
  unsafe inbox(owner).data(stream, UnsafeBufferPointer(start: bytes, count: count))
  return 0
}

@c
private func onClose(
  _ session: OpaquePointer?, _ stream: Int32, _ code: UInt32, _ owner: UnsafeMutableRawPointer?
) -> Int32 {
  unsafe inbox(owner).record(.closed(StreamID(rawValue: stream), ErrorCode(rawValue: code)))
  return 0
}

@c
private func onRead(
  _ session: OpaquePointer?, _ stream: Int32, _ buffer: UnsafeMutablePointer<UInt8>?,
  _ length: Int, _ flags: UnsafeMutablePointer<UInt32>?,
  _ source: UnsafeMutablePointer<nghttp2_data_source>?, _ owner: UnsafeMutableRawPointer?
) -> Int {
  let body = unsafe Unmanaged<OutgoingBody>.fromOpaque(source!.pointee.ptr).takeUnretainedValue()
  switch unsafe body.supply(UnsafeMutableRawBufferPointer(start: buffer, count: length)) {
  case .deferred: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
  case .copied(let count, let isLast):
    if isLast {
      unsafe flags!.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
      if body.trailers != nil {
        unsafe flags!.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
      }
    }
    unsafe inbox(owner).supplied(body, isLast: isLast)
    return count
  }
}
