import HTTPClient
import Reactor
import Testing

/// Runs `body` on a fresh reactor with a fresh client, and closes both.
func withClient<Result: Sendable>(
  settings: HTTPClientSettings = HTTPClientSettings(),
  _ body: @escaping @Sendable (isolated Core, HTTPClient) async throws -> Result
) async throws -> Result {
  let reactor = try Reactor(name: "http-client-test")
  reactor.start()
  defer { reactor.stop() }
  return try await reactor.run { core in
    let client = try HTTPClient(on: reactor, settings: settings)
    defer { client.close() }
    return try await body(core, client)
  }
}

/// The error of a request that must fail.
func failure(
  of request: HTTPRequest, with client: HTTPClient, isolation: isolated Core
) async -> HTTPClientError? {
  do {
    _ = try await client.send(request)
    return nil
  } catch {
    return error
  }
}
