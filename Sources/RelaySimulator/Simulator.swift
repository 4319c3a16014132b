import JSON
import Synchronization

/// The relay itself: routes, the script, the held calls, the prefix cache.
///
/// Isolation: called from every connection's thread; its state is behind one lock, which is never
/// held while anything waits or is written to a socket.
final class Simulator: Sendable {
  struct Settings: Sendable {
    var log: CallLog?
    var key: String?
    var latencyMilliseconds = 0
    var isInstant = false
    /// Context windows by model; other models have `defaultWindow`.
    var windows: [String: Int] = Settings.catalogue

    static let defaultWindow = 128_000
    static let catalogue = [
      "gpt-4.1": 128_000, "claude-sonnet-4.5": 200_000, "gemini-2.5-flash": 1_000_000,
      "deepseek-v3.2": 64_000, "sim-small": 4096,
    ]
  }

  struct State {
    var steps: [Step] = []
    var fallback = Step()
    var cache = PrefixCache()
    var calls = 0
    var held = 0
    /// Bytes of events that the kernel took from streams, the running ones included.
    var streamedBytes = 0
    var isHolding = false
    /// Held calls that may go though holding continues.
    var releases = 0
    /// Raised when everything is to be forgotten, so that held calls of before go.
    var epoch = 0
  }

  /// How often a waiting call looks whether it may go, or whether its client has left.
  static let watchMilliseconds = 5
  /// Steps that a script may have waiting.
  static let stepsMax = 10_000

  let settings: Settings
  let state = Mutex(State())

  init(settings: Settings) { self.settings = settings }

  /// The reply to a request; nil when the client left while its call was held.
  func reply(to request: HTTPRequest, isPeerGone: () -> Bool) -> HTTPReply? {
    if request.path.hasPrefix("/sim/") { return control(request) }
    do throws(APIError) {
      try authorize(request)
      switch (request.method, request.path) {
      case ("POST", "/v1/chat/completions"):
        if settings.isInstant { return instant(request) }
        return try complete(request, isPeerGone: isPeerGone)
      case ("GET", "/v1/models"): return HTTPReply(status: 200, body: modelList())
      default: throw APIError(status: 404, message: "unknown request URL")
      }
    } catch {
      if request.method == "POST", error.status != 404 {
        log(request, status: error.status, outcome: .refused)
      }
      return HTTPReply(status: error.status, body: error.body)
    }
  }

  private func authorize(_ request: HTTPRequest) throws(APIError) {
    guard let key = settings.key else { return }
    guard request.values(of: "authorization") == ["Bearer \(key)"] else {
      throw APIError(
        status: 401, message: "Incorrect API key provided.", code: .string("invalid_api_key"))
    }
  }

  private func complete(
    _ request: HTTPRequest, isPeerGone: () -> Bool
  ) throws(APIError) -> HTTPReply? {
    let chat = try ChatRequest(body: request.body)
    let promptTokens = TokenRule.promptTokens(chat)
    let window = settings.windows[chat.model] ?? Settings.defaultWindow
    let wanted = promptTokens + (chat.outputTokensMax ?? 0)
    guard wanted <= window else {
      throw APIError(
        status: 400,
        message:
          "This model's maximum context length is \(window) tokens; \(wanted) were requested.",
        code: .string("context_length_exceeded"), parameter: .string("messages"))
    }
    let scope = chat.model + "\n" + (request.values(of: "authorization").first ?? "")
    let prompt = chat.toolBytes + chat.messageBytes.dropLast()
    let (step, cached, call) = state.withLock { state in
      state.calls += 1
      let step = Simulator.take(from: &state, model: chat.model)
      let cached =
        step.status < 400
        ? state.cache.lookUpAndInsert(scope: scope, prompt: prompt, promptTokens: promptTokens) : 0
      return (step, cached, state.calls)
    }
    let sha256 = SHA256.hexadecimal(of: chat.messageBytes)
    let answer = Answer(
      to: chat, step: step, promptTokens: promptTokens, cachedTokens: cached, sha256: sha256)
    var reply = scripted(step, answer, chat, call: call)
    reply.stream?.attempt = request.values(of: "x-client-request-id").first
    let entry = CallLog.Entry(
      attempt: request.values(of: "x-client-request-id").first, milliseconds: CallLog.now(),
      model: chat.model, messages: chat.messages.count, sha256: sha256, status: step.status,
      outcome: step.outcome(streams: reply.stream != nil),
      usage: step.status < 400 ? answer.usage : nil)
    if let log = settings.log, !log.append(entry) {
      throw APIError(status: 500, message: "the log cannot be written", type: "server_error")
    }
    return waitForRelease(step, isPeerGone: isPeerGone) ? reply : nil
  }

  /// The first step for this model, or the default; a step that has served is taken away.
  private static func take(from state: inout State, model: String) -> Step {
    guard let index = state.steps.firstIndex(where: { $0.model == nil || $0.model == model })
    else { return state.fallback }
    let step = state.steps[index]
    if let times = step.times {
      if times <= 1 { state.steps.remove(at: index) } else { state.steps[index].times = times - 1 }
    }
    return step
  }

  private func scripted(
    _ step: Step, _ answer: Answer, _ chat: ChatRequest, call: Int
  ) -> HTTPReply {
    let id = "chatcmpl-sim-\(call)"
    var body: [UInt8] = []
    var stream: EventStream?
    if let text = step.body {
      body = Array(text.utf8)
    } else if let error = step.error, !(chat.streams && step.fault == .error) {
      var writer = JSONWriter()
      writer.beginObject()
      writer.member("error", error)
      writer.endObject()
      body = writer.bytes
    } else if step.status >= 400 {
      body = APIError(status: step.status, message: "scripted", type: "scripted_error").body
    } else if chat.streams, !step.isUnstreamed {
      stream = EventStream(answer, step: step, chat: chat, id: id)
    } else {
      body = answer.body(id: id, model: chat.model, created: CallLog.now() / 1000, step: step)
    }
    var reply = HTTPReply(status: step.status, body: body, delivery: step.delivery)
    reply.headers = [("X-Request-Id", "req-sim-\(call)")] + step.headers
    reply.delivery.latencyMilliseconds += settings.latencyMilliseconds
    reply.stream = stream
    if stream != nil { reply.contentType = "text/event-stream; charset=utf-8" }
    if let type = step.contentType { reply.contentType = type }
    return reply
  }

  /// Waits while the call is held; false when the client left meanwhile.
  private func waitForRelease(_ step: Step, isPeerGone: () -> Bool) -> Bool {
    let epoch: Int? = state.withLock { state in
      guard step.holds || state.isHolding else { return nil }
      state.held += 1
      return state.epoch
    }
    guard let epoch else { return true }
    defer { state.withLock { $0.held -= 1 } }
    while true {
      let goes = state.withLock { state in
        if state.epoch != epoch { return true }
        if state.releases > 0 {
          state.releases -= 1
          return true
        }
        return false
      }
      if goes { return true }
      if isPeerGone() { return false }
      pause(milliseconds: Simulator.watchMilliseconds)
    }
  }

  private func log(_ request: HTTPRequest, status: Int, outcome: CallLog.Outcome) {
    let entry = CallLog.Entry(
      attempt: request.values(of: "x-client-request-id").first, milliseconds: CallLog.now(),
      status: status, outcome: outcome)
    _ = settings.log?.append(entry)
  }

  private func modelList() -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("object", "list")
    writer.name("data")
    writer.beginArray()
    for model in settings.windows.keys.sorted() {
      writer.beginObject()
      writer.member("id", model)
      writer.member("object", "model")
      writer.member("owned_by", "relay-sim")
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }
}

extension Step {
  fileprivate func outcome(streams: Bool) -> CallLog.Outcome {
    if delivery.cut != nil { return .cut }
    if status >= 400 { return .refused }
    return body == nil && !(streams && fault != nil) ? .answered : .garbage
  }
}
