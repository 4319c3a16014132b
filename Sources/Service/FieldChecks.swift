import JSON
import Messages

/// The rules of fields that several requests share. Each throws `.fieldInvalid`, and names the
/// field and the rule, never the value.
struct FieldChecks {
  var limits = ServiceLimits()

  /// An id that a caller chooses.
  func id(_ id: String, _ path: String) throws(Failure) {
    guard !id.isEmpty else { throw .field(path, "it is empty") }
    guard id.utf8.count <= limits.idCharactersMax else {
      throw .field(path, "it has more than \(limits.idCharactersMax) characters")
    }
    guard id.utf8.allSatisfy(Self.isIDByte) else {
      throw .field(path, "it has characters other than A-Z a-z 0-9 . _ -")
    }
  }

  private static func isIDByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "-"):
      true
    default: false
    }
  }

  func requestID(_ id: String?) throws(Failure) {
    if let id { try self.id(id, "request_id") }
  }

  /// A speaker's or function's name.
  func name(_ name: String, _ path: String) throws(Failure) {
    guard (1...limits.nameCharactersMax).contains(name.utf8.count),
      name.utf8.allSatisfy({ Self.isIDByte($0) && $0 != UInt8(ascii: ".") })
    else {
      throw .field(path, "it must be 1 to \(limits.nameCharactersMax) of A-Z a-z 0-9 _ -")
    }
  }

  func metadata(_ metadata: [String: String], _ path: String) throws(Failure) {
    guard metadata.count <= limits.metadataEntriesMax else {
      throw .field(path, "there are more than \(limits.metadataEntriesMax) entries")
    }
    let bytes = metadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    guard bytes <= limits.metadataBytesMax else {
      throw .field(path, "it has more than \(limits.metadataBytesMax) bytes")
    }
    guard !metadata.keys.contains("") else { throw .field(path, "a name is empty") }
  }

  /// A guard on the last sequence number.
  func expectedLastSeq(_ seq: Int64?) throws(Failure) {
    if let seq, seq < 0 { throw .field("expected_last_seq", "it is negative") }
  }

  func pageSize(_ size: Int32?) throws(Failure) -> Int {
    guard let size else { return limits.pageSizeDefault }
    guard (1...Int32(limits.pageSizeMax)).contains(size) else {
      throw .field("page_size", "it must be from 1 to \(limits.pageSizeMax)")
    }
    return Int(size)
  }

  /// A text that must be a JSON object.
  func object(_ text: String, _ path: String) throws(Failure) -> JSONObject {
    guard let object = try json(text, path).object else {
      throw .field(path, "it must be a JSON object")
    }
    return object
  }

  func json(_ text: String, _ path: String) throws(Failure) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(parsing: Array(text.utf8), options: .strict)
    } catch {
      throw .field(path, "it is not JSON: \(error)")
    }
  }

  func range<T: Comparable>(
    _ value: T, _ range: ClosedRange<T>, _ path: String
  ) throws(Failure) -> T {
    guard range.contains(value) else {
      throw .field(path, "it must be from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }
}
