// The largest item that is sealed and opened, and the limit on inflating. Figures: make bounds.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct LargestItemTests: CostSuite {
    /// A text whose item has this many bytes, of which few are left after compression.
    private func text(itemBytes count: Int) -> String {
        String(repeating: "a", count: count - (count < 65_539 ? 3 : 5))
    }

    // MARK: The largest item

    @Test func `a session of 16,384 bytes is sealed, and one byte more is not`() throws {
        let sealer = try sealer(String.self)
        #expect(sealer.itemLimit == 16_384)
        let largest = text(itemBytes: 16_384)
        #expect(try sealer.open(value: sealer.seal(largest, at: noon).token, at: noon).session == largest)
        let error = SealError.itemTooLarge(codingPath: [], reason: "more than 16384 bytes")
        #expect(throws: error) { try sealer.seal(largest + "a", at: noon) }
        // Its cost is reported anyway.
        let report = try sealer.sizeReport(for: largest + "a", at: noon)
        #expect(report.itemByteCount == 16_385 && report.itemLimit == 16_384 && report.itemExcess == 1)
        #expect("\(report)".hasPrefix("an item of 16385 bytes, 1 over the largest, a token of "))
        #expect(try sealer.sizeReport(for: largest, at: noon).itemExcess == 0)
        #expect(throws: SealError.self) { try sealer.sizeReport(for: text(itemBytes: 65_537), at: noon) }
        #expect(error.description == "too large to seal: more than 16384 bytes at its root")
        #expect(error.isTooLarge && !error.isSessionOver)
    }

    @Test(arguments: [100, 16_385, 65_535, 65_536])
    func `the largest item is a parameter, up to the format's 65,536 bytes`(limit: Int) throws {
        let texts = try sealer(String.self, itemLimit: limit)
        #expect(texts.itemLimit == limit)
        let arrays = try sealer([Int].self, itemLimit: limit)
        let encoded = try sealer(EncodedSession.self, itemLimit: limit)
        let error = SealError.itemTooLarge(codingPath: [], reason: "more than \(limit) bytes")
        for count in [limit, limit + 1] {
            let text = String(repeating: "a", count: count - (count < 258 ? 2 : 3))
            let heads = count < 258 ? 2 : count < 65_539 ? 3 : 5
            // Integers of nine bytes, and of one: no more values than allowed.
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
            #expect(throws: SealerConfigurationError.invalidItemLimit(count)) {
                try sealer(String.self, itemLimit: count)
            }
        }
    }

    @Test func `what fits into several cookies uncompressed is never too large an item`() throws {
        let sealer = try sealer([UInt8].self, splitting: .upTo(9))
        #expect((24_576...28_000).contains(sealer.itemLimit))
        let bytes = (0..<27_000).map { UInt8(truncatingIfNeeded: $0 &* 89) }
        let cookies = try sealer.seal(bytes, at: noon).cookies
        let header = cookies.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
        #expect(cookies.count == 9)
        #expect(try sealer.open(cookieHeader: header, at: noon)?.session == bytes)
        let endless = CookieLimits(nameAndValue: .max, attributeValue: .max, line: .max)
        #expect(try self.sealer(String.self, limits: endless).itemLimit == 65_536)
    }

    @Test func `a server with a lower limit opens what another sealed, and only does not seal it again`()
        throws
    {
        let (before, after) = (try sealer(String.self), try sealer(String.self, itemLimit: 1000))
        let session = text(itemBytes: 16_000)
        let opened = try after.open(value: before.seal(session, at: noon).token, at: noon)
        #expect(opened.session == session)
        #expect(throws: SealError.itemTooLarge(codingPath: [], reason: "more than 1000 bytes")) {
            try after.reseal(opened, at: noon)
        }
        #expect(try before.reseal(opened, at: noon).token.hasPrefix("S"))
        let most = try sealer(String.self, itemLimit: 65_536)
        let largest = text(itemBytes: 65_536)
        #expect(try after.open(value: most.seal(largest, at: noon).token, at: noon).session == largest)
    }

    @Test func `a report names the largest fields of a session that is over the largest item`() throws {
        let session = [
            "few": "x", "orders": String(repeating: "order ", count: 8000), "some": "words of a kind",
        ]
        let (before, after) = (
            try sealer([String: String].self, itemLimit: 65_536), try sealer([String: String].self)
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
        /// Four ways to write bytes that do not become part of the item.
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
                        // As long as they fit.
                        if number < 37 { try? container.encode(Failing(), forKey: key) }
                        try container.encode(1, forKey: key)
                    }
                default:
                    for key in keys { try container.encode(1, forKey: key) }
                }
            }
        }
        for way in 0...3 {
            let size = try sealer(Late.self).sizeReport(for: Late(way), at: noon).itemByteCount
            #expect(size == 40 * (2 + 100 + 1) + 2)
            #expect(try sealer(Late.self, itemLimit: size).seal(Late(way), at: noon).tokenLength > 0)
            for limit in [size - 1, size - 100, size / 2, 100] {
                #expect(throws: SealError.self, "\(way) \(limit)") {
                    try sealer(Late.self, itemLimit: limit).seal(Late(way), at: noon)
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

    @Test func `an encoder is stopped at the largest item, not behind it`() throws {
        struct Element: Codable, Sendable {
            /// How often one was asked to encode itself.
            nonisolated(unsafe) static var asked = 0  // This test's alone, on one thread.
            init() {}
            init(from decoder: any Decoder) throws {}
            func encode(to encoder: any Encoder) throws {
                unsafe Self.asked += 1
                var container = encoder.singleValueContainer()
                try container.encode(0)
            }
        }
        let sealer = try sealer([Element].self, itemLimit: 500)
        #expect(throws: SealError.self) { try sealer.seal((0..<5000).map { _ in Element() }, at: noon) }
        let asked = unsafe Element.asked
        #expect((400...510).contains(asked))
    }

    @Test func `inflating ends at its limit, whatever there is more`() throws {
        let stream = zlibDeflated([UInt8](repeating: 0, count: 64 << 20))
        for limit in [0, 1, 1000, 65_536] {
            var bytes: [UInt8] = []
            let outcome = try Inflater().decompress(stream.span, appendingTo: &bytes, limit: limit)
            #expect(outcome == .tooLong)
            #expect(bytes.count == limit + 1)
        }
    }

    @Test func `opening inflates no more than 65,536 bytes, whatever a token would inflate to`() throws {
        let refusal = OpenError.malformedPayload("more than 65536 bytes")
        /// Seconds to refuse zeros: all tokens have the same length.
        func time<Session: Codable & Sendable>(_ type: Session.Type, _ count: Int) throws -> Double {
            let sessions = try sealer(Session.self, limits: .init(nameAndValue: 30_000, attributeValue: 1024))
            let stream = zlibDeflated([UInt8](repeating: 0, count: count))
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

    @Test func `a token to be inspected has at most 1,048,576 characters`() throws {
        let id = try sampleKey(1).id.bytes
        func text(_ count: Int) -> String {
            let bytes = [0x48, id.0, id.1, id.2] + [UInt8](repeating: 7, count: count * 3 / 4 - 4)
            return Base64URL.encode(bytes.span)
        }
        let largest = text(1_048_576)
        #expect(largest.utf8.count == 1_048_576)
        #expect(try TokenInspection(largest).characterCount == 1_048_576)
        #expect(throws: OpenError.tooLong(byteCount: 1_048_578)) { try TokenInspection(text(1_048_578)) }
        // Before it is copied or decoded.
        #expect(throws: OpenError.tooLong(byteCount: 1_048_577)) {
            try TokenInspection(largest + "!")
        }
        #expect(throws: OpenError.tooLong(byteCount: 10_000_000)) {
            try TokenInspection(String(repeating: "!", count: 10_000_000))
        }
    }
}
