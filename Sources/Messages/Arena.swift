import CProtos
import Glibc

/// Memory for the C structs of one message, all given back at once.
///
/// - Units: bytes; each piece is aligned to 16.
/// - Isolation: none; used by one function at a time.
/// - Ownership: frees every chunk when it ends. protobuf-c's own frees do nothing, so whatever
///   order it frees in is harmless.
/// - Limits: past `limitBytes` protobuf-c is told that there is no memory, and gives up.
@safe struct Arena: ~Copyable {
  private let state: UnsafeMutablePointer<ArenaState>

  /// Runs `body` with an arena that ends when `body` does.
  static func with<R>(
    limitBytes: Int, _ body: (borrowing Arena) throws(MessageError) -> R
  ) throws(MessageError) -> R {
    let arena = Arena(limitBytes: limitBytes)
    return try body(arena)
  }

  private init(limitBytes: Int) {
    unsafe state = Self.make(limitBytes: limitBytes)
  }

  deinit {
    unsafe Self.destroy(state)
  }

  /// Whether a piece was refused because of the limit.
  var isExhausted: Bool { unsafe state.pointee.isExhausted }

  /// What protobuf-c unpacks with; valid as long as the arena.
  var allocator: UnsafeMutablePointer<ProtobufCAllocator> {
    unsafe UnsafeMutableRawPointer(state).assumingMemoryBound(to: ProtobufCAllocator.self)
  }

  /// Room for `count` values, not initialised. Only for an arena without a limit.
  func room<T>(for type: T.Type, count: Int = 1) -> UnsafeMutablePointer<T> {
    let bytes = count * MemoryLayout<T>.stride
    guard let memory = unsafe Arena.allocate(state, bytes) else {
      preconditionFailure("no memory for \(bytes) bytes")
    }
    return unsafe memory.bindMemory(to: type, capacity: count)
  }
}

/// What an arena knows. It stands at the start of its own first chunk.
@unsafe private struct ArenaState {
  // First, so that its address is the state's.
  var allocator: ProtobufCAllocator
  var cursor: UnsafeMutableRawPointer
  var remainingBytes: Int
  var usedBytes = 0
  var limitBytes: Int
  var nextChunkBytes = 8 << 10
  var isExhausted = false
  /// The newest further chunk; each begins with the address of the one before.
  var newestChunk: UnsafeMutableRawPointer?
}

extension Arena {
  // A usual request or answer fits into the first chunk: one malloc and one free.
  private static let firstChunkBytes = 4 << 10
  private static let chunkBytesMax = 1 << 20
  private static let alignment = 16

  fileprivate static func make(limitBytes: Int) -> UnsafeMutablePointer<ArenaState> {
    guard let memory = unsafe malloc(firstChunkBytes) else {
      preconditionFailure("no memory for \(firstChunkBytes) bytes")
    }
    let head = unsafe (MemoryLayout<ArenaState>.size + alignment - 1) & ~(alignment - 1)
    let state = unsafe memory.bindMemory(to: ArenaState.self, capacity: 1)
    unsafe state.initialize(
      to: ArenaState(
        allocator: ProtobufCAllocator(
          alloc: arenaAllocate, free: arenaFree, allocator_data: memory),
        cursor: memory + head, remainingBytes: firstChunkBytes - head, limitBytes: limitBytes))
    return unsafe state
  }

  fileprivate static func destroy(_ state: UnsafeMutablePointer<ArenaState>) {
    var chunk = unsafe state.pointee.newestChunk
    while let memory = unsafe chunk {
      unsafe chunk = memory.load(as: UnsafeMutableRawPointer?.self)
      unsafe free(memory)
    }
    unsafe free(state)
  }

  /// Returns nil past the limit or when malloc fails.
  fileprivate static func allocate(
    _ state: UnsafeMutablePointer<ArenaState>, _ bytes: Int
  ) -> UnsafeMutableRawPointer? {
    let (padded, overflow) = bytes.addingReportingOverflow(alignment - 1)
    let size = max(padded & ~(alignment - 1), alignment)
    let left = unsafe state.pointee.limitBytes - state.pointee.usedBytes
    guard !overflow, bytes >= 0, size <= left else {
      unsafe state.pointee.isExhausted = true
      return nil
    }
    if unsafe size > state.pointee.remainingBytes {
      guard unsafe addChunk(state, atLeast: size) else { return nil }
    }
    let piece = unsafe state.pointee.cursor
    unsafe state.pointee.cursor = piece + size
    unsafe state.pointee.remainingBytes -= size
    unsafe state.pointee.usedBytes += size
    return unsafe piece
  }

  private static func addChunk(
    _ state: UnsafeMutablePointer<ArenaState>, atLeast size: Int
  ) -> Bool {
    let bytes = unsafe max(size + alignment, state.pointee.nextChunkBytes)
    guard let memory = unsafe malloc(bytes) else {
      unsafe state.pointee.isExhausted = true
      return false
    }
    unsafe memory.storeBytes(of: state.pointee.newestChunk, as: UnsafeMutableRawPointer?.self)
    unsafe state.pointee.newestChunk = memory
    unsafe state.pointee.cursor = memory + alignment
    unsafe state.pointee.remainingBytes = bytes - alignment
    unsafe state.pointee.nextChunkBytes = min(state.pointee.nextChunkBytes * 2, chunkBytesMax)
    return true
  }
}

// protobuf-c calls these while it unpacks; they touch nothing but the arena that it was given.
@c private func arenaAllocate(
  _ state: UnsafeMutableRawPointer?, _ bytes: Int
) -> UnsafeMutableRawPointer? {
  guard let state = unsafe state?.assumingMemoryBound(to: ArenaState.self) else { return nil }
  return unsafe Arena.allocate(state, bytes)
}

@c private func arenaFree(_ state: UnsafeMutableRawPointer?, _ piece: UnsafeMutableRawPointer?) {}
