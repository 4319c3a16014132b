import Postgres
import Reactor
import Store
import TestSupport

/// A migrated database with two tenants, and ids that no other test uses.
struct Fixture: Sendable {
  let database: TestDatabase

  init() throws {
    database = try PostgresCluster.shared().database(template: "store") { conninfo in
      let admin = try AdminStore.open(conninfo: conninfo)
      _ = try admin.migrate()
      for tenant in ["acme", "zeta"] {
        _ = try admin.createTenant(id: tenant, name: tenant, currency: "USD", actor: "test")
      }
    }
  }

  func admin() throws -> AdminStore { try AdminStore.open(conninfo: database.conninfo()) }

  /// A superuser's connection, for what tests set up and look at.
  func sql() throws -> BlockingConnection {
    try BlockingConnection.open(conninfo: database.conninfo())
  }

  /// Runs a body with a store that has the server's rights, on a reactor of its own.
  func withStore<R: Sendable>(
    _ body: @escaping @Sendable (TestStore) async throws -> R
  ) async throws -> R {
    let reactor = try Reactor(name: "test")
    reactor.start()
    defer { reactor.stop() }
    let conninfo = database.conninfo(user: "recount_server")
    return try await reactor.run { core in
      let database = Database(
        reactor: reactor, configuration: DatabaseConfiguration(conninfo: conninfo))
      database.start()
      defer { database.close() }
      return try await inherit(core, TestStore(reactor, Store(database), database), body)
    }
  }
}

private func inherit<R: Sendable>(
  _ core: isolated Core, _ store: TestStore, _ body: (TestStore) async throws -> R
) async throws -> R {
  try await body(store)
}

/// A store whose calls may be made from any task: each hops to the core that owns it.
struct TestStore: @unchecked Sendable {
  let reactor: Reactor
  let store: Store
  let database: Database

  init(_ reactor: Reactor, _ store: Store, _ database: Database) {
    self.reactor = reactor
    self.store = store
    self.database = database
  }

  func create(_ operation: CreateConversation) async throws -> CreateOutcome {
    try await reactor.run { core in
      try await on(core) { try await $0.createConversation(operation) }
    }
  }
  func append(_ operation: AppendMessages) async throws -> AppendOutcome {
    try await reactor.run { core in try await on(core) { try await $0.appendMessages(operation) } }
  }
  func begin(_ operation: BeginTurn) async throws -> BeginOutcome {
    try await reactor.run { core in try await on(core) { try await $0.beginTurn(operation) } }
  }
  func settle(_ operation: SettleTurn) async throws -> SettleOutcome {
    try await reactor.run { core in try await on(core) { try await $0.settleTurn(operation) } }
  }
  func delete(_ id: String, _ key: RequestKey) async throws -> DeleteOutcome {
    try await reactor.run { core in
      try await on(core) {
        try await $0.deleteConversation(id, request: key, operation: randomID())
      }
    }
  }
  func reap() async throws -> Int {
    try await reactor.run { core in
      try await on(core) {
        try await $0.reap(grace: .zero, limit: 1000, result: [9], reason: "UNKNOWN")
      }
    }
  }

  func on<R: Sendable>(
    _ core: isolated Core, _ body: (Store) async throws -> R
  ) async throws -> R {
    try await body(store)
  }
}

/// Runs operations at once; their outcomes in order.
func atOnce<Operation: Sendable, Outcome: Sendable>(
  _ operations: [Operation], _ body: @escaping @Sendable (Operation) async throws -> Outcome
) async throws -> [Outcome] {
  try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
    for (index, operation) in operations.enumerated() {
      group.addTask { (index, try await body(operation)) }
    }
    var outcomes = [Outcome?](repeating: nil, count: operations.count)
    for try await (index, outcome) in group { outcomes[index] = outcome }
    return outcomes.map { $0! }
  }
}

func randomID() -> RowID {
  var random = SystemRandomNumberGenerator()
  return RowID(milliseconds: random.next() >> 16, using: &random)
}

/// Ids of a kind whose order in time the tests choose.
func id(_ number: UInt64) -> RowID { RowID(high: 0x7000, low: 0x8000_0000_0000_0000 | number) }

func message(
  _ text: String, role: String = "user", tokens: Int64? = nil, tool: String? = nil,
  calls: [String] = []
) -> NewMessage {
  NewMessage(
    role: role, toolCallID: tool, body: Array(text.utf8),
    tokens: tokens ?? Int64(text.utf8.count), vocabulary: "o200k_base",
    method: "bytes_upper_bound", toolCalls: calls)
}

func request(_ id: String?, tenant: String = "acme", key: String = "k1", hash: UInt8 = 1)
  -> RequestKey
{
  RequestKey(tenant: tenant, key: key, request: id, hash: [hash])
}

func creation(
  _ conversation: String, request key: RequestKey? = nil, messages: [NewMessage] = [],
  system: String? = nil, ttl: Duration = .seconds(3600)
) -> CreateConversation {
  CreateConversation(
    request: key ?? request(nil), operation: randomID(), conversation: conversation,
    segment: randomID(), model: "gpt-4.1", vocabulary: "o200k_base",
    system: system.map { Array($0.utf8) }, systemTokens: Int64(system?.utf8.count ?? 0),
    policy: Array("{}".utf8), metadata: nil, ttl: ttl, messages: messages)
}

func appending(
  _ conversation: String, _ messages: [NewMessage], request key: RequestKey? = nil,
  expected: Int64? = nil
) -> AppendMessages {
  AppendMessages(
    request: key ?? request(nil), operation: randomID(), conversation: conversation,
    expectedLastSeq: expected, messages: messages)
}

let incarnation = id(0xAAAA)
let priceSet = id(0xBBBB)

/// A turn at 2 pico per input token and 3 per output token, of at most 100 output tokens.
func beginning(
  _ conversation: String, _ messages: [NewMessage] = [message("hello")],
  request key: RequestKey? = nil, generation: RowID = randomID(), config: Int64,
  incarnation owner: RowID = incarnation, budget: Int64 = 1000, abandon: NewMessage? = nil,
  expected: Int64? = nil, model: String = "gpt-4.1"
) -> BeginTurn {
  BeginTurn(
    request: key ?? request(nil), configVersion: config, conversation: conversation,
    expectedLastSeq: expected, model: model, modelOverride: false, generation: generation,
    attempt: randomID(), incarnation: owner, relay: "sim", upstreamModel: "gpt-4.1",
    serviceTier: "default", messages: messages, abandonTools: abandon, budgetTokens: budget,
    extraTokens: 10, maxOutputTokens: 100,
    curve: [BeginTurn.PriceTier(promptFrom: 0, input: 2, output: 3)], marginal: false,
    contractedSet: priceSet, listSet: nil, currency: "USD")
}

/// Settles a turn with a usage of input and output tokens at the prices of `beginning`.
func settling(
  _ begin: BeginTurn, _ text: String? = "answer", state: SettleTurn.State = .finished,
  input: Int64 = 20, output: Int64 = 10, calls: [String] = [], sent: Bool = true,
  owner: RowID? = nil
) -> SettleTurn {
  let event = UsageEvent(
    attemptNumber: 1, attempt: begin.attempt, kind: .generate, certainty: .known, relay: "sim",
    modelAsked: begin.model, modelAnswered: "gpt-4.1-2025", upstreamRequestID: "up-1",
    serviceTier: "default", contractedSet: priceSet, listSet: nil,
    lines: [
      UsageLine(
        tokenClass: .input, quantity: input, price: 2, listPrice: 20, source: .upstream),
      UsageLine(
        tokenClass: .output, quantity: output, price: 3, listPrice: 30, source: .upstream),
    ])
  return SettleTurn(
    tenant: begin.request.tenant, conversation: begin.conversation,
    generation: begin.generation, incarnation: owner ?? begin.incarnation, state: state,
    answer: text.map { [message($0, role: "assistant", calls: calls)] } ?? [],
    result: Array("result".utf8), errorReason: state == .failed ? "UPSTREAM" : nil,
    events: sent ? [event] : [])
}

extension TestStore {
  /// Registers the tests' incarnation; the configuration's version.
  @discardableResult
  func register(
    _ owner: RowID = incarnation, lease: Duration = .seconds(60)
  ) async throws -> Int64 {
    let outcome = try await reactor.run { core in
      try await self.on(core) {
        try await $0.registerReplica("replica-1", incarnation: owner, lease: lease)
      }
    }
    guard case .alive(let version) = outcome else { throw ProgramFailure(description: "dead") }
    return version
  }
}

extension Fixture {
  /// Every invariant holds.
  func broken() throws -> [BrokenInvariant] { try admin().brokenInvariants(grace: .seconds(5)) }
}
