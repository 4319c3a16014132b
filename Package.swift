// swift-tools-version: 6.2

import PackageDescription

// Every own target is held to the same rules; see docs/internals/ARCHITECTURE.md for the layers.
let rules: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// A Swift module under `Sources/`, on the modules below it.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: rules)
}

/// A command: its `main` and what only it needs.
func command(_ name: String, path: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: rules)
}

/// A C library's door: a header and a module map.
func door(_ name: String, pkgConfig: String, package: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

/// The tests of one module; `TestSupport` is the kit that they share.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: ["TestSupport"] + dependencies, swiftSettings: rules)
}

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let configuration = Target.Dependency.product(
  name: "Configuration", package: "swift-configuration")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")

let package = Package(
  name: "recount",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(
      url: "https://github.com/apple/swift-configuration", exact: "1.4.0",
      traits: [.defaults, "CommandLineArguments"]),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
  ],
  targets: [
    // Layer 0: C libraries behind their doors.
    .target(name: "CLinux"),
    door("CNghttp2", pkgConfig: "libnghttp2", package: "libnghttp2-dev"),
    door("CCurl", pkgConfig: "libcurl", package: "libcurl4-openssl-dev"),
    door("CPostgres", pkgConfig: "libpq", package: "libpq-dev"),
    door("COpenSSL", pkgConfig: "openssl", package: "libssl-dev"),
    .target(name: "CProtos", linkerSettings: [.linkedLibrary("protobuf-c")]),
    .target(name: "CVocabularies", exclude: ["data"]),

    // Layer 1: one event loop, protocols without I/O, pure values.
    module("Reactor", ["CLinux", deque, heap]),
    module("HTTP2", ["CNghttp2"]),
    module("GRPCWire"),
    module("Messages", ["CProtos"]),
    module("JSON"),
    module("Tokenizer", ["CVocabularies"]),
    module("Domain", ["COpenSSL"]),

    // Layer 2: I/O on a reactor, and arithmetic.
    module("Transport", ["Reactor", "CLinux"]),
    module("Postgres", ["Reactor", "CPostgres", deque]),
    module("HTTPClient", ["Reactor", "CCurl"]),
    module("Metering", ["Domain"]),

    // Layer 3: calls in and out.
    module("GRPCServer", ["Reactor", "Transport", "HTTP2", "GRPCWire"]),

    // Layer 4: statements and attempts.
    module("Store", ["Postgres"]),
    module("Relay", ["Reactor", "HTTPClient", "JSON"]),

    // Layer 5: the RPCs.
    module(
      "Service",
      [
        "Reactor", "GRPCServer", "GRPCWire", "Messages", "JSON", "Tokenizer", "Domain",
        "Metering", "HTTPClient", "Store", "Relay", logging,
      ]),

    // Layer 6: the commands.
    command(
      "recountd", path: "Sources/Server",
      [
        "Reactor", "Transport", "GRPCServer", "Postgres", "HTTPClient", "Store", "Relay",
        "Service", configuration, logging, system,
      ]),
    command(
      "recount", path: "cli",
      ["Postgres", "Store", "Domain", "Metering", "JSON", "Tokenizer", argumentParser]),
    command(
      "relay-sim", path: "Sources/RelaySimulator",
      ["JSON", "COpenSSL", argumentParser]),

    // Tests mirror Sources.
    .target(
      name: "TestSupport", dependencies: ["Reactor", "CLinux"], path: "Tests/Support",
      swiftSettings: rules),
    tests("Reactor", ["Reactor", "CLinux"]),
    tests("HTTP2", ["HTTP2"]),
    tests("GRPCWire", ["GRPCWire"]),
    tests("Messages", ["Messages"]),
    tests("JSON", ["JSON"]),
    tests("Tokenizer", ["Tokenizer", "JSON"]),
    tests("Domain", ["Domain"]),
    tests("Transport", ["Transport", "Reactor"]),
    tests("Postgres", ["Postgres", "Reactor"]),
    tests("HTTPClient", ["HTTPClient", "Reactor"]),
    tests("Metering", ["Metering", "Domain"]),
    tests("GRPCServer", ["GRPCServer", "GRPCWire", "HTTP2", "Transport", "Reactor"]),
    tests("Store", ["Store", "Postgres", "Reactor", "Domain", "Metering"]),
    tests("Relay", ["Relay", "HTTPClient", "Reactor", "JSON", "relay-sim"]),
    tests(
      "Service",
      [
        "Service", "Store", "Relay", "Messages", "GRPCServer", "GRPCWire", "Domain", "JSON",
        logging,
      ]),
    tests("Server", ["recountd"]),
    tests("CLI", ["recount", "Store", "Postgres", "Domain"]),
  ]
)
