import CCurl
import Glibc

// The owners of curl's handles: the only file that holds curl's pointers.
//
// Why `unsafe`: every call passes a handle that its owner alone holds and frees. curl copies the
// strings that it is given; the inboxes that it points to outlive their handles (see the client).

/// One easy handle and its header list; freed with its owner.
@safe struct EasyHandle: ~Copyable {
  private let pointer: UnsafeMutableRawPointer
  private var headerList: UnsafeMutablePointer<curl_slist>?
  /// Kept, because curl points to them.
  private let inbox: TransferInbox
  private let multiInbox: MultiInbox

  /// Nil if curl has no memory.
  init?(inbox: TransferInbox, multiInbox: MultiInbox, caFile: String?) {
    guard let made = unsafe curl_easy_init() else { return nil }
    self.inbox = inbox
    self.multiInbox = multiInbox
    unsafe pointer = made
    unsafe headerList = nil
    setFixed(caFile: caFile)
    let inboxPointer = unsafe Unmanaged.passUnretained(inbox).toOpaque()
    unsafe ccurl_set_data_function(made, CURLOPT_HEADERFUNCTION, recountCurlHeader)
    unsafe ccurl_set_pointer(made, CURLOPT_HEADERDATA, inboxPointer)
    unsafe ccurl_set_data_function(made, CURLOPT_WRITEFUNCTION, recountCurlWrite)
    unsafe ccurl_set_pointer(made, CURLOPT_WRITEDATA, inboxPointer)
    unsafe ccurl_set_data_function(made, CURLOPT_READFUNCTION, recountCurlRead)
    unsafe ccurl_set_pointer(made, CURLOPT_READDATA, inboxPointer)
    unsafe ccurl_set_seek_function(made, recountCurlSeek)
    unsafe ccurl_set_close_function(made, recountCurlClose)
    unsafe ccurl_set_pointer(
      made, CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(multiInbox).toOpaque())
  }

  deinit {
    unsafe curl_slist_free_all(headerList)
    unsafe curl_easy_cleanup(pointer)
  }

  /// What every transfer has in common: no redirect, no proxy, no cookie, TLS verified.
  private func setFixed(caFile: String?) {
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_FOLLOWLOCATION, 0)
    set(CURLOPT_PROXY, "")
    set(CURLOPT_NOPROXY, "*")
    set(CURLOPT_PROTOCOLS_STR, "http,https")
    set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
    set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
    set(CURLOPT_TCP_NODELAY, 1)
    set(CURLOPT_TCP_KEEPALIVE, 1)
    set(CURLOPT_SSL_VERIFYPEER, 1)
    set(CURLOPT_SSL_VERIFYHOST, 2)
    set(CURLOPT_HTTP09_ALLOWED, 0)
    set(CURLOPT_USERAGENT, "recount")
    if let caFile { set(CURLOPT_CAINFO, caFile) }
  }

  /// Makes the handle ready for `request`; false if curl refuses a part of it.
  mutating func prepare(for request: HTTPRequest) -> Bool {
    unsafe curl_slist_free_all(headerList)
    unsafe headerList = nil
    // Without this curl asks for permission before a large body, which costs a round trip.
    var lines = ["Expect:"]
    for header in request.headers {
      lines.append(header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
    }
    if let credential = request.credential { lines.append(credential.headerLine) }
    for line in lines {
      guard let list = unsafe curl_slist_append(headerList, line) else { return false }
      unsafe headerList = list
    }
    unsafe ccurl_set_list(pointer, CURLOPT_HTTPHEADER, headerList)
    switch request.method {
    case .get: set(CURLOPT_HTTPGET, 1)
    case .post:
      set(CURLOPT_POST, 1)
      unsafe ccurl_set_offset(
        pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
    }
    set(CURLOPT_CONNECTTIMEOUT_MS, max(request.limits.connect.milliseconds, 1))
    return set(CURLOPT_URL, request.url)
  }

  /// Which handle this is, for as long as it lives.
  var id: Int { unsafe Int(bitPattern: pointer) }

  /// Bytes of the request that were written to the connection.
  var sentBytes: Int {
    var value = 0
    unsafe ccurl_get_long(pointer, CURLINFO_REQUEST_SIZE, &value)
    return value
  }

  /// Lets a paused transfer go on; curl calls back before this returns.
  func unpause() { unsafe curl_easy_pause(pointer, Int32(CURLPAUSE_CONT)) }

  var timings: HTTPTimings {
    var connections = 0
    unsafe ccurl_get_long(pointer, CURLINFO_NUM_CONNECTS, &connections)
    return HTTPTimings(
      resolved: time(CURLINFO_NAMELOOKUP_TIME_T), connected: time(CURLINFO_CONNECT_TIME_T),
      secured: time(CURLINFO_APPCONNECT_TIME_T), dispatched: time(CURLINFO_PRETRANSFER_TIME_T),
      firstByte: time(CURLINFO_STARTTRANSFER_TIME_T), total: time(CURLINFO_TOTAL_TIME_T),
      reusedConnection: connections == 0)
  }

  private func time(_ info: CURLINFO) -> Duration {
    var microseconds: curl_off_t = 0
    unsafe ccurl_get_offset(pointer, info, &microseconds)
    return .microseconds(microseconds)
  }

  private func set(_ option: CURLoption, _ value: Int) {
    unsafe ccurl_set_long(pointer, option, value)
  }

  @discardableResult
  private func set(_ option: CURLoption, _ value: String) -> Bool {
    unsafe ccurl_set_string(pointer, option, value) == CURLE_OK
  }

  fileprivate func add(to multi: UnsafeMutableRawPointer) -> Bool {
    unsafe curl_multi_add_handle(multi, pointer) == CURLM_OK
  }

  fileprivate func remove(from multi: UnsafeMutableRawPointer) {
    unsafe curl_multi_remove_handle(multi, pointer)
  }
}

/// The multi handle, freed with its owner; every easy handle must have been removed before.
@safe struct MultiHandle: ~Copyable {
  private let pointer: UnsafeMutableRawPointer
  /// Kept, because curl points to it.
  private let inbox: MultiInbox

  /// curl's global state, made once a process.
  private static let isInitialised = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  /// Nil if curl cannot be initialised or has no memory.
  init?(inbox: MultiInbox, settings: HTTPClientSettings) {
    guard MultiHandle.isInitialised, let made = unsafe curl_multi_init() else { return nil }
    unsafe pointer = made
    self.inbox = inbox
    let user = unsafe Unmanaged.passUnretained(inbox).toOpaque()
    unsafe ccurl_multi_set_socket_function(made, recountCurlSocket)
    unsafe ccurl_multi_set_pointer(made, CURLMOPT_SOCKETDATA, user)
    unsafe ccurl_multi_set_timer_function(made, recountCurlTimer)
    unsafe ccurl_multi_set_pointer(made, CURLMOPT_TIMERDATA, user)
    unsafe ccurl_multi_set_long(
      made, CURLMOPT_MAX_HOST_CONNECTIONS, settings.connectionsPerHostMax)
    unsafe ccurl_multi_set_long(made, CURLMOPT_MAX_TOTAL_CONNECTIONS, settings.connectionsMax)
    unsafe ccurl_multi_set_long(made, CURLMOPT_MAXCONNECTS, settings.connectionsMax)
  }

  deinit {
    unsafe curl_multi_cleanup(pointer)
    // The last connections were handed over just now, and nobody else will close them.
    for case .close(let socket) in inbox.socketEvents { closeSocket(socket) }
    inbox.socketEvents = []
  }

  func add(_ easy: borrowing EasyHandle) -> Bool { unsafe easy.add(to: pointer) }

  func remove(_ easy: borrowing EasyHandle) { unsafe easy.remove(from: pointer) }

  /// Tells curl that a socket is ready; it calls back before this returns.
  func act(on socket: Int32, reads: Bool, writes: Bool, failed: Bool) {
    let mask =
      (reads ? CURL_CSELECT_IN : 0) | (writes ? CURL_CSELECT_OUT : 0)
      | (failed ? CURL_CSELECT_ERR : 0)
    var running: Int32 = 0
    unsafe curl_multi_socket_action(pointer, socket, mask, &running)
  }

  /// Tells curl that its time has come.
  func actOnTimeout() {
    var running: Int32 = 0
    unsafe curl_multi_socket_action(pointer, ccurl_socket_timeout, 0, &running)
  }

  /// How long until curl's next time comes; nil if it waits for none.
  var timeoutMilliseconds: Int? {
    var milliseconds = -1
    unsafe curl_multi_timeout(pointer, &milliseconds)
    return milliseconds < 0 ? nil : milliseconds
  }

  /// The next transfer that ended, by its handle's id, and curl's code.
  func nextFinished() -> (id: Int, code: Int32)? {
    var left: Int32 = 0
    while let message = unsafe curl_multi_info_read(pointer, &left) {
      guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
      let result = unsafe ccurl_message_result(message)
      return unsafe (Int(bitPattern: message.pointee.easy_handle), Int32(result.rawValue))
    }
    return nil
  }
}

/// Closes a socket that curl has handed over.
func closeSocket(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

extension Duration {
  /// Whole milliseconds, rounded down.
  var milliseconds: Int {
    let parts = components
    return Int(parts.seconds) * 1000 + Int(parts.attoseconds / 1_000_000_000_000_000)
  }
}
