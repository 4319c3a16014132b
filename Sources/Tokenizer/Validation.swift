/// Whether bytes are valid UTF-8 (Unicode 16.0, table 3-7): no overlong form, no surrogate,
/// nothing past U+10FFFF, nothing cut off.
func isValidUTF8(_ text: ByteText) -> Bool {
  var at = 0
  while at < text.count {
    if at + 8 <= text.count, text.word(at: at) & 0x8080_8080_8080_8080 == 0 {
      at += 8
      continue
    }
    let lead = text[at]
    if lead < 0x80 {
      at += 1
      continue
    }
    repeat {
      let length = sequenceLength(text, at)
      if length == 0 { return false }
      at += length
    } while at < text.count && text[at] >= 0x80
  }
  return true
}

/// The length of the well-formed sequence at `at`, whose lead is 0x80 or more; 0 if there is none.
@inline(__always)
private func sequenceLength(_ text: ByteText, _ at: Int) -> Int {
  let lead = text[at]
  func isTail(_ offset: Int) -> Bool { text[at + offset] & 0xC0 == 0x80 }
  let room = text.count - at
  switch lead {
  case 0xC2...0xDF:
    return room >= 2 && isTail(1) ? 2 : 0
  case 0xE0...0xEF:
    guard room >= 3, isTail(1), isTail(2) else { return 0 }
    let second = text[at + 1]
    if lead == 0xE0 && second < 0xA0 || lead == 0xED && second > 0x9F { return 0 }
    return 3
  case 0xF0...0xF4:
    guard room >= 4, isTail(1), isTail(2), isTail(3) else { return 0 }
    let second = text[at + 1]
    if lead == 0xF0 && second < 0x90 || lead == 0xF4 && second > 0x8F { return 0 }
    return 4
  default:
    return 0
  }
}
