import HTTPClient
import Testing

@testable import Relay

@Suite struct ErrorTests {
  /// Shapes that providers and gateways send.
  static let cases: [(Int, String, RelayError.Kind)] = [
    (
      429,
      #"{"error":{"message":"m","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
      .rateLimited
    ),
    (
      429, #"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#,
      .creditExhausted
    ),
    (
      429, #"{"error":{"message":"You exceeded your current quota","code":null}}"#, .creditExhausted
    ),
    (429, "slow down", .rateLimited), (429, "", .rateLimited),
    (
      402, #"{"error":{"message":"Insufficient Balance","code":"invalid_request_error"}}"#,
      .creditExhausted
    ),
    (
      403, #"{"error":{"type":"new_api_error","code":"insufficient_user_quota"}}"#, .creditExhausted
    ),
    (400, #"{"error":{"code":"budget_exceeded","type":null,"message":"m"}}"#, .creditExhausted),
    (401, #"{"error":{"type":"invalid_request_error","code":"invalid_api_key"}}"#, .authentication),
    (401, "<html>", .authentication), (403, #"{"error":"forbidden"}"#, .authentication),
    (
      400, #"{"error":{"type":"invalid_request_error","code":"context_length_exceeded"}}"#,
      .contextTooLong
    ),
    (
      400,
      #"{"object":"error","message":"This model's maximum context length is 8","#
        + #""type":"BadRequestError","code":400}"#,
      .contextTooLong
    ),
    (
      400, #"{"error":{"code":400,"message":"m","type":"exceed_context_size_error"}}"#,
      .contextTooLong
    ),
    (400, #"{"error":{"code":"content_filter","status":400}}"#, .contentFiltered),
    (400, #"{"error":{"code":"CONTENT_POLICY_VIOLATION"}}"#, .contentFiltered),
    (
      400, #"{"error":{"message":"bad","type":"invalid_request_error","code":null}}"#,
      .invalidRequest
    ),
    (422, #"{"detail":[{"loc":["body"],"msg":"m"}]}"#, .invalidRequest),
    (404, #"{"error":{"code":"model_not_found"}}"#, .modelNotFound),
    (404, #"{"detail":"Not Found"}"#, .modelNotFound),
    (408, "", .timedOut), (504, "<html>gateway</html>", .timedOut), (524, "", .timedOut),
    (500, #"{"error":{"message":"m","type":"server_error","code":500}}"#, .unavailable),
    (502, "<html>", .unavailable), (503, #"{"error":{"code":"503","type":"x"}}"#, .unavailable),
    (529, #"{"error":{"type":"overloaded_error"}}"#, .unavailable),
    (301, "", .unexpectedStatus), (307, "", .unexpectedStatus),
    (400, #"[{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"m"}}]"#, .invalidRequest),
    (200, #"{"error":{"code":429,"message":"m"}}"#, .rateLimited),
    (200, #"{"error":{"code":"insufficient_quota"}}"#, .creditExhausted),
    (200, #"{"error":{"message":"m"}}"#, .malformedAnswer),
  ]

  @Test(arguments: cases) func classifies(status: Int, body: String, kind: RelayError.Kind) {
    guard case .failure(let error) = decode(status, body) else {
      Issue.record("no error")
      return
    }
    #expect(error.kind == kind)
    #expect(error.status == status)
    let mayBeBilled = status == 200 || kind == .timedOut
    #expect(error.outcome == (mayBeBilled ? .unknown : .refused))
    let isRetryable = [429, 500, 502, 503, 529].contains(status) && kind != .creditExhausted
    #expect(error.isRetryable == isRetryable)
  }

  @Test func aRelaysWordsNeverLeave() {
    let canary = "canary-words"
    let bodies = [
      #"{"error":{"message":"\#(canary)","type":"\#(canary)","code":"\#(canary)"}}"#, canary,
      #"{"error":"\#(canary)"}"#, #"{"detail":"\#(canary)"}"#,
    ]
    for body in bodies {
      guard case .failure(let error) = decode(400, body, headers: [HTTPHeader("X", canary)]) else {
        Issue.record("no error")
        return
      }
      var dumped = ""
      dump(error, to: &dumped)
      for text in ["\(error)", String(reflecting: error), dumped] {
        #expect(!text.contains(canary))
      }
    }
  }

  @Test(arguments: HTTPClientError.Cause.allCases)
  func transportFailuresKeepWhatMayBeBilled(cause: HTTPClientError.Cause) {
    let before = RelayError(HTTPClientError(cause, .notSent))
    #expect(before.outcome == .notSent)
    let after = RelayError(HTTPClientError(cause, .sent))
    #expect(after.outcome == .unknown)
    #expect(after.kind == .connectFailed || !after.isRetryable)
  }

  @Test func aFailureBeforeSendingIsRetryable() {
    for cause in [HTTPClientError.Cause.resolve, .connect, .tls, .connectTimeout, .reset] {
      let error = RelayError(HTTPClientError(cause, .notSent))
      #expect(error.kind == .connectFailed)
      #expect(error.isRetryable)
    }
    #expect(!RelayError(HTTPClientError(.reset, .sent)).isRetryable)
    #expect(!RelayError(HTTPClientError(.cancelled, .notSent)).isRetryable)
  }
}

@Suite struct RetryTests {
  static let slow = RelayError(.rateLimited, .refused)

  @Test func theWindowDoublesAndJitterIsFull() {
    let policy = RetryPolicy(attemptsMax: 8)
    for (attempt, seconds) in [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (7, 30)] {
      let half = policy.delay(
        afterAttempt: attempt, error: Self.slow, remaining: .seconds(600), random: 0.5)
      #expect(half == .seconds(seconds) * 0.5)
      let none = policy.delay(
        afterAttempt: attempt, error: Self.slow, remaining: .seconds(600), random: 0)
      #expect(none == .zero)
    }
  }

  @Test func attemptsAreCounted() {
    let policy = RetryPolicy()
    func delay(_ attempts: Int) -> Duration? {
      policy.delay(afterAttempt: attempts, error: Self.slow, remaining: .seconds(600), random: 0)
    }
    #expect(delay(1) != nil)
    #expect(delay(2) != nil)
    #expect(delay(3) == nil)
  }

  @Test func theRelaysWishIsHonouredUpToTheLimit() {
    var error = Self.slow
    error.retryAfter = .seconds(7)
    func delay(_ remaining: Int) -> Duration? {
      RetryPolicy().delay(
        afterAttempt: 1, error: error, remaining: .seconds(remaining), random: 0.9)
    }
    #expect(delay(8) == .seconds(7))
    #expect(delay(7) == nil)
    #expect(delay(0) == nil)
  }

  @Test func unknownIsRetriedOnlyByPolicy() {
    let lost = RelayError(.connectionLost, .unknown)
    let cancelled = RelayError(.cancelled, .unknown)
    let refused = RelayError(.creditExhausted, .refused)
    for (error, careful, bold) in [
      (lost, false, true), (cancelled, false, false), (refused, false, false),
    ] {
      for (policy, expected) in [
        (RetryPolicy(), careful), (RetryPolicy(retriesUnknown: true), bold),
      ] {
        let delay = policy.delay(
          afterAttempt: 1, error: error, remaining: .seconds(9), random: 0)
        #expect((delay != nil) == expected)
      }
    }
  }

  static let waits: [([HTTPHeader], Duration?)] = [
    ([], nil), ([HTTPHeader("Retry-After", "3")], .seconds(3)),
    ([HTTPHeader("retry-after", "0")], .zero), ([HTTPHeader("Retry-After", "-1")], nil),
    ([HTTPHeader("Retry-After", "soon")], nil),
    ([HTTPHeader("Retry-After", "99999999999")], .seconds(86_400)),
    ([HTTPHeader("Retry-After", "9"), HTTPHeader("Retry-After-Ms", "250")], .milliseconds(250)),
    (
      [
        HTTPHeader("Date", "Sun, 31 Dec 2023 23:59:50 GMT"),
        HTTPHeader("Retry-After", "Mon, 01 Jan 2024 00:00:05 GMT"),
      ], .seconds(15)
    ),
    ([HTTPHeader("Retry-After", "Mon, 01 Jan 2024 00:00:05 GMT")], nil),
  ]

  @Test(arguments: waits) func readsRetryAfter(headers: [HTTPHeader], wait: Duration?) {
    #expect(RetryAfter.read(HTTPResponseHead(status: 429, headers: headers)) == wait)
  }

  @Test func datesAreCounted() {
    #expect(RetryAfter.seconds(of: "Thu, 01 Jan 1970 00:00:00 GMT") == 0)
    #expect(RetryAfter.seconds(of: "Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
    #expect(RetryAfter.seconds(of: "Thu, 29 Feb 2024 12:00:00 GMT") == 1_709_208_000)
    #expect(RetryAfter.seconds(of: "06 Nov 1994 08:49:37 GMT") == nil)
  }
}
