import Domain
import Messages
import Metering
import Reactor
import Relay
import Store

/// List and GetModels.
extension ConversationService {
  func list(
    _ request: Wire.ListRequest, _ principal: Principal
  ) async throws(Failure) -> Wire.ListResponse {
    let size = try checks.pageSize(request.pageSize)
    let filter = try filter(request)
    let after = try request.pageToken.map { (token) throws(Failure) in try place(token) }
    let rows: [Conversation]
    do throws(StoreError) {
      rows = try await store.conversations(
        tenant: principal.tenant.id, filter, after: after, limit: size + 1)
    } catch {
      throw Failure(error, log: log)
    }
    var conversations: [Wire.Conversation] = []
    for row in rows.prefix(size) { conversations.append(try wire(row)) }
    guard rows.count > size, let last = rows.prefix(size).last else {
      return Wire.ListResponse(conversations: conversations)
    }
    let next = PageToken.encode("l", "\(last.createdAt.microseconds)/\(last.id)")
    return Wire.ListResponse(conversations: conversations, nextPageToken: next)
  }

  private func filter(_ request: Wire.ListRequest) throws(Failure) -> ConversationFilter {
    let state: ConversationFilter.State =
      switch request.state {
      case .unspecified, .active: .active
      case .expired: .expired
      case .unrecognized: throw .field("state", "it names no state")
      }
    let from = try Self.moment(request.createTimeStart, "create_time_start")
    let before = try Self.moment(request.createTimeEnd, "create_time_end")
    if let from, let before, from >= before {
      throw .field("create_time_end", "it must be after create_time_start")
    }
    return ConversationFilter(
      state: state, createdFrom: from.map { Timestamp(microseconds: $0) },
      createdBefore: before.map { Timestamp(microseconds: $0) })
  }

  private func place(_ token: String) throws(Failure) -> (createdAt: Timestamp, id: String) {
    let parts = try PageToken.decode("l", token).split(separator: "/", maxSplits: 1)
    guard parts.count == 2, let time = Int64(parts[0]),
      Wire.Timestamp(microseconds: time).microseconds == time
    else {
      throw .field("page_token", "it is none that this method gave")
    }
    try checks.id(String(parts[1]), "page_token")
    return (Timestamp(microseconds: time), String(parts[1]))
  }

  /// The models that the key may use and a relay serves, with the prices in force.
  func getModels(
    _ request: Wire.GetModelsRequest, _ principal: Principal
  ) async throws(Failure) -> Wire.GetModelsResponse {
    let configuration = try self.configuration.trusted()
    let models = catalogue.models.filter { model in
      (principal.key.allowedModels?.contains(model.id) ?? true)
        && relay.configuration.models[model.id] != nil
    }
    return Wire.GetModelsResponse(
      models: models.sorted { $0.id < $1.id }.map { model in
        Wire.Model(
          id: model.id, displayName: model.displayName, contextTokensMax: model.windowTokens,
          outputTokensMax: model.outputTokensMax, vocabulary: model.vocabulary,
          countMethod: TokenCounter(model).wireMethod,
          prices: prices(of: model, configuration, principal.tenant.currency))
      })
  }

  private func prices(
    of model: CatalogueModel, _ configuration: Configuration, _ currency: String
  ) -> [Wire.Price] {
    [("contracted", Wire.PriceBook.contracted), ("list", .list)].flatMap { name, book in
      let set = configuration.priceSet(book: name, currency: currency, at: reactor.now)
      return (set?.rows[model.id] ?? []).map { row in
        Wire.Price(
          book: book, tokenClass: Self.tokenClasses[row.tokenClass] ?? .unspecified,
          serviceTier: row.serviceTier, promptTokensStart: row.promptFrom,
          marginal: row.isMarginal,
          // A pico-unit a token is a micro-unit a million tokens.
          pricePerMillion: Money(pico: Int128(row.price) * 1_000_000).decimal,
          currency: currency, priceSetID: set.map { "\($0.id)" } ?? "",
          derived: row.derivedFrom != nil)
      }
    }
  }

  private static let tokenClasses: [String: Wire.TokenClass] = [
    TokenClass.input.rawValue: .uncachedInput, TokenClass.cacheRead.rawValue: .cacheRead,
    TokenClass.cacheWrite.rawValue: .cacheWrite, TokenClass.output.rawValue: .visibleOutput,
    TokenClass.reasoning.rawValue: .reasoning,
  ]
}
