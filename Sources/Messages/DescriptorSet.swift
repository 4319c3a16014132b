import CProtos

extension Wire {
  /// The descriptors of every published file: a `google.protobuf.FileDescriptorSet`, for
  /// reflection.
  ///
  /// A copy is made at each call.
  public static func descriptorSet() -> [UInt8] {
    var count = 0
    let start = unsafe recount_descriptor_set(&count)
    // The bytes are a constant of the program.
    return unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
  }
}
