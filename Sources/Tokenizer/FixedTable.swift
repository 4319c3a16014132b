/// An array of plain values which is filled once and then only read.
///
/// - Ownership: the memory is never freed. There is one set of tables for each vocabulary and
///   process, so what is kept is bounded; in return the readers do no reference counting.
/// - Isolation: safe to share once its maker has stopped writing (`Vocabulary.load` is done).
/// - Limits: bounds are asserted in debug builds only, see `ByteText`.
@safe struct FixedTable<Element: BitwiseCopyable>: BitwiseCopyable, @unchecked Sendable {
  private let base: UnsafeMutablePointer<Element>
  let count: Int

  /// A table of `count` copies of `value`.
  init(repeating value: Element, count: Int) {
    // Aligned, so that a bucket of 64 bytes is one cache line.
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Element>.stride, alignment: 64)
    unsafe base = memory.initializeMemory(as: Element.self, repeating: value, count: count)
    self.count = count
  }

  init(_ elements: [Element]) {
    unsafe base = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
    for (index, element) in elements.enumerated() {
      unsafe (base + index).initialize(to: element)
    }
    count = elements.count
  }

  @inline(__always)
  subscript(index: Int) -> Element {
    get {
      assert(index >= 0 && index < count)
      return unsafe base[index]
    }
    nonmutating set {
      assert(index >= 0 && index < count)
      unsafe base[index] = newValue
    }
  }
}

extension FixedTable where Element == UInt8 {
  /// The table's bytes as a text.
  @inline(__always)
  var bytes: ByteText { unsafe ByteText(base, count: count) }
}
