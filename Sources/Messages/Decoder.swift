import CProtos
import Glibc

/// A type that is carried by one of protobuf-c's structs.
protocol CMessage {
  associatedtype C

  /// Copies what the struct says.
  init(_ c: UnsafePointer<C>) throws(MessageError)

  /// Initialises the struct and fills it; what it points to lives in the arena.
  func fill(_ c: UnsafeMutablePointer<C>, _ arena: borrowing Arena)
}

/// One that is also sent on its own.
protocol TopLevelMessage: CMessage, WireMessage {
  /// protobuf-c's description of the struct `C`.
  static var descriptor: UnsafePointer<ProtobufCMessageDescriptor> { get }
}

/// From bytes to values: what protobuf-c unpacked is checked and copied.
///
/// `field` is the field's published name, for the error's path.
enum Decoder {
  /// The key and the value of one element of a map.
  @unsafe struct Entry {
    var key: ProtobufCBinaryData
    var value: ProtobufCBinaryData
  }

  static func decode<M: TopLevelMessage>(
    _ bytes: UnsafeRawBufferPointer
  ) throws(MessageError) -> M {
    guard bytes.count <= Limits.messageBytesMax else { throw .tooLarge }
    let limit = Limits.unpackedBytesMax(encodedBytes: bytes.count)
    return try unsafe decode(bytes, unpackedBytesMax: limit)
  }

  static func decode<M: TopLevelMessage>(
    _ bytes: UnsafeRawBufferPointer, unpackedBytesMax: Int
  ) throws(MessageError) -> M {
    try Arena.with(limitBytes: unpackedBytesMax) { arena throws(MessageError) in
      try unsafe MergeCheck.check(bytes, M.descriptor)
      let octets = unsafe bytes.bindMemory(to: UInt8.self)
      let unpacked = unsafe protobuf_c_message_unpack(
        M.descriptor, arena.allocator, octets.count, octets.baseAddress)
      guard let unpacked = unsafe unpacked else {
        throw arena.isExhausted ? .tooLarge : .malformed
      }
      // Every struct of protobuf-c begins with a ProtobufCMessage.
      return try unsafe M(UnsafeRawPointer(unpacked).assumingMemoryBound(to: M.C.self))
    }
  }

  static func text(
    _ data: ProtobufCBinaryData, _ field: StaticString
  ) throws(MessageError) -> String {
    let count = unsafe data.len
    guard count > 0, let start = unsafe data.data else { return "" }
    if unsafe memchr(start, 0, count) != nil {
      throw .invalidField(path: "\(field)", reason: .nul)
    }
    let bytes = unsafe UnsafeBufferPointer(start: start, count: count)
    guard let text = unsafe String(validating: bytes, as: UTF8.self) else {
      throw .invalidField(path: "\(field)", reason: .notUTF8)
    }
    return text
  }

  static func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
    unsafe [UInt8](UnsafeBufferPointer(start: data.data, count: data.len))
  }

  static func message<M: CMessage>(
    _ c: UnsafeMutablePointer<M.C>?, _ field: StaticString
  ) throws(MessageError) -> M? {
    guard let c = unsafe c else { return nil }
    do {
      return try unsafe M(c)
    } catch {
      throw error.within(field)
    }
  }

  static func messages<M: CMessage>(
    _ list: UnsafeMutablePointer<UnsafeMutablePointer<M.C>?>?, _ count: Int, _ field: StaticString
  ) throws(MessageError) -> [M] {
    try check(count, field)
    var values: [M] = []
    values.reserveCapacity(count)
    guard let list = unsafe list else { return values }
    for index in 0..<count {
      guard let c = unsafe list[index] else { throw .malformed }
      do {
        values.append(try unsafe M(c))
      } catch {
        throw error.within(field, at: index)
      }
    }
    return values
  }

  static func texts(
    _ list: UnsafeMutablePointer<ProtobufCBinaryData>?, _ count: Int, _ field: StaticString
  ) throws(MessageError) -> [String] {
    try check(count, field)
    var values: [String] = []
    values.reserveCapacity(count)
    guard let list = unsafe list else { return values }
    for index in 0..<count {
      do {
        values.append(try unsafe text(list[index], field))
      } catch {
        guard case .invalidField(_, let reason) = error else { throw error }
        throw .invalidField(path: "\(field)[\(index)]", reason: reason)
      }
    }
    return values
  }

  static func numbers(
    _ list: UnsafeMutablePointer<Int64>?, _ count: Int, _ field: StaticString
  ) throws(MessageError) -> [Int64] {
    try check(count, field)
    return unsafe [Int64](UnsafeBufferPointer(start: list, count: count))
  }

  static func blobs(
    _ list: UnsafeMutablePointer<ProtobufCBinaryData>?, _ count: Int, _ field: StaticString
  ) throws(MessageError) -> [[UInt8]] {
    try check(count, field)
    return unsafe UnsafeBufferPointer(start: list, count: count).map { unsafe bytes($0) }
  }

  /// A key that comes twice has its last value.
  static func map<C>(
    _ list: UnsafeMutablePointer<UnsafeMutablePointer<C>?>?, _ count: Int, _ field: StaticString,
    _ entry: (UnsafeMutablePointer<C>) -> Entry
  ) throws(MessageError) -> [String: String] {
    try check(count, field)
    var values: [String: String] = [:]
    guard let list = unsafe list else { return values }
    for index in 0..<count {
      guard let c = unsafe list[index] else { throw .malformed }
      let pair = unsafe entry(c)
      do {
        let key = try unsafe text(pair.key, "key")
        values[key] = try unsafe text(pair.value, "value")
      } catch {
        throw error.within(field, at: index)
      }
    }
    return values
  }

  private static func check(_ count: Int, _ field: StaticString) throws(MessageError) {
    guard count <= Limits.elementsMax else {
      throw .invalidField(path: "\(field)", reason: .tooManyElements)
    }
  }
}
