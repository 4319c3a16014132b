import HTTPClient

/// How long a relay asks us to wait.
///
/// - Shape: `Retry-After` in seconds or as a date in the fixed format, which is compared with the
///   answer's own `Date`; or `Retry-After-Ms`, which some providers send.
/// - Source: RFC 9110, sections 5.6.7 and 10.2.3.
enum RetryAfter {
  /// A longer wish is cut to this; it is past every generation's limit anyway.
  static let secondsMax: Int64 = 86_400

  static func read(_ head: HTTPResponseHead) -> Duration? {
    if let text = head.header("retry-after-ms"), let milliseconds = Int64(text), milliseconds >= 0 {
      return .milliseconds(min(milliseconds, secondsMax * 1000))
    }
    guard let text = head.header("retry-after") else { return nil }
    if let seconds = Int64(text) {
      return seconds >= 0 ? .seconds(min(seconds, secondsMax)) : nil
    }
    guard let wanted = seconds(of: text), let sent = head.header("date").flatMap(seconds(of:))
    else { return nil }
    return .seconds(min(max(wanted - sent, 0), secondsMax))
  }

  /// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`.
  static func seconds(of text: String) -> Int64? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), (1...31).contains(day),
      let month = months.firstIndex(of: String(parts[2])), let year = Int64(parts[3]),
      (1970...9999).contains(year)
    else { return nil }
    let clock = parts[4].split(separator: ":").compactMap { Int64($0) }
    guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]),
      (0...60).contains(clock[2])
    else { return nil }
    let days = dayNumber(year: year, month: Int64(month) + 1, day: day)
    return days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Days since 1970-01-01 in the Gregorian calendar, with years that begin in March.
  private static func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month > 2 ? year : year - 1
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
  }
}
