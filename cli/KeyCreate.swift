import ArgumentParser
import Domain
import Store

/// `recount key create`: the only moment at which a key's secret is seen.
struct KeyCreate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a key and print it, once.",
    discussion: """
      The key goes to standard output, alone on its line; with -o json or csv it is the member \
      "key". With --secret-file it goes into that new file, readable by its owner alone, and \
      nowhere else.
      """)

  @Option(help: "Whose key it is.") var tenant: String
  @Option(help: "A name for people.") var name = ""

  @Option(help: "What it may do; may be repeated. Default: everything.")
  var scope: [ScopeArgument] = []

  @Option(help: "A model that it may use; may be repeated. Default: every model.")
  var model: [String] = []

  @Option(
    help: ArgumentHelp("When it ends, such as 2027-01-31T00:00:00Z.", valueName: "time"))
  var expires: ExpiryArgument?

  @Option(help: ArgumentHelp("Write the key to this new file instead.", valueName: "path"))
  var secretFile: String?

  @OptionGroup var actor: ActorOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard model.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 128 }) else {
      throw ValidationError("--model has 1 to 128 bytes")
    }
    guard name.utf8.count <= 256 else { throw ValidationError("--name has at most 256 bytes") }
  }

  func run() throws {
    let store = try database.open()
    let actor = try actor.name()
    if let expires, try expires.time <= store.now() {
      throw CommandFailure(.usage, "--expires is in the past")
    }
    let secret: APIKey
    do {
      secret = try APIKey.generate()
    } catch {
      throw CommandFailure(.failure, "the system has no random bytes")
    }
    let asked = scope.map(\.scope)
    let scopes = KeyScope.allCases.filter { asked.isEmpty || asked.contains($0) }
    let key = NewKey(
      id: secret.id, tenant: tenant, name: name, secretHash: secret.secretHash,
      scopes: scopes.map(\.rawValue),
      allowedModels: model.isEmpty ? nil : Set(model).sorted(), expiresAt: expires?.time)
    // The file first: a key that nobody could read would have to be revoked.
    if let secretFile {
      var file = try SecretFile(path: secretFile)
      try file.write(secret.text + "\n")
      let version = try create(key, in: store, actor: actor)
      file.keep()
      try show(key, nil, version)
    } else {
      let version = try create(key, in: store, actor: actor)
      try show(key, secret.text, version)
    }
  }

  /// The configuration's new version.
  private func create(
    _ key: NewKey, in store: borrowing AdminStore, actor: String
  ) throws -> Int64 {
    switch try store.createKey(key, actor: actor) {
    case .done(let version): return version
    case .notFound: throw CommandFailure(.notFound, "there is no such tenant")
    case .exists: throw CommandFailure(.conflict, "there is a key \(key.id) already")
    case .refused: throw CommandFailure(.refused, "the database refused the key")
    }
  }

  private func show(_ key: NewKey, _ secret: String?, _ version: Int64) throws {
    if output.output == .table, let secret {
      Message.show(
        "created the key \(key.id) of \(tenant); keep it now, it is not shown again")
      return try TokensInput.print(secret)
    }
    var columns = ["id", "tenant", "name", "scopes", "models", "expires_at", "config_version"]
    var cells: [Sheet.Cell] = [
      .text(key.id), .text(tenant), .text(name), .list(key.scopes),
      key.allowedModels.map { .list($0) } ?? .absent, .time(key.expiresAt),
      .number("\(version)"),
    ]
    if let secret {
      columns.append("key")
      cells.append(.text(secret))
    }
    var sheet = Sheet(columns)
    sheet.isRecord = true
    sheet.add(cells)
    try sheet.print(output.output)
  }
}

/// `--scope`
struct ScopeArgument: ExpressibleByArgument {
  let scope: KeyScope

  init?(argument: String) {
    guard let scope = KeyScope(rawValue: argument) else { return nil }
    self.scope = scope
  }

  static var allValueStrings: [String] { KeyScope.allCases.map(\.rawValue) }
}

/// `--expires`
struct ExpiryArgument: ExpressibleByArgument {
  let time: Timestamp

  init?(argument: String) {
    guard let time = RFC3339.time(argument) else { return nil }
    self.time = time
  }
}
