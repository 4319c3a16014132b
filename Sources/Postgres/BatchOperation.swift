/// An operation that shares a transaction with others of its kind.
///
/// Repeating one must be harmless and give the stored outcome: a batch whose connection was lost
/// is sent again.
public protocol BatchOperation: Sendable {
  associatedtype Outcome: Sendable

  /// One call of a set-based function: arrays in, rows out.
  static var statement: Statement { get }
  static func parameters(_ operations: [Self]) -> Parameters
  /// Reads what the committed batch has changed, after its own sync, in the same flush.
  static var followUp: Statement? { get }
  static func followUpParameters(_ operations: [Self]) -> Parameters
  /// One outcome per operation, in their order.
  static func outcomes(_ operations: [Self], _ rows: Rows, followUp: Rows?) -> [Outcome]

  /// Bytes of its bodies.
  var weightBytes: Int { get }
  /// How long it is tried while the server is away; nil is the configuration's.
  var patience: Duration? { get }
  /// What is sent instead when the server refuses the operation even alone.
  var reduced: Self? { get }
}

extension BatchOperation {
  public static var followUp: Statement? { nil }
  public static func followUpParameters(_ operations: [Self]) -> Parameters { Parameters() }
  public var patience: Duration? { nil }
  public var reduced: Self? { nil }
}
