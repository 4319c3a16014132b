/// The checksum of an API key: it tells a typing error from a key, it protects nothing.
///
/// - Source: ISO/IEC 3309 (the CRC of zip and PNG): polynomial 0xEDB88320, reflected.
enum CRC32 {
  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var register: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      register ^= UInt32(byte)
      for _ in 0..<8 {
        register = register & 1 == 1 ? register >> 1 ^ 0xEDB8_8320 : register >> 1
      }
    }
    return ~register
  }
}
