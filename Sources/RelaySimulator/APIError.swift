import JSON

/// An error in the shape of OpenAI's API.
struct APIError: Error {
  var status: Int
  var message: String
  var type = "invalid_request_error"
  var code: JSONValue = .null
  var parameter: JSONValue = .null

  var body: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.name("error")
    writer.beginObject()
    writer.member("message", message)
    writer.member("type", type)
    writer.member("param", parameter)
    writer.member("code", code)
    writer.endObject()
    writer.endObject()
    return writer.bytes
  }
}
