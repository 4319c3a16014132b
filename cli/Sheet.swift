import ArgumentParser
import Glibc
import JSON

/// Rows of named cells, printed as a table, JSON or CSV.
struct Sheet {
  enum Cell {
    case text(String)
    case number(String)
    case bool(Bool)
    case list([String])
    /// Bytes that are JSON already.
    case json(String)
    case absent
  }

  enum Format: String, CaseIterable, ExpressibleByArgument { case table, json, csv }

  let columns: [String]
  private(set) var rows: [[Cell]] = []
  /// One row that is no list: a JSON object, not an array of one.
  var isRecord = false

  init(_ columns: [String]) { self.columns = columns }

  mutating func add(_ cells: [Cell]) {
    precondition(cells.count == columns.count)
    rows.append(cells)
  }

  func print(_ format: Format) throws {
    switch format {
    case .table: try TokensInput.write(Array(TableText(self).text.utf8))
    case .json: try TokensInput.write(json)
    case .csv: try TokensInput.write(Array(csv.utf8))
    }
  }

  /// A list has an element a line.
  private var json: [UInt8] {
    let objects = rows.map(object)
    if isRecord { return Array(objects.joined(separator: [0x0A])) + [0x0A] }
    if objects.isEmpty { return Array("[]\n".utf8) }
    return Array("[\n".utf8) + objects.joined(separator: Array(",\n".utf8)) + Array("\n]\n".utf8)
  }

  private func object(_ cells: [Cell]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    for (column, cell) in zip(columns, cells) {
      writer.name(column)
      switch cell {
      case .text(let text): writer.string(text)
      case .number(let digits): writer.raw(Array(digits.utf8))
      case .json(let json): writer.raw(Array(json.utf8))
      case .bool(let value): writer.bool(value)
      case .absent: writer.null()
      case .list(let items):
        writer.beginArray()
        for item in items { writer.string(item) }
        writer.endArray()
      }
    }
    writer.endObject()
    return writer.bytes
  }

  /// - Source: RFC 4180; lists are separated by spaces.
  private var csv: String {
    let lines = [columns] + rows.map { $0.map(\.plain) }
    return lines.map { line in
      line.map { field in
        guard field.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else {
          return field
        }
        return "\"\(field.replacing("\"", with: "\"\""))\""
      }.joined(separator: ",") + "\r\n"
    }.joined()
  }
}

extension Sheet.Cell {
  /// An absent value is empty.
  var plain: String {
    switch self {
    case .text(let text), .number(let text), .json(let text): text
    case .bool(let value): value ? "true" : "false"
    case .list(let items): items.joined(separator: " ")
    case .absent: ""
    }
  }

  static func text(_ text: String?) -> Sheet.Cell {
    if let text { .text(text) } else { .absent }
  }
}

/// `-o`, of every command that prints data.
struct OutputOptions: ParsableArguments {
  @Option(name: [.customShort("o"), .long], help: "How data is printed.")
  var output = Sheet.Format.table
}
