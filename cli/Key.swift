import ArgumentParser
import Domain
import Store

/// `recount key`
struct Key: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create, list and revoke API keys.",
    subcommands: [KeyCreate.self, List.self, Revoke.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the keys; never a secret or its hash.")

    @Option(help: "Only this tenant's.") var tenant: String?
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
      let store = try database.open()
      if let tenant, try !store.tenants().contains(where: { $0.id == tenant }) {
        throw CommandFailure(.notFound, "there is no such tenant")
      }
      let now = try store.now()
      var sheet = Sheet([
        "id", "tenant", "name", "state", "scopes", "models", "created_at", "expires_at",
        "revoked_at",
      ])
      for key in try store.keys(tenant: tenant) {
        let isExpired = key.expiresAt.map { $0 <= now } ?? false
        let state = key.revokedAt != nil ? "revoked" : isExpired ? "expired" : "active"
        sheet.add([
          .text(key.id), .text(key.tenant), .text(key.name), .text(state), .list(key.scopes),
          key.allowedModels.map { .list($0) } ?? .absent, .time(key.createdAt),
          .time(key.expiresAt), .time(key.revokedAt),
        ])
      }
      try sheet.print(output.output)
    }
  }

  struct Revoke: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revoke a key, for good.",
      discussion: "No further Generate begins with it; elsewhere it ends within 2 seconds.")

    @Argument(help: "The key's id: the 12 characters after rct_. Never the whole key.")
    var id: String

    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var actor: ActorOptions
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
      if id.hasPrefix(APIKey.prefix) {
        throw ValidationError("give the key's id, the 12 characters after rct_, and not the key")
      }
    }

    func run() throws {
      let store = try database.open()
      let actor = try actor.name()
      try Message.confirm("Revoke the key \(TableText.escaped(id))?", isGiven: yes)
      switch try store.revokeKey(id: id, actor: actor) {
      case .done(let version):
        var sheet = Sheet(["id", "state", "config_version"])
        sheet.isRecord = true
        sheet.add([.text(id), .text("revoked"), .number("\(version)")])
        try sheet.print(output.output)
      case .notFound: throw CommandFailure(.notFound, "there is no such key")
      case .exists, .refused: throw CommandFailure(.conflict, "the key is revoked already")
      }
    }
  }
}
