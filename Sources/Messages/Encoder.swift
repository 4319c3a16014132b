import CProtos

/// From values to bytes: C structs are filled in an arena, and protobuf-c packs them.
enum Encoder {
  static func encode<M: TopLevelMessage>(_ message: M) -> [UInt8] {
    // Without a limit nothing is refused, so nothing is thrown.
    let packed = Result { () throws(MessageError) in
      try Arena.with(limitBytes: .max) { arena in
        unsafe pack(arena.message(message))
      }
    }
    guard case .success(let bytes) = packed else { preconditionFailure("encoding cannot fail") }
    return bytes
  }

  private static func pack<C>(_ c: UnsafeMutablePointer<C>) -> [UInt8] {
    // Every struct of protobuf-c begins with a ProtobufCMessage.
    let base = unsafe UnsafeRawPointer(c).assumingMemoryBound(to: ProtobufCMessage.self)
    let count = unsafe protobuf_c_message_get_packed_size(base)
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      guard count > 0 else { return }
      used = unsafe protobuf_c_message_pack(base, buffer.baseAddress)
      precondition(used == count, "protobuf-c packed another size than it said")
    }
  }
}

/// C values whose memory is the arena's.
extension Arena {
  func text(_ text: String) -> ProtobufCBinaryData {
    var text = text
    return text.withUTF8 { utf8 in unsafe copy(utf8) }
  }

  func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
    unsafe bytes.withUnsafeBufferPointer { buffer in unsafe copy(buffer) }
  }

  func message<M: CMessage>(_ message: M) -> UnsafeMutablePointer<M.C> {
    let c = unsafe room(for: M.C.self)
    unsafe message.fill(c, self)
    return unsafe c
  }

  func messages<M: CMessage>(
    _ messages: [M]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<M.C>?>? {
    guard !messages.isEmpty else { return nil }
    let list = unsafe room(for: UnsafeMutablePointer<M.C>?.self, count: messages.count)
    for index in messages.indices {
      unsafe (list + index).initialize(to: message(messages[index]))
    }
    return unsafe list
  }

  func texts(_ texts: [String]) -> UnsafeMutablePointer<ProtobufCBinaryData>? {
    guard !texts.isEmpty else { return nil }
    let list = unsafe room(for: ProtobufCBinaryData.self, count: texts.count)
    for index in texts.indices {
      unsafe (list + index).initialize(to: text(texts[index]))
    }
    return unsafe list
  }

  func blobs(_ blobs: [[UInt8]]) -> UnsafeMutablePointer<ProtobufCBinaryData>? {
    guard !blobs.isEmpty else { return nil }
    let list = unsafe room(for: ProtobufCBinaryData.self, count: blobs.count)
    for index in blobs.indices {
      unsafe (list + index).initialize(to: bytes(blobs[index]))
    }
    return unsafe list
  }

  func numbers(_ numbers: [Int64]) -> UnsafeMutablePointer<Int64>? {
    guard !numbers.isEmpty else { return nil }
    let list = unsafe room(for: Int64.self, count: numbers.count)
    for index in numbers.indices {
      unsafe (list + index).initialize(to: numbers[index])
    }
    return unsafe list
  }

  /// By key, so that equal maps give equal bytes.
  func map<C>(
    _ values: [String: String],
    _ fill: (UnsafeMutablePointer<C>, ProtobufCBinaryData, ProtobufCBinaryData) -> Void
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<C>?>? {
    guard !values.isEmpty else { return nil }
    let list = unsafe room(for: UnsafeMutablePointer<C>?.self, count: values.count)
    for (index, entry) in values.sorted(by: { $0.key < $1.key }).enumerated() {
      let c = unsafe room(for: C.self)
      unsafe fill(c, text(entry.key), text(entry.value))
      unsafe (list + index).initialize(to: c)
    }
    return unsafe list
  }

  private func copy(_ bytes: UnsafeBufferPointer<UInt8>) -> ProtobufCBinaryData {
    guard !bytes.isEmpty else { return unsafe ProtobufCBinaryData(len: 0, data: nil) }
    let data = unsafe room(for: UInt8.self, count: bytes.count)
    unsafe data.initialize(from: bytes.baseAddress!, count: bytes.count)
    return unsafe ProtobufCBinaryData(len: bytes.count, data: data)
  }
}
