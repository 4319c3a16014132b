import ArgumentParser
import Glibc
import Store

/// The admin command line.
@main
struct Recount: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recount", abstract: "Manages Recount.",
    discussion: """
      Data goes to standard output, messages to standard error. Exit codes: 0 done, 1 failed, \
      2 wrong usage, 4 not allowed, 5 not found, 6 in conflict, 7 refused, 8 PostgreSQL is \
      unavailable, 9 an invariant is broken.
      """,
    version: Version.number,
    subcommands: [
      Migrate.self, Doctor.self, Version.self, Tenant.self, Key.self, Price.self, Audit.self,
      Tokens.self,
    ])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      end(with: error)
    }
  }

  /// The one place that turns errors into messages and exit codes.
  private static func end(with error: any Error) -> Never {
    let status = exitCode(for: error)
    if status.isSuccess { exit(withError: error) }
    switch error {
    case let failure as CommandFailure:
      Message.show("Error: \(failure.message)")
      Glibc.exit(failure.status.rawValue)
    case let failure as StoreError:
      let failure = CommandFailure(failure)
      Message.show("Error: \(failure.message)")
      Glibc.exit(failure.status.rawValue)
    default:
      Message.show(fullMessage(for: error))
      let isUsage = status == .validationFailure
      Glibc.exit(isUsage ? CommandFailure.Status.usage.rawValue : status.rawValue)
    }
  }
}
