public import HTTPClient
import JSON
import Reactor

/// Attempts at one relay. It never tries twice by itself: an attempt's row must be committed first.
///
/// - Isolation: its HTTP client's reactor.
/// - Throws: ``RelayError``, which says what the relay may have billed.
public final class RelayClient {
  public let configuration: RelayConfiguration
  private let http: HTTPClient
  private var credential: CredentialFile?

  public init(_ configuration: RelayConfiguration, http: HTTPClient) {
    self.configuration = configuration
    self.http = http
    credential = configuration.credentialFile.map { CredentialFile(path: $0) }
  }

  /// Called on the loop as soon as a request has left, before its answer; for tests that kill the
  /// process there.
  public func onRequestSent(_ body: @escaping () -> Void) { http.onRequestSent = body }

  /// Makes one attempt, not streamed.
  ///
  /// - Parameters:
  ///   - attempt: the attempt's id, sent as `X-Client-Request-Id`.
  ///   - limits: for this attempt; the relay's own if nil.
  ///   - onHead: called on the loop when the head of the answer came, before its body is read.
  public func complete(
    _ request: RelayRequest, attempt: String, limits: HTTPLimits? = nil,
    onHead: (() -> Void)? = nil
  ) async throws(RelayError) -> RelayAnswer {
    let transfer = try encode(request, attempt: attempt, limits: limits)
    let response: HTTPResponse
    do throws(HTTPClientError) {
      response = try await send(transfer, onHead: onHead)
    } catch {
      throw RelayError(error)
    }
    return try RelayClient.decode(response)
  }

  private func send(
    _ request: HTTPRequest, onHead: (() -> Void)?
  ) async throws(HTTPClientError) -> HTTPResponse {
    guard let onHead else { return try await http.send(request) }
    let exchange = try await http.open(request)
    onHead()
    var body: [UInt8] = []
    while let chunk = try await exchange.nextChunk() { body += chunk }
    return HTTPResponse(head: exchange.head, body: body, timings: exchange.timings)
  }

  func open(_ request: HTTPRequest) async throws(HTTPClientError) -> HTTPExchange {
    try await http.open(request)
  }

  func encode(
    _ request: RelayRequest, attempt: String, limits: HTTPLimits?, streams: Bool = false
  ) throws(RelayError) -> HTTPRequest {
    guard let model = configuration.models[request.model],
      let body = request.body(
        upstreamModel: model, outputLimitField: configuration.outputLimitField,
        streams: streams)
    else { throw RelayError(.configuration, .notSent) }
    let key = credential?.current(at: http.reactor.now)
    if credential != nil, key == nil { throw RelayError(.configuration, .notSent) }
    return HTTPRequest(
      .post, configuration.baseURL + "/chat/completions",
      headers: [
        HTTPHeader("Content-Type", "application/json"),
        HTTPHeader("Accept", streams ? "text/event-stream" : "application/json"),
        HTTPHeader("X-Client-Request-Id", attempt),
      ],
      credential: key, body: body, limits: limits ?? configuration.limits)
  }

  /// Reads an answer of any status.
  static func decode(_ response: HTTPResponse) throws(RelayError) -> RelayAnswer {
    let isGood = (200..<300).contains(response.status)
    let bytesMax = isGood ? response.body.count : ErrorClassification.bodyBytesMax
    var options = JSONOptions.lenientCharacters
    options.bytesMax = bytesMax
    let json: JSONValue?
    do throws(JSONError) {
      json = try JSONValue(parsing: response.body, options: options)
    } catch {
      json = nil
    }
    if isGood, let json, !ErrorClassification.isError(json),
      let answer = RelayAnswer(json, head: response.head, timings: response.timings)
    {
      return answer
    }
    if isGood, json.map({ !ErrorClassification.isError($0) }) ?? true {
      throw RelayError(.malformedAnswer, .unknown, status: response.status)
    }
    throw RelayError(refusal: response.head, body: json)
  }
}
