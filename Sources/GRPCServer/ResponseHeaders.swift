import GRPCWire
import HTTP2

/// The header lists that answers are made of.
enum ResponseHeaders {
  private static let initial = HeaderList([
    ":status": "200", "content-type": "application/grpc",
  ])
  private static let success = HeaderList(["grpc-status": "0"])

  /// What goes before the first message.
  static func initial(_ metadata: Metadata) -> HeaderList {
    if metadata.isEmpty { return initial }
    var headers = initial
    add(metadata, to: &headers)
    return headers
  }

  /// What goes after the last message of a call that succeeded.
  static func success(_ metadata: Metadata) -> HeaderList {
    if metadata.isEmpty { return success }
    var headers = success
    add(metadata, to: &headers)
    return headers
  }

  /// What goes after the last message of a call that failed.
  static func failure(_ error: RPCError, _ metadata: Metadata) -> HeaderList {
    var headers = HeaderList()
    add(error, metadata, to: &headers)
    return headers
  }

  /// The only headers of a call that failed before its first message.
  static func trailersOnly(_ error: RPCError, _ metadata: Metadata) -> HeaderList {
    var headers = initial
    add(error, metadata, to: &headers)
    return headers
  }

  /// An answer to what is not gRPC.
  static func http(status: Int) -> HeaderList {
    HeaderList([":status": String(status), "content-length": "0"])
  }

  private static func add(_ error: RPCError, _ metadata: Metadata, to headers: inout HeaderList) {
    headers.add("grpc-status", String(error.code.rawValue))
    if !error.message.isEmpty {
      headers.add("grpc-message", bytes: PercentEncoding.encode(error.message))
    }
    if !error.details.isEmpty {
      var details = Metadata()
      details.add(binary: "grpc-status-details-bin", error.details)
      add(details, to: &headers)
    }
    add(error.metadata, to: &headers)
    add(metadata, to: &headers)
  }

  private static func add(_ metadata: Metadata, to headers: inout HeaderList) {
    metadata.forEachWire { name, value in headers.add(name, value) }
  }
}
