// Points in time as text: RFC 3339 in UTC, whole seconds. Used by the key ring, the CLI and the JSON view.
#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// Computed here, not by Foundation's formatter: that has a lock, and a fork's child would wait forever for a thread
/// of its parent that holds it.
package enum Timestamp {
    /// `2026-08-03T00:00:00Z`; nil outside the years 1583 to 9999, since earlier years have another calendar.
    package static func text(secondsSince1970 seconds: Int64) -> String? {
        bytes(secondsSince1970: seconds).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Nil for anything but the exact form that `text(secondsSince1970:)` writes.
    package static func seconds(_ text: some StringProtocol) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == form.count else { return nil }
        // Of other bytes than digits this is some number, from which other bytes come back.
        func number(_ digits: Range<Int>) -> Int64 {
            bytes[digits].reduce(0) { $0 * 10 + Int64($1) - Int64(UInt8(ascii: "0")) }
        }
        let days = days(year: number(0..<4), month: number(5..<7), day: number(8..<10))
        let seconds = days * 86_400 + number(11..<13) * 3600 + number(14..<16) * 60 + number(17..<19)
        return self.bytes(secondsSince1970: seconds) == bytes ? seconds : nil
    }

    private static let form = Array("0000-00-00T00:00:00Z".utf8)
    /// From 0000-03-01 to 1970-01-01. With years that begin in March, a leap day is the last of its year.
    private static let daysBefore1970: Int64 = 719_468
    private static let daysIn400Years: Int64 = 146_097

    private static func bytes(secondsSince1970 seconds: Int64) -> [UInt8]? {
        // 1583-01-01 to 9999-12-31.
        guard (-12_212_553_600...253_402_300_799).contains(seconds) else { return nil }
        let (days, second) = (seconds + daysBefore1970 * 86_400).quotientAndRemainder(dividingBy: 86_400)
        let (year, month, day) = date(days)
        var bytes = form
        func write(_ number: Int64, before end: Int, count: Int) {
            var rest = number
            for place in (end - count..<end).reversed() {
                bytes[place] += UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
        }
        write(year, before: 4, count: 4)
        write(month, before: 7, count: 2)
        write(day, before: 10, count: 2)
        write(second / 3600, before: 13, count: 2)
        write(second / 60 % 60, before: 16, count: 2)
        write(second % 60, before: 19, count: 2)
        return bytes
    }

    /// The days from 1970-01-01 to a date. A date that is not in the calendar gives some other number.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let isLate = month > 2
        let marchYear = isLate ? year : year - 1
        let dayOfYear = (153 * (isLate ? month - 3 : month + 9) + 2) / 5 + day - 1
        return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear
            - daysBefore1970
    }

    /// The date so many days after 0000-03-01.
    private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = days.quotientAndRemainder(dividingBy: daysIn400Years)
        // Without the leap days: one in 4 years, none in 100, one in 400.
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // Five months from March or August on have 153 days.
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }

    /// `date` with its seconds rounded up; nil if `text(secondsSince1970:)` cannot write it.
    static func wholeSeconds(_ date: Date) -> Date? {
        let seconds = date.timeIntervalSince1970.rounded(.up)
        guard abs(seconds) < 1e12, text(secondsSince1970: Int64(seconds)) != nil else { return nil }
        return Date(timeIntervalSince1970: seconds)
    }

    /// Like `text(secondsSince1970:)`, with seconds rounded down, for messages.
    package static func text(_ date: Date) -> String {
        let seconds = date.timeIntervalSince1970
        guard abs(seconds) < 1e12 else { return "@\(seconds)" }
        return text(secondsSince1970: Int64(seconds.rounded(.down))) ?? "@\(seconds)"
    }
}
