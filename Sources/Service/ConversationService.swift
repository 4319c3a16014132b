import Domain
public import GRPCServer
import GRPCWire
import Messages
public import Reactor
public import Relay
public import Store

/// What `recount.v1.ConversationService` does, on one reactor. Its methods are in a file each.
///
/// - Isolation: its reactor's core.
public final class ConversationService {
  let reactor: Reactor
  let store: Store
  let relay: RelayClient
  let catalogue: Catalogue
  let replica: Replica
  let limits: ServiceLimits
  let log: ServiceLog
  let killPoint: KillPoint?
  let configuration: ConfigurationCache
  let remembered: RememberedConversations
  /// Generations that have begun here.
  var turns: [RowID: Turn] = [:]
  /// Generations that run here or are about to, and how many of them nobody waits for.
  var turnsRunning = 0
  var drainsRunning = 0
  private(set) var isDraining = false
  private(set) var isFinished = false

  var checks: FieldChecks { FieldChecks(limits: limits) }

  public init(
    reactor: Reactor, store: Store, relay: RelayClient, catalogue: Catalogue, replica: Replica,
    log: ServiceLog, limits: ServiceLimits = ServiceLimits(), killPoint: KillPoint? = nil
  ) {
    self.reactor = reactor
    self.store = store
    self.relay = relay
    self.catalogue = catalogue
    self.replica = replica
    self.limits = limits
    self.log = log
    self.killPoint = killPoint
    configuration = ConfigurationCache(store, reactor, limits, log)
    remembered = RememberedConversations(limits.rememberedConversationsMax)
    if killPoint == .afterRequestHeaders {
      relay.onRequestSent { KillPoint.afterRequestHeaders.reach(killPoint) }
    }
  }

  /// Reads the configuration, and follows it from then on.
  public func start(isolation: isolated Core) async throws(StoreError) {
    try await configuration.start(isolation: isolation)
    watchStops()
  }

  /// Begins no more generations.
  public func drain() { isDraining = true }

  /// Waits until no generation runs, at most so long, and stops following the configuration. What
  /// still runs then is resolved by another process's reaper.
  public func finish(within limit: Duration) async {
    let end = reactor.now + limit
    while turnsRunning > 0, reactor.now < end {
      do { try await reactor.sleep(for: .milliseconds(10)) } catch { break }
    }
    if turnsRunning > 0 { log.warning("generations were left", ["count": "\(turnsRunning)"]) }
    configuration.close()
    isFinished = true
  }

  private static let path = "/recount.v1.ConversationService/"

  /// Serves every method; those that are not built answer UNIMPLEMENTED.
  public func register(in router: inout Router) {
    serve("Create", .write, in: &router) { (request, principal) throws(Failure) in
      try await self.create(request, principal)
    }
    serve("Append", .write, in: &router) { (request, principal) throws(Failure) in
      try await self.append(request, principal)
    }
    serve("Get", .read, in: &router) { (request, principal) throws(Failure) in
      try await self.get(request, principal)
    }
    serve("ListMessages", .read, in: &router) { (request, principal) throws(Failure) in
      try await self.listMessages(request, principal)
    }
    serve("CountTokens", .read, in: &router) { (request, principal) throws(Failure) in
      try await self.countTokens(request, principal)
    }
    serve("Delete", .write, in: &router) { (request, principal) throws(Failure) in
      try await self.delete(request, principal)
    }
    serve("List", .read, in: &router) { (request, principal) throws(Failure) in
      try await self.list(request, principal)
    }
    serve("GetModels", .read, in: &router) { (request, principal) throws(Failure) in
      try await self.getModels(request, principal)
    }
    serve("GetUsage", .usage, in: &router) { (request, principal) throws(Failure) in
      try await self.getUsage(request, principal)
    }
    router.unary(Self.path + "Generate") { [self] bytes, call throws(RPCError) in
      try await generate(bytes, call)
    }
    for name in ["StopGenerate", "Summarize", "Pin", "Fork", "PreviewContext"] {
      router.unary(Self.path + name) { _, _ throws(RPCError) in throw Self.notImplemented(name) }
    }
    router.serverStream(Self.path + "StreamGenerate") { [self] bytes, call throws(RPCError) in
      try await streamGenerate(bytes, call)
    }
    router.serverStream(Self.path + "ResumeGenerate") { _, _ throws(RPCError) in
      throw Self.notImplemented("ResumeGenerate")
    }
  }

  private static func notImplemented(_ name: String) -> RPCError {
    Failure(.notImplemented, "this server does not offer \(name)").rpcError
  }

  private func serve<Request: WireMessage, Response: WireMessage>(
    _ name: String, _ scope: KeyScope, in router: inout Router,
    _ body: @escaping (Request, Principal) async throws(Failure) -> Response
  ) {
    router.unary(Self.path + name) { [self] bytes, call throws(RPCError) in
      do throws(Failure) {
        let principal = try await authenticate(call)
        try principal.require(scope)
        return try await body(try decode(bytes), principal).encode()
      } catch {
        throw error.rpcError
      }
    }
  }

  func authenticate(_ call: ServerCall) async throws(Failure) -> Principal {
    try await configuration.principal(of: try APIKey(from: call.metadata))
  }

  func decode<Request: WireMessage>(_ bytes: [UInt8]) throws(Failure) -> Request {
    do throws(MessageError) {
      return try Request(decoding: bytes)
    } catch {
      throw Failure(error)
    }
  }
}
