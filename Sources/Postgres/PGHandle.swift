internal import CPostgres

/// Owns one `PGconn`: the only file that touches libpq.
///
/// - Ownership: the connection is closed when the handle ends. Results are copied out and cleared
///   before a method returns, so nothing of libpq leaves this file.
/// - Isolation: none; it belongs to whoever holds it.
@safe struct PGHandle: ~Copyable {
  // Every use below passes this pointer to libpq while the handle is alive: that is what makes
  // each `unsafe` in this file sound.
  private let raw: OpaquePointer

  /// Begins to connect without waiting; nil if there is no memory.
  init?(starting conninfo: String) {
    guard let raw = unsafe recount_pg_connect_start(conninfo) else { return nil }
    unsafe self.raw = raw
    unsafe recount_pg_quiet(raw)
  }

  private init(owning raw: OpaquePointer) { unsafe self.raw = raw }

  /// Connects and waits; nil if that failed.
  static func waiting(_ conninfo: String) -> PGHandle? {
    guard let raw = unsafe recount_pg_connect(conninfo) else { return nil }
    unsafe recount_pg_quiet(raw)
    let handle = unsafe PGHandle(owning: raw)
    if handle.isFailed { return nil }
    return handle
  }

  deinit { unsafe PQfinish(raw) }

  enum ConnectStep { case wantsRead, wantsWrite, connected, failed }

  func pollConnect() -> ConnectStep {
    switch unsafe PQconnectPoll(raw) {
    case PGRES_POLLING_READING: .wantsRead
    case PGRES_POLLING_WRITING: .wantsWrite
    case PGRES_POLLING_OK: .connected
    default: .failed
    }
  }

  var isFailed: Bool { unsafe PQstatus(raw) == CONNECTION_BAD }
  var descriptor: Int32 { unsafe PQsocket(raw) }
  var isInTransaction: Bool { unsafe PQtransactionStatus(raw) != PQTRANS_IDLE }

  func enterPipeline() -> Bool {
    unsafe PQsetnonblocking(raw, 1) == 0 && PQenterPipelineMode(raw) == 1
  }

  func sendPrepare(_ statement: Statement) -> Bool {
    unsafe PQsendPrepare(raw, statement.name, statement.sql, 0, nil) == 1
  }

  /// Sends an unnamed statement without parameters.
  func send(_ sql: String) -> Bool {
    unsafe PQsendQueryParams(raw, sql, 0, nil, nil, nil, nil, 1) == 1
  }

  func send(_ name: String, _ parameters: Parameters) -> Bool {
    unsafe withPointers(parameters) { values, lengths, formats in
      unsafe PQsendQueryPrepared(
        raw, name, Int32(parameters.count), values, lengths, formats, 1) == 1
    }
  }

  func sendSync() -> Bool { unsafe PQpipelineSync(raw) == 1 }

  enum FlushStep { case done, wantsWrite, failed }

  func flush() -> FlushStep {
    switch unsafe PQflush(raw) {
    case 0: .done
    case 1: .wantsWrite
    default: .failed
    }
  }

  func consumeInput() -> Bool { unsafe PQconsumeInput(raw) == 1 }
  var isBusy: Bool { unsafe PQisBusy(raw) == 1 }

  enum Event {
    /// The end of one statement's results.
    case end
    case rows(Rows)
    case done
    case sync
    case aborted
    case failed(SQLState)
  }

  func nextResult() -> Event {
    guard let result = unsafe PQgetResult(raw) else { return .end }
    defer { unsafe PQclear(result) }
    return unsafe Self.event(result)
  }

  /// Runs SQL and waits; several statements are one transaction unless they say otherwise.
  func execute(script: String) -> Event {
    guard let result = unsafe PQexec(raw, script) else { return .failed(.connectionFailure) }
    defer { unsafe PQclear(result) }
    return unsafe Self.event(result)
  }

  /// Runs one statement with parameters and waits.
  func execute(_ sql: String, _ parameters: Parameters) -> Event {
    let result = unsafe withPointers(parameters) { values, lengths, formats in
      unsafe PQexecParams(
        raw, sql, Int32(parameters.count), nil, values, lengths, formats, 1)
    }
    guard let result = unsafe result else { return .failed(.connectionFailure) }
    defer { unsafe PQclear(result) }
    return unsafe Self.event(result)
  }

  /// libpq copies the values before its call returns, so the pointers need not live longer.
  private func withPointers<R>(
    _ parameters: Parameters,
    _ body: (
      UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
    ) -> R
  ) -> R {
    let formats = [Int32](repeating: 1, count: parameters.count)
    // One byte more, so that a parameter without bytes at the end still has an address.
    return unsafe (parameters.bytes + [0]).withUnsafeBytes { bytes in
      let base = unsafe bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
      let values = unsafe parameters.starts.map { start -> UnsafePointer<CChar>? in
        unsafe start < 0 ? nil : base + start
      }
      return unsafe values.withUnsafeBufferPointer { values in
        unsafe parameters.counts.withUnsafeBufferPointer { lengths in
          unsafe formats.withUnsafeBufferPointer { formats in
            unsafe body(values.baseAddress, lengths.baseAddress, formats.baseAddress)
          }
        }
      }
    }
  }

  private static func event(_ result: OpaquePointer) -> Event {
    switch unsafe PQresultStatus(result) {
    case PGRES_TUPLES_OK: return unsafe .rows(rows(result))
    case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return .done
    case PGRES_PIPELINE_SYNC: return .sync
    case PGRES_PIPELINE_ABORTED: return .aborted
    default:
      guard let state = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "C"))) else {
        return .failed(.connectionFailure)
      }
      return .failed(SQLState(unsafe String(cString: state)))
    }
  }

  private static func rows(_ result: OpaquePointer) -> Rows {
    let count = unsafe PQntuples(result)
    let columns = unsafe PQnfields(result)
    var bytes: [UInt8] = []
    var starts: [Int] = []
    var lengths: [Int32] = []
    starts.reserveCapacity(Int(count * columns))
    lengths.reserveCapacity(Int(count * columns))
    for row in 0..<count {
      for column in 0..<columns {
        starts.append(bytes.count)
        if unsafe PQgetisnull(result, row, column) == 1 {
          lengths.append(-1)
          continue
        }
        let length = unsafe PQgetlength(result, row, column)
        lengths.append(length)
        // The cell's memory is the result's, which outlives this copy.
        let cell = unsafe UnsafeRawBufferPointer(
          start: PQgetvalue(result, row, column), count: Int(length))
        unsafe bytes.append(contentsOf: cell)
      }
    }
    return Rows(
      count: Int(count), columns: Int(columns), bytes: bytes, starts: starts, lengths: lengths)
  }
}
