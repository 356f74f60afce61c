// Points in time as text: RFC 3339 in UTC, whole seconds. Used by the key ring, the CLI and the JSON view.
#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

package enum Timestamp {
    /// `2026-08-03T00:00:00Z`; nil outside the years 1583 to 9999, since earlier years have another calendar.
    package static func text(secondsSince1970 seconds: Int64) -> String? {
        // 1583-01-01 to 9999-12-31.
        guard (-12_212_553_600...253_402_300_799).contains(seconds) else { return nil }
        return Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }

    /// Nil for anything but the exact form that `text(secondsSince1970:)` writes.
    package static func seconds(_ text: some StringProtocol) -> Int64? {
        guard text.utf8.count == 20, let date = try? Date(String(text), strategy: .iso8601) else {
            return nil
        }
        let seconds = Int64(date.timeIntervalSince1970)
        // The parser accepts looser forms, such as other separators or a 30th of February.
        return self.text(secondsSince1970: seconds) == String(text) ? seconds : nil
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
