import Glibc

/// The wall's time, and the calendar of UTC.
enum WallClock {
  /// Microseconds since 1970, UTC.
  static var microseconds: Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }

  private static let dayMicroseconds: Int64 = 86_400_000_000

  /// The first moment, UTC, of the month that a moment is in.
  static func startOfMonth(_ microseconds: Int64) -> Int64 {
    let days = floorDivide(microseconds, dayMicroseconds)
    return (days - (date(days).day - 1)) * dayMicroseconds
  }

  /// RFC 3339 in whole seconds, UTC.
  static func text(_ microseconds: Int64) -> String {
    let seconds = floorDivide(microseconds, 1_000_000)
    let days = floorDivide(seconds, 86_400)
    let (year, month, day) = date(days)
    let rest = seconds - days * 86_400
    func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
    let time = "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))"
    return "\(year)-\(two(month))-\(two(day))T\(time)Z"
  }

  /// The Gregorian date of a day counted from 1970-01-01.
  ///
  /// Years are counted from March, so that the leap day ends one, in eras of 400 years (146,097
  /// days), within which the pattern repeats.
  private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let fromMarch0000 = days + 719_468
    let era = floorDivide(fromMarch0000, 146_097)
    let dayOfEra = fromMarch0000 - era * 146_097
    let leapDays = dayOfEra / 1460 - dayOfEra / 36_524 + dayOfEra / 146_096
    let yearOfEra = (dayOfEra - leapDays) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    // Five months have 153 days, from March on.
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    value / divisor - (value % divisor < 0 ? 1 : 0)
  }
}
