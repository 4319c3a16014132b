import Foundation
import Synchronization

/// The PostgreSQL that tests run on: always a real one.
///
/// The environment's `RECOUNT_TEST_PG` names one that runs already: the folder of its socket, or a
/// connection string of a superuser. Else the first test starts a private one, with its data and
/// its socket in a folder of its own under the temporary folder; it ends with this process.
public struct PostgresCluster: Sendable {
  /// Socket folder or connection string, without a database.
  let address: String

  /// The cluster of this process.
  public static func shared() throws -> PostgresCluster {
    try cluster.withLock { cluster in
      if let cluster { return cluster }
      let started: PostgresCluster
      if let given = ProcessInfo.processInfo.environment["RECOUNT_TEST_PG"], !given.isEmpty {
        started = PostgresCluster(address: given)
      } else {
        started = try start()
      }
      cluster = started
      return started
    }
  }

  /// A connection string for one of its databases.
  public func conninfo(database: String, user: String = "postgres") -> String {
    if address.hasPrefix("/") { return "host=\(address) user=\(user) dbname=\(database)" }
    guard address.contains("://"), var parts = URLComponents(string: address) else {
      return "\(address) user=\(user) dbname=\(database)"
    }
    parts.user = user
    parts.path = "/" + database
    return parts.string ?? address
  }

  /// A new database, equal to the template of that name, which `prepare` fills once per process.
  public func database(
    template: String, prepare: (_ conninfo: String) throws -> Void
  ) throws -> TestDatabase {
    let unique = "\(template)_\(ProcessInfo.processInfo.processIdentifier)"
    try Self.templates.withLock { templates in
      if templates.contains(unique) { return }
      try run("CREATE DATABASE \(unique) TEMPLATE template0 ENCODING 'UTF8'")
      try prepare(conninfo(database: unique))
      templates.insert(unique)
    }
    let number = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
    let name = "\(unique)_\(number)"
    try run("CREATE DATABASE \(name) TEMPLATE \(unique)")
    return TestDatabase(cluster: self, name: name)
  }

  /// Runs SQL as the superuser.
  public func run(_ sql: String, database: String = "postgres") throws {
    try Self.execute(
      try Self.binary("psql"),
      ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", conninfo(database: database), "-c", sql])
  }

  private static let cluster = Mutex<PostgresCluster?>(nil)
  private static let templates = Mutex<Set<String>>([])
  private static let counter = Atomic<Int>(0)
}

/// A database of one test, dropped when the value goes.
public final class TestDatabase: Sendable {
  public let cluster: PostgresCluster
  public let name: String

  init(cluster: PostgresCluster, name: String) {
    self.cluster = cluster
    self.name = name
  }

  deinit { try? cluster.run("DROP DATABASE IF EXISTS \(name) WITH (FORCE)") }

  public func conninfo(user: String = "postgres") -> String {
    cluster.conninfo(database: name, user: user)
  }
}

/// What went wrong with a program that the kit runs.
public struct ProgramFailure: Error, CustomStringConvertible {
  public let description: String

  public init(description: String) { self.description = description }
}

extension PostgresCluster {
  /// Starts a private cluster. Nothing of it outlives a crash of the machine, so it need not reach
  /// the disk (`fsync=off`); commits are commits all the same. Its keeper is a shell that outlives
  /// nobody: when this process is gone, it stops the server and removes the folder.
  private static func start() throws -> PostgresCluster {
    let template = FileManager.default.temporaryDirectory
      .appendingPathComponent("recount-test-pg-XXXXXX").path
    var name = Array(template.utf8CString)
    guard unsafe mkdtemp(&name) != nil else { throw ProgramFailure(description: "mkdtemp") }
    let folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var prefix: [String] = []
    if getuid() == 0 {
      // initdb refuses root.
      try execute("/bin/chown", ["postgres", folder])
      prefix = ["/usr/sbin/runuser", "-u", "postgres", "--"]
    }
    let initdb = try binary("initdb")
    let command =
      prefix + [
        initdb, "-D", "\(folder)/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
        "--locale=C", "--no-sync",
      ]
    try execute(command[0], Array(command.dropFirst()))
    let keeper = """
      "$1" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=200 -c fsync=off \
        >"$2/log" 2>&1 &
      server=$!
      while [ -d "/proc/$3" ] && [ -d "/proc/$server" ]; do sleep 0.5; done
      "$4" stop -s -m immediate -D "$2/data"
      wait $server
      rm -rf "$2"
      """
    let arguments =
      prefix + [
        "/bin/sh", "-c", keeper, "sh", try binary("postgres"), folder,
        "\(ProcessInfo.processInfo.processIdentifier)", try binary("pg_ctl"),
      ]
    let process = Process()
    process.executableURL = URL(fileURLWithPath: arguments[0])
    process.arguments = Array(arguments.dropFirst())
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    let cluster = PostgresCluster(address: folder)
    for _ in 0..<200 {
      if (try? cluster.run("SELECT 1")) != nil { return cluster }
      usleep(50_000)
    }
    throw ProgramFailure(description: "PostgreSQL did not start in \(folder)")
  }

  /// Where Debian keeps the server's programs, newest version first; else the path.
  private static func binary(_ name: String) throws -> String {
    let root = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    let folders =
      versions.compactMap { Int($0) }.sorted(by: >).map { "\(root)/\($0)/bin" }
      + (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    for folder in folders where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") {
      return "\(folder)/\(name)"
    }
    throw ProgramFailure(description: "no \(name): install Debian's postgresql")
  }

  /// Runs a program to its end; its output is kept for the failure alone.
  private static func execute(_ path: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    process.currentDirectoryURL = URL(fileURLWithPath: "/")
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ProgramFailure(
        description: "\(path): \(String(decoding: output, as: UTF8.self))")
    }
  }
}
