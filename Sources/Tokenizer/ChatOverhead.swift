/// What a chat request costs beyond its text: estimates that the upstream's usage corrects.
///
/// - Units: tokens.
/// - Source: the counting rules that OpenAI publishes for its chat models.
public struct ChatOverhead: Sendable, Equatable {
  /// Around each message.
  public var perMessage = 3
  /// For a message that has a name, beside the name's own tokens.
  public var perName = 1
  /// Once in a request, for the start of the answer.
  public var perRequest = 3
  /// For each function: 7 in the 4o family, 10 before it.
  public var perFunction: Int
  /// Once for a function that has properties.
  public var properties = 3
  /// For each property.
  public var perKey = 3
  /// Once for a property with an enumeration.
  public var enumeration = -3
  /// For each item of an enumeration.
  public var perItem = 3
  /// Once in a request that has tools.
  public var tools = 12
  /// For each image.
  public var perImage = 85
  /// For each tile of 512 pixels of an image that is not sent in low detail.
  public var perTile = 170

  /// GPT-4o and what came after it.
  public static let gpt4o = ChatOverhead(perFunction: 7)
  /// GPT-3.5 and GPT-4.
  public static let gpt4 = ChatOverhead(perFunction: 10)
}

/// A message as its overhead is counted.
public struct ChatMessage: Sendable, Equatable {
  public var role: String
  public var name: String?
  /// The content and every other string value, such as a tool call's id, name and arguments.
  public var strings: [String]
  public var images: [ChatImage]

  public init(role: String, name: String? = nil, strings: [String], images: [ChatImage] = []) {
    self.role = role
    self.name = name
    self.strings = strings
    self.images = images
  }
}

/// An image, by its size in pixels.
public struct ChatImage: Sendable, Equatable {
  public var width: Int
  public var height: Int
  public var isLowDetail: Bool

  public init(width: Int, height: Int, isLowDetail: Bool = false) {
    self.width = width
    self.height = height
    self.isLowDetail = isLowDetail
  }

  /// The tiles of 512 pixels, after fitting 2,048 by 2,048 and then a short side of 768.
  ///
  /// Only ever shrinks. Whole numbers throughout: a side that is a multiple of 512 stays exact.
  public var tiles: Int {
    let (short, long) = (max(1, min(width, height)), max(1, max(width, height)))
    // Beyond any real image; keeps the products below from overflowing.
    if long > 1 << 24 { return 2 * 4 }
    func up(_ number: Int, _ divisor: Int) -> Int { (number + divisor - 1) / divisor }
    let shortAfterFit = long > 2_048 ? (short * 2_048, long) : (short, 1)
    if shortAfterFit.0 > 768 * shortAfterFit.1 {
      return 2 * up(3 * long, 2 * short)
    }
    return long > 2_048 ? 4 * up(4 * short, long) : up(long, 512) * up(short, 512)
  }
}

/// A function that a model may call, parsed from its schema.
public struct ChatTool: Sendable, Equatable {
  public struct Property: Sendable, Equatable {
    public var key: String
    public var type: String
    public var description: String
    public var items: [String]

    /// `items`: the values of its enumeration, if it has one.
    public init(key: String, type: String, description: String = "", items: [String] = []) {
      self.key = key
      self.type = type
      self.description = description
      self.items = items
    }
  }

  public var name: String
  public var description: String
  public var properties: [Property]

  public init(name: String, description: String = "", properties: [Property] = []) {
    self.name = name
    self.description = description
    self.properties = properties
  }
}

extension ChatOverhead {
  /// One message with its overhead and images.
  public func count(_ message: ChatMessage, in encoding: Encoding) -> Int {
    var sum = perMessage + encoding.count(message.role)
    for string in message.strings { sum += encoding.count(string) }
    if let name = message.name { sum += perName + encoding.count(name) }
    for image in message.images { sum += count(image) }
    return sum
  }

  /// All the tools of a request; 0 if there are none.
  public func count(tools: [ChatTool], in encoding: Encoding) -> Int {
    if tools.isEmpty { return 0 }
    return tools.reduce(self.tools) { $0 + count($1, in: encoding) }
  }

  /// A whole request: its messages, its tools, and what is added once.
  public func count(
    messages: [ChatMessage], tools: [ChatTool] = [], in encoding: Encoding
  ) -> Int {
    messages.reduce(perRequest + count(tools: tools, in: encoding)) { $0 + count($1, in: encoding) }
  }

  /// One image.
  public func count(_ image: ChatImage) -> Int {
    image.isLowDetail ? perImage : perImage + perTile * image.tiles
  }

  private func count(_ tool: ChatTool, in encoding: Encoding) -> Int {
    var sum = perFunction
    sum += encoding.count("\(tool.name):\(Self.withoutFullStop(tool.description))")
    if tool.properties.isEmpty { return sum }
    sum += properties
    for property in tool.properties {
      let description = Self.withoutFullStop(property.description)
      sum += perKey + encoding.count("\(property.key):\(property.type):\(description)")
      if property.items.isEmpty { continue }
      sum += enumeration
      for item in property.items { sum += perItem + encoding.count(item) }
    }
    return sum
  }

  private static func withoutFullStop(_ text: String) -> Substring {
    text.last == "." ? text.dropLast() : text[...]
  }
}
