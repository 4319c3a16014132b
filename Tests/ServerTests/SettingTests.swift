import Foundation
import Testing

@testable import recountd

@Suite struct SettingTests {
  private var reference: String {
    get throws {
      let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      let file = root.appending(path: "docs/reference/recountd.md")
      return try String(contentsOf: file, encoding: .utf8)
    }
  }

  /// Each setting has its row in the reference, and the reference names no other.
  @Test func theReferenceNamesEverySettingAndNoOther() throws {
    let text = try reference
    var named: Set<String> = []
    for word in text.split(whereSeparator: { !($0.isLetter || $0.isNumber || "_-".contains($0)) })
    where word.hasPrefix("RECOUNT_") { named.insert(String(word)) }
    #expect(named == Set(SettingName.allCases.map(\.variable)))
    for name in SettingName.allCases {
      if let flag = name.flag { #expect(text.contains("`\(flag)`"), "\(flag)") }
    }
  }

  @Test func unknownArgumentsAreRefused() throws {
    for wrong in [["x"], ["--lisen", "a"], ["--listen"], ["--database-url", "x"], ["--config"]] {
      #expect(throws: Settings.Fault.self) { try CommandArguments(["recountd"] + wrong) }
    }
    let taken = try CommandArguments(["recountd", "--listen", "127.0.0.1:0", "--config", "f"])
    #expect(taken.configFile == "f")
  }
}
