import Foundation
import JSON
import Testing

/// A small generator whose whole course is fixed by its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// The seed of this run: `RECOUNT_TEST_SEED`, or a fresh one, printed so that it can be replayed.
func testSeed(_ test: String = #function) -> UInt64 {
  let given = ProcessInfo.processInfo.environment["RECOUNT_TEST_SEED"].flatMap { UInt64($0) }
  let seed = given ?? UInt64.random(in: 0...UInt64.max)
  print("\(test): RECOUNT_TEST_SEED=\(seed)")
  return seed
}

@Suite struct PropertyTests {
  @Test func whatIsWrittenReadsBack() throws {
    let seed = testSeed()
    var random = SeededGenerator(state: seed)
    for _ in 0..<500 {
      let value = Self.value(depth: 0, &random)
      let bytes = value.canonical
      #expect(try JSONValue(parsing: bytes) == value, "seed \(seed)")
      #expect(try JSONValue(parsing: bytes).canonical == bytes, "seed \(seed)")
    }
  }

  /// A damaged text is read or refused inside its bounds, and what is read is canonical at once.
  @Test func damagedTextsNeverTrap() throws {
    let seed = testSeed()
    var random = SeededGenerator(state: seed)
    var refused = 0
    for _ in 0..<4_000 {
      var bytes = Self.value(depth: 0, &random).canonical
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        Self.damage(&bytes, &random)
      }
      do {
        let value = try JSONValue(parsing: bytes)
        #expect(try JSONValue(parsing: value.canonical) == value, "seed \(seed)")
      } catch {
        refused += 1
        #expect((0...bytes.count).contains(error.offset), "seed \(seed)")
      }
    }
    #expect(refused > 400, "the damage must bite; seed \(seed)")
  }

  /// Every proper prefix of an array or object is refused, so no cut goes unnoticed.
  @Test func everyCutIsNoticed() throws {
    let seed = testSeed()
    var random = SeededGenerator(state: seed)
    for _ in 0..<100 {
      let bytes = JSONValue.array([Self.value(depth: 0, &random)]).canonical
      for length in 0..<min(bytes.count, 200) {
        #expect(throws: JSONError.self, "seed \(seed)") {
          try JSONValue(parsing: Array(bytes[..<length]))
        }
      }
    }
  }

  static func value(depth: Int, _ random: inout SeededGenerator) -> JSONValue {
    switch Int.random(in: 0..<(depth < 3 ? 8 : 5), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .number(JSONNumber(Int64.random(in: .min ... .max, using: &random)))
    case 3: return .number(JSONNumber(Double.random(in: -1e9...1e9, using: &random))!)
    case 4: return .string(string(&random))
    case 5:
      return .array(
        (0..<Int.random(in: 0..<5, using: &random)).map { _ in value(depth: depth + 1, &random) })
    default:
      var object = JSONObject()
      for _ in 0..<Int.random(in: 0..<(depth == 0 ? 16 : 3), using: &random) {
        object[string(&random)] = value(depth: depth + 1, &random)
      }
      return .object(object)
    }
  }

  private static func string(_ random: inout SeededGenerator) -> String {
    var text = ""
    for _ in 0..<Int.random(in: 0..<24, using: &random) {
      let code =
        switch Int.random(in: 0..<6, using: &random) {
        case 0: UInt32.random(in: 1..<0x20, using: &random)
        case 1: UInt32.random(in: 0x80..<0xD800, using: &random)
        case 2: UInt32.random(in: 0x10000...0x10FFFF, using: &random)
        case 3: ([0x22, 0x5C, 0x2F, 0x7F] as [UInt32]).randomElement(using: &random)!
        default: UInt32.random(in: 0x20..<0x7F, using: &random)
        }
      text.unicodeScalars.append(Unicode.Scalar(code)!)
    }
    return text
  }

  private static func damage(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    guard !bytes.isEmpty else { return }
    let at = Int.random(in: bytes.indices, using: &random)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
    case 1: bytes.remove(at: at)
    case 2: bytes.insert(Array("{}[]\",:\\u0e-.".utf8).randomElement(using: &random)!, at: at)
    default: bytes.removeSubrange(at...)
    }
  }
}
