import GRPCServer
import HTTPClient
import Logging
import Postgres
import Reactor
import Relay
import Service
import Store

/// What recountd has on one reactor.
///
/// - Isolation: its reactor's core.
final class CoreParts {
  let reactor: Reactor
  let store: Store
  let service: ConversationService
  private let database: Database
  private let http: HTTPClient

  init(
    _ reactor: Reactor, _ settings: Settings, _ replica: Replica, _ log: ServiceLog
  ) throws(HTTPClientError) {
    self.reactor = reactor
    var configuration = DatabaseConfiguration(conninfo: settings.databaseURL)
    configuration.share(
      connectionsMax: settings.databaseConnections, reactors: settings.reactors)
    database = Database(reactor: reactor, configuration: configuration)
    database.start()
    store = Store(database)
    http = try HTTPClient(on: reactor)
    service = ConversationService(
      reactor: reactor, store: store, relay: RelayClient(settings.relay, http: http),
      catalogue: settings.catalogue, replica: replica, log: log,
      killPoint: settings.killPoint)
  }

  var router: Router {
    var router = Router()
    service.register(in: &router)
    return router
  }

  func close() {
    http.close()
    database.close()
  }
}
