/// Who is told of which descriptor.
///
/// A slot is used again under a new generation, so that readiness that the kernel reported before a
/// deregistration reaches nobody.
struct HandlerTable {
  private struct Slot {
    var generation: UInt32 = 0
    var descriptor: Int32 = -1
    var handler: (any ReadinessHandler)?
  }

  private var slots: [Slot] = []
  private var free: [Int32] = []
  /// Which slot a descriptor's number belongs to now.
  private var owners: [Int32: Int32] = [:]

  var count: Int { slots.count - free.count }

  static func token(_ registration: Registration) -> UInt64 {
    UInt64(registration.generation) << 32 | UInt64(UInt32(bitPattern: registration.slot))
  }

  mutating func insert(_ descriptor: Int32, _ handler: any ReadinessHandler) -> Registration {
    let index: Int32
    if let last = free.popLast() {
      index = last
    } else {
      slots.append(Slot())
      index = Int32(slots.count - 1)
    }
    slots[Int(index)].descriptor = descriptor
    slots[Int(index)].handler = handler
    owners[descriptor] = index
    return Registration(slot: index, generation: slots[Int(index)].generation)
  }

  /// The registration's descriptor; nil if it is over.
  func descriptor(_ registration: Registration) -> Int32? {
    let slot = slots[Int(registration.slot)]
    return slot.generation == registration.generation ? slot.descriptor : nil
  }

  /// Ends a registration.
  ///
  /// - Returns: the descriptor, if the kernel still watches it for this registration. Its number
  ///   may have been closed and given to another since.
  mutating func remove(_ registration: Registration) -> Int32? {
    guard let descriptor = descriptor(registration) else { return nil }
    slots[Int(registration.slot)].generation &+= 1
    slots[Int(registration.slot)].handler = nil
    free.append(registration.slot)
    guard owners[descriptor] == registration.slot else { return nil }
    owners[descriptor] = nil
    return descriptor
  }

  func handler(_ token: UInt64) -> (any ReadinessHandler)? {
    let index = Int(token & 0xFFFF_FFFF)
    guard index < slots.count, slots[index].generation == UInt32(token >> 32) else { return nil }
    return slots[index].handler
  }
}
