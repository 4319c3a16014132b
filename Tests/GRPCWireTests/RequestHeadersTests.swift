import GRPCWire
import Testing

@Suite struct RequestHeadersTests {
  private static let good: [(String, String)] = [
    (":method", "POST"), (":scheme", "http"), (":path", "/a/b"), ("te", "trailers"),
    ("content-type", "application/grpc"),
  ]

  private func verdict(
    without absent: String = "", _ more: (String, String)...
  ) -> RequestHeaders.Verdict {
    var headers = RequestHeaders()
    for (name, value) in Self.good.filter({ $0.0 != absent }) + more {
      headers.take(name: Array(name.utf8).span, value: Array(value.utf8).span)
    }
    return headers.verdict
  }

  @Test func acceptsGRPC() {
    #expect(verdict() == .call)
    #expect(verdict(without: "te") == .call)
    #expect(verdict(("grpc-encoding", "identity")) == .call)
    for type in [
      "application/grpc+proto", "application/grpc;a=b", "application/grpc+proto; charset=utf-8",
    ] {
      #expect(verdict(without: "content-type", ("content-type", type)) == .call)
    }
  }

  @Test func refusesWhatIsNotGRPC() {
    #expect(verdict(without: "content-type") == .http(status: 415))
    for type in [
      "application/json", "application/grpcx", "application/grpc-web", "application/grpc+json", "",
    ] {
      #expect(verdict(without: "content-type", ("content-type", type)) == .http(status: 415))
    }
    #expect(verdict(without: ":method", (":method", "GET")) == .http(status: 405))
  }

  @Test func refusesWhatCannotBeServed() {
    func code(_ verdict: RequestHeaders.Verdict) -> StatusCode? {
      if case .refused(let code, _) = verdict { code } else { nil }
    }
    #expect(code(verdict(("grpc-encoding", "gzip"))) == .unimplemented)
    #expect(code(verdict(("grpc-timeout", "1 S"))) == .invalidArgument)
    #expect(code(verdict(without: "te", ("te", "gzip"))) == .internalError)
  }

  @Test func keepsCustomMetadataOnly() {
    var headers = RequestHeaders()
    for (name, value) in Self.good + [
      ("grpc-timeout", "5S"), ("authorization", "Bearer x"), ("grpc-accept-encoding", "gzip"),
      ("grpc-trace-bin", "AA"), ("user-agent", "t"),
    ] {
      headers.take(name: Array(name.utf8).span, value: Array(value.utf8).span)
    }
    #expect(headers.timeout == .seconds(5))
    var names: [String] = []
    headers.metadata.forEach { name, _ in names.append(name) }
    #expect(names == ["authorization", "grpc-trace-bin", "user-agent"])
  }
}
