import Domain
import JSON
import Metering
import Store

/// A price file, checked and completed.
///
/// - Shape: `{"currency", "provenance", "starts_at"?, "books": {"contracted" | "list": [entry]}}`;
///   an entry has `model`, `service_tier`?, prices, and `tiers`?, each with `prompt_from`,
///   `marginal`? and prices. Prices are decimal strings per 1,000,000 tokens: `input`, `output`,
///   `cache_read`?, `cache_write`?, `reasoning`?. Nothing else may stand in it.
/// - Units: of the rows: pico-currency per token.
struct PriceFile {
  let currency: String
  let provenance: String
  /// Nil: now.
  let startsAt: Timestamp?
  let books: [(book: String, rows: [PriceRow])]

  static let bytesMax = 16 << 20
  /// 1,000,000,000 of the currency per 1,000,000 tokens: what is dearer is a mistake, and sums of
  /// the largest bills stay far from overflow.
  static let priceMax: Int64 = 1_000_000_000 * 1_000_000
  /// Micro-currency is the finest price that there is.
  static let fractionDigitsMax = 6

  init(parsing bytes: [UInt8]) throws(CommandFailure) {
    let json: JSONValue
    do {
      json = try JSONValue(parsing: bytes)
    } catch {
      throw CommandFailure(.usage, error.description)
    }
    let file = try PriceFileObject(json, "the file")
    try file.expect(only: ["currency", "provenance", "starts_at", "books"])
    currency = try file.text("currency")
    guard currency.wholeMatch(of: /[A-Z]{3}/) != nil else {
      throw file.wrong("currency", "is not three capitals")
    }
    provenance = try file.text("provenance")
    if file["starts_at"] != nil {
      guard let time = RFC3339.time(try file.text("starts_at")) else {
        throw file.wrong("starts_at", "is not a time such as 2027-01-31T00:00:00Z")
      }
      startsAt = time
    } else {
      startsAt = nil
    }
    let books = try PriceFileObject(file.required("books"), "books")
    try books.expect(only: Price.Book.allCases.map(\.rawValue))
    var read: [(book: String, rows: [PriceRow])] = []
    for member in books.members {
      let entries = try books.list(member)
      var rows: [PriceRow] = []
      var seen = Set<[String]>()
      for (index, entry) in entries.enumerated() {
        let entry = try PriceFileObject(entry, "books.\(member)[\(index)]")
        let found = try PriceFile.rows(of: entry)
        guard seen.insert([found[0].model, found[0].serviceTier]).inserted else {
          throw entry.wrong("model", "stands in the book already, in this service tier")
        }
        rows += found
      }
      read.append((member, rows))
    }
    if read.isEmpty { throw CommandFailure(.usage, "books is empty") }
    self.books = read
  }

  private static let priceNames = TokenClass.allCases.map(\.rawValue)

  /// Never empty.
  private static func rows(of entry: PriceFileObject) throws(CommandFailure) -> [PriceRow] {
    try entry.expect(only: ["model", "service_tier", "tiers"] + priceNames)
    let model = try entry.text("model")
    let serviceTier = try entry["service_tier"] == nil ? "default" : entry.text("service_tier")
    var tiers: [(from: Int64, object: PriceFileObject)] = [(0, entry)]
    var isMarginal: Bool?
    if entry["tiers"] != nil {
      for (index, tier) in try entry.list("tiers").enumerated() {
        let tier = try PriceFileObject(tier, "\(entry.path).tiers[\(index)]")
        try tier.expect(only: ["prompt_from", "marginal"] + priceNames)
        guard let from = try tier.required("prompt_from").integer, from > tiers.last!.from else {
          throw tier.wrong("prompt_from", "is not a whole number above the tier's before it")
        }
        guard case let marginal = tier["marginal"] ?? .bool(false), let marginal = marginal.bool
        else { throw tier.wrong("marginal", "is not true or false") }
        guard isMarginal == nil || isMarginal == marginal else {
          throw tier.wrong("marginal", "differs from the tier's before it")
        }
        isMarginal = marginal
        tiers.append((from, tier))
      }
    }
    var rows: [PriceRow] = []
    for tier in tiers {
      for tokenClass in TokenClass.allCases {
        let source = tier.object[tokenClass.rawValue] == nil ? tokenClass.fallback : nil
        rows.append(
          PriceRow(
            model: model, tokenClass: tokenClass.rawValue, serviceTier: serviceTier,
            promptFrom: tier.from, isMarginal: isMarginal ?? false,
            price: try price((source ?? tokenClass).rawValue, of: tier.object),
            derivedFrom: source?.rawValue))
      }
    }
    return rows
  }

  private static func price(
    _ name: String, of object: PriceFileObject
  ) throws(CommandFailure) -> Int64 {
    let text = try object.text(name)
    guard let money = Money(decimal: text) else {
      throw object.wrong(name, "is not a decimal such as \"8.00\"")
    }
    guard Money(decimal: text, maxFractionDigits: fractionDigitsMax) != nil else {
      throw object.wrong(name, "has more than \(fractionDigitsMax) digits after the point")
    }
    if money < .zero { throw object.wrong(name, "is negative") }
    let price = money.pico / Int128(Price.tokensPerPrice)
    if price > priceMax { throw object.wrong(name, "is more than 1000000000") }
    return Int64(price)
  }
}

extension TokenClass {
  /// Whose price a class takes that has none of its own.
  var fallback: TokenClass? {
    switch self {
    case .input, .output: nil
    case .cacheRead, .cacheWrite: .input
    case .reasoning: .output
    }
  }
}
