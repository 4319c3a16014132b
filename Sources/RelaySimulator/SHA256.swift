import COpenSSL

/// SHA-256 by OpenSSL; the pointers are two arrays, borrowed for one call.
enum SHA256 {
  static func digest(of bytes: ArraySlice<UInt8>) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: 32) { result, count in
      unsafe bytes.withUnsafeBufferPointer { input in
        _ = unsafe COpenSSL.SHA256(input.baseAddress, input.count, result.baseAddress)
      }
      count = 32
    }
  }

  static func hexadecimal(of bytes: ArraySlice<UInt8>) -> String {
    let digits = Array("0123456789abcdef")
    var text = ""
    for byte in digest(of: bytes) {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return text
  }
}
