extension Wire {
  /// The domain of every `ErrorInfo` of ours.
  public static let errorDomain = "recount.v1"
}

extension Wire.ErrorInfo {
  /// The cause of one of our errors.
  public init(reason: Wire.ErrorReason, metadata: [String: String] = [:]) {
    self.init(reason: reason.name, domain: Wire.errorDomain, metadata: metadata)
  }
}

extension Wire.BadRequest {
  /// One wrong field.
  public init(field: String, description: String) {
    self.init(fieldViolations: [FieldViolation(field: field, description: description)])
  }

  /// The field that decoding refused; nil where the error is about no field.
  public init?(_ error: MessageError) {
    guard case .invalidField(let path, let reason) = error else { return nil }
    self.init(field: path, description: reason.rawValue)
  }
}

extension Wire.RetryInfo {
  /// Try again after this time.
  public init(after delay: Duration) {
    self.init(retryDelay: Wire.Duration(delay))
  }
}

extension Wire.Status {
  /// A status with its details packed; its encoding is the value of `grpc-status-details-bin`.
  public init(code: Wire.Code, message: String, details: [any WireMessage]) {
    self.init(
      code: code.rawValue, message: message, details: details.map { Wire.PackedAny(packing: $0) })
  }

  /// The first detail of a type; nil where there is none.
  ///
  /// - Throws: what decoding that detail throws.
  public func detail<M: WireMessage>(_ type: M.Type) throws(MessageError) -> M? {
    for detail in details {
      if let message = try detail.unpacked(as: type) { return message }
    }
    return nil
  }
}

extension Wire.PackedAny {
  private static let urlPrefix = "type.googleapis.com/"

  /// A message with its type's name.
  public init(packing message: some WireMessage) {
    self.init(
      typeURL: Self.urlPrefix + Swift.type(of: message).protoName, value: message.encode())
  }

  /// The message, or nil where it is of another type.
  public func unpacked<M: WireMessage>(as type: M.Type) throws(MessageError) -> M? {
    // Only what follows the last slash names the type.
    let name = typeURL.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    guard name == M.protoName else { return nil }
    return try M(decoding: value)
  }
}
