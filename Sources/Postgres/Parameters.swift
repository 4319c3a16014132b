/// The parameters of one statement, in PostgreSQL's binary format, in one buffer.
///
/// - Shape: arrays are one-dimensional, lower bound 1; an absent element is NULL.
/// - Source: PostgreSQL's `*_recv` functions; all integers are big-endian.
public struct Parameters: Sendable {
  private(set) var bytes: [UInt8] = []
  /// Where each parameter begins in `bytes`; -1 is NULL.
  private(set) var starts: [Int] = []
  private(set) var counts: [Int32] = []

  public init() {}

  public mutating func text(_ value: String?) { scalar(value == nil) { $0.raw(value!.utf8) } }
  public mutating func bytea(_ value: [UInt8]?) { scalar(value == nil) { $0.raw(value!) } }
  public mutating func int64(_ value: Int64?) { scalar(value == nil) { $0.integer(value!) } }
  public mutating func int32(_ value: Int32?) { scalar(value == nil) { $0.integer(value!) } }
  public mutating func double(_ value: Double?) {
    scalar(value == nil) { $0.integer(value!.bitPattern) }
  }
  public mutating func bool(_ value: Bool?) {
    scalar(value == nil) { $0.bytes.append(value! ? 1 : 0) }
  }
  public mutating func uuid(_ value: (UInt64, UInt64)?) {
    scalar(value == nil) {
      $0.integer(value!.0)
      $0.integer(value!.1)
    }
  }
  /// Microseconds since the Unix epoch, UTC.
  public mutating func timestamp(_ microseconds: Int64?) {
    scalar(microseconds == nil) {
      // A time that PostgreSQL cannot hold is refused there, not here.
      let (shifted, overflows) = microseconds!.subtractingReportingOverflow(
        postgresEpochMicroseconds)
      $0.integer(overflows ? Int64.min + 1 : shifted)
    }
  }

  public mutating func texts(_ values: some Collection<String?>) {
    array(values, type: .text) { $0.raw($1.utf8) }
  }
  public mutating func byteas(_ values: some Collection<[UInt8]?>) {
    array(values, type: .bytea) { $0.raw($1) }
  }
  public mutating func int64s(_ values: some Collection<Int64?>) {
    array(values, type: .int8) { $0.integer($1) }
  }
  public mutating func int32s(_ values: some Collection<Int32?>) {
    array(values, type: .int4) { $0.integer($1) }
  }
  public mutating func int16s(_ values: some Collection<Int16?>) {
    array(values, type: .int2) { $0.integer($1) }
  }
  public mutating func bools(_ values: some Collection<Bool?>) {
    array(values, type: .bool) { $0.bytes.append($1 ? 1 : 0) }
  }
  public mutating func uuids(_ values: some Collection<(UInt64, UInt64)?>) {
    array(values, type: .uuid) {
      $0.integer($1.0)
      $0.integer($1.1)
    }
  }

  /// How many parameters there are.
  var count: Int { starts.count }

  private mutating func scalar(_ isNull: Bool, _ write: (inout Parameters) -> Void) {
    guard !isNull else {
      starts.append(-1)
      counts.append(0)
      return
    }
    let start = bytes.count
    write(&self)
    starts.append(start)
    counts.append(Int32(bytes.count - start))
  }

  private mutating func array<Element>(
    _ values: some Collection<Element?>, type: ElementType,
    _ write: (inout Parameters, Element) -> Void
  ) {
    let start = bytes.count
    let hasNull = values.contains { $0 == nil }
    integer(Int32(values.isEmpty ? 0 : 1))
    integer(Int32(hasNull ? 1 : 0))
    integer(type.rawValue)
    if !values.isEmpty {
      integer(Int32(values.count))
      integer(Int32(1))
      for value in values {
        guard let value else {
          integer(Int32(-1))
          continue
        }
        let lengthAt = bytes.count
        integer(Int32(0))
        write(&self, value)
        patch(Int32(bytes.count - lengthAt - 4), at: lengthAt)
      }
    }
    starts.append(start)
    counts.append(Int32(bytes.count - start))
  }

  private mutating func raw(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }

  private mutating func integer<I: FixedWidthInteger>(_ value: I) {
    for index in stride(from: I.bitWidth - 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> I(index)))
    }
  }

  private mutating func patch(_ value: Int32, at index: Int) {
    for byte in 0..<4 {
      bytes[index + byte] = UInt8(truncatingIfNeeded: value >> Int32(24 - 8 * byte))
    }
  }
}

/// Type oids of array elements that we send or read.
///
/// - Source: `pg_type.dat`.
enum ElementType: Int32 {
  case bool = 16
  case bytea = 17
  case int8 = 20
  case int2 = 21
  case int4 = 23
  case text = 25
  case uuid = 2950
}

/// 2000-01-01 UTC, where PostgreSQL counts from, in microseconds since the Unix epoch.
let postgresEpochMicroseconds: Int64 = 946_684_800_000_000
