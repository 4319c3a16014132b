extension JSONObject {
  /// Reads a text that is one object, and tells where each member's value stood.
  ///
  /// - Units: half-open byte ranges of `bytes`, one for each member, in their order.
  /// - Throws: as ``JSONValue/init(parsing:options:)``; `.unexpectedByte` if it is no object.
  public static func parsing(
    _ bytes: [UInt8], options: JSONOptions = .strict
  ) throws(JSONError) -> (object: JSONObject, ranges: [Range<Int>]) {
    guard bytes.count <= options.bytesMax else {
      throw JSONError(.tooLarge, at: options.bytesMax)
    }
    var reader = JSONReader(options: options)
    return try reader.objectText(bytes.span)
  }
}
