import Messages
import Testing

/// Bytes that no one meant: nothing crashes, and what is understood is understood again.
@Suite struct RandomBytesTests {
  /// `RECOUNT_TEST_SEED`, or a seed of its own for each run.
  static let seed = testSeed()

  @Test func randomBytes() {
    var random = SplitMix(seed: Self.seed)
    for round in 0..<20_000 {
      let type = wireTypes[round % wireTypes.count]
      let count = Int(random.next() % 64)
      let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      check(type, bytes)
    }
  }

  @Test func changedMessages() {
    var random = SplitMix(seed: Self.seed &+ 1)
    let fixtures = Fixture.all.filter { !$0.bytes.isEmpty }
    for round in 0..<20_000 {
      let fixture = fixtures[round % fixtures.count]
      var bytes = fixture.bytes
      for _ in 0...(random.next() % 4) {
        let at = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 4 {
        case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[at] ^= 1 << UInt8(random.next() % 8)
        case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
        default: if bytes.count > 1 { bytes.remove(at: at) }
        }
      }
      check(fixture.type, bytes)
    }
  }

  private func check(_ type: any WireMessage.Type, _ bytes: [UInt8]) {
    guard let once = try? reencoded(type, bytes) else { return }
    let twice = try? reencoded(type, once)
    #expect(
      twice == once, "\(type.protoName), RECOUNT_TEST_SEED=\(Self.seed), bytes \(bytes)")
  }
}

/// A small generator that a seed replays.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
