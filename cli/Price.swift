import ArgumentParser
import Domain
import Store

/// `recount price`
struct Price: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Publish and list prices.", subcommands: [PriceApply.self, List.self])

  enum Book: String, CaseIterable, ExpressibleByArgument { case contracted, list }

  /// Pico-currency per token as a decimal of the currency per 1,000,000 tokens.
  static func decimal(_ price: Int64) -> String {
    Money(pico: Int128(price) * Int128(tokensPerPrice)).decimal
  }

  /// A price is per so many tokens.
  static let tokensPerPrice: Int64 = 1_000_000

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the prices in force, per 1,000,000 tokens.")

    @Option(help: "Only this book.") var book: Book?
    @Option(help: "Only this model.") var model: String?
    @Flag(help: "Also sets that are over or have not started.") var all = false
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
      let store = try database.open()
      let now = try store.now()
      let sets = try store.priceSets().filter { book == nil || $0.book == book?.rawValue }
      var sheet = Sheet([
        "book", "model", "service_tier", "prompt_from", "marginal", "class", "price", "currency",
        "derived_from", "state", "starts_at", "price_set",
      ])
      for set in sets {
        let state = Self.state(of: set, among: sets, at: now)
        if !all && state != "current" { continue }
        for price in set.prices where model == nil || price.model == model {
          sheet.add([
            .text(set.book), .text(price.model), .text(price.serviceTier),
            .number("\(price.promptFrom)"), .bool(price.isMarginal), .text(price.tokenClass),
            .text(Price.decimal(price.price)), .text(set.currency), .text(price.derivedFrom),
            .text(state), .time(set.startsAt), .text(set.id.description),
          ])
        }
      }
      try sheet.print(output.output)
    }

    private static func state(
      of set: PriceSetRow, among sets: [PriceSetRow], at now: Timestamp
    ) -> String {
      if set.startsAt > now { return "future" }
      let isSuperseded = sets.contains {
        $0.book == set.book && $0.currency == set.currency && $0.startsAt > set.startsAt
          && $0.startsAt <= now
      }
      return isSuperseded ? "past" : "current"
    }
  }
}
