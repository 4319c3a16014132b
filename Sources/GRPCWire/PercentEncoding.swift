/// The encoding of `grpc-message`: UTF-8 in which all but printable ASCII, and the percent sign,
/// is written as `%XX`.
///
/// - Source: gRPC over HTTP/2, "Status-Message"; RFC 3986, section 2.1.
public enum PercentEncoding {
  /// Encodes a message, cut before the character that would pass
  /// `GRPCWireLimits.statusMessageBytesMax`.
  public static func encode(_ message: String) -> [UInt8] {
    var encoded: [UInt8] = []
    encoded.reserveCapacity(message.utf8.count)
    for character in message.unicodeScalars {
      let before = encoded.count
      for byte in UTF8.encode(character)! { append(byte, to: &encoded) }
      if encoded.count > GRPCWireLimits.statusMessageBytesMax {
        encoded.removeSubrange(before...)
        break
      }
    }
    return encoded
  }

  /// Decodes a message; a percent sign that begins no `%XX` stands for itself, and invalid UTF-8
  /// is repaired, since a damaged message must not hide a status.
  public static func decode(_ encoded: [UInt8]) -> String {
    var bytes: [UInt8] = []
    var index = 0
    while index < encoded.count {
      if encoded[index] == percent, index + 2 < encoded.count,
        let high = nibble(encoded[index + 1]), let low = nibble(encoded[index + 2])
      {
        bytes.append(high << 4 | low)
        index += 3
      } else {
        bytes.append(encoded[index])
        index += 1
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let percent = UInt8(ascii: "%")

  private static func append(_ byte: UInt8, to encoded: inout [UInt8]) {
    if case 0x20...0x7E = byte, byte != percent {
      encoded.append(byte)
    } else {
      encoded += [percent, digit(byte >> 4), digit(byte & 0xF)]
    }
  }

  private static func digit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? 0x30 + nibble : 0x41 + nibble - 10
  }

  private static func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x41 + 10
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }
}
