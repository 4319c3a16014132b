import Glibc
import Tokenizer

/// Seconds of processor time: one thread, so it is what a quiet machine's clock would say.
private func now() -> Double {
  var time = timespec()
  // `time` is ours and outlives the call.
  unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Times one file: `count` or `encode` of the whole text, or counts in `messages` (2,048 bytes
/// each) or `calls` (about 40 bytes each). The first round is cold: nothing was learned before it.
/// `unseen` counts the first half once and times the other half once.
func bench(_ encoding: Encoding, _ mode: String, _ repeats: Int, _ path: String) {
  // The path is a literal string for the length of the call.
  let descriptor = unsafe open(path, O_RDONLY)
  if descriptor < 0 { Driver.fail("cannot open \(path)") }
  let bytes = readAll(descriptor)
  close(descriptor)
  let ready = now()
  encoding.prepare()
  let load = now() - ready
  let parts: [[UInt8]] =
    switch mode {
    case "messages": pieces(bytes, of: 2_048)
    case "calls": pieces(bytes, of: 40)
    default: [bytes]
    }
  if mode == "unseen" {
    let half = bytes.count / 2
    _ = encoding.count(utf8: Array(bytes[..<half]))
    let rest = Array(bytes[half...])
    let start = now()
    let tokens = encoding.count(utf8: rest)
    print("{\"tokens\": \(tokens), \"load\": \(load), \"times\": [\(now() - start)]}")
    return
  }
  var tokens = 0
  var times: [Double] = []
  for _ in 0..<repeats {
    tokens = 0
    let start = now()
    for part in parts {
      tokens += mode == "encode" ? encoding.encode(utf8: part).count : encoding.count(utf8: part)
    }
    times.append(now() - start)
  }
  let listed = times.map { "\($0)" }.joined(separator: ", ")
  print("{\"tokens\": \(tokens), \"load\": \(load), \"times\": [\(listed)]}")
}

/// Cuts into parts of about `size` bytes, never within a character.
private func pieces(_ bytes: [UInt8], of size: Int) -> [[UInt8]] {
  var result: [[UInt8]] = []
  var start = 0
  while start < bytes.count {
    var end = min(start + size, bytes.count)
    while end < bytes.count && bytes[end] & 0xC0 == 0x80 { end += 1 }
    result.append(Array(bytes[start..<end]))
    start = end
  }
  return result
}
