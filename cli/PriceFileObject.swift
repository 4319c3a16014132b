import JSON

/// An object of a price file; what is wrong with it is said with its place.
struct PriceFileObject {
  let path: String
  private let object: JSONObject

  init(_ json: JSONValue, _ path: String) throws(CommandFailure) {
    guard let object = json.object else {
      throw CommandFailure(.usage, "\(path) is not an object")
    }
    self.object = object
    self.path = path
  }

  var members: [String] { object.members.map(\.name) }

  subscript(name: String) -> JSONValue? { object[name] }

  /// A misspelt member must not be passed over in silence.
  func expect(only names: [String]) throws(CommandFailure) {
    if let other = members.first(where: { !names.contains($0) }) {
      throw wrong(TableText.escaped(other), "is not known here")
    }
  }

  func required(_ name: String) throws(CommandFailure) -> JSONValue {
    guard let value = object[name] else { throw wrong(name, "is missing") }
    return value
  }

  /// A string that is not empty.
  func text(_ name: String) throws(CommandFailure) -> String {
    guard let text = try required(name).string else { throw wrong(name, "is not a string") }
    if text.isEmpty { throw wrong(name, "is empty") }
    return text
  }

  /// An array that is not empty.
  func list(_ name: String) throws(CommandFailure) -> [JSONValue] {
    guard let list = try required(name).array else { throw wrong(name, "is not an array") }
    if list.isEmpty { throw wrong(name, "is empty") }
    return list
  }

  func wrong(_ name: String, _ what: String) -> CommandFailure {
    CommandFailure(.usage, "\(path): \"\(name)\" \(what)")
  }
}
