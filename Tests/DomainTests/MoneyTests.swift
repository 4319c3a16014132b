import Domain
import Foundation
import Testing

@Suite struct MoneyTests {
  @Test(arguments: [
    (0, "0"), (1, "0.000000000001"), (-1, "-0.000000000001"), (12_340_000, "0.00001234"),
    (-1_500_000_000_000, "-1.5"), (1_000_000_000_000, "1"), (8_000_000, "0.000008"),
    (120_000_000_000_000, "120"), (Int128.max, "170141183460469231731687303.715884105727"),
    (Int128.min, "-170141183460469231731687303.715884105728"),
  ])
  func theShortestDecimal(pico: Int128, text: String) {
    #expect(Money(pico: pico).decimal == text)
    #expect(Money(decimal: text) == Money(pico: pico))
    #expect("\(Money(pico: pico))" == text)
  }

  @Test(arguments: [
    "", "-", ".", "1.", ".5", "-.5", "+1", "1e3", "1E3", " 1", "1 ", "1,5", "1_000", "00", "01",
    "-01", "--1", "1.2.3", "1.-2", "0x1", "1.0000000000000", "NaN", "inf", "١", "1\u{0}", "1\n",
    "170141183460469231731687303.715884105728", "-170141183460469231731687303.715884105729",
    "1000000000000000000000000000", String(repeating: "9", count: 1000),
  ])
  func anythingElseIsRefused(text: String) {
    #expect(Money(decimal: text) == nil)
  }

  @Test func digitsAfterThePointAreCounted() {
    #expect(Money(decimal: "8.00", maxFractionDigits: 6) == Money(pico: 8_000_000_000_000))
    #expect(Money(decimal: "0.000001", maxFractionDigits: 6) == Money(pico: 1_000_000))
    #expect(Money(decimal: "0.0000001", maxFractionDigits: 6) == nil)
    #expect(Money(decimal: "0.0000000", maxFractionDigits: 6) == nil)
    #expect(Money(decimal: "3", maxFractionDigits: 0) == Money(pico: 3_000_000_000_000))
    #expect(Money(decimal: "3.0", maxFractionDigits: 0) == nil)
    #expect(Money(decimal: "-0") == .zero && Money(decimal: "-0.000") == .zero)
  }

  @Test func everyAmountReadsBack() throws {
    let environment = ProcessInfo.processInfo.environment["RECOUNT_TEST_SEED"]
    let seed = environment.flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    print("MoneyTests: RECOUNT_TEST_SEED=\(seed)")
    var state = seed
    for _ in 0..<2000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let pico = (Int128(Int64(bitPattern: state)) << 64 | Int128(state)) >> Int128(state >> 57)
      let money = Money(pico: pico)
      #expect(Money(decimal: money.decimal) == money, "seed \(seed)")
      #expect(Decimal(string: money.decimal) != nil)
    }
  }

  @Test func arithmeticAndOrder() {
    let one = Money(pico: 1)
    #expect(one + one - Money(pico: 3) == Money(pico: -1))
    #expect(Money(pico: -1) < .zero && .zero < one)
    var sum = one
    sum += Money(pico: 41)
    #expect(sum.pico == 42)
  }
}
