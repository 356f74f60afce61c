// Times and texts for logs and terminals.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct TextsForLogsTests {
    @Test func `times in messages are rounded down, and those that no date has are said as they are`() {
        #expect(Timestamp.text(noon) == "2026-08-03T00:00:00Z")
        #expect(Timestamp.text(noon + 0.999) == "2026-08-03T00:00:00Z")
        #expect(Timestamp.text(Date(timeIntervalSince1970: -0.5)) == "1969-12-31T23:59:59Z")
        for seconds in [
            1e12, -1e12, 9e18, 1e300, -1e300, .infinity, -.infinity, .nan, 253_402_300_800, -12_212_553_601,
        ] {
            let date = Date(timeIntervalSince1970: seconds)
            #expect(Timestamp.text(date) == "@\(date.timeIntervalSince1970)")
            #expect("\(OpenError.expired(date))".hasPrefix("expired at @"))
        }
    }

    @Test func `times are written as Foundation writes them, and read back`() throws {
        // Seconds spread over the day.
        var number: Int64 = 0
        func check(_ day: String) throws {
            number += 1
            let seconds = try #require(Timestamp.seconds("\(day)T00:00:00Z")) + number * 7919 % 86_400
            let text = try #require(Timestamp.text(secondsSince1970: seconds))
            #expect(text.hasPrefix(day) && Timestamp.seconds(text) == seconds)
            #expect(text == Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601))
        }
        for year in 1583...9999 {
            for day in ["01-01", "02-28", "03-01", "12-31"] { try check("\(year)-\(day)") }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            #expect((Timestamp.seconds("\(year)-02-29T12:00:00Z") != nil) == isLeap)
            if isLeap { try check("\(year)-02-29") }
        }
        let first = try #require(Timestamp.seconds("2026-01-01T00:00:00Z"))
        for day in 0..<Int64(4 * 365 + 1) {
            let text = try #require(Timestamp.text(secondsSince1970: first + day * 86_400))
            try check(String(text.prefix(10)))
        }
        let ends = (
            Timestamp.seconds("1583-01-01T00:00:00Z") ?? 0, Timestamp.seconds("9999-12-31T23:59:59Z") ?? 0
        )
        #expect(Timestamp.text(secondsSince1970: ends.0 - 1) == nil)
        #expect(Timestamp.text(secondsSince1970: ends.1 + 1) == nil)
    }

    @Test func `a time in any other form than ours is none`() {
        for text in [
            "", "2026-08-03T00:00:00", "2026-08-03T00:00:00ZZ", "2026-08-03T00:00:00z",
            "2026-08-03t00:00:00Z",
            "2026-08-03 00:00:00Z", "2026/08/03T00:00:00Z", "2026-08-03T00.00.00Z", "+026-08-03T00:00:00Z",
            "2026-8-003T00:00:00Z", "2026-08-03T00:00:0aZ", "2026-08-03T00:00:0:Z", "2026-08-03T00:00:/0Z",
            "2026-02-30T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z", "2026-08-03T24:00:00Z",
            "2026-08-03T00:60:00Z", "2026-12-31T23:59:60Z", "1582-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
            "2026-08-03T00:00:0\u{661}", "é026-08-03T00:00:0Z", "9999-99-99T99:99:99Z",
            "\0\0\0\0-\0\0-\0\0T\0\0:\0\0:\0\0Z",
        ] {
            #expect(Timestamp.seconds(text) == nil, "\(text)")
        }
        #expect(Timestamp.seconds("2028-02-29T23:59:59Z") == 1_835_481_599)
        #expect(Timestamp.seconds("2000-02-29T00:00:00Z") == 951_782_400)
    }

    @Test func `a clock within a second counts as it is`() throws {
        let sealer = try loginSealer(sampleRing(1), lifetime: .init(absolute: .hours(1), idle: .minutes(10)))
        let token = try sealer.seal(login, at: noon + 0.9).token
        let opened = try sealer.open(value: token, at: noon - 60)
        #expect(opened.createdAt == noon && opened.sealedAt == noon)
        #expect(throws: OpenError.inFuture(noon)) { try sealer.open(value: token, at: noon - 60.001) }
        #expect(try sealer.open(value: token, at: noon + 599.999).session == login)
        #expect(throws: OpenError.expired(noon + 600)) { try sealer.open(value: token, at: noon + 600) }
        let again = try sealer.open(value: sealer.reseal(opened, at: noon + 5.9).token, at: noon + 6)
        #expect(again.createdAt == noon && again.sealedAt == noon + 5)
    }

    @Test func `what acts on a terminal is escaped, and nothing else`() {
        let acting: [UInt32] = [
            0x7F, 0x80, 0x85, 0x9F, 0x061C, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A, 0x202E, 0x2066, 0x2069,
        ]
        for value in acting {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let digits = String(value, radix: 16)
            let escape = "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            #expect(TerminalJSON.escaping("\"a\(Character(scalar))b\"") == "\"a\(escape)b\"")
            #expect("a\(Character(scalar))b".printable == "a\\u{\(digits)}b")
        }
        for text in ["~", "é", "日本語", "😀", "\u{A0}", "e\u{301}"] {
            #expect(TerminalJSON.escaping(text) == text)
        }
        #expect(String(repeating: "x", count: 64).printable == String(repeating: "x", count: 64))
        #expect(String(repeating: "x", count: 65).printable == String(repeating: "x", count: 64) + "…")
    }

    @Test func `a secret is not shown, alone or within another value`() {
        struct Holder {
            var secret = Secret("hunter2")
            var list = [Secret("hunter2")]
        }
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        dump(Holder(), to: &dumped)
        for text in [
            "\(secret)", String(reflecting: secret), "\(Holder())", "\(Optional(secret) as Any)",
            "\([secret])", dumped,
        ] {
            #expect(!text.contains("hunter2"), "\(text)")
        }
        #expect("\(secret)" == "Secret" && Mirror(reflecting: secret).children.isEmpty)
    }

    @Test func `the words of a place say control characters and no more than 64 characters of a name`() throws
    {
        struct Failing: Encodable, Sendable {
            func encode(to encoder: any Encoder) throws {
                throw EncodingError.invalidValue(
                    1, .init(codingPath: encoder.codingPath, debugDescription: "the value is 1"))
            }
        }
        #expect(
            throws: SealError.notEncodable(codingPath: ["a\\u{1b}[31m"], reason: "an invalid value")
        ) {
            do {
                _ = try CBOREncoder.encode(["a\u{1B}[31m": Failing()])
            } catch {
                throw SealError(encoding: error, limit: CBORLimits.itemBytes)
            }
        }
    }
}
