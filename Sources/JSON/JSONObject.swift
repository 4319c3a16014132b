/// The members of a JSON object, in the order in which they were written, names unique.
public struct JSONObject: Sendable, Equatable {
  /// The members, first to last.
  public private(set) var members: [Member]

  /// One name and its value.
  public struct Member: Sendable, Equatable {
    public var name: String
    public var value: JSONValue

    public init(name: String, value: JSONValue) {
      self.name = name
      self.value = value
    }

    public static func == (left: Member, right: Member) -> Bool {
      left.name.hasSameBytes(as: right.name) && left.value == right.value
    }
  }

  public init() { members = [] }

  /// For the reader, which has looked for duplicates.
  init(unique members: [Member]) { self.members = members }

  public var count: Int { members.count }
  public var isEmpty: Bool { members.isEmpty }

  /// The value of that name. Setting replaces in place, or appends; nil removes.
  ///
  /// The search is linear: the objects that we look into have few members.
  public subscript(name: String) -> JSONValue? {
    get { members.first { $0.name.hasSameBytes(as: name) }?.value }
    set {
      let index = members.firstIndex { $0.name.hasSameBytes(as: name) }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append(Member(name: name, value: value))
      case (nil, nil): break
      }
    }
  }

  /// The place of the first member whose name occurred before, if there is one.
  static func duplicate(in members: [Member]) -> Int? {
    if members.count <= linearMax {
      for later in members.indices.dropFirst() {
        for earlier in 0..<later
        where members[earlier].name.hasSameBytes(as: members[later].name) {
          return later
        }
      }
      return nil
    }
    var seen = Set<[UInt8]>(minimumCapacity: members.count)
    return members.firstIndex { !seen.insert(Array($0.name.utf8)).inserted }
  }

  /// Up to here comparing all pairs is cheaper than hashing.
  private static let linearMax = 12
}
