import Configuration
import Foundation
import Logging
import Relay
import Service
import SystemPackage
import Transport

/// What recountd was told, checked.
struct Settings {
  var listen: SocketAddress
  var databaseURL: String
  var databaseConnections: Int
  var catalogue: Catalogue
  var relay: RelayConfiguration
  var lease: Duration
  var drain: Duration
  var reactors: Int
  var logLevel: Logger.Level
  var killPoint: KillPoint?

  /// A setting that cannot be used; its text names the setting and the rule, not the value.
  struct Fault: Error { var text: String }
}

extension Settings {
  /// Reads flags, environment and file.
  static func load(_ arguments: CommandArguments) async throws(Fault) -> Settings {
    var providers: [any ConfigProvider] = [
      CommandLineArgumentsProvider(arguments: arguments.all),
      EnvironmentVariablesProvider().prefixKeys(with: "recount"),
    ]
    if let path = arguments.configFile {
      do {
        providers.append(try await FileProvider<JSONSnapshot>(filePath: FilePath(path)))
      } catch {
        throw Fault(text: "--config: the file cannot be read as JSON")
      }
    }
    return try Settings(SettingReader(ConfigReader(providers: providers)))
  }

  private init(_ reader: SettingReader) throws(Fault) {
    listen = try Self.address(reader.text(.listen) ?? "127.0.0.1:50051")
    databaseURL = try reader.required(.databaseURL)
    databaseConnections = try reader.integer(.databaseConnections, 1...64) ?? 8
    catalogue = try Self.catalogue(reader.text(.catalogue) ?? "deploy/catalogue.json")
    relay = try Self.relay(reader, catalogue)
    lease = .seconds(try reader.integer(.leaseSeconds, 1...3600) ?? 15)
    drain = .seconds(try reader.integer(.drainSeconds, 0...3600) ?? 30)
    reactors = try reader.integer(.reactors, 1...64) ?? 1
    logLevel = try reader.choice(.logLevel) ?? .info
    killPoint = try reader.choice(.killPoint)
    if killPoint != nil, !KillPoint.isAvailable {
      throw Fault(text: "\(SettingName.killPoint.variable): only debug builds have kill points")
    }
  }

  private static func address(_ text: String) throws(Fault) -> SocketAddress {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard let last = parts.last, parts.count >= 2, let port = UInt16(last),
      let address = try? SocketAddress(
        host: parts.dropLast().joined(separator: ":").filter { $0 != "[" && $0 != "]" },
        port: port)
    else { throw Fault(text: "\(SettingName.listen.variable): it is not HOST:PORT") }
    return address
  }

  private static func relay(
    _ reader: SettingReader, _ catalogue: Catalogue
  ) throws(Fault) -> RelayConfiguration {
    let url = try reader.required(.relayURL)
    let models = try Self.models(reader.text(.relayModels)) ?? catalogue.ownNames
    let allowsPlainHTTP = try reader.flag(.relayAllowsPlainHTTP) ?? false
    do throws(RelayConfiguration.Fault) {
      return try RelayConfiguration(
        name: reader.text(.relayName) ?? "relay", baseURL: url,
        models: models,
        credentialFile: reader.text(.relayCredentialFile),
        allowsPlainHTTP: allowsPlainHTTP || isLoopback(url))
    } catch {
      throw Fault(text: "\(SettingName.relayURL.variable): \(error.rawValue)")
    }
  }

  private static func models(_ text: String?) throws(Fault) -> [String: String]? {
    guard let text else { return nil }
    var models: [String: String] = [:]
    for entry in text.split(separator: ",") {
      let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
      guard let name = parts.first, models.updateValue(parts.last!, forKey: name) == nil else {
        throw Fault(text: "\(SettingName.relayModels.variable): a model is wrong or there twice")
      }
    }
    return models
  }

  /// Whether the URL's host is this machine: nobody can listen on the way.
  private static func isLoopback(_ url: String) -> Bool {
    ["http://127.0.0.1", "http://localhost", "http://[::1]"].contains { start in
      url.hasPrefix(start) && [":", "/", nil].contains(url.dropFirst(start.count).first)
    }
  }

  private static func catalogue(_ path: String) throws(Fault) -> Catalogue {
    let name = SettingName.catalogue.variable
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Fault(text: "\(name): the file \(path) cannot be read")
    }
    do throws(Catalogue.Fault) {
      return try Catalogue(parsing: Array(data))
    } catch {
      throw Fault(text: "\(name): \(error)")
    }
  }
}

/// Typed reading of settings by name.
struct SettingReader {
  private let reader: ConfigReader

  init(_ reader: ConfigReader) { self.reader = reader }

  /// Nil if it is absent or empty.
  func text(_ name: SettingName) -> String? {
    let key = ConfigKey(name.rawValue.split(separator: ".").map(String.init))
    let text = reader.string(forKey: key, isSecret: name == .databaseURL)
    return text?.isEmpty == false ? text : nil
  }

  func required(_ name: SettingName) throws(Settings.Fault) -> String {
    guard let text = text(name) else {
      throw Settings.Fault(text: "\(name.variable) is not set: \(name.help)")
    }
    return text
  }

  func integer(
    _ name: SettingName, _ range: ClosedRange<Int>
  ) throws(Settings.Fault) -> Int? {
    guard let text = text(name) else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw Settings.Fault(
        text: "\(name.variable): it must be a whole number from \(range.lowerBound) to"
          + " \(range.upperBound)")
    }
    return value
  }

  func flag(_ name: SettingName) throws(Settings.Fault) -> Bool? {
    guard let text = text(name) else { return nil }
    guard let value = Bool(text) else {
      throw Settings.Fault(text: "\(name.variable): it must be true or false")
    }
    return value
  }

  func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ name: SettingName
  ) throws(Settings.Fault) -> Value? {
    guard let text = text(name) else { return nil }
    guard let value = Value(rawValue: text) else {
      let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
      throw Settings.Fault(text: "\(name.variable): it must be one of \(names)")
    }
    return value
  }
}
