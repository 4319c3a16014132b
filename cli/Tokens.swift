import ArgumentParser
import Tokenizer

/// `recount tokens`: counts, encodes and decodes text with a public vocabulary, without a server.
struct Tokens: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokens", abstract: "Count, encode and decode text with a public vocabulary.",
    subcommands: [Count.self, Encode.self, Decode.self])

  /// What all three take.
  struct Options: ParsableArguments {
    @Option(name: .customLong("encoding"), help: "The vocabulary.")
    var chosen: EncodingArgument

    @Flag(help: "Read and write one JSON object a line.")
    var jsonl = false

    @Argument(help: "Files to read; standard input if there is none, or for \"-\".")
    var files: [String] = []

    var encoding: Tokenizer.Encoding { chosen.encoding }

    /// The inputs, in order.
    var inputs: [String] { files.isEmpty ? ["-"] : files }
  }

  struct Count: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print how many tokens a text has.",
      discussion: """
        Several files print a line each and a total. With --jsonl, {"text": …} becomes \
        {"count": n}. Bytes that are not UTF-8 count as U+FFFD.
        """)

    @OptionGroup var options: Options

    func run() throws {
      if options.jsonl {
        try TokensLines.convert(options) { encoding, line in
          TokensLines.Answer(count: encoding.count(try line.required()))
        }
        return
      }
      var total = 0
      for path in options.inputs {
        var counter = IncrementalCounter(options.encoding)
        try TokensInput.read(path) { counter.append(utf8: $0) }
        total += counter.count
        let count = counter.count
        try TokensInput.print(options.inputs.count > 1 ? "\(count)\t\(path)" : "\(count)")
      }
      if options.inputs.count > 1 { try TokensInput.print("\(total)\ttotal") }
    }
  }

  struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the ids of a text's tokens.",
      discussion: """
        A line of ids for each file. With --jsonl, {"text": …} becomes {"count": n, "ids": […]}.
        """)

    @OptionGroup var options: Options

    func run() throws {
      if options.jsonl {
        try TokensLines.convert(options) { encoding, line in
          let ids = encoding.encode(try line.required())
          return TokensLines.Answer(count: ids.count, ids: ids)
        }
        return
      }
      for path in options.inputs {
        var bytes: [UInt8] = []
        try TokensInput.read(path) { bytes.append(contentsOf: $0) }
        let ids = options.encoding.encode(utf8: bytes)
        try TokensInput.print(ids.map(String.init).joined(separator: " "))
      }
    }
  }

  struct Decode: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the text of ids.",
      discussion: """
        Ids are separated by white space or commas; the bytes they stand for are written as they \
        are. With --jsonl, {"ids": […]} becomes {"text": …}.
        """)

    @OptionGroup var options: Options

    func run() throws {
      if options.jsonl {
        try TokensLines.convert(options) { encoding, line in
          let bytes = try encoding.decode(line.requiredIDs())
          return TokensLines.Answer(text: String(decoding: bytes, as: UTF8.self))
        }
        return
      }
      for path in options.inputs {
        var bytes: [UInt8] = []
        try TokensInput.read(path) { bytes.append(contentsOf: $0) }
        let words = String(decoding: bytes, as: UTF8.self)
          .split { $0.isWhitespace || $0 == "," || $0 == "[" || $0 == "]" }
        let ids = try words.map { word in
          guard let id = UInt32(word) else { throw TokensFailure("not an id in \(path)") }
          return id
        }
        do {
          try TokensInput.write(options.encoding.decode(ids))
        } catch let error as TokenizerError {
          throw TokensFailure(error.description)
        }
      }
    }
  }
}

/// `--encoding`: a published name; another one is a mistake of usage.
struct EncodingArgument: ExpressibleByArgument {
  let encoding: Tokenizer.Encoding

  init?(argument: String) {
    guard let encoding = Tokenizer.Encoding.named(argument) else { return nil }
    self.encoding = encoding
  }

  static var allValueStrings: [String] { Tokenizer.Encoding.allCases.map(\.name) }
}

/// A failure of `recount tokens` (exit code 1); the message names no text of the input.
struct TokensFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
