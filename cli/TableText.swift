import Glibc

/// A sheet for people: columns of equal width, nothing that could move a terminal's cursor.
struct TableText {
  let text: String

  init(_ sheet: Sheet) {
    let isBold = TableText.isStyled
    let head = sheet.columns.map { $0.uppercased() }
    let body = sheet.rows.map { row in
      row.map { cell in
        if case .absent = cell { "-" } else { TableText.escaped(cell.plain) }
      }
    }
    let widths = head.indices.map { column in
      ([head] + body).reduce(0) { max($0, $1[column].count) }
    }
    let lines = ([head] + body).map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell
        if column < row.count - 1 {
          line += String(repeating: " ", count: widths[column] - cell.count + 2)
        }
      }
      return line
    }
    var styled = lines
    if isBold { styled[0] = "\u{1B}[1m\(lines[0])\u{1B}[0m" }
    text = styled.joined(separator: "\n") + "\n"
  }

  /// Control characters, and those that turn the direction of text, as `\u{…}`.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default:
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// - Source: no-color.org: any value but an empty one says no.
  private static var isStyled: Bool {
    guard isatty(STDOUT_FILENO) == 1 else { return false }
    // The names are literals and the values are looked at once.
    let noColor = unsafe getenv("NO_COLOR").map { unsafe String(cString: $0) } ?? ""
    let terminal = unsafe getenv("TERM").map { unsafe String(cString: $0) } ?? "dumb"
    return noColor.isEmpty && terminal != "dumb"
  }
}
