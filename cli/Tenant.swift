import ArgumentParser
import Store

/// `recount tenant`
struct Tenant: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create and list tenants.", subcommands: [Create.self, List.self])

  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Create a tenant.")

    @Argument(help: "1 to 128 of A-Z, a-z, 0-9, dot, underscore, hyphen.")
    var id: String

    @Option(help: "A name for people. Default: the id.") var name: String?

    @Option(help: "The currency of its quotas and prices, three capitals.")
    var currency = "USD"

    @OptionGroup var actor: ActorOptions
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
      guard id.wholeMatch(of: /[A-Za-z0-9._\-]{1,128}/) != nil else {
        throw ValidationError("ID has 1 to 128 of A-Z, a-z, 0-9, dot, underscore, hyphen")
      }
      guard currency.wholeMatch(of: /[A-Z]{3}/) != nil else {
        throw ValidationError("--currency is three capitals, such as USD")
      }
      guard (name ?? id).utf8.count <= 256 else {
        throw ValidationError("--name has at most 256 bytes")
      }
    }

    func run() throws {
      let store = try database.open()
      let outcome = try store.createTenant(
        id: id, name: name ?? id, currency: currency, actor: actor.name())
      switch outcome {
      case .done(let version):
        var sheet = Sheet(["id", "name", "currency", "config_version"])
        sheet.isRecord = true
        sheet.add([.text(id), .text(name ?? id), .text(currency), .number("\(version)")])
        try sheet.print(output.output)
      case .exists: throw CommandFailure(.conflict, "there is a tenant \(id) already")
      case .notFound, .refused: throw CommandFailure(.refused, "the database refused the tenant")
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the tenants.")

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
      var sheet = Sheet(["id", "name", "currency", "state", "created_at"])
      for tenant in try database.open().tenants() {
        sheet.add([
          .text(tenant.id), .text(tenant.name), .text(tenant.currency),
          .text(tenant.isSuspended ? "suspended" : "active"), .time(tenant.createdAt),
        ])
      }
      try sheet.print(output.output)
    }
  }
}
