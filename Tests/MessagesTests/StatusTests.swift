import Messages
import Testing

/// What failed calls carry, and times.
@Suite struct StatusTests {
  @Test func statusAsPythonWritesIt() throws {
    let status = Wire.Status(
      code: .aborted, message: "a turn is running",
      details: [
        Wire.ErrorInfo(reason: .turnInProgress, metadata: ["generation_id": "g1"]),
        Wire.RetryInfo(after: .milliseconds(1500)),
      ])
    let bytes = hex(
      """
      080a121161207475726e2069732072756e6e696e671a5f0a28747970652e676f6f676c65617069732e636f6d \
      2f676f6f676c652e7270632e4572726f72496e666f12330a105455524e5f494e5f50524f4752455353120a72 \
      65636f756e742e76311a130a0d67656e65726174696f6e5f6964120267311a360a28747970652e676f6f676c \
      65617069732e636f6d2f676f6f676c652e7270632e5265747279496e666f120a0a0808011080cab5ee01
      """)
    #expect(status.encode() == bytes)
    #expect(try Wire.Status(decoding: bytes) == status)
    #expect(status.code == 10)
    let info = try #require(try status.detail(Wire.ErrorInfo.self))
    #expect(info.reason == "TURN_IN_PROGRESS" && info.domain == "recount.v1")
    #expect(info.metadata == ["generation_id": "g1"])
    #expect(try status.detail(Wire.RetryInfo.self)?.retryDelay?.duration == .milliseconds(1500))
    #expect(try status.detail(Wire.BadRequest.self) == nil)
  }

  @Test func detailsOfAnotherTypeOrThatAreBroken() throws {
    let broken = Wire.PackedAny(typeURL: "type.googleapis.com/google.rpc.ErrorInfo", value: [0xFF])
    #expect(throws: MessageError.malformed) { try broken.unpacked(as: Wire.ErrorInfo.self) }
    #expect(try broken.unpacked(as: Wire.RetryInfo.self) == nil)
    for url in ["", "google.rpc.ErrorInfo/", "google.rpc.ErrorInfos"] {
      let other = Wire.PackedAny(typeURL: url, value: [])
      #expect(try other.unpacked(as: Wire.ErrorInfo.self) == nil)
    }
    let bare = Wire.PackedAny(typeURL: "google.rpc.ErrorInfo", value: [])
    #expect(try bare.unpacked(as: Wire.ErrorInfo.self) == Wire.ErrorInfo())
  }

  @Test func everyReasonOfTheErrorTable() {
    let names = """
      API_KEY_MISSING API_KEY_MALFORMED API_KEY_INVALID API_KEY_EXPIRED API_KEY_REVOKED
      SCOPE_MISSING MODEL_NOT_ALLOWED TENANT_SUSPENDED CONVERSATION_NOT_FOUND GENERATION_NOT_FOUND
      CONVERSATION_EXISTS FIELD_INVALID CONTEXT_TOO_LONG CONTEXT_NOT_REDUCIBLE TOOL_RESULTS_MISSING
      CONVERSATION_TOO_SHORT REQUEST_ID_REUSED TURN_IN_PROGRESS CONVERSATION_CHANGED
      GENERATION_STOPPED BUDGET_EXCEEDED RATE_LIMITED CONCURRENCY_LIMITED OVERLOADED SHUTTING_DOWN
      PRICE_NOT_CONFIGURED UPSTREAM_RATE_LIMITED UPSTREAM_UNAVAILABLE UPSTREAM_CREDIT_EXHAUSTED
      UPSTREAM_AUTH CONTENT_FILTERED UPSTREAM_OUTCOME_UNKNOWN UPSTREAM_TIMEOUT STORAGE_UNAVAILABLE
      INTERNAL
      """
    let known = Set(Wire.ErrorReason.known.map(\.name))
    #expect(
      known.subtracting(["UNSPECIFIED", "NOT_IMPLEMENTED"])
        == Set(names.split { $0 == " " || $0 == "\n" }.map(String.init)))
  }

  @Test func descriptorSetNamesEverything() {
    let set = String(decoding: Wire.descriptorSet(), as: UTF8.self)
    for name in ["recount/v1/conversation_service.proto", "ConversationService", "ErrorInfo"] {
      #expect(set.contains(name))
    }
    #expect(!set.contains("Keeps conversations"), "comments are not served")
  }
}

/// Timestamps and durations at their ends.
@Suite struct WireTimeTests {
  @Test(arguments: [0, 1, -1, 999_999, -999_999, 1_000_000, -1_000_001, 1_764_000_000_123_456])
  func timestampsReturn(_ microseconds: Int64) {
    let timestamp = Wire.Timestamp(microseconds: microseconds)
    #expect(timestamp.microseconds == microseconds)
    #expect((0..<1_000_000_000).contains(timestamp.nanos))
  }

  @Test func timestampsOutOfRange() {
    #expect(Wire.Timestamp(microseconds: -1) == Wire.Timestamp(seconds: -1, nanos: 999_999_000))
    #expect(Wire.Timestamp(seconds: 253_402_300_799, nanos: 999_999_999).microseconds != nil)
    #expect(Wire.Timestamp(seconds: 253_402_300_800).microseconds == nil)
    #expect(Wire.Timestamp(seconds: -62_135_596_800).microseconds != nil)
    #expect(Wire.Timestamp(seconds: -62_135_596_801).microseconds == nil)
    #expect(Wire.Timestamp(seconds: .max, nanos: .max).microseconds == nil)
    #expect(Wire.Timestamp(nanos: -1).microseconds == nil)
    #expect(Wire.Timestamp(nanos: 1_000_000_000).microseconds == nil)
  }

  @Test(arguments: [
    Duration.zero, .nanoseconds(1), .nanoseconds(-1), .milliseconds(1500), .milliseconds(-1500),
    .seconds(604_800), .seconds(315_576_000_000), .seconds(-315_576_000_000),
  ])
  func durationsReturn(_ duration: Duration) {
    #expect(Wire.Duration(duration).duration == duration)
  }

  @Test func durationsOutOfRange() {
    #expect(Wire.Duration(.seconds(Int64.max)) == Wire.Duration(seconds: 315_576_000_000))
    #expect(Wire.Duration(.seconds(Int64.min)) == Wire.Duration(seconds: -315_576_000_000))
    #expect(Wire.Duration(seconds: 315_576_000_001).duration == nil)
    #expect(Wire.Duration(seconds: .min).duration == nil)
    #expect(Wire.Duration(nanos: 1_000_000_000).duration == nil)
    #expect(Wire.Duration(seconds: 1, nanos: -1).duration == nil)
    #expect(Wire.Duration(seconds: -1, nanos: 1).duration == nil)
    #expect(Wire.Duration(nanos: -5).duration == .nanoseconds(-5))
  }
}
