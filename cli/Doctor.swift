import ArgumentParser
import Store

/// `recount doctor`
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check every invariant of the data.",
    discussion: "Prints the rows that break one, and then ends with 9. Changes nothing.")

  @Option(
    help: ArgumentHelp(
      "How long after its lease a dead server may still have running turns.",
      valueName: "seconds"))
  var grace = 30

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (0...86400).contains(grace) else {
      throw ValidationError("--grace is 0 to 86400 seconds")
    }
  }

  func run() throws {
    let broken = try database.open().brokenInvariants(grace: .seconds(grace))
    var sheet = Sheet(["invariant", "row"])
    for row in broken { sheet.add([.text(row.name), .json(row.row)]) }
    if broken.isEmpty { Message.show("every invariant holds") }
    if !broken.isEmpty || output.output != .table { try sheet.print(output.output) }
    if !broken.isEmpty {
      let count = Set(broken.map { $0.name }).count
      throw CommandFailure(
        .invariantBroken, "broken invariants: \(count), shown with up to 100 rows each")
    }
  }
}
