/// Every setting of recountd: the one list that the reference and a test hold on to.
///
/// A setting is `--lease-seconds` on the command line, `RECOUNT_LEASE_SECONDS` in the environment,
/// and `{"lease": {"seconds": …}}` in the file of `--config`, in that order of precedence.
enum SettingName: String, CaseIterable {
  case listen
  case databaseURL = "database.url"
  case databaseConnections = "database.connections"
  case relayName = "relay.name"
  case relayURL = "relay.url"
  case relayCredentialFile = "relay.credential.file"
  case relayModels = "relay.models"
  case relayAllowsPlainHTTP = "relay.allows.plain.http"
  case catalogue
  case leaseSeconds = "lease.seconds"
  case drainSeconds = "drain.seconds"
  case reactors
  case logLevel = "log.level"
  case killPoint = "kill.point"

  /// On the command line; nil for what may hold a secret.
  var flag: String? {
    self == .databaseURL ? nil : "--" + rawValue.split(separator: ".").joined(separator: "-")
  }

  /// In the environment.
  var variable: String {
    "RECOUNT_" + rawValue.uppercased().split(separator: ".").joined(separator: "_")
  }

  /// One line for `--help`.
  var help: String {
    switch self {
    case .listen: "where to listen, HOST:PORT (127.0.0.1:50051; port 0 lets the system choose)"
    case .databaseURL: "libpq's connection string; never on the command line"
    case .databaseConnections: "connections to PostgreSQL at most (8)"
    case .relayName: "the relay's name in receipts (relay)"
    case .relayURL: "the relay's base URL, with its version: https://…/v1"
    case .relayCredentialFile: "the file that holds the relay's key"
    case .relayModels: "MODEL or MODEL=UPSTREAM-NAME, with commas between (the catalogue's)"
    case .relayAllowsPlainHTTP: "whether http:// may be used beyond loopback (false)"
    case .catalogue: "the file of the models (deploy/catalogue.json)"
    case .leaseSeconds: "how long this process owns its turns without a heartbeat (15)"
    case .drainSeconds: "how long calls may go on after SIGTERM (30)"
    case .reactors: "event loops, one thread each (1)"
    case .logLevel: "trace, debug, info, notice, warning, error or critical (info)"
    case .killPoint: "where a debug build kills itself, for tests"
    }
  }
}
