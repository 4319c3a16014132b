import ArgumentParser
import Store

/// `recount audit`
struct Audit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show who changed what.", subcommands: [List.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the newest changes, oldest first.")

    @Option(help: "How many, at most.") var limit = 50
    @Option(help: "Only changes after this configuration version.") var after: Int64 = 0
    @Option(help: "Only changes of this tenant.") var tenant: String?
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var output: OutputOptions

    /// Rows that are read at a time.
    private static let pageRows = 1000

    func validate() throws {
      guard (1...1_000_000).contains(limit) else {
        throw ValidationError("--limit is 1 to 1000000")
      }
      guard after >= 0 else { throw ValidationError("--after is not negative") }
    }

    func run() throws {
      var sheet = Sheet([
        "config_version", "at", "actor", "action", "tenant", "subject", "detail",
      ])
      for row in try newest(database.open()) {
        sheet.add([
          .number("\(row.configVersion)"), .time(row.at), .text(row.actor), .text(row.action),
          .text(row.tenant), .text(row.subject), .json(row.detail),
        ])
      }
      try sheet.print(output.output)
    }

    private func newest(_ store: borrowing AdminStore) throws -> [AuditRow] {
      var kept: [AuditRow] = []
      var version = after
      while true {
        let page = try store.audit(afterVersion: version, limit: Self.pageRows)
        kept += page.filter { tenant == nil || $0.tenant == tenant }
        kept.removeFirst(max(0, kept.count - limit))
        guard page.count == Self.pageRows, let last = page.last else { return kept }
        version = last.configVersion
      }
    }
  }
}
