import Foundation
import Store
import TestSupport
import Testing

/// What one run of the built `recount` said.
struct Run {
  let status: Int32
  let output: String
  let errors: String

  /// The output as JSON.
  func json() throws -> Any { try JSONSerialization.jsonObject(with: Data(output.utf8)) }

  /// The output as a JSON array of objects.
  func list() throws -> [[String: Any]] { try #require(json() as? [[String: Any]]) }

  func record() throws -> [String: Any] { try #require(json() as? [String: Any]) }
}

/// A database of a test's own, on which the built program runs as a process.
struct Desk: Sendable {
  let database: TestDatabase
  let folder: URL

  /// - Parameter migrated: else the database is empty.
  init(migrated: Bool = true) throws {
    let cluster = try PostgresCluster.shared()
    database = try cluster.database(template: migrated ? "cli" : "empty") { conninfo in
      if migrated { _ = try AdminStore.open(conninfo: conninfo).migrate() }
    }
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("recount-cli-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func end() { try? FileManager.default.removeItem(at: folder) }

  /// A file of the test's own.
  func file(_ name: String, _ text: String) throws -> String {
    let url = folder.appendingPathComponent(name)
    try Data(text.utf8).write(to: url)
    return url.path
  }

  /// Runs the program without a terminal, as the admin role on the test's database.
  func recount(
    _ arguments: String..., url: String? = nil, input: String = ""
  ) async throws -> Run {
    try await run(arguments, url: url, input: input)
  }

  func run(_ arguments: [String], url: String? = nil, input: String = "") async throws -> Run {
    let id = UUID().uuidString
    let paths = ["in", "out", "err"].map { folder.appendingPathComponent("\(id).\($0)") }
    try Data(input.utf8).write(to: paths[0])
    for path in paths[1...] { try Data().write(to: path) }
    let process = Process()
    process.executableURL = try Self.program()
    process.arguments = arguments
    let url = url ?? database.conninfo(user: "recount_admin")
    process.environment = ["RECOUNT_DATABASE_URL": url]
    process.standardInput = try FileHandle(forReadingFrom: paths[0])
    process.standardOutput = try FileHandle(forWritingTo: paths[1])
    process.standardError = try FileHandle(forWritingTo: paths[2])
    try process.run()
    for _ in 0..<6000 where process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
    guard !process.isRunning else {
      process.terminate()
      throw ProgramFailure(description: "recount \(arguments) did not end")
    }
    return Run(
      status: process.terminationStatus, output: try String(contentsOf: paths[1], encoding: .utf8),
      errors: try String(contentsOf: paths[2], encoding: .utf8))
  }

  /// The program stands beside the test bundle.
  private static func program() throws -> URL {
    let this = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let candidates =
      CommandLine.arguments.map { URL(fileURLWithPath: $0) }
      + [URL(fileURLWithPath: this), Bundle.main.bundleURL]
    for candidate in candidates {
      for folder in [candidate, candidate.deletingLastPathComponent()] {
        let program = folder.appendingPathComponent("recount")
        if FileManager.default.isExecutableFile(atPath: program.path) { return program }
      }
    }
    throw ProgramFailure(description: "no recount beside \(candidates.map(\.path))")
  }
}
