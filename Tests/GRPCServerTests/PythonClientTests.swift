import Foundation
import GRPCServer
import Testing

/// A stock client: Python `grpcio` without stubs, as Debian ships it.
@Suite struct PythonClientTests {
  private struct Outcome {
    var status: Int32
    var output: String
  }

  /// Runs a script against a port; its output is checked line by line by the caller.
  private func python(_ script: String, port: UInt16) async throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = ["-c", Self.prelude + script, String(port)]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    return try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { process in
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        continuation.resume(
          returning: Outcome(
            status: process.terminationStatus, output: String(decoding: output, as: UTF8.self)))
      }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
  }

  private static let prelude = """
    import sys, threading, grpc
    from concurrent.futures import ThreadPoolExecutor
    channel = grpc.insecure_channel(
        "127.0.0.1:" + sys.argv[1],
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
                 # Another test of this process sets a proxy in the environment.
                 ("grpc.enable_http_proxy", 0)])
    raw = dict(request_serializer=lambda b: b, response_deserializer=lambda b: b)
    def unary(name): return channel.unary_unary("/t.T/" + name, **raw)
    def stream(name): return channel.unary_stream("/t.T/" + name, **raw)
    def fails(call, code):
        try:
            call()
        except grpc.RpcError as error:
            assert error.code() == code, error
            return error
        raise AssertionError("the call succeeded")

    """

  private func expectSuccess(_ script: String, _ server: TestServer) async throws {
    let outcome = try await python(script, port: server.port)
    #expect(outcome.status == 0, "\(outcome.output)")
    #expect(outcome.output == "done\n")
  }

  @Test func echoes() async throws {
    try await TestServer.run { server in
      try await expectSuccess(
        """
        echo, hop = unary("Echo"), unary("Hop")
        assert echo(b"", timeout=20) == b""
        for size in (1, 5, 16384, 65536, 3 << 20):
            message = bytes(i % 251 for i in range(min(size, 1000))) * (size // 1000 + 1)
            message = message[:size]
            assert echo(message, timeout=20) == message, size
            assert hop(message, timeout=20) == message, size
        for i in range(300):
            assert echo(b"%d" % i) == b"%d" % i
        with ThreadPoolExecutor(32) as pool:
            futures = [hop.future(b"%d" % i, timeout=20) for i in range(256)]
            assert [f.result() for f in futures] == [b"%d" % i for i in range(256)]
        assert list(stream("Count")(bytes([9]), timeout=20)) == [bytes([i]) for i in range(9)]
        print("done")
        """, server)
      #expect(server.foreignEnqueues <= 8, "only what the test itself asked of the reactor")
    }
  }

  @Test func errorsAndMetadata() async throws {
    try await TestServer.run { server in
      try await expectSuccess(
        """
        error = fails(lambda: unary("Fail")(b"", timeout=20), grpc.StatusCode.FAILED_PRECONDITION)
        assert error.details() == "50% \\u00e9\\n\\U0001F642", error.details()
        trailers = dict(error.trailing_metadata())
        assert trailers["grpc-status-details-bin"] == b"\\x08\\x09\\x12\\x01\\x78\\xff", trailers
        assert trailers["grpc-retry-pushback-ms"] == "250", trailers
        fails(lambda: unary("None")(b"", timeout=20), grpc.StatusCode.UNIMPLEMENTED)
        fails(lambda: unary("Echo")(bytes(5 << 20), timeout=20),
              grpc.StatusCode.RESOURCE_EXHAUSTED)
        fails(lambda: list(stream("BreakOff")(b"", timeout=20)), grpc.StatusCode.ABORTED)
        fails(lambda: unary("Echo")(b"1", timeout=20, compression=grpc.Compression.Gzip),
              grpc.StatusCode.UNIMPLEMENTED)
        answer, call = unary("Metadata").with_call(
            b"", timeout=20, metadata=[("x-text", "a b"), ("x-in-bin", b"\\x00\\xff\\x01")])
        assert answer == b"/t.T/Metadata"
        assert dict(call.initial_metadata())["x-first"] == "a b"
        assert dict(call.trailing_metadata())["x-last-bin"] == b"\\x00\\xff\\x01"
        assert unary("Echo")(b"still", timeout=20) == b"still"
        print("done")
        """, server)
    }
  }

  @Test func deadlinesAndCancellation() async throws {
    try await TestServer.run { server in
      try await expectSuccess(
        """
        wait = unary("Wait")
        fails(lambda: wait(b"", timeout=0.1), grpc.StatusCode.DEADLINE_EXCEEDED)
        future = wait.future(b"", timeout=20)
        threading.Timer(0.2, future.cancel).start()
        try:
            future.result()
            raise AssertionError("not cancelled")
        except grpc.FutureCancelledError:
            pass
        flood = stream("Flood")(b"", timeout=20)
        next(flood)
        flood.cancel()
        # Kept in a variable: a future that nobody holds is cancelled before it is sent.
        last = wait.future(b"", timeout=20)
        assert unary("Echo")(b"still", timeout=20) == b"still"
        print("done")
        """, server)
      // The last call is lost with its connection when the client's process ends.
      try await server.record.wait(.cancelled, 3)
      #expect(server.record[.cancelled] == 3)
      try await server.record.wait(.outlived, 1)
      #expect(server.record[.outlived] == 1)
    }
  }
}
