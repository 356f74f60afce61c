// Whole items: passed on unchanged, equal, large, and with exact numbers.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct WholeItemTests {
    @Test func `an item that was handed on is sealed again with its byte strings out of the stream`() throws {
        struct Session: Codable, Sendable {
            var text = "the same words, the same words, the same words"
            var secret = Secret("the same words, the same words")
            var more = ["id": Secret(["bytes": Data("the same words".utf8)])]
        }
        let plain = try CBOREncoder.encode(Session())
        func sealer(_ compression: SessionCompression) throws -> CookieSealer<EncodedSession> {
            try CookieSealer(
                "s", keys: sampleRing(1), lifetime: .init(absolute: .days(1)), compression: compression)
        }
        for first in [SessionCompression.off, .standard] {
            let token = try sealer(first).seal(EncodedSession(plain), at: noon).token
            let opened = try sealer(.standard).open(value: token, at: noon)
            #expect(opened.session.bytes == plain.bytes)
            // The same size as if it had never been opened: nothing of a secret reached the compressor.
            let again = try sealer(.standard).reseal(opened, at: noon)
            let direct = try sealer(.standard).seal(EncodedSession(plain), at: noon)
            #expect(again.tokenLength == direct.tokenLength)
            #expect(try opened.session.item(limit: CBORLimits.itemBytes) == plain)
        }
    }

    @Test func `encoded sessions are equal if their bytes are`() throws {
        #expect(try EncodedSession([0x01]) == EncodedSession([0x01]))
        #expect(try EncodedSession([0x01]) != EncodedSession([0x02]))
        #expect(try EncodedSession([0x61, 0x61]) != EncodedSession([0x61, 0x62]))
    }

    /// An item of more than 16 KiB is read twice.
    @Test func `large items of tags inside tags are checked as small ones are`() throws {
        let parts: [String] = [
            "c4822003", "c48201c249010000000000000000", "d903e9a201182a2801", "d903e9a20120311901f4",
            "d8184401020304",
            "d818428101", "d82550000102030405060708090a0b0c0d0e0f", "c249010000000000000000",
            "a2016161026162", "c11a6a6fda00",
        ]
        for part in parts {
            let bytes = try #require([UInt8](hex: part))
            let isItem = (try? CheckedItem(parsing: bytes)) != nil
            let count = 20_000 / bytes.count
            let large =
                [0x99, UInt8(count >> 8), UInt8(count & 255)]
                + [[UInt8]](repeating: bytes, count: count).joined()
            guard isItem else {
                #expect(throws: CBORFailure.self, "\(part)") { try CheckedItem(parsing: large) }
                continue
            }
            let value = CBORValue(try CheckedItem(parsing: large))
            guard case .array(let elements) = value else {
                Issue.record("\(part): no array")
                continue
            }
            let one = CBORValue(try CheckedItem(parsing: bytes))
            #expect(elements.count == count && elements.allSatisfy { $0 == one }, "\(part)")
            #expect(try CBOREncoder.encode(value).bytes == large, "\(part)")
        }
    }

    @Test func `dates of now take nanoseconds where a float since 1970 would not give them back`() throws {
        var extended = 0
        for index in 0..<2_000 {
            let date = Date(timeIntervalSinceReferenceDate: 8e8 + Double(index) * 0.123_456_789_123)
            guard case .extended(_, let scale, _) = CBORTime(date) else { continue }
            #expect(scale == .nano && CBORTime(date).date == date)
            extended += 1
        }
        #expect(extended > 500)
    }

    @Test func `a decimal number is decoded exactly or not at all`() throws {
        var (exact, refused) = (0, 0)
        let mantissas: [UInt128] = [
            .max, .max - 4, .max / 10, 10_000_000_000_000_000_000_000_000_000_000_000_001, 7,
        ]
        for mantissa in mantissas {
            for exponent in Set<Int64>([
                -300, -200, -167, -166, -165, -129, -128, -127, -39, -1, 0, 1, 89, 90, 127, 128, 129, 200,
                300,
            ]) {
                let number = CBORDecimal(
                    exponent: exponent, mantissa: CBORInteger(isNegative: false, magnitude: mantissa))
                let index = try CheckedItem(parsing: number.encoded.bytes)
                guard let decoded = try? CBORDecoder.decode(Decimal.self, from: index) else {
                    refused += 1
                    continue
                }
                // According to its digits: the mantissa, and as many zeros as the exponent says.
                #expect(
                    Self.digits(decoded) == Self.digits("\(mantissa)", exponent), "\(mantissa)e\(exponent)")
                exact += 1
            }
        }
        #expect(exact > 20 && refused > 5)
    }

    /// A decimal's digits without zeros at either end, and the power of ten of the last one.
    private static func digits(_ value: Decimal) -> [String] {
        let parts = value.description.split(separator: ".", omittingEmptySubsequences: false)
        return digits(parts.joined(), parts.count > 1 ? -Int64(parts[1].count) : 0)
    }

    private static func digits(_ text: String, _ exponent: Int64) -> [String] {
        var (text, exponent) = (String(text.drop { $0 == "0" }), exponent)
        while text.hasSuffix("0") {
            text.removeLast()
            exponent += 1
        }
        return [text, "\(exponent)"]
    }
}
