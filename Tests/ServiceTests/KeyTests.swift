import Domain
import GRPCWire
import Logging
import Messages
import Testing

@testable import Service

extension ServiceLog {
  static let silent = ServiceLog(Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
}

@Suite struct KeyTests {
  private func reason(_ entries: [(String, String)]) -> Wire.ErrorReason? {
    var metadata = Metadata()
    for (name, value) in entries { metadata.add(name, value) }
    do throws(Failure) {
      _ = try APIKey(from: metadata)
      return nil
    } catch {
      return error.reason
    }
  }

  @Test func aKeyIsTaken() throws {
    let key = try APIKey.generate()
    for scheme in ["Bearer", "bearer", "BEARER"] {
      #expect(reason([("authorization", "\(scheme) \(key.text)")]) == nil)
    }
  }

  @Test func whatIsWrongIsSaid() throws {
    let key = try APIKey.generate().text
    #expect(reason([]) == .apiKeyMissing)
    #expect(reason([("authorization", "")]) == .apiKeyMissing)
    for wrong in [
      key, "Bearer", "Bearer Bearer \(key)", "Basic \(key)", "Bearer \(key) x",
      "Bearer \(key.dropLast())", "Bearer sk-\(key)", "Bearer Bearer",
    ] {
      #expect(reason([("authorization", wrong)]) == .apiKeyMalformed, "\(wrong.count)")
    }
    #expect(reason([("x-api-key", key)]) == .apiKeyMalformed)
    let twice = [("authorization", "Bearer \(key)"), ("authorization", "Bearer \(key)")]
    #expect(reason(twice) == .apiKeyMalformed)
  }

  @Test func refusalsNeverQuoteTheKey() throws {
    let key = try APIKey.generate().text
    var metadata = Metadata()
    metadata.add("authorization", "Bearer \(key)x")
    do throws(Failure) {
      _ = try APIKey(from: metadata)
      Issue.record("a broken key was taken")
    } catch {
      #expect(!"\(error)".contains(key.dropFirst(20)))
    }
  }
}
