// swift-tools-version: 6.2

import PackageDescription

// The tokenizer alone, in a release build, with the program that the benchmarks and the
// differential fuzz drive. The main manifest does not know this package.
let rules: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "tokenizer-driver",
  targets: [
    .target(name: "CVocabularies", exclude: ["data"]),
    .target(name: "Tokenizer", dependencies: ["CVocabularies"], swiftSettings: rules),
    .executableTarget(
      name: "tokenizer-driver", dependencies: ["Tokenizer"], swiftSettings: rules),
  ]
)
