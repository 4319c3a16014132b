public import Logging
import Store

/// What the service tells its operator: never a prompt, a key or a value of SQL.
public struct ServiceLog: Sendable {
  private let logger: Logger

  public init(_ logger: Logger) { self.logger = logger }

  /// A bug or a broken promise of a neighbour.
  ///
  /// - Returns: an id, which the caller is told.
  func incident(_ what: String) -> String {
    var random = SystemRandomNumberGenerator()
    let id = String(random.next() as UInt64, radix: 16)
    logger.error("incident", metadata: ["incident_id": "\(id)", "what": "\(what)"])
    return id
  }

  func warning(_ what: String, _ metadata: [String: String] = [:]) {
    logger.warning("\(what)", metadata: metadata.mapValues { "\($0)" })
  }

  func info(_ what: String, _ metadata: [String: String] = [:]) {
    logger.info("\(what)", metadata: metadata.mapValues { "\($0)" })
  }
}
