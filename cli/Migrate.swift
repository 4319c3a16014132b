import ArgumentParser
import Store

/// `recount migrate`
struct Migrate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring the database to this program's schema.",
    discussion: """
      Forward only, each version in a transaction; two at once take turns. The role must be able \
      to make tables and roles.
      """)

  @Flag(help: "Only say what would be done.") var dryRun = false
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let store = try database.connect()
    var sheet = Sheet(["from", "to"])
    sheet.isRecord = true
    if dryRun {
      let from = try store.schemaVersion() ?? 0
      let to = AdminStore.newestSchema
      if from > to { throw StoreError.schema(.newer(found: from)) }
      sheet.add([.number("\(from)"), .number("\(to)")])
      Message.show(from == to ? "nothing to do" : "nothing was changed: this is a dry run")
    } else {
      let report = try store.migrate()
      sheet.add([.number("\(report.from)"), .number("\(report.to)")])
      Message.show(report.from == report.to ? "the schema is up to date" : "migrated")
    }
    try sheet.print(output.output)
  }
}
