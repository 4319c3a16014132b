import ArgumentParser
import Foundation
import Synchronization

/// An OpenAI-compatible relay for tests, demonstrations and benchmarks; plain HTTP/1.1.
@main
struct RelaySimCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relay-sim", abstract: "Simulates an OpenAI-compatible relay on 127.0.0.1.")

  @Option(help: "Port; 0 lets the system choose. It is printed on stdout.")
  var port: UInt16 = 0

  @Option(help: "Appends one JSON line a call to this file, before the call is answered.")
  var log: String?

  @Option(help: "Requires the bearer key that this file holds.")
  var keyFile: String?

  @Option(help: "Milliseconds added before each answer.")
  var latencyMs = 0

  @Option(help: "A model and its context window, as NAME=TOKENS; may be repeated.")
  var model: [String] = []

  @Flag(help: "Gives every call the same answer at once: for benchmarks.")
  var instant = false

  @Flag(help: "Ends when stdin does, so that it cannot outlive who started it.")
  var untilStdinEnds = false

  /// Connections open at once; each has a thread.
  static let connectionsMax = 4096
  static let threadStackBytes = 512 << 10

  func run() throws {
    signal(SIGPIPE, SIG_IGN)
    unblockEndings()
    let settings = try settings()
    let (listener, port) = try BlockingSocket.listen(port: port)
    print("listening on 127.0.0.1:\(port)")
    fflush(nil)
    if untilStdinEnds { watchStdin() }
    accept(on: listener, simulator: Simulator(settings: settings))
  }

  /// A parent may have started us from a thread that blocks signals, and the mask is inherited.
  private func unblockEndings() {
    var endings = sigset_t()
    unsafe sigemptyset(&endings)
    unsafe sigaddset(&endings, SIGTERM)
    unsafe sigaddset(&endings, SIGINT)
    unsafe pthread_sigmask(SIG_UNBLOCK, &endings, nil)
  }

  private func watchStdin() {
    Thread {
      while let bytes = try? FileHandle.standardInput.read(upToCount: 4096), !bytes.isEmpty {}
      Foundation.exit(0)
    }.start()
  }

  private func settings() throws -> Simulator.Settings {
    var settings = Simulator.Settings()
    settings.latencyMilliseconds = latencyMs
    settings.isInstant = instant
    if let log {
      guard let file = CallLog(path: log) else { throw ValidationError("cannot open \(log)") }
      settings.log = file
    }
    if let keyFile {
      let key = try String(contentsOfFile: keyFile, encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      guard !key.isEmpty else { throw ValidationError("\(keyFile) holds no key") }
      settings.key = key
    }
    for pair in model {
      guard let at = pair.lastIndex(of: "="), let window = Int(pair[pair.index(after: at)...])
      else { throw ValidationError("--model wants NAME=TOKENS") }
      settings.windows[String(pair[..<at])] = window
    }
    return settings
  }

  /// Accepts for ever; SIGTERM and SIGINT end the process, whose log is whole at any moment.
  private func accept(on listener: BlockingSocket, simulator: Simulator) {
    let open = ConnectionCount()
    while true {
      guard let socket = listener.accept() else {
        // Out of descriptors, most likely: give connections time to end.
        pause(milliseconds: 10)
        continue
      }
      guard open.value.add(1, ordering: .relaxed).newValue <= Self.connectionsMax else {
        open.value.subtract(1, ordering: .relaxed)
        continue
      }
      let thread = Thread {
        Connection(socket: socket, simulator: simulator).run()
        open.value.subtract(1, ordering: .relaxed)
      }
      thread.stackSize = Self.threadStackBytes
      thread.start()
    }
  }
}

/// Connections open now.
private final class ConnectionCount: Sendable {
  let value = Atomic(0)
}

/// Blocks this thread.
func pause(milliseconds: Int) {
  Thread.sleep(forTimeInterval: Double(milliseconds) / 1000)
}
