import Metering
import Store

/// One price of a book before and after.
struct PriceChange {
  let model: String
  let serviceTier: String
  let promptFrom: Int64
  let tokenClass: TokenClass
  /// Pico-currency per token; nil if there was none, or will be none.
  let old: Int64?
  let new: Int64?

  /// A price that moves by a larger factor is taken for a mistake.
  static let factorMax: Int128 = 10

  /// Up or down; from or to 0 is any factor.
  var isLarge: Bool {
    guard let old, let new else { return false }
    let (low, high) = (Int128(min(old, new)), Int128(max(old, new)))
    return high > low * Self.factorMax
  }

  /// What differs between two sets of one book. Where their tiers differ, the prices are compared
  /// at every bound of either.
  static func between(_ old: [PriceRow], _ new: [PriceRow]) -> [PriceChange] {
    let before = groups(old)
    let after = groups(new)
    var changes: [PriceChange] = []
    for group in Set(before.keys).union(after.keys).sorted() {
      let rows = [before[group] ?? [], after[group] ?? []]
      let bounds = Set(rows.joined().map { $0.promptFrom }).sorted()
      let prices = rows.map(modelPrices)
      for bound in bounds {
        for tokenClass in TokenClass.allCases {
          let change = PriceChange(
            model: group.model, serviceTier: group.serviceTier, promptFrom: bound,
            tokenClass: tokenClass, old: prices[0]?.tier(at: bound)[tokenClass],
            new: prices[1]?.tier(at: bound)[tokenClass])
          if change.old != change.new { changes.append(change) }
        }
      }
    }
    return changes
  }

  private struct Group: Hashable, Comparable {
    let model: String
    let serviceTier: String

    static func < (a: Group, b: Group) -> Bool {
      (a.model, a.serviceTier) < (b.model, b.serviceTier)
    }
  }

  private static func groups(_ rows: [PriceRow]) -> [Group: [PriceRow]] {
    Dictionary(grouping: rows) { Group(model: $0.model, serviceTier: $0.serviceTier) }
  }

  private static func modelPrices(_ rows: [PriceRow]) -> ModelPrices? {
    let entries = rows.compactMap { row in
      TokenClass(rawValue: row.tokenClass).map {
        PriceEntry(tokenClass: $0, promptFrom: row.promptFrom, price: row.price)
      }
    }
    return ModelPrices(entries: entries, isMarginal: rows.first?.isMarginal ?? false)
  }
}
