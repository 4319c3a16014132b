import Foundation

/// A relay-sim of this build, on a port of its own, ended with its last reference.
final class SimulatorProcess: Sendable {
  let port: Int
  let logPath: String
  private let process: Process
  /// Its end, when this process ends however, is the simulator's.
  private let input = Pipe()

  init(arguments: [String] = []) throws {
    let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent()
    logPath = NSTemporaryDirectory() + "relay-sim-\(UUID().uuidString).log"
    let process = Process()
    process.executableURL = folder.appendingPathComponent("relay-sim")
    process.arguments = ["--port", "0", "--until-stdin-ends", "--log", logPath] + arguments
    process.standardInput = input
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    self.process = process
    var line = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), byte.first != 10,
      !byte.isEmpty
    { line += byte }
    let text = String(decoding: line, as: UTF8.self)
    port = text.split(separator: ":").last.flatMap { Int($0) } ?? 0
  }

  deinit {
    process.terminate()
    try? FileManager.default.removeItem(atPath: logPath)
  }

  var url: String { "http://127.0.0.1:\(port)" }

  /// The log's lines so far.
  var log: [String] {
    let text = (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }
}
