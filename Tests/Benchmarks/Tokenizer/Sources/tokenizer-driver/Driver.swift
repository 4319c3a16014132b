import Glibc
import Tokenizer

/// Drives the tokenizer from a script.
///
///     tokenizer-driver ids ENCODING < frames > frames    compare with a reference
///     tokenizer-driver check ENCODING < frames           properties of each text
///     tokenizer-driver memory ENCODING                   resident bytes, step by step
///     tokenizer-driver bench ENCODING MODE REPEATS FILE  one JSON line of times
///
/// A frame is a little-endian u32 length and that many bytes; answered by a u32 number of ids and
/// the ids as u32.
@main
enum Driver {
  static func main() {
    let arguments = CommandLine.arguments
    guard arguments.count >= 3, let encoding = Encoding.named(arguments[2]) else {
      fail("usage: tokenizer-driver ids|check|memory|bench ENCODING …")
    }
    switch (arguments[1], arguments.count) {
    case ("ids", 3): answer(encoding)
    case ("check", 3): check(encoding)
    case ("memory", 3): memory(encoding)
    case ("bench", 6): bench(encoding, arguments[3], Int(arguments[4]) ?? 1, arguments[5])
    default: fail("usage: tokenizer-driver ids|check|memory|bench ENCODING …")
    }
  }

  static func fail(_ message: String) -> Never {
    print("tokenizer-driver: \(message)")
    exit(2)
  }

  private static func answer(_ encoding: Encoding) {
    var output: [UInt8] = []
    func put(_ number: UInt32) {
      for shift in [0, 8, 16, 24] { output.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
    for text in frames(readAll(STDIN_FILENO)) {
      let ids = encoding.encode(utf8: text)
      // Counting goes other ways than encoding, through what this process learned before.
      let count = encoding.count(utf8: text)
      guard count == ids.count else { fail("count \(count), \(ids.count) ids: \(text)") }
      put(UInt32(ids.count))
      for id in ids { put(id) }
    }
    writeAll(output)
  }

  /// Resident memory: with three vocabularies, and after hostile texts that nothing can learn.
  private static func memory(_ encoding: Encoding) {
    let start = resident()
    for each in Encoding.allCases { each.prepare() }
    let loaded = resident()
    for each in Encoding.allCases { _ = each.count("A first text fills nothing.") }
    var state: UInt64 = 1
    var after: [Int] = []
    for _ in 0..<10 {
      var bytes = [UInt8](repeating: 0, count: 10_000_000)
      for index in bytes.indices {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes[index] = UInt8(ascii: " ") + UInt8(truncatingIfNeeded: state >> 58)
      }
      _ = encoding.count(utf8: bytes)
      bytes = []
      after.append(resident())
    }
    print("start \(start), three vocabularies +\(loaded - start), after each 10 MB: \(after)")
  }

  /// The resident bytes of this process.
  private static func resident() -> Int {
    // A literal path, a descriptor of our own.
    let descriptor = unsafe open("/proc/self/statm", O_RDONLY)
    defer { close(descriptor) }
    let fields = String(decoding: readAll(descriptor), as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
  }

  /// The properties that need no reference; prints the first text that breaks one.
  private static func check(_ encoding: Encoding) {
    var texts = 0
    var cuts = 0
    for text in frames(readAll(STDIN_FILENO)) {
      texts += 1
      let ids = encoding.encode(utf8: text)
      let count = encoding.count(utf8: text)
      let decoded = try? encoding.decode(ids)
      let repaired = Array(String(decoding: text, as: UTF8.self).utf8)
      guard count == ids.count, decoded == repaired else {
        fail("count \(count), \(ids.count) ids, or a wrong round trip: \(text)")
      }
      guard encoding.isWithin(count, utf8: text), !encoding.isWithin(count - 1, utf8: text) else {
        fail("isWithin \(count): \(text)")
      }
      cuts += checkCuts(encoding, text, count)
    }
    print("\(texts) texts, \(cuts) cuts")
  }

  /// Appends the text in two parts at every place, and in single bytes.
  private static func checkCuts(_ encoding: Encoding, _ text: [UInt8], _ count: Int) -> Int {
    var bytewise = IncrementalCounter(encoding)
    for cut in text.indices {
      var counter = IncrementalCounter(encoding)
      counter.append(utf8: Array(text[..<cut]))
      let left = counter.count
      counter.append(utf8: Array(text[cut...]))
      guard left == encoding.count(utf8: Array(text[..<cut])), counter.count == count else {
        fail("incremental count at \(cut): \(text)")
      }
      if Encoding.lastSafeCut(in: text.span, after: cut - 1, atOrBefore: cut) == cut {
        let right = encoding.count(utf8: Array(text[cut...]))
        guard left + right == count else { fail("unsafe cut at \(cut): \(text)") }
      }
      bytewise.append(utf8: [text[cut]])
    }
    guard bytewise.count == count else { fail("bytewise count: \(text)") }
    return text.count
  }
}

/// All that a descriptor gives.
func readAll(_ descriptor: Int32) -> [UInt8] {
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    // The buffer is ours and as long as we say.
    let got = unsafe read(descriptor, &buffer, buffer.count)
    if got <= 0 { return bytes }
    bytes.append(contentsOf: buffer[..<got])
  }
}

func writeAll(_ bytes: [UInt8]) {
  var rest = bytes[...]
  while !rest.isEmpty {
    // The slice is ours and as long as we say.
    let written = unsafe rest.withUnsafeBytes {
      unsafe write(STDOUT_FILENO, $0.baseAddress, $0.count)
    }
    if written <= 0 { Driver.fail("cannot write") }
    rest = rest.dropFirst(written)
  }
}

func frames(_ bytes: [UInt8]) -> [[UInt8]] {
  var result: [[UInt8]] = []
  var at = 0
  while at + 4 <= bytes.count {
    let length = (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    result.append(Array(bytes[(at + 4)..<(at + 4 + length)]))
    at += 4 + length
  }
  return result
}
