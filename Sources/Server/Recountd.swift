import Dispatch
import Foundation
import GRPCServer
import Glibc
import Logging
import Reactor
import Relay
import Service
import Store
import Synchronization

/// The server: reads its settings, builds its parts, serves until it is told to stop.
///
/// Exit codes: 0 after an orderly end, 1 for what cannot be reached or started, 2 for wrong
/// settings.
@main
enum Recountd {
  static let version = "0.1.0"

  static func main() async {
    prepareSignals()
    let settings: Settings
    do throws(Settings.Fault) {
      let arguments = try CommandArguments(CommandLine.arguments)
      if arguments.asksForHelp { return print(CommandArguments.help) }
      if arguments.asksForVersion { return print("recountd \(version)") }
      settings = try await Settings.load(arguments)
    } catch {
      end(2, "recountd: \(error.text)")
    }
    LoggingSystem.bootstrap { JSONLogHandler(label: $0, level: settings.logLevel) }
    do {
      let stopSignal = StopSignal()
      let server = try await RunningServer(settings)
      print("recountd listening on \(server.address)")
      fflush(nil)
      await stopSignal.wait()
      await server.stop(drain: settings.drain)
    } catch let error as StoreError {
      end(1, "recountd: \(error)")
    } catch {
      end(1, "recountd: \(error)")
    }
    LogWriter.shared.flush()
  }

  private static func end(_ code: Int32, _ text: String) -> Never {
    LogWriter.shared.flush()
    FileHandle.standardError.write(Data("\(text)\n".utf8))
    exit(code)
  }

  /// A parent may have blocked the signals that end us; a peer that closes must not end us.
  private static func prepareSignals() {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in [SIGTERM, SIGINT] {
      unsafe sigaddset(&set, number)
      // The source below tells of it; the default action would end us first.
      _ = signal(number, SIG_IGN)
    }
    unsafe sigprocmask(SIG_UNBLOCK, &set, nil)
    _ = signal(SIGPIPE, SIG_IGN)
  }
}

/// SIGTERM or SIGINT, awaited once.
private final class StopSignal {
  private let sources: [any DispatchSourceSignal]
  private let stream: AsyncStream<Void>

  init() {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    self.stream = stream
    sources = [SIGTERM, SIGINT].map { number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { continuation.yield() }
      source.resume()
      return source
    }
  }

  func wait() async {
    for await _ in stream { return }
  }
}
