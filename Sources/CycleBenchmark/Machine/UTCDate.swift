internal import Glibc

/// The time of day for a report.
package enum UTCDate {
    /// Now, as `2026-11-26 06:05 UTC`.
    package static var now: String { text(time(nil)) }

    /// `seconds` since 1970.
    static func text(_ seconds: Int) -> String {
        let (day, minute) = (seconds / 86400, seconds % 86400 / 60)
        // The Gregorian calendar from 0000-03-01 on, in eras of 400 years: every leap day is the last of its year.
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let date = [month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1]
        let year = 400 * era + yearOfEra + (month < 10 ? 0 : 1)
        return "\(year)-\(date.map(digits).joined(separator: "-"))"
            + " \([minute / 60, minute % 60].map(digits).joined(separator: ":")) UTC"
    }

    private static func digits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
