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
