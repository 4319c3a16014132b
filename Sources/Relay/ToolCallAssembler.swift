import JSON

/// Puts tool calls together from their fragments.
///
/// - Shape: `{"index","id","function":{"name","arguments"}}`; calls stand in the order in which
///   they began. The first id of a call wins. Its name may come in pieces or be repeated, before
///   its arguments. Without an index a fragment with a new id begins a call, another continues the
///   last; a new id and name under an old index begin a call too, for some gateways number none.
/// - Isolation: none; a value.
/// - Limits: `callsMax`.
struct ToolCallAssembler: Sendable {
  static let callsMax = 1024

  private(set) var all: [RelayToolCall] = []
  /// The place of the call that continues under each of the relay's indices.
  private var places: [Int64: Int] = [:]

  /// Takes a fragment; nil if it is none or begins one call too many.
  mutating func accept(_ json: JSONValue) -> RelayDelta? {
    guard json.object != nil else { return nil }
    let function = json["function"]
    let id = json["id"]?.string ?? ""
    var name = function?["name"]?.string ?? ""
    let arguments = RelayAnswer.arguments(function?["arguments"])
    let index = json["index"]?.integer
    var known = index.map { places[$0] } ?? (all.isEmpty ? nil : all.count - 1)
    if let place = known, !id.isEmpty, all[place].id != id, index == nil || !name.isEmpty {
      known = nil
    }
    guard let place = known else {
      guard all.count < ToolCallAssembler.callsMax else { return nil }
      let place = all.count
      let call = RelayToolCall(
        id: id.isEmpty ? "call_\(place)" : id, name: name, arguments: arguments)
      all.append(call)
      if let index { places[index] = place }
      return .toolCall(
        index: place, id: call.id, name: name.isEmpty ? nil : name, arguments: arguments)
    }
    if name == all[place].name || !all[place].arguments.isEmpty { name = "" }
    all[place].name += name
    all[place].arguments += arguments
    return .toolCall(
      index: place, id: nil, name: name.isEmpty ? nil : name, arguments: arguments)
  }

  var areNamed: Bool { all.allSatisfy { !$0.name.isEmpty } }

  var named: [RelayToolCall] { all.filter { !$0.name.isEmpty } }

  /// Those whose arguments are a whole object, which nothing can continue.
  var parsable: [RelayToolCall] {
    named.filter { StreamAssembler.parse(Array($0.arguments.utf8))?.object != nil }
  }
}
