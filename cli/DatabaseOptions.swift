import ArgumentParser
import Glibc
import Store

/// Where the database is. A password is never an argument: every user can read those.
struct DatabaseOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "PostgreSQL's connection string, without a password.",
      discussion: """
        Default: RECOUNT_DATABASE_URL. A password comes from that variable, from a file \
        (--database-url-file), or from libpq's own passfile (~/.pgpass).
        """,
      valueName: "conninfo"))
  var databaseURL: String?

  @Option(
    name: .customLong("database-url-file"),
    help: ArgumentHelp("A file with the connection string.", valueName: "path"))
  var databaseURLFile: String?

  /// Connects; the database has this program's schema.
  func open() throws -> AdminStore {
    let store = try connect()
    try store.checkSchema()
    return store
  }

  /// Connects to any database.
  func connect() throws -> AdminStore {
    let conninfo = try self.conninfo()
    // Seconds; the connection string may say otherwise. Without it an address that answers
    // nothing takes minutes. Both are literals for the length of the call.
    unsafe setenv("PGCONNECT_TIMEOUT", "10", 0)
    return try AdminStore.open(conninfo: conninfo)
  }

  private func conninfo() throws -> String {
    if let given = databaseURL {
      if databaseURLFile != nil {
        throw CommandFailure(.usage, "give --database-url or --database-url-file, not both")
      }
      if given.lowercased().contains("password") || given.contains(/:\/\/[^\/@]*:[^@]*@/) {
        throw CommandFailure(
          .usage, "a password must not be an argument: use RECOUNT_DATABASE_URL or a file")
      }
      return given
    }
    if let path = databaseURLFile {
      let bytes = try InputFile.read(path, bytesMax: 1 << 16)
      let text = String(decoding: bytes, as: UTF8.self)
      guard let line = text.split(whereSeparator: \.isNewline).first else {
        throw CommandFailure(.usage, "\(path): no connection string")
      }
      return String(line)
    }
    // The name is a literal and the value is copied at once.
    guard let value = unsafe getenv("RECOUNT_DATABASE_URL"),
      case let text = unsafe String(cString: value), !text.isEmpty
    else {
      throw CommandFailure(
        .usage, "no database: set RECOUNT_DATABASE_URL or give --database-url-file")
    }
    return text
  }
}

/// Who makes a change, for the audit trail.
struct ActorOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Who makes the change, for the audit trail. Default: the system's user name.",
      valueName: "name"))
  var actor: String?

  func name() throws(CommandFailure) -> String {
    if let actor {
      if actor.isEmpty || actor.utf8.count > 256 {
        throw CommandFailure(.usage, "--actor has 1 to 256 bytes")
      }
      return actor
    }
    // The record is the library's; its name is copied at once.
    guard let record = unsafe getpwuid(getuid()) else { return "uid \(getuid())" }
    return unsafe String(cString: record.pointee.pw_name)
  }
}
