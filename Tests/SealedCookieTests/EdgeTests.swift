// Edges that no vector reaches: of compression and training, of items as they are, of times and texts for logs.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct EdgeTests {
    private let times = SessionTimes(created: 1, age: 0, lifetime: nil)

    private func payload(_ item: CBORItem, _ compression: SessionCompression) throws -> (
        flags: UInt8, count: Int
    ) {
        let payload = try CompressedPayload(
            compressing: SessionPayload(times: times, item: item), by: compression, headroom: 0, tailroom: 0)
        return (payload.bytes[0], payload.range.count)
    }

    private func text(_ characters: [UInt8]) -> CBORItem {
        CBORItem(
            bytes: (characters.count < 24
                ? [0x60 + UInt8(characters.count)] : [0x78, UInt8(characters.count)]) + characters,
            byteStrings: [])
    }

    // MARK: Compression

    @Test func `nothing is compressed where compression is off, whatever it would save`() throws {
        let item = text([UInt8](repeating: 0x61, count: 200))
        let (flags, count) = try payload(item, .off)
        #expect(flags == 0 && count == 6 + item.bytes.count)
        #expect(try payload(item, .standard).count < 30)
    }

    @Test func `a session that has nothing of a dictionary is compressed without it`() throws {
        let own = try CompressionDictionary(Array("abcdefghijklmnopqrstuvwxyz".utf8))
        let item = text(Array(String(repeating: "QZ4X~", count: 20).utf8))
        #expect(try payload(item, .dictionaries([own])).flags == 1)
        #expect(try payload(item, .standard).flags == 1)
        #expect(try payload(text(Array("abcdefghijklmnopqrstuvwxyz".utf8)), .dictionaries([own])).flags == 9)
    }

    /// The name of four bytes counts: with it a body may be no shorter than the item.
    @Test func `a dictionary is used if its name and the stream are shorter than the item, and only then`()
        throws
    {
        let words = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
        let own = try CompressionDictionary(words)
        let stream = try Deflater(dictionary: words, reach: .short)
        var differences: Set<Int> = []
        for shared in 6...20 {
            for other in 0...30 {
                let item = text(words.prefix(shared) + (0..<other).map { UInt8(0x21 + $0 % 15) })
                let (flags, count) = try payload(item, .dictionaries([own]))
                var compressed: [UInt8] = []
                try #require(stream.compress(item.bytes.span, appendingTo: &compressed, limit: 1000))
                let difference = 4 + compressed.count - item.bytes.count
                #expect(flags == (difference < 0 ? 9 : 0), "\(shared) and \(other)")
                #expect(count == 6 + item.bytes.count + min(difference, 0), "\(shared) and \(other)")
                differences.insert(difference)
            }
        }
        #expect(differences.isSuperset(of: [-1, 0, 1]))
    }

    @Test func `of an application's dictionaries the last one seals, and all open`() throws {
        let own = try ["first words, first words", "second words, second", "third words, third words"].map {
            try CompressionDictionary(Array($0.utf8))
        }
        for count in 1...3 {
            let compression = SessionCompression.dictionaries(Array(own.prefix(count)))
            #expect(compression.sealingIndex.map { compression.dictionaries[$0] } == own[count - 1])
            let all = try CookieSealer<String>(
                "s", keys: sampleRing(1), lifetime: .init(absolute: .days(1)), compression: .dictionaries(own)
            )
            let sealer = try CookieSealer<String>(
                "s", keys: sampleRing(1), lifetime: .init(absolute: .days(1)), compression: compression)
            let session = "first words, second words, third words"
            let token = try sealer.seal(session, at: noon).token
            let opened = try all.open(value: token, at: noon)
            #expect(opened.session == session)
            #expect(!opened.needsResealing)
        }
    }

    @Test func `a trained dictionary has its most frequent words last, and is no larger than one may be`()
        throws
    {
        func sessions(_ word: String, _ count: Int) throws -> [CBORItem] {
            try (0..<count).map { try CBOREncoder.encode([word: $0]) }
        }
        let items =
            try sessions("seldomxyz1one", 2) + sessions("frequentabc2", 9)
            + sessions("otherklmno3", 4)
        let all = try #require(try CompressionDictionary.trained(on: items, size: 2048))
        let words = String(decoding: all.content, as: UTF8.self)
        let places = ["seldomxyz1one", "otherklmno3", "frequentabc2"].map {
            words.range(of: $0.dropLast(3))?.lowerBound
        }
        let found = places.compactMap { $0 }
        #expect(found.count == 3 && found == found.sorted())
        // Where there is room for one alone, it is the most frequent.
        let small = try #require(try CompressionDictionary.trained(on: items, size: 18))
        #expect(String(decoding: small.content, as: UTF8.self).contains("frequenta"))
        // Many long ones have more in common than a dictionary may hold.
        let long = (0..<8_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3 ^ $0) & 0x3F | 0x40 }
        let large = try CBOREncoder.encode(String(decoding: long, as: UTF8.self))
        let most = try #require(try CompressionDictionary.trained(on: [large, large], size: 100_000))
        #expect(most.content.count <= CompressionDictionary.largest)
    }

    // MARK: Items as they are

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
            // The same size as if it had never been opened: nothing of a secret met the compressor.
            let again = try sealer(.standard).reseal(opened, at: noon)
            let direct = try sealer(.standard).seal(EncodedSession(plain), at: noon)
            #expect(again.tokenBytes == direct.tokenBytes)
            #expect(try opened.session.item(limit: CBORLimits.itemBytes) == plain)
        }
    }

    @Test func `encoded sessions are equal if their bytes are`() throws {
        #expect(try EncodedSession([0x01]) == EncodedSession([0x01]))
        #expect(try EncodedSession([0x01]) != EncodedSession([0x02]))
        #expect(try EncodedSession([0x61, 0x61]) != EncodedSession([0x61, 0x62]))
    }

    /// An item of more than 16 KiB is gone through twice.
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
                // As its digits say: the mantissa, and as many zeros as the exponent has.
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

    // MARK: Times and texts for logs

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
