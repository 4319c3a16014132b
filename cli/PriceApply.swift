import ArgumentParser
import Domain
import Glibc
import Metering
import Store

/// `recount price apply`
struct PriceApply: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Publish the prices of a file.",
    discussion: """
      Prints each price that changes, per 1,000,000 tokens. Each book of the file becomes a set \
      that takes the place of the book's newest one as a whole; all books of a file are published \
      together or not at all. A book that has these prices already is left as it is. A price that \
      moves more than tenfold is refused unless --allow-large-change is given. An absent cache \
      price is the input price, an absent reasoning price the output price.
      """)

  @Option(
    name: [.customShort("f"), .long],
    help: ArgumentHelp("The price file; - is standard input.", valueName: "path"))
  var file: String

  @Flag(help: "Only print what would change.") var dryRun = false
  @Flag(help: "Do not ask.") var yes = false
  @Flag(help: "Let a price move more than tenfold.") var allowLargeChange = false
  @OptionGroup var actor: ActorOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  /// A book that is to be published.
  private struct Plan {
    let book: String
    let rows: [PriceRow]
    let changes: [PriceChange]
    let isUnchanged: Bool
  }

  func run() throws {
    let bytes = try InputFile.read(file, bytesMax: PriceFile.bytesMax)
    let prices: PriceFile
    do throws(CommandFailure) {
      prices = try PriceFile(parsing: bytes)
    } catch {
      throw CommandFailure(error.status, "\(file): \(error.message)")
    }
    let store = try database.open()
    let actor = try actor.name()
    let plans = plans(prices, published: try store.priceSets())
    try sheet(plans).print(output.output)
    try guardAgainstMistakes(plans)
    let due = plans.filter { !$0.isUnchanged }
    for plan in plans where plan.isUnchanged {
      Message.show("the \(plan.book) book has these prices already")
    }
    for plan in due where plan.changes.isEmpty {
      Message.show("no \(plan.book) price changes: only when or how the tiers apply")
    }
    if dryRun { return Message.show("nothing was changed: this is a dry run") }
    if due.isEmpty { return }
    try Message.confirm("Publish these prices?", isGiven: yes)
    let hash = Digest.sha256(bytes)
    let sets = due.map { plan in
      NewPriceSet(
        id: PriceApply.newID(), book: plan.book, currency: prices.currency,
        startsAt: prices.startsAt, provenance: prices.provenance, sourceHash: hash,
        prices: plan.rows)
    }
    let outcomes = try store.publishPrices(sets, actor: actor)
    guard case .done = outcomes.last else {
      throw CommandFailure(
        .refused,
        "a set must start after its book's newest one and not in the past: nothing was changed")
    }
    for (set, outcome) in zip(sets, outcomes) {
      guard case .done(let version) = outcome else { continue }
      Message.show(
        "published \(set.prices.count) \(set.book) prices as \(set.id)"
          + ", configuration version \(version)")
    }
  }

  private func plans(_ file: PriceFile, published: [PriceSetRow]) -> [Plan] {
    file.books.map { book in
      let newest = published.last { $0.book == book.book && $0.currency == file.currency }
      let old = newest?.prices ?? []
      return Plan(
        book: book.book, rows: book.rows, changes: PriceChange.between(old, book.rows),
        isUnchanged: Set(old.map(PriceApply.identity)) == Set(book.rows.map(PriceApply.identity))
          && file.startsAt == nil)
    }
  }

  private static func identity(_ row: PriceRow) -> [String] {
    [
      row.model, row.tokenClass, row.serviceTier, "\(row.promptFrom)", "\(row.isMarginal)",
      "\(row.price)", row.derivedFrom ?? "",
    ]
  }

  private func sheet(_ plans: [Plan]) -> Sheet {
    var sheet = Sheet(["book", "model", "service_tier", "prompt_from", "class", "old", "new"])
    for plan in plans {
      for change in plan.changes {
        sheet.add([
          .text(plan.book), .text(change.model), .text(change.serviceTier),
          .number("\(change.promptFrom)"), .text(change.tokenClass.rawValue),
          .text(change.old.map { Price.decimal($0) }),
          .text(change.new.map { Price.decimal($0) }),
        ])
      }
    }
    return sheet
  }

  private func guardAgainstMistakes(_ plans: [Plan]) throws(CommandFailure) {
    for plan in plans {
      let lost = Set(plan.changes.filter { $0.new == nil }.map(\.model)).sorted()
      if !lost.isEmpty {
        let names = lost.map(TableText.escaped).joined(separator: ", ")
        Message.show("without a \(plan.book) price from then on: \(names)")
      }
      let large = plan.changes.filter(\.isLarge)
      guard let first = large.first, !allowLargeChange else { continue }
      throw CommandFailure(
        .refused,
        """
        \(large.count) \(plan.book) prices move more than tenfold, the first is \
        \(TableText.escaped(first.model)) \(first.tokenClass.rawValue): nothing was changed; \
        --allow-large-change permits it
        """)
    }
  }

  private static func newID() -> RowID {
    var clock = timespec()
    // The value is ours for the length of the call.
    _ = unsafe clock_gettime(CLOCK_REALTIME, &clock)
    var random = SystemRandomNumberGenerator()
    let milliseconds = UInt64(clock.tv_sec) * 1000 + UInt64(clock.tv_nsec) / 1_000_000
    return RowID(milliseconds: milliseconds, using: &random)
  }
}
