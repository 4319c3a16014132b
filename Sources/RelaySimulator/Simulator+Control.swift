import JSON
import Synchronization

// What tests tell the simulator: script, hold, release, reset, and what it tells them.

extension Simulator {
  func control(_ request: HTTPRequest) -> HTTPReply {
    do throws(APIError) {
      switch (request.method, request.path) {
      case ("GET", "/sim/state"): break
      case ("POST", "/sim/script"): try script(request.body)
      case ("POST", "/sim/hold"): state.withLock { $0.isHolding = true }
      case ("POST", "/sim/release"): try release(request.body)
      case ("POST", "/sim/reset"):
        state.withLock { state in
          let held = state.held
          let epoch = state.epoch
          state = State()
          state.held = held
          state.epoch = epoch + 1
        }
      default: throw APIError(status: 404, message: "unknown control")
      }
      return HTTPReply(status: 200, body: stateBody())
    } catch {
      return HTTPReply(status: error.status, body: error.body)
    }
  }

  /// `{"steps": [...]}` adds steps; `{"default": {...}}` sets what is done without one.
  private func script(_ body: [UInt8]) throws(APIError) {
    let object = try parsed(body)
    var steps: [Step] = []
    var fallback: Step?
    for member in object.members {
      switch member.name {
      case "steps":
        for step in member.value.array ?? [] { steps.append(try Step(step)) }
      case "default": fallback = try Step(member.value)
      default: throw APIError(status: 400, message: "a script has steps and default")
      }
    }
    let fits = state.withLock { state in
      guard state.steps.count + steps.count <= Simulator.stepsMax else { return false }
      state.steps += steps
      if let fallback { state.fallback = fallback }
      return true
    }
    guard fits else { throw APIError(status: 400, message: "too many steps") }
  }

  /// `{"count": n}` lets n held calls go and holds on; without a count all go and holding ends.
  private func release(_ body: [UInt8]) throws(APIError) {
    let count = try parsed(body)["count"]?.integer
    state.withLock { state in
      if let count {
        state.releases += Int(max(count, 0))
      } else {
        state.isHolding = false
        state.releases = 0
        state.epoch += 1
      }
    }
  }

  private func parsed(_ body: [UInt8]) throws(APIError) -> JSONObject {
    if body.isEmpty { return JSONObject() }
    do {
      return try JSONObject.parsing(body).object
    } catch {
      throw APIError(status: 400, message: "\(error)")
    }
  }

  private func stateBody() -> [UInt8] {
    let now = state.withLock { state in
      [
        ("calls", state.calls), ("held", state.held), ("steps_left", state.steps.count),
        ("holding", state.isHolding ? 1 : 0), ("streamed_bytes", state.streamedBytes),
      ]
    }
    var writer = JSONWriter()
    writer.beginObject()
    for (name, count) in now { writer.member(name, .number(JSONNumber(count))) }
    writer.endObject()
    return writer.bytes
  }
}
