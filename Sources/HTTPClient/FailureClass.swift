import CCurl

extension HTTPClientError.Cause {
  /// What curl's code means.
  ///
  /// - Parameters:
  ///   - wasSent: whether a byte of the request left.
  ///   - headCame: whether the whole head of the answer came.
  init(curlCode code: Int32, wasSent: Bool, headCame: Bool) {
    switch CURLcode(UInt32(code)) {
    // A connection that ends inside the head is a success to curl.
    case CURLE_OK: self = .cut
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: self = .resolve
    case CURLE_COULDNT_CONNECT: self = .connect
    case CURLE_OPERATION_TIMEDOUT: self = wasSent ? .totalTimeout : .connectTimeout
    case CURLE_URL_MALFORMAT: self = .invalidRequest
    // The scheme before sending; HTTP/0.9 after it.
    case CURLE_UNSUPPORTED_PROTOCOL: self = wasSent ? .malformed : .invalidRequest
    case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: self = .malformed
    case CURLE_PARTIAL_FILE: self = .cut
    case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_SEND_FAIL_REWIND,
      CURLE_HTTP2, CURLE_HTTP2_STREAM:
      self = headCame ? .cut : wasSent ? .reset : .connect
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
      CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CRL_BADFILE,
      CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
      CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_SHUTDOWN_FAILED, CURLE_USE_SSL_FAILED:
      self = .tls
    default: self = .other
    }
  }
}
