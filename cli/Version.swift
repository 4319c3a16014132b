import ArgumentParser
import Store

/// `recount version`
struct Version: ParsableCommand {
  static let number = "0.1.0"

  static let configuration = CommandConfiguration(
    abstract: "Print this program's version and its schema's.")

  @OptionGroup var output: OutputOptions

  func run() throws {
    var sheet = Sheet(["version", "schema"])
    sheet.isRecord = true
    sheet.add([.text(Version.number), .number("\(AdminStore.newestSchema)")])
    try sheet.print(output.output)
  }
}
