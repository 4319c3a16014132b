import Store

/// Times as people write them: `2026-11-24T15:04:05Z`, with up to six digits of a second.
///
/// - Source: RFC 3339, section 5.6; the calendar by counting days in 400-year cycles.
enum RFC3339 {
  /// UTC, without needless zeros.
  static func text(_ time: Timestamp) -> String {
    let (seconds, micros) = floorDivision(time.microseconds, 1_000_000)
    let (days, second) = floorDivision(seconds, 86400)
    let date = date(days)
    var text = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T"
    text += "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    if micros > 0 {
      var fraction = padded(micros, 6)
      while fraction.hasSuffix("0") { fraction.removeLast() }
      text += ".\(fraction)"
    }
    return text + "Z"
  }

  /// Reads a time with `Z` or an offset; nil for anything else.
  static func time(_ text: String) -> Timestamp? {
    let pattern =
      /(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:[Zz]|([+-])(\d\d):(\d\d))/
      .asciiOnlyDigits()
    guard let match = text.wholeMatch(of: pattern)?.output,
      let year = Int64(match.1), let month = Int64(match.2), let day = Int64(match.3),
      let hour = Int64(match.4), let minute = Int64(match.5), let second = Int64(match.6),
      year > 0, (1...12).contains(month), day >= 1, hour < 24, minute < 60, second < 60
    else { return nil }
    let count = days(year: year, month: month, day: day)
    guard date(count).day == day else { return nil }
    let fraction = match.7.map { String($0) } ?? ""
    let micros = Int64(fraction + String(repeating: "0", count: 6 - fraction.count)) ?? 0
    var offset: Int64 = 0
    if let sign = match.8, let hours = match.9.flatMap({ Int64($0) }),
      let minutes = match.10.flatMap({ Int64($0) })
    {
      guard hours < 24, minutes < 60 else { return nil }
      offset = (hours * 60 + minutes) * 60 * (sign == "-" ? -1 : 1)
    }
    let total = count * 86400 + hour * 3600 + minute * 60 + second - offset
    return Timestamp(microseconds: total * 1_000_000 + micros)
  }

  /// Days since 1970-01-01 in the proleptic Gregorian calendar; years begin in March here.
  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let marchYear = month > 2 ? year : year - 1
    let (cycle, yearOfCycle) = floorDivision(marchYear, 400)
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    let dayOfCycle = yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
    // 719,468 days from 0000-03-01 to 1970-01-01; 146,097 in a cycle.
    return cycle * 146_097 + dayOfCycle - 719_468
  }

  private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (cycle, day) = floorDivision(days + 719_468, 146_097)
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
    let dayOfYear = day - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    let isAfterNewYear: Int64 = month >= 10 ? 1 : 0
    return (
      cycle * 400 + year + isAfterNewYear, (month + 2) % 12 + 1,
      dayOfYear - (153 * month + 2) / 5 + 1
    )
  }

  private static func floorDivision(_ a: Int64, _ b: Int64) -> (Int64, Int64) {
    let rest = a % b
    return rest < 0 ? (a / b - 1, rest + b) : (a / b, rest)
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension Sheet.Cell {
  static func time(_ time: Timestamp?) -> Sheet.Cell { .text(time.map { RFC3339.text($0) }) }
}
