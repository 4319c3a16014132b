public import HTTPClient
import JSON

extension RelayClient {
  /// Makes one attempt, streamed.
  ///
  /// - Parameters:
  ///   - attempt: the attempt's id, sent as `X-Client-Request-Id`.
  ///   - limits: for this attempt; the relay's own if nil.
  ///   - onHead: called on the loop when the head of the answer came, before its body is read.
  ///   - onDelta: takes each piece in its order. It may suspend: then nothing more is read from
  ///     the relay, which is the back-pressure. An unstreamed answer is one text and one piece for
  ///     each tool call.
  /// - Throws: ``RelayError``; after the stream began its outcome is `.unknown`, and `partial`
  ///   holds what came.
  public func stream(
    _ request: RelayRequest, attempt: String, limits: HTTPLimits? = nil,
    onHead: (() -> Void)? = nil, onDelta: (RelayDelta) async -> Void
  ) async throws(RelayError) -> RelayAnswer {
    let transfer = try encode(request, attempt: attempt, limits: limits, streams: true)
    let exchange: HTTPExchange
    do throws(HTTPClientError) {
      exchange = try await open(transfer)
    } catch {
      throw RelayError(error)
    }
    defer { exchange.cancel() }
    onHead?()
    guard (200..<300).contains(exchange.head.status), exchange.head.isEventStream else {
      return try await plain(exchange, onDelta: onDelta)
    }
    var assembler = StreamAssembler()
    do throws(RelayError) {
      try await read(exchange, into: &assembler, onDelta: onDelta)
      if let answer = assembler.answer(head: exchange.head, timings: exchange.timings) {
        return answer
      }
      throw RelayError(assembler.isComplete ? .malformedAnswer : .connectionLost, .unknown)
    } catch {
      var failure = error
      failure.outcome = .unknown
      failure.status = exchange.head.status
      failure.partial = assembler.partial(head: exchange.head)
      throw failure
    }
  }

  /// Reads the events up to the stream's orderly end.
  private func read(
    _ exchange: HTTPExchange, into assembler: inout StreamAssembler,
    onDelta: (RelayDelta) async -> Void
  ) async throws(RelayError) {
    var parser = SSEParser()
    while true {
      let chunk: [UInt8]?
      do throws(HTTPClientError) {
        chunk = try await exchange.nextChunk()
      } catch {
        // After [DONE] the answer is whole, however the connection ends.
        if assembler.isDone { return }
        throw RelayError(error)
      }
      guard let chunk else { break }
      // The rest is read, so that the connection can be used again.
      if assembler.isDone { continue }
      parser.append(chunk)
      while let event = try RelayClient.typed({ () throws(SSEParser.Failure) in
        try parser.next()
      }) {
        let deltas = try RelayClient.accept(event, into: &assembler, head: exchange.head)
        for delta in deltas { await onDelta(delta) }
      }
    }
    if assembler.isDone { return }
    let last = try RelayClient.typed { () throws(SSEParser.Failure) in try parser.finish() }
    // An unfinished event that is no JSON was cut, which the answer's own end decides.
    guard let last,
      last.data.elementsEqual("[DONE]".utf8) || StreamAssembler.parse(last.data) != nil
    else { return }
    let deltas = try RelayClient.accept(last, into: &assembler, head: exchange.head)
    for delta in deltas { await onDelta(delta) }
  }

  private static func typed<Value>(
    _ body: () throws(SSEParser.Failure) -> Value
  ) throws(RelayError) -> Value {
    do throws(SSEParser.Failure) {
      return try body()
    } catch {
      throw RelayError(.answerTooLarge, .unknown)
    }
  }

  private static func accept(
    _ event: SSEParser.Event, into assembler: inout StreamAssembler, head: HTTPResponseHead
  ) throws(RelayError) -> [RelayDelta] {
    do throws(StreamAssembler.Failure) {
      return try assembler.accept(event)
    } catch {
      switch error {
      case .malformed: throw RelayError(.malformedAnswer, .unknown)
      case .refused(let json): throw RelayError(refusal: head, body: json)
      }
    }
  }

  /// An answer that is no stream: a refusal, or a whole completion.
  private func plain(
    _ exchange: HTTPExchange, onDelta: (RelayDelta) async -> Void
  ) async throws(RelayError) -> RelayAnswer {
    var body: [UInt8] = []
    do throws(HTTPClientError) {
      while let chunk = try await exchange.nextChunk() { body += chunk }
    } catch {
      throw RelayError(error)
    }
    let answer = try RelayClient.decode(
      HTTPResponse(head: exchange.head, body: body, timings: exchange.timings))
    if let content = answer.content, !content.isEmpty { await onDelta(.text(content)) }
    for (index, call) in answer.toolCalls.enumerated() {
      await onDelta(
        .toolCall(index: index, id: call.id, name: call.name, arguments: call.arguments))
    }
    return answer
  }
}

extension HTTPResponseHead {
  fileprivate var isEventStream: Bool {
    let type = header("content-type")?.prefix { $0 != ";" && $0 != " " }
    return type?.lowercased() == "text/event-stream"
  }
}
