/// The command line of recountd: flags with a value each, and three that stand alone.
///
/// The configuration library takes what it knows and ignores the rest; a flag that is misspelt must
/// not be ignored.
struct CommandArguments {
  var all: [String]
  var configFile: String?
  var asksForHelp = false
  var asksForVersion = false

  init(_ arguments: [String]) throws(Settings.Fault) {
    all = arguments
    let known = Set(SettingName.allCases.compactMap(\.flag))
    var rest = arguments.dropFirst()
    while let flag = rest.popFirst() {
      switch flag {
      case "--help", "-h": asksForHelp = true
      case "--version": asksForVersion = true
      case "--config": configFile = try Self.value(of: flag, &rest)
      case _ where known.contains(flag): _ = try Self.value(of: flag, &rest)
      default: throw Settings.Fault(text: "unknown argument \(flag); see --help")
      }
    }
  }

  private static func value(
    of flag: String, _ rest: inout ArraySlice<String>
  ) throws(Settings.Fault) -> String {
    guard let value = rest.popFirst(), !value.hasPrefix("--") else {
      throw Settings.Fault(text: "\(flag) needs a value")
    }
    return value
  }

  static var help: String {
    var lines = [
      "USAGE: recountd [--config FILE] [FLAG VALUE]...", "",
      "Serves recount.v1.ConversationService. Flags go over RECOUNT_* variables, those over the",
      "JSON file of --config.", "",
    ]
    for name in SettingName.allCases {
      lines.append("  \(name.flag ?? "-"), \(name.variable)")
      lines.append("      \(name.help)")
    }
    return lines.joined(separator: "\n")
  }
}
