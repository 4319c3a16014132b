import Foundation

/// The seed of this run, printed so that it can be given again.
func testSeed() -> UInt64 {
  let given = ProcessInfo.processInfo.environment["RECOUNT_TEST_SEED"].flatMap { UInt64($0) }
  let seed = given ?? .random(in: 1...UInt64(UInt32.max))
  print("RECOUNT_TEST_SEED=\(seed)")
  return seed
}
