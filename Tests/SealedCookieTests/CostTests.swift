// What a visitor can make a session cost: bounds that hold before the work is done. Figures: make bounds.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CostTests {
    private func sealer<Session: Codable & Sendable>(
        _ type: Session.Type = Session.self, splitting: CookieSplitting = .never,
        limits: CookieLimits = .rfc6265bis, largestItem: Int? = nil
    ) throws -> CookieSealer<Session> {
        try CookieSealer(
            keys: sampleRing(1), lifetime: .init(absolute: .days(1)), limits: limits, splitting: splitting,
            largestItem: largestItem)
    }

    private static let created: [UInt8] = [0x6A, 0x6F, 0xDA, 0x00]

    /// A token with any payload.
    private func token(_ payload: [UInt8]) throws -> String {
        let bytes = [UInt8](repeating: 0, count: SealedBox.headerCount) + payload
        return try tokenText(
            CompressedPayload(bytes: bytes, range: SealedBox.headerCount..<bytes.count), sampleKey(1))
    }

    /// A text whose item has so many bytes, of which a few are left once it is compressed.
    private func text(itemBytes count: Int) -> String {
        String(repeating: "a", count: count - (count < 65_539 ? 3 : 5))
    }

    // MARK: The largest item

    @Test func `a session of 16,384 bytes is sealed, and one byte more is not`() throws {
        let sealer = try sealer(String.self)
        #expect(sealer.largestItem == 16_384)
        let largest = text(itemBytes: 16_384)
        #expect(try sealer.open(value: sealer.seal(largest, at: noon).token, at: noon).session == largest)
        let error = SealError.itemTooLarge(codingPath: [], reason: "more than 16384 bytes")
        #expect(throws: error) { try sealer.seal(largest + "a", at: noon) }
        // What it costs is told all the same.
        let report = try sealer.sizeReport(for: largest + "a", at: noon)
        #expect(report.itemBytes == 16_385 && report.itemLimit == 16_384 && report.itemExcess == 1)
        #expect("\(report)".hasPrefix("an item of 16385 bytes, 1 over the largest, a token of "))
        #expect(try sealer.sizeReport(for: largest, at: noon).itemExcess == 0)
        #expect(throws: SealError.self) { try sealer.sizeReport(for: text(itemBytes: 65_537), at: noon) }
        #expect(error.description == "too large to seal: more than 16384 bytes at its root")
        #expect(error.isTooLarge && !error.isSessionOver)
    }

    @Test(arguments: [100, 16_385, 65_535, 65_536])
    func `the largest item is a parameter, up to the format's 65,536 bytes`(limit: Int) throws {
        let texts = try sealer(String.self, largestItem: limit)
        #expect(texts.largestItem == limit)
        let arrays = try sealer([Int].self, largestItem: limit)
        let encoded = try sealer(EncodedSession.self, largestItem: limit)
        let error = SealError.itemTooLarge(codingPath: [], reason: "more than \(limit) bytes")
        for count in [limit, limit + 1] {
            let text = String(repeating: "a", count: count - (count < 258 ? 2 : 3))
            let heads = count < 258 ? 2 : count < 65_539 ? 3 : 5
            // Integers of nine bytes, and of one: no more values than are allowed.
            let wide = (count - heads - 60) / 9
            let array =
                [Int](repeating: 1 << 40, count: wide) + [Int](repeating: 0, count: count - heads - 9 * wide)
            var item: [UInt8] = []
            item.append(.text, UInt64(text.utf8.count))
            item += Array(text.utf8)
            #expect(item.count == count)
            if count == limit {
                #expect(
                    try texts.open(value: texts.seal(text, at: noon).token, at: noon).session == text)
                #expect(
                    try arrays.open(value: arrays.seal(array, at: noon).token, at: noon).session == array)
                let session = try EncodedSession(item)
                #expect(
                    try encoded.open(value: encoded.seal(session, at: noon).token, at: noon).session
                        == session)
            } else {
                #expect(throws: error) { try texts.seal(text, at: noon) }
                #expect(throws: error) { try arrays.seal(array, at: noon) }
                #expect(throws: error) { try encoded.seal(EncodedSession(item), at: noon) }
            }
        }
    }

    @Test func `a largest item of none, or beyond the format's, is refused`() {
        for count in [0, -1, .min, 65_537, .max] {
            #expect(throws: SealerConfigurationError.invalidLargestItem(count)) {
                try sealer(String.self, largestItem: count)
            }
        }
    }

    @Test func `what fits into several cookies uncompressed is never too large an item`() throws {
        let sealer = try sealer([UInt8].self, splitting: .upTo(9))
        #expect((24_576...28_000).contains(sealer.largestItem))
        let bytes = (0..<27_000).map { UInt8(truncatingIfNeeded: $0 &* 89) }
        let cookies = try sealer.seal(bytes, at: noon).cookies
        let header = cookies.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
        #expect(cookies.count == 9)
        #expect(try sealer.open(cookieHeader: header, at: noon)?.session == bytes)
        let endless = CookieLimits(nameAndValue: .max, attributeValue: .max, line: .max)
        #expect(try self.sealer(String.self, limits: endless).largestItem == 65_536)
    }

    @Test func `a server with a lower limit opens what another sealed, and only does not seal it again`()
        throws
    {
        let (before, after) = (try sealer(String.self), try sealer(String.self, largestItem: 1000))
        let session = text(itemBytes: 16_000)
        let opened = try after.open(value: before.seal(session, at: noon).token, at: noon)
        #expect(opened.session == session)
        #expect(throws: SealError.itemTooLarge(codingPath: [], reason: "more than 1000 bytes")) {
            try after.reseal(opened, at: noon)
        }
        #expect(try before.reseal(opened, at: noon).token.hasPrefix("S"))
        let most = try sealer(String.self, largestItem: 65_536)
        let largest = text(itemBytes: 65_536)
        #expect(try after.open(value: most.seal(largest, at: noon).token, at: noon).session == largest)
    }

    @Test func `a report names the largest fields of a session that is over the largest item`() throws {
        let session = [
            "few": "x", "orders": String(repeating: "order ", count: 8000), "some": "words of a kind",
        ]
        let (before, after) = (
            try sealer([String: String].self, largestItem: 65_536), try sealer([String: String].self)
        )
        let opened = try after.open(value: before.seal(session, at: noon).token, at: noon)
        for report in [try after.sizeReport(for: session, at: noon), try after.sizeReport(for: opened)] {
            #expect(report.fields.map(\.name) == ["orders", "some", "few"] && report.itemExcess > 30_000)
            #expect("\(report)".contains("; largest fields: orders 480"))
        }
    }

    @Test func `the item alone decides what is too large, not what was written on the way to it`() throws {
        struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(_ string: String) { stringValue = string }
            init?(stringValue: String) { self.init(stringValue) }
            init?(intValue: Int) { nil }
        }
        struct Failing: Encodable {
            struct Refused: Error {}
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(String(repeating: "x", count: 200))
                throw Refused()
            }
        }
        /// Four ways to write what is no part of the item in the end.
        struct Late: Codable, Sendable {
            let way: Int
            init(_ way: Int) { self.way = way }
            init(from decoder: any Decoder) throws { way = 0 }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Key.self)
                let keys = (10..<50).map { Key(String(repeating: "k", count: 98) + "\($0)") }
                switch way {
                case 0:  // Keys that are moved behind the others.
                    for encoder in keys.map({ container.superEncoder(forKey: $0) }) {
                        var value = encoder.singleValueContainer()
                        try value.encode(1)
                    }
                case 1:  // Entries that are overwritten.
                    for key in keys + keys + keys + keys { try container.encode(1, forKey: key) }
                case 2:  // Values that are taken back.
                    for (number, key) in keys.enumerated() {
                        // While there is room for them.
                        if number < 37 { try? container.encode(Failing(), forKey: key) }
                        try container.encode(1, forKey: key)
                    }
                default:
                    for key in keys { try container.encode(1, forKey: key) }
                }
            }
        }
        for way in 0...3 {
            let size = try sealer(Late.self).sizeReport(for: Late(way), at: noon).itemBytes
            #expect(size == 40 * (2 + 100 + 1) + 2)
            #expect(try sealer(Late.self, largestItem: size).seal(Late(way), at: noon).tokenBytes > 0)
            for limit in [size - 1, size - 100, size / 2, 100] {
                #expect(throws: SealError.self, "\(way) \(limit)") {
                    try sealer(Late.self, largestItem: limit).seal(Late(way), at: noon)
                }
            }
        }
    }

    @Test func `what is written over and over takes no more than a megabyte`() throws {
        struct Endless: Codable, Sendable {
            enum CodingKeys: CodingKey { case text }
            init() {}
            init(from decoder: any Decoder) throws {}
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                for _ in 0..<10_000 {
                    try container.encode(String(repeating: "x", count: 10_000), forKey: .text)
                }
            }
        }
        #expect(throws: SealError.self) { try sealer(Endless.self).seal(Endless(), at: noon) }
    }

    // MARK: The number of values

    private static func tooMany(_ most: Int) -> SealError {
        .itemTooLarge(codingPath: [], reason: "too many values: more than \(most)")
    }

    @Test func `4,096 values are sealed, and one more is not, unless the largest item is larger`() throws {
        let arrays = try sealer([Int].self)
        // The array is two itself.
        let zeros = [Int](repeating: 0, count: 4094)
        #expect(try arrays.open(value: arrays.seal(zeros, at: noon).token, at: noon).session == zeros)
        #expect(throws: Self.tooMany(4096)) { try arrays.seal(zeros + [0], at: noon) }
        #expect(
            Self.tooMany(4096).description == "too large to seal: too many values: more than 4096 at its root"
        )
        let maps = try sealer([Int: [Int]].self, largestItem: 16_384)
        let entries = Dictionary(uniqueKeysWithValues: (0..<1000).map { ($0, [1]) })
        var most = entries
        most[-1] = Array(repeating: 0, count: 4096 - 2 - 3 * 1000 - 2)
        #expect(try maps.open(value: maps.seal(most, at: noon).token, at: noon).session == most)
        most[-1]?.append(0)
        #expect(throws: Self.tooMany(4096)) { try maps.seal(most, at: noon) }
        let large = try sealer([Int].self, largestItem: 40_000)
        let many = [Int](repeating: 0, count: 9_998)
        #expect(try large.open(value: large.seal(many, at: noon).token, at: noon).session == many)
        #expect(throws: Self.tooMany(10_000)) { try large.seal(many + [0], at: noon) }
        // Inside a Secret too, which is two values beside what it holds.
        let secrets = try sealer(Secret<[Int]>.self, splitting: .upTo(9), largestItem: 16_384)
        #expect(try secrets.seal(Secret(Array(zeros.dropLast(2))), at: noon).cookies.count > 0)
        #expect(throws: Self.tooMany(4096)) { try secrets.seal(Secret(Array(zeros.dropLast())), at: noon) }
    }

    @Test func `a byte string is one value, whatever array it was in`() throws {
        let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0) }
        let sealer = try sealer(ContiguousArray<UInt8>.self, splitting: .upTo(9))
        let sealed = try sealer.seal(ContiguousArray(bytes), at: noon)
        #expect(sealed.cookies.count > 5)
        let header = sealed.cookies.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
        #expect(try sealer.open(cookieHeader: header, at: noon)?.session == ContiguousArray(bytes))
        // Bytes among others are values like any.
        struct Mixed: Codable, Sendable {
            func encode(to encoder: any Encoder) throws {
                var array = encoder.unkeyedContainer()
                for _ in 0..<5000 { try array.encode(UInt8(1)) }
                try array.encode("")
            }
        }
        #expect(throws: Self.tooMany(4096)) { try self.sealer(Mixed.self).seal(Mixed(), at: noon) }
    }

    @Test func `what was taken back is no value of the session`() throws {
        /// Writes a text where one is too deep to be written, as some types try one form after the other.
        struct Tries: Codable, Equatable, Sendable {
            struct Refused: Error {}
            struct Half: Encodable {
                func encode(to encoder: any Encoder) throws {
                    var array = encoder.unkeyedContainer()
                    try array.encode(1)
                    try array.encode(2)
                    throw Refused()
                }
            }
            func encode(to encoder: any Encoder) throws {
                var array = encoder.unkeyedContainer()
                for _ in 0..<4000 {
                    try? array.encode(Half())
                    try array.encode(0)
                }
            }
            init() {}
            init(from decoder: any Decoder) throws {
                #expect(try [Int](from: decoder) == Array(repeating: 0, count: 4000))
            }
        }
        let sealer = try sealer(Tries.self, largestItem: 65_536)
        #expect(try sealer.open(value: sealer.seal(Tries(), at: noon).token, at: noon).session == Tries())
    }

    @Test func `an encoded session has as many values as any other`() throws {
        let sealer = try sealer(EncodedSession.self)
        func array(_ count: Int, _ element: [UInt8]) -> [UInt8] {
            var item: [UInt8] = []
            item.append(.array, UInt64(count))
            return item + Array(repeating: element, count: count).flatMap(\.self)
        }
        /// Elements, and how many values one is.
        let elements: [([UInt8], Int)] = [
            ([0xA0], 2), ([0x61, 0x61], 1), ([0xC1, 0x00], 1), ([0xC4, 0x82, 0x01, 0x01], 1),
            ([0x81, 0x00], 3), ([0xA2, 0x00, 0x00, 0x01, 0x00], 4), ([0xD8, 24, 0x43, 0x82, 0, 0], 6),
            ([0x42, 0, 0], 1),
        ]
        for (element, count) in elements {
            let most = 4094 / count
            let largest = try EncodedSession(array(most, element))
            let more = try EncodedSession(array(most + 1, element))
            #expect(throws: Self.tooMany(4096)) { try sealer.seal(more, at: noon) }
            // As the tree counts them.
            let value = try CBORValue(CheckedItem(parsing: more.bytes))
            #expect(throws: Self.tooMany(4096)) { try self.sealer(CBORValue.self).seal(value, at: noon) }
            let split = try self.sealer(EncodedSession.self, splitting: .upTo(9), largestItem: 16_384)
            #expect(try split.seal(largest, at: noon).cookies.count > 0)
        }
        // One that was opened, and sealed elsewhere.
        let other = try self.sealer(EncodedSession.self, largestItem: 65_536)
        let opened = try sealer.open(
            value: other.seal(EncodedSession(array(5000, [0])), at: noon).token, at: noon)
        #expect(throws: Self.tooMany(4096)) { try sealer.reseal(opened, at: noon) }
        #expect(try other.reseal(opened, at: noon).token.hasPrefix("S"))
    }

    @Test func `an encoder is stopped at the most values, not behind them`() throws {
        struct Element: Codable, Sendable {
            /// How often one was asked to encode itself; by this test alone.
            nonisolated(unsafe) static var asked = 0
            init() {}
            init(from decoder: any Decoder) throws {}
            func encode(to encoder: any Encoder) throws {
                unsafe Self.asked += 1
                _ = encoder.container(keyedBy: CBORKey.self)
            }
        }
        let sealer = try sealer([Element].self)
        #expect(throws: Self.tooMany(4096)) {
            try sealer.seal((0..<16_000).map { _ in Element() }, at: noon)
        }
        let asked = unsafe Element.asked
        #expect((2000...2100).contains(asked))
    }

    // MARK: Decimals

    private static func decimals(_ count: Int) -> [Decimal] {
        var generator = SystemRandomNumberGenerator()
        let edges = [
            "0", "1", "-1", "10", "1e127", "-1e127", "1e-128", "10e127", "1e-127", "18446744073709551615",
            "18446744073709551616", "340282366920938463463374607431768211455",
            "-340282366920938463463374607431768211455e-128", "340282366920938463463374607431768211455e127",
            "170141183460469231731687303715884105728", "1e38", "1e37", "100000000000000000000e-20",
        ].compactMap { Decimal(string: $0) }
        return edges
            + (0..<count).compactMap { _ in
                let digits = (0..<Int.random(in: 1...38, using: &generator)).map { _ in
                    // Many zeros, also at the end.
                    "0000123456789".randomElement(using: &generator).map(String.init) ?? ""
                }.joined()
                let exponent = Int.random(in: -128...127, using: &generator)
                return Decimal(string: (Bool.random(using: &generator) ? "-" : "") + digits + "e\(exponent)")
            }
    }

    @Test func `decimals are what JSON makes of them, bit for bit`() throws {
        let decimals = Self.decimals(3000)
        #expect(decimals.count == 3018)
        for decimal in decimals {
            let item = try CBOREncoder.encode(decimal)
            let back = try CBORDecoder.decode(Decimal.self, from: CheckedItem(parsing: item.bytes))
            #expect(back == decimal)
            #expect(back.description == decimal.description)
            #expect(back.hashValue == decimal.hashValue)
            // JSON's decoder reads numbers of up to 38 digits, and some of exponents that are too large it does not.
            if let json = try? JSONDecoder().decode(Decimal.self, from: JSONEncoder().encode(decimal)),
                json == decimal
            {
                #expect(back == json && back.description == json.description)
                #expect(try CBOREncoder.encode(json) == item)
            }
            // The same from its text, and in the shortest form.
            if decimal.exponent < 0 || decimal.significand < Decimal(UInt64.max) {
                let fraction = try #require(CBORDecimal(decimal))
                // Foundation reads no text with a larger exponent.
                if fraction.exponent <= 127 { #expect(Decimal(string: fraction.text) == decimal) }
                #expect(fraction.mantissa.magnitude % 10 != 0 || fraction.mantissa.isNegative || decimal == 0)
            }
        }
    }

    @Test func `decimals take no time that grows with their exponents or digits`() throws {
        func time(_ texts: [String]) throws -> (encoding: Double, decoding: Double) {
            let decimals = texts.compactMap { Decimal(string: $0) }
            let many = (0..<500).flatMap { _ in decimals }
            var (encoding, decoding) = (Double.infinity, Double.infinity)
            for _ in 0..<5 {
                var start = threadTime()
                let item = try CBOREncoder.encode(many)
                encoding = min(encoding, threadTime() - start)
                let index = try CheckedItem(parsing: item.bytes)
                start = threadTime()
                let back = try CBORDecoder.decode([Decimal].self, from: index)
                decoding = min(decoding, threadTime() - start)
                #expect(back == many)
            }
            return (encoding, decoding)
        }
        let small = try time(["1", "-2", "3"])
        for texts in [
            ["1e127", "7e-128", "-1e100"],
            ["12345678901234567890123456789012345678", "-98765432109876543210987654321098765432", "1e38"],
        ] {
            let large = try time(texts)
            // It was 40 times as long.
            #expect(large.encoding < 5 * small.encoding)
            #expect(large.decoding < 12 * small.decoding)
        }
    }

    @Test func `decimals as integers are exact, or refused`() throws {
        for (text, expected) in [
            ("10e1", 100), ("100e-2", 1), ("-5000e-3", -5), ("15e-1", nil),
            ("1e18", 1_000_000_000_000_000_000),
            ("1e19", nil), ("1e200", nil), ("0e200", 0), ("1e-200", nil),
            ("-9223372036854775808e0", Int.min), ("-92233720368547758080e-1", Int.min),
            ("-92233720368547758090e-1", nil),
        ] as [(String, Int?)] {
            let decimal = try #require(CBORDecimal(text: text))
            #expect(decimal.integer?.exactly(as: Int.self) == expected, "\(text)")
        }
        let least = CBORInteger(isNegative: true, magnitude: .max)
        #expect(CBORDecimal(exponent: 0, mantissa: least).integer == least)
        #expect(CBORDecimal(exponent: 1, mantissa: least).integer == nil)
        #expect(CBORDecimal(exponent: -1, mantissa: least).integer == nil)
        #expect(CBORDecimal(exponent: 0, mantissa: least).decimal == nil)
        #expect(CBORDecimal(exponent: .max, mantissa: CBORInteger(10)).decimal == nil)
        // Zeros in the mantissa, as other writers may have them.
        #expect(CBORDecimal(exponent: 127, mantissa: CBORInteger(10)).decimal == Decimal(string: "10e127"))
        #expect(
            CBORDecimal(exponent: 126, mantissa: CBORInteger(-1000)).decimal == Decimal(string: "-100e127"))
        #expect(CBORDecimal(exponent: -130, mantissa: CBORInteger(700)).decimal == Decimal(string: "7e-128"))
        #expect(CBORDecimal(exponent: .min, mantissa: CBORInteger(-10)).decimal == nil)
    }

    @Test func `an encoder is stopped at the largest item, not behind it`() throws {
        struct Element: Codable, Sendable {
            /// How often one was asked to encode itself; by this test alone.
            nonisolated(unsafe) static var asked = 0
            init() {}
            init(from decoder: any Decoder) throws {}
            func encode(to encoder: any Encoder) throws {
                unsafe Self.asked += 1
                var container = encoder.singleValueContainer()
                try container.encode(0)
            }
        }
        let sealer = try sealer([Element].self, largestItem: 500)
        #expect(throws: SealError.self) { try sealer.seal((0..<5000).map { _ in Element() }, at: noon) }
        let asked = unsafe Element.asked
        #expect((400...510).contains(asked))
    }

    /// A stream that inflates to so many zeros.
    private func zeros(_ count: Int) throws -> [UInt8] {
        var stream: [UInt8] = []
        let zeros = [UInt8](repeating: 0, count: count)
        #expect(try Deflater().compress(zeros.span, appendingTo: &stream, limit: 100_000))
        return stream
    }

    @Test func `inflating ends at its limit, whatever there is more`() throws {
        let stream = try zeros(64 << 20)
        for limit in [0, 1, 1000, 65_536] {
            var bytes: [UInt8] = []
            let outcome = try Inflater().decompress(stream.span, appendingTo: &bytes, limit: limit)
            #expect(outcome == .tooLong)
            #expect(bytes.count == limit + 1)
        }
    }

    @Test func `opening inflates no more than 65,536 bytes, whatever a token would inflate to`() throws {
        let refusal = OpenError.malformedPayload("more than 65536 bytes")
        /// Seconds to refuse zeros: the tokens are all of one length.
        func time<Session: Codable & Sendable>(_ type: Session.Type, _ count: Int) throws -> Double {
            let sessions = try sealer(Session.self, limits: .init(nameAndValue: 30_000, attributeValue: 1024))
            let stream = try zeros(count)
            let padding: [UInt8] = [0x80] + [UInt8](repeating: 0, count: 9_000 - stream.count)
            let token = try token([5] + Self.created + [0] + stream + padding)
            return (0..<5).map { _ in
                let start = threadTime()
                #expect(throws: refusal) { try sessions.open(value: token, at: noon) }
                return threadTime() - start
            }.min() ?? 0
        }
        #expect(try time(CBORValue.self, 8_000_000) < 3 * time(CBORValue.self, 66_000))
        #expect(try time(EncodedSession.self, 8_000_000) < 3 * time(EncodedSession.self, 66_000))
    }

    @Test func `a token to be inspected has at most 65,536 characters`() throws {
        let id = try sampleKey(1).id.bytes
        func text(_ count: Int) -> String {
            let bytes = [0x48, id.0, id.1, id.2] + [UInt8](repeating: 7, count: count * 3 / 4 - 4)
            return Base64URL.encode(bytes.span)
        }
        let largest = text(65_536)
        #expect(largest.utf8.count == 65_536)
        #expect(try TokenInspection(largest).characterCount == 65_536)
        #expect(throws: OpenError.tooLong(byteCount: 65_538)) { try TokenInspection(text(65_538)) }
        // Before it is copied or decoded.
        #expect(throws: OpenError.tooLong(byteCount: 65_537)) {
            try TokenInspection(largest + "!")
        }
        #expect(throws: OpenError.tooLong(byteCount: 10_000_000)) {
            try TokenInspection(String(repeating: "!", count: 10_000_000))
        }
    }

    // MARK: Compression

    /// Texts that make zlib look at as many places for a match as it may.
    static let slow: [(name: String, text: @Sendable (Int) -> [UInt8])] = [
        ("two letters", { count in random(count) { $0 % 2 == 0 ? 0x61 : 0x62 } }),
        ("one letter in four another", { count in random(count) { $0 % 4 == 0 ? 0x62 : 0x61 } }),
        ("one letter in eight another", { count in random(count) { $0 % 8 == 0 ? 0x62 : 0x61 } }),
        (
            "three letters and two of any kind",
            { count in
                var place = -1
                return random(count) { number in
                    place += 1
                    return place % 5 < 3 ? UInt8(0x61 + place % 5) : UInt8(0x21 + number % 90)
                }
            }
        ),
    ]

    private static func random(_ count: Int, _ byte: (UInt64) -> UInt8) -> [UInt8] {
        var state: UInt64 = 88_172_645_463_325_252
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return byte(state >> 33)
        }
    }

    @Test(arguments: slow.indices)
    func `text that is hard to compress does not take a time that grows faster than itself`(kind: Int) throws
    {
        let deflater = try Deflater()
        func time(_ count: Int) throws -> Double {
            let text = Self.slow[kind].text(count)
            return try (0..<5).map { _ in
                var stream: [UInt8] = []
                let start = threadTime()
                _ = try deflater.compress(text.span, appendingTo: &stream, limit: text.count)
                return threadTime() - start
            }.min() ?? 0
        }
        // Four and sixteen times as long: no longer than 4,096 bytes but for what the length itself takes.
        let small = try time(4096)
        #expect(try time(16_384) < 4 * small)
        #expect(try time(65_536) < 8 * small)
    }

    @Test func `sessions compress to what level 9 makes of them`() throws {
        // What is beyond 4,096 bytes too: real sessions have no thousands of places that begin alike.
        let corpus = try #require(Bundle.module.resourceURL).appending(path: "Vectors/corpus")
        let sessions = try FileManager.default.contentsOfDirectory(atPath: corpus.path).sorted().map {
            try EncodedSession(CBORJSON(parsing: Data(contentsOf: corpus.appending(path: $0))).value)
        }
        #expect(sessions.count == 8)
        var lengths: [Int] = []
        for count in 1...4 {
            let bytes = sessions.flatMap { Array(repeating: $0.bytes, count: count).flatMap(\.self) }
            for piece in [bytes, Array(bytes.prefix(4000)), Array(bytes.prefix(10_000))] {
                var (ours, best): ([UInt8], [UInt8]) = ([], [])
                #expect(try Deflater().compress(piece.span, appendingTo: &ours, limit: piece.count))
                #expect(
                    try Deflater().compress(
                        piece.span, appendingTo: &best, limit: piece.count, effort: 4096))
                lengths.append(best.count)
                #expect(ours.count <= best.count + best.count / 200, "\(piece.count)")
                if piece.count <= 4096 { #expect(ours == best) }
            }
        }
        #expect(lengths.count == 12)
    }

    // MARK: Combining marks

    /// Marks in turns of two classes, which Swift has to sort.
    private func marks(_ count: Int, _ pair: [Unicode.Scalar] = ["\u{300}", "\u{316}"]) -> String {
        String(String.UnicodeScalarView((0..<count).map { pair[$0 % 2] }))
    }

    private func areTooMany(_ text: String) -> Bool { CombiningMarks.areTooMany(in: text.utf8.span) }

    @Test func `256 combining marks in a row are kept, wherever they stand`() throws {
        struct Texts: Codable, Equatable, Sendable {
            var text: String
            var keys: [String: String]
            var secret: Secret<String>
        }
        let sealer = try sealer(Texts.self)
        for pair: [Unicode.Scalar] in [
            ["\u{300}", "\u{316}"], ["\u{903}", "\u{93E}"], ["\u{20DD}", "\u{488}"],
            ["\u{1D167}", "\u{E0100}"],
            ["\u{300}", "\u{1D165}"],
        ] {
            for count in [256, 257] {
                for (front, back) in [
                    ("", ""), ("e", ""), ("", "x"), (String(repeating: "é", count: 300), "€"),
                ] {
                    let text = front + marks(count, pair) + back
                    let long = SealError.self
                    for session in [
                        Texts(text: text, keys: [:], secret: Secret("")),
                        Texts(text: "", keys: [text: ""], secret: Secret("")),
                        Texts(text: "", keys: ["": text], secret: Secret("")),
                        Texts(text: "", keys: [:], secret: Secret(text)),
                    ] {
                        if count == 256 {
                            #expect(
                                try sealer.open(value: sealer.seal(session, at: noon).token, at: noon).session
                                    == session)
                        } else {
                            let error = #expect(throws: long) { try sealer.seal(session, at: noon) }
                            guard case .notEncodable(_, let reason) = error else {
                                Issue.record("\(String(describing: error))")
                                continue
                            }
                            #expect(reason == "text with more than 256 combining marks in a row")
                        }
                    }
                }
            }
        }
    }

    @Test func `a run of combining marks is found at every place, and only where it is one`() throws {
        let pieces: [String] = ["a", "é", "€", "漢", "🍪", "\u{300}", "\u{1D165}", "\u{903}"]
        var generator = SystemRandomNumberGenerator()
        for round in 0..<400 {
            var text = ""
            var longest = 0
            while text.utf8.count < 3000 {
                let run = [0, 1, 100, 255, 256, 257, 300, 600].randomElement(using: &generator) ?? 0
                longest = max(longest, run)
                text += marks(run, round % 2 == 0 ? ["\u{300}", "\u{903}"] : ["\u{1D165}", "\u{300}"])
                for _ in 0..<Int.random(in: 1...300, using: &generator) {
                    text += pieces[Int.random(in: 0..<5, using: &generator)]
                }
            }
            #expect(areTooMany(text) == (longest > 256))
        }
        for offset in 0..<600 {
            let front = String(repeating: "x", count: offset)
            #expect(areTooMany(front + marks(257)))
            #expect(!areTooMany(front + marks(256) + "x" + front + marks(256)))
        }
    }

    @Test func `an opener refuses text that another sealer should have refused`() throws {
        let text = marks(257)
        for major in [CBORMajor.text, .map] {
            var item: [UInt8] = major == .map ? [0xA1] : []
            item.append(.text, UInt64(text.utf8.count))
            item += Array(text.utf8) + (major == .map ? [0] : [])
            #expect(throws: CBORFailure(.combiningMarks)) { try CheckedItem(parsing: item) }
            #expect(throws: SealError.self) { try EncodedSession(item) }
            let token = try token([0] + Self.created + [0] + item)
            #expect(throws: OpenError.malformedPayload("text with more than 256 combining marks in a row")) {
                try sealer(CBORValue.self).open(value: token, at: noon)
            }
        }
    }

    @Test func `JSON with too many combining marks is refused before anything is made of it`() throws {
        let long = String(repeating: "\u{300}\u{316}", count: 200_000)
        for json in [
            "\"\(long)\"", "{\"\(long)\": 1}", "{\"\(long)\": 1, \"\(long)x\": 2}",
            "[{\"$url\": \"\(long)\"}]",
        ] {
            let start = threadTime()
            let failure = #expect(throws: CBORJSONFailure.self) { try CBORJSON(parsing: Data(json.utf8)) }
            #expect(failure?.detail?.hasSuffix("text with more than 256 combining marks in a row") == true)
            // It took half a minute.
            #expect(threadTime() - start < 3)
        }
        let escaped = "\"" + String(repeating: "\\u0300\\u0316", count: 129) + "\""
        #expect(throws: CBORJSONFailure.self) { try CBORJSON(parsing: Data(escaped.utf8)) }
        let kept = "\"" + String(repeating: "\\u0300\\u0316", count: 128) + "\""
        #expect(try CBORJSON(parsing: Data(kept.utf8)).value == .text(marks(256)))
    }
}

/// Seconds of this thread.
private func threadTime() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
