import CProtos

/// Refuses a singular message that comes twice.
///
/// protobuf says that the two are merged field by field. protobuf-c 1.4.1 tries and goes wrong in
/// silence: plain numbers and texts of the first are lost, and two unset oneofs are an error. No
/// encoder writes such bytes, so they are refused, rather than read as something else.
///
/// - Shape: walks the fields of bytes that protobuf-c has not seen yet, by its own descriptors.
/// - Throws: `.invalidField(path, .givenTwice)`, the path without indexes; `.malformed` where
///   there is no next field.
enum MergeCheck {
  static func check(
    _ bytes: UnsafeRawBufferPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
  ) throws(MessageError) {
    var scanner = unsafe FieldScanner(bytes)
    // By the field's index; the generator holds every message to 64 fields.
    var seen: UInt64 = 0
    while let (number, payload) = try unsafe scanner.next() {
      guard let payload = unsafe payload,
        let field = unsafe protobuf_c_message_descriptor_get_field(descriptor, number),
        unsafe field.pointee.type == PROTOBUF_C_TYPE_MESSAGE,
        let inner = unsafe field.pointee.descriptor
      else { continue }
      if unsafe field.pointee.label != PROTOBUF_C_LABEL_REPEATED {
        let bit: UInt64 = unsafe 1 << UInt64(field - descriptor.pointee.fields)
        guard seen & bit == 0 else {
          throw .invalidField(path: unsafe String(cString: field.pointee.name), reason: .givenTwice)
        }
        seen |= bit
      }
      do {
        let type = unsafe inner.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
        try unsafe check(payload, type)
      } catch {
        throw error.within(unsafe String(cString: field.pointee.name))
      }
    }
  }
}

/// Splits a message into its fields; their content is left alone.
@unsafe private struct FieldScanner {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    unsafe self.bytes = bytes
  }

  /// The next field's number, and its payload where its length stands before it; nil at the end.
  mutating func next() throws(MessageError) -> (UInt32, UnsafeRawBufferPointer?)? {
    guard unsafe position < bytes.count else { return nil }
    let key = try unsafe varint()
    let number = UInt32(truncatingIfNeeded: key >> 3)
    switch key & 7 {
    case 0:
      _ = try unsafe varint()
      return (number, nil)
    case 1:
      _ = try unsafe take(8)
      return (number, nil)
    case 2:
      let count = try unsafe varint()
      return unsafe (number, try take(count))
    case 5:
      _ = try unsafe take(4)
      return (number, nil)
    default: throw .malformed
    }
  }

  private mutating func take(_ count: UInt64) throws(MessageError) -> UnsafeRawBufferPointer {
    guard unsafe count <= UInt64(bytes.count - position) else { throw .malformed }
    let start = unsafe position
    unsafe position += Int(count)
    return unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<position])
  }

  private mutating func varint() throws(MessageError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while unsafe position < bytes.count, shift < 70 {
      let byte = unsafe bytes[position]
      unsafe position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw .malformed
  }
}
