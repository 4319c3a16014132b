import HTTPClient
import JSON

/// Finds the kind of a relay's refusal from its status and its body.
///
/// - Shape: OpenAI's `{"error":{"code","type","message"}}`, where `code` may be a string, a number
///   or null; the error as a bare string; its fields at the top; a list of one such object; or
///   text and HTML, which only the status explains.
/// - Ownership: the relay's text is compared with known words here and goes no further.
struct ErrorClassification {
  let kind: RelayError.Kind
  /// The status that counts: the body's own, where a gateway hides it behind 200.
  let status: Int

  /// Bytes of an error body that are looked at; a larger one is explained by its status.
  static let bodyBytesMax = 1 << 20

  init(status: Int, body: JSONValue?) {
    let words = ErrorClassification.words(in: body)
    let isHidden = (200..<300).contains(status)
    let number = words.number.flatMap { (400..<600).contains($0) ? Int($0) : nil }
    let effective = isHidden ? number ?? status : status
    self.status = effective
    kind =
      words.names.lazy.compactMap { ErrorClassification.named[$0] }.first
      ?? ErrorClassification.spoken(words.message, status: effective)
      ?? ErrorClassification.byStatus(effective)
  }

  /// Whether a body with a good status holds an error instead of an answer.
  static func isError(_ body: JSONValue) -> Bool {
    guard let error = body["error"] else { return false }
    return !error.isNull
  }

  /// Codes and types that say more than the status.
  private static let named: [String: RelayError.Kind] = [
    "insufficient_quota": .creditExhausted,
    "billing_hard_limit_reached": .creditExhausted,
    "billing_not_active": .creditExhausted,
    "insufficient_balance": .creditExhausted,
    "insufficient_credits": .creditExhausted,
    "insufficient_user_quota": .creditExhausted,
    "pre_consume_token_quota_failed": .creditExhausted,
    "quota_exhausted": .creditExhausted,
    "budget_exceeded": .creditExhausted,
    "exceeded_budget": .creditExhausted,
    "context_length_exceeded": .contextTooLong,
    "context_window_exceeded": .contextTooLong,
    "contextwindowexceedederror": .contextTooLong,
    "exceed_context_size_error": .contextTooLong,
    "content_filter": .contentFiltered,
    "content_policy_violation": .contentFiltered,
    "contentpolicyviolationerror": .contentFiltered,
    "moderation_blocked": .contentFiltered,
    "sensitive_words_detected": .contentFiltered,
    "invalid_api_key": .authentication,
    "authentication_error": .authentication,
    "permission_error": .authentication,
    "account_deactivated": .authentication,
    "model_not_found": .modelNotFound,
    "rate_limit_exceeded": .rateLimited,
    "rate_limit_error": .rateLimited,
    "overloaded_error": .unavailable,
  ]

  /// Some servers (vLLM, llama.cpp, DeepSeek) say the reason only in words.
  private static func spoken(_ message: String, status: Int) -> RelayError.Kind? {
    if status == 400 || status == 413 {
      for phrase in ["maximum context length", "context size", "context window"]
      where message.contains(phrase) { return .contextTooLong }
    }
    if status == 429 || status == 403 {
      for phrase in ["insufficient balance", "exceeded your current quota", "out of credit"]
      where message.contains(phrase) { return .creditExhausted }
    }
    return nil
  }

  private static func byStatus(_ status: Int) -> RelayError.Kind {
    switch status {
    case 401, 403: .authentication
    case 402: .creditExhausted
    case 404: .modelNotFound
    case 408, 504, 524: .timedOut
    case 429: .rateLimited
    case 400..<500: .invalidRequest
    case 500..<600: .unavailable
    default: status < 300 ? .malformedAnswer : .unexpectedStatus
    }
  }

  private struct Words {
    var names: [String] = []
    var number: Int64?
    var message = ""
  }

  private static func words(in body: JSONValue?) -> Words {
    var words = Words()
    guard let body = body?.array?.first ?? body else { return words }
    let error = body["error"] ?? body
    if let text = error.string { words.message = text.lowercased() }
    for field in [error["code"], error["type"], error["status"]] {
      if let text = field?.string?.lowercased() {
        words.names.append(text)
        words.number = words.number ?? Int64(text)
      } else if let number = field?.integer {
        words.number = words.number ?? number
      }
    }
    if let text = error["message"]?.string ?? body["detail"]?.string {
      words.message = text.lowercased()
    }
    return words
  }
}

extension RelayError {
  /// What an answer that is no completion means.
  init(refusal head: HTTPResponseHead, body: JSONValue?) {
    let found = ErrorClassification(status: head.status, body: body)
    // A good status with an error inside: the relay began, so who knows what it billed.
    let isUnknown = head.status < 300 || found.kind == .timedOut
    self.init(
      found.kind, isUnknown ? .unknown : .refused, retryAfter: RetryAfter.read(head),
      status: head.status)
  }
}
