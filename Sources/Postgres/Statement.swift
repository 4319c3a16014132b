/// A statement with a name, prepared on a connection at its first use there.
public struct Statement: Sendable, Hashable {
  public let name: String
  public let sql: String

  public init(name: String, sql: String) {
    self.name = name
    self.sql = sql
  }

  public static func == (a: Statement, b: Statement) -> Bool { a.name == b.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
