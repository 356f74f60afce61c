// The number of values that a session may have.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ValueCountTests: CostSuite {
    private static func tooMany(_ most: Int) -> SealError {
        .itemTooLarge(codingPath: [], reason: "too many values: more than \(most)")
    }

    @Test func `4,096 values are sealed, and one more is not, unless the largest item is larger`() throws {
        let arrays = try sealer([Int].self)
        // The array itself counts as two.
        let zeros = [Int](repeating: 0, count: 4094)
        #expect(try arrays.open(value: arrays.seal(zeros, at: noon).token, at: noon).session == zeros)
        #expect(throws: Self.tooMany(4096)) { try arrays.seal(zeros + [0], at: noon) }
        #expect(
            Self.tooMany(4096).description == "too large to seal: too many values: more than 4096 at its root"
        )
        let maps = try sealer([Int: [Int]].self, itemLimit: 16_384)
        let entries = Dictionary(uniqueKeysWithValues: (0..<1000).map { ($0, [1]) })
        var most = entries
        most[-1] = Array(repeating: 0, count: 4096 - 2 - 3 * 1000 - 2)
        #expect(try maps.open(value: maps.seal(most, at: noon).token, at: noon).session == most)
        most[-1]?.append(0)
        #expect(throws: Self.tooMany(4096)) { try maps.seal(most, at: noon) }
        let large = try sealer([Int].self, itemLimit: 40_000)
        let many = [Int](repeating: 0, count: 9_998)
        #expect(try large.open(value: large.seal(many, at: noon).token, at: noon).session == many)
        #expect(throws: Self.tooMany(10_000)) { try large.seal(many + [0], at: noon) }
        // Inside a Secret too, which counts as two values in addition to its contents.
        let secrets = try sealer(Secret<[Int]>.self, splitting: .upTo(9), itemLimit: 16_384)
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
        // Bytes among other elements are ordinary values.
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
        /// Writes a text instead of a value that is too deep, as some types try one form after the other.
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
        let sealer = try sealer(Tries.self, itemLimit: 65_536)
        #expect(try sealer.open(value: sealer.seal(Tries(), at: noon).token, at: noon).session == Tries())
    }

    @Test func `an encoded session has as many values as any other`() throws {
        let sealer = try sealer(EncodedSession.self)
        func array(_ count: Int, _ element: [UInt8]) -> [UInt8] {
            var item: [UInt8] = []
            item.append(.array, UInt64(count))
            return item + Array(repeating: element, count: count).flatMap(\.self)
        }
        /// The elements, and how many values each counts as.
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
            let split = try self.sealer(EncodedSession.self, splitting: .upTo(9), itemLimit: 16_384)
            #expect(try split.seal(largest, at: noon).cookies.count > 0)
        }
        // A session that was opened, and sealed elsewhere.
        let other = try self.sealer(EncodedSession.self, itemLimit: 65_536)
        let opened = try sealer.open(
            value: other.seal(EncodedSession(array(5000, [0])), at: noon).token, at: noon)
        #expect(throws: Self.tooMany(4096)) { try sealer.reseal(opened, at: noon) }
        #expect(try other.reseal(opened, at: noon).token.hasPrefix("S"))
    }

    @Test func `an encoder is stopped at the most values, not behind them`() throws {
        struct Element: Codable, Sendable {
            /// How often it was asked to encode itself.
            nonisolated(unsafe) static var asked = 0  // This test's alone, on one thread.
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
}
