/// The rows that a statement gave, in binary format, copied out of libpq into one buffer.
public struct Rows: Sendable {
  public let count: Int
  let columns: Int
  let bytes: [UInt8]
  /// Per cell, row by row: where it begins, and its length; a length of -1 is NULL.
  let starts: [Int]
  let lengths: [Int32]

  init(count: Int, columns: Int, bytes: [UInt8], starts: [Int], lengths: [Int32]) {
    self.count = count
    self.columns = columns
    self.bytes = bytes
    self.starts = starts
    self.lengths = lengths
  }

  public subscript(row: Int) -> Row {
    precondition(row >= 0 && row < count, "row \(row) of \(count)")
    return Row(rows: self, first: row * columns)
  }

  public func map<T>(_ body: (Row) -> T) -> [T] { (0..<count).map { body(self[$0]) } }
}

/// One row. Columns are by position; reading a column as another type than the statement gives
/// is our bug and stops the process.
public struct Row: Sendable {
  let rows: Rows
  let first: Int

  public func isNull(_ column: Int) -> Bool { length(column) < 0 }

  public func text(_ column: Int) -> String { String(decoding: cell(column), as: UTF8.self) }
  public func bytes(_ column: Int) -> [UInt8] { Array(cell(column)) }
  public func bool(_ column: Int) -> Bool { cell(column).first == 1 }
  public func int64(_ column: Int) -> Int64 { integer(cell(column)) }
  public func int32(_ column: Int) -> Int32 { integer(cell(column)) }
  public func int16(_ column: Int) -> Int16 { integer(cell(column)) }
  public func uuid(_ column: Int) -> (UInt64, UInt64) {
    let cell = cell(column)
    return (integer(cell.prefix(8)), integer(cell.dropFirst(8)))
  }
  /// Microseconds since the Unix epoch; the infinities are `Int64.max` and `Int64.min`.
  public func timestamp(_ column: Int) -> Int64 {
    let value = int64(column)
    let (sum, overflow) = value.addingReportingOverflow(postgresEpochMicroseconds)
    return overflow || value == .min ? value : sum
  }

  public func optional<T>(_ column: Int, _ read: (Row, Int) -> T) -> T? {
    isNull(column) ? nil : read(self, column)
  }

  public func texts(_ column: Int) -> [String] {
    elements(column).map { String(decoding: $0, as: UTF8.self) }
  }
  public func int64s(_ column: Int) -> [Int64] { elements(column).map { integer($0) } }

  private func length(_ column: Int) -> Int32 {
    precondition(column >= 0 && column < rows.columns, "column \(column) of \(rows.columns)")
    return rows.lengths[first + column]
  }

  private func cell(_ column: Int) -> ArraySlice<UInt8> {
    let length = length(column)
    precondition(length >= 0, "column \(column) is NULL")
    let start = rows.starts[first + column]
    return rows.bytes[start..<start + Int(length)]
  }

  /// The elements of a one-dimensional array; an element that is NULL is empty.
  private func elements(_ column: Int) -> [ArraySlice<UInt8>] {
    var rest = cell(column)
    let dimensions: Int32 = integer(rest.prefix(4))
    guard dimensions > 0 else { return [] }
    precondition(dimensions == 1, "an array of \(dimensions) dimensions")
    let count: Int32 = integer(rest.dropFirst(12).prefix(4))
    rest = rest.dropFirst(20)
    var elements: [ArraySlice<UInt8>] = []
    for _ in 0..<count {
      let length: Int32 = integer(rest.prefix(4))
      rest = rest.dropFirst(4)
      elements.append(rest.prefix(Int(max(0, length))))
      rest = rest.dropFirst(Int(max(0, length)))
    }
    return elements
  }

  private func integer<I: FixedWidthInteger>(_ cell: ArraySlice<UInt8>) -> I {
    precondition(cell.count == I.bitWidth / 8, "\(cell.count) bytes for an integer")
    return cell.reduce(0) { $0 << 8 | I(truncatingIfNeeded: $1) }
  }
}
