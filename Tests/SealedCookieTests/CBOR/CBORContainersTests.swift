// Containers of every kind, the encoders that fill them, and error paths inside them.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CBORContainersTests {
    class Animal: Codable {
        var name = "cat"
    }

    final class Inline: Animal {
        var lives = 9
        enum CodingKeys: CodingKey { case lives }
        override init() { super.init() }
        required init(from decoder: any Decoder) throws {
            lives = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .lives)
            try super.init(from: decoder)
        }
        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(lives, forKey: .lives)
            try super.encode(to: encoder)
        }
    }

    final class Apart: Animal {
        var lives = 9
        enum CodingKeys: CodingKey { case lives, parent }
        override init() { super.init() }
        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            lives = try container.decode(Int.self, forKey: .lives)
            try super.init(from: container.superDecoder())
        }
        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try super.encode(to: container.superEncoder())
            try container.encode(lives, forKey: .lives)
        }
    }

    @Test func `classes inherit, in one map or in a map of their own`() throws {
        let inline = Inline()
        (inline.name, inline.lives) = ("tiger", 3)
        let first = try roundTrip(inline)
        #expect(first.name == "tiger" && first.lives == 3)
        #expect(try hex(inline) == "a2646e616d65657469676572" + "656c6976657303")
        let apart = Apart()
        (apart.name, apart.lives) = ("lion", 2)
        let second = try roundTrip(apart)
        #expect(second.name == "lion" && second.lives == 2)
        #expect(try hex(apart) == "a2656c6976657302" + "657375706572a1646e616d65646c696f6e")
    }

    /// Writes to its containers in an order that no synthesized code has.
    struct Interleaved: Codable, Equatable {
        var value = 1
        enum Keys: CodingKey { case a, b, c, list }
        init() {}
        init(from decoder: any Decoder) throws {
            let outer = try decoder.container(keyedBy: Keys.self)
            let inner = try outer.nestedContainer(keyedBy: Keys.self, forKey: .a)
            var list = try outer.nestedUnkeyedContainer(forKey: .list)
            let first = try list.decode(Int.self)
            var deep = try list.nestedUnkeyedContainer()
            let text = try deep.decode(String.self)
            let wasNil = try deep.decodeNil()
            let keyed = try list.nestedContainer(keyedBy: Keys.self)
            let last = try list.superDecoder().singleValueContainer().decode(Int.self)
            guard
                try inner.decode(Int.self, forKey: .b) == 2, try inner.decode(Int.self, forKey: .c) == 4,
                try outer.decode(Int.self, forKey: .b) == 3, try outer.decode(Int.self, forKey: .c) == 5,
                first == 6, text == "t", wasNil, try keyed.decodeNil(forKey: .a), last == 8, list.isAtEnd,
                deep.isAtEnd, list.count == 4, list.currentIndex == 4
            else { throw DecodingError.dataCorruptedError(forKey: .a, in: outer, debugDescription: "") }
            value = 1
        }
        func encode(to encoder: any Encoder) throws {
            var outer = encoder.container(keyedBy: Keys.self)
            var inner = outer.nestedContainer(keyedBy: Keys.self, forKey: .a)
            var list = outer.nestedUnkeyedContainer(forKey: .list)
            try inner.encode(2, forKey: .b)
            try outer.encode(3, forKey: .b)
            try list.encode(6)
            try inner.encode(4, forKey: .c)
            var deep = list.nestedUnkeyedContainer()
            try outer.encode(5, forKey: .c)
            var keyed = list.nestedContainer(keyedBy: Keys.self)
            try deep.encode("t")
            try keyed.encodeNil(forKey: .a)
            try deep.encodeNil()
            let last = list.superEncoder()
            var single = last.singleValueContainer()
            try single.encode(8)
        }
    }

    /// Keys are ordered by their first eight bytes, head included, and only then by the rest.
    @Test(arguments: [3, 20, 300]) func `keys that begin alike are sorted by all their bytes`(count: Int)
        throws
    {
        for prefix in ["", "abcdef", "abcdefg", "abcdefgh", "abcdefghijklmnopqrstuvwxyz", "\0\0\0\0\0\0\0\0"]
        {
            let suffixes = (0..<count).map { String($0 * 7919 % 1000, radix: 3) }
            let keys = Set(suffixes.map { prefix + $0 } + [prefix, prefix + "\0"])
            let item = try CBOREncoder.encode(Dictionary(uniqueKeysWithValues: keys.map { ($0, true) }))
            var expected: [UInt8] = []
            expected.append(.map, UInt64(keys.count))
            let encoded = keys.map { key in
                var bytes: [UInt8] = []
                bytes.append(.text, UInt64(key.utf8.count))
                return bytes + Array(key.utf8)
            }
            for key in encoded.sorted(by: { $0.lexicographicallyPrecedes($1) }) { expected += key + [0xF5] }
            #expect(item.bytes == expected)
        }
    }

    @Test func `containers may be written in any order`() throws {
        #expect(try roundTrip(Interleaved()) == Interleaved())
        #expect(
            try hex(Interleaved()) == "a46161a2616202616304" + "616203" + "616305" + "646c697374" + "84068261"
                + "74f6" + "a16161f608")
    }

    @Test func `an entry that is encoded twice holds the later value`() throws {
        struct Twice: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CBORKey.self)
                for number in 1...30 {
                    try container.encode(number, forKey: CBORKey(stringValue: "k\(number % 3)"))
                }
            }
        }
        #expect(try hex(Twice()) == "a3" + "626b30181e" + "626b31181c" + "626b32181d")
    }

    /// It was sealed but could not be opened: the empty map that is written for it counts as a level as well.
    /// Entries are written at once where they are certain to fit, and otherwise in two steps.
    @Test func `an item is the same whether its entries were certain to fit or not`() throws {
        let text = String(repeating: "ä", count: 120)
        let session = Doing { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            var inner = outer.nestedContainer(keyedBy: LetterKey.self, forKey: .inner)
            try outer.encode(text, forKey: .c)
            try inner.encode(-70_000, forKey: .b)
            try outer.encode(true, forKey: .b)
            try inner.encode([text, "", text + text], forKey: .list)
            try inner.encode(1.1, forKey: .a)
            try outer.encode(UInt64.max, forKey: .a)
            try inner.encode(text + text, forKey: .c)
        }
        let item = try CBOREncoder.encode(session)
        let index = try CheckedItem(parsing: item.bytes)
        #expect(try CBOREncoder.encode(CBORValue(index)) == item)
        let (size, values) = (item.bytes.count, index.valueCount)
        for room in 0..<size {
            #expect(try CBOREncoder.encode(session, limit: size + room, mostValues: values) == item)
            let failure = #expect(throws: CBORFailure.self) { try CBOREncoder.encode(session, limit: room) }
            #expect(failure?.reason == .tooLong)
        }
        for fewer in 0..<values {
            #expect(throws: CBORFailure(.tooManyValues(fewer))) {
                try CBOREncoder.encode(session, mostValues: fewer)
            }
        }
    }

    @Test(arguments: [63, 64]) func `a type that encodes nothing counts as a level`(levels: Int) throws {
        struct Silent: Encodable { func encode(to encoder: any Encoder) throws {} }
        struct Deep: Encodable {
            let levels: Int
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                for _ in 1..<levels { container = container.nestedUnkeyedContainer() }
                try container.encode(Silent())
            }
        }
        if levels < 64 {
            let item = try CBOREncoder.encode(Deep(levels: levels))
            #expect(try CheckedItem(parsing: item.bytes).wholeItem == item)
        } else {
            let failure = #expect(throws: CBORFailure.self) { try CBOREncoder.encode(Deep(levels: levels)) }
            #expect(failure?.reason == .tooDeep)
        }
    }

    /// The second was silently dropped.
    @Test func `a second secret into one encoder is refused`() throws {
        struct Twice: Encodable {
            func encode(to encoder: any Encoder) throws {
                try Secret("one").encode(to: encoder)
                try Secret("two").encode(to: encoder)
            }
        }
        let failure = #expect(throws: CBORFailure.self) { try CBOREncoder.encode(Twice()) }
        #expect(failure?.reason == .encodedTwice)
    }

    @Test func `a type that encodes nothing is an empty map`() throws {
        struct Nothing: Codable, Equatable {}
        struct Silent: Encodable { func encode(to encoder: any Encoder) throws {} }
        #expect(try hex(Nothing()) == "a0")
        #expect(try hex(Silent()) == "a0")
        #expect(try hex(["a": Silent()]) == "a16161a0")
        #expect(try roundTrip([Nothing(), Nothing()]).count == 2)
    }

    @Test func `misuse of an encoder is an error with its place`() throws {
        struct Mixed: Encodable {
            func encode(to encoder: any Encoder) throws {
                _ = encoder.unkeyedContainer()
                _ = encoder.container(keyedBy: CBORKey.self)
            }
        }
        struct Two: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(1)
                try container.encode(2)
            }
        }
        #expect(throws: CBORFailure(.containerMixed, path: [.key("a"), .index(1)])) {
            try CBOREncoder.encode(["a": [AnyEncodable(1), AnyEncodable(Mixed())]])
        }
        #expect(throws: CBORFailure(.encodedTwice)) { try CBOREncoder.encode(Two()) }
    }

    struct AnyEncodable: Encodable {
        let value: any Encodable
        init(_ value: any Encodable) { self.value = value }
        func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
    }

    @Test func `an encoder that a value kept does no harm`() throws {
        final class Keeper: Encodable {
            nonisolated(unsafe) static var kept: (any Encoder)?  // The loop below sets it, on one thread.
            func encode(to encoder: any Encoder) throws {
                unsafe Self.kept = encoder
                var container = encoder.singleValueContainer()
                try container.encode("kept")
            }
        }
        for _ in 0..<20 {
            #expect(try hex(Keeper()) == "646b657074")
            if let encoder = unsafe Keeper.kept {
                var container = encoder.unkeyedContainer()
                try? container.encode("garbage")
            }
            #expect(try hex(["a": 1]) == "a1616101")
        }
    }

    @Test func `coding paths while encoding and decoding`() throws {
        struct Path: Codable {
            var path: [String] = []
            init() {}
            init(from decoder: any Decoder) throws { path = decoder.codingPath.map(\.stringValue) }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                for key in encoder.codingPath { try container.encode(key.stringValue) }
            }
        }
        let item = try CBOREncoder.encode(["a": [[5: Path()]]])
        #expect(item.bytes.hex == "a1616181a1058361616130" + "6135")
        let back = try CBORDecoder.decode(
            [String: [[Int: Path]]].self, from: CheckedItem(parsing: item.bytes))
        #expect(back["a"]?[0][5]?.path == ["a", "0", "5"])
        // What is inside a Secret is not named, in either direction.
        let secret = try CBOREncoder.encode(["s": [Secret(["k": [Path()]])]])
        #expect(secret.bytes.hex == "a1617381d81849" + "a1616b8182617361" + "30")
        let inside = try CBORDecoder.decode(
            [String: [Secret<[String: [Path]]>]].self, from: CheckedItem(parsing: secret.bytes))
        #expect(inside["s"]?[0].value["k"]?[0].path == ["s", "0"])
    }

    /// Each element's siblings used to be scanned.
    @Test func `the number of an element is known however it was written`() throws {
        struct Paths: Encodable {
            func encode(to encoder: any Encoder) throws {
                var list = encoder.unkeyedContainer()
                try list.encode("0")
                var map = list.nestedContainer(keyedBy: CBORKey.self)
                try list.encode(["2", "2"])
                var inner = list.nestedUnkeyedContainer()
                try map.encode(1, forKey: CBORKey(stringValue: "later"))
                try inner.encode(Path(expected: ["3", "0"]))
                try inner.encode(Path(expected: ["3", "1"]))
                try Path(expected: ["4"]).encode(to: list.superEncoder())
                #expect(map.codingPath.map(\.stringValue) == ["1"])
                #expect(inner.codingPath.map(\.stringValue) == ["3"])
            }
        }
        struct Path: Encodable {
            let expected: [String]
            func encode(to encoder: any Encoder) throws {
                #expect(encoder.codingPath.map(\.stringValue) == expected)
            }
        }
        #expect(try hex(Paths()) == "856130" + "a1656c6174657201" + "8261326132" + "82a0a0" + "a0")
    }

    /// Types used to continue into values that were too deep, until the stack was exhausted.
    @Test func `a value that never ends is given up at the level that is too deep`() throws {
        final class Ring: Encodable {
            var visits = 0
            let kind: Int
            init(_ kind: Int) { self.kind = kind }
            func encode(to encoder: any Encoder) throws {
                visits += 1
                guard visits < 1000 else { return }
                switch kind {
                case 0:
                    var container = encoder.container(keyedBy: CBORKey.self)
                    try container.encode(self, forKey: CBORKey(stringValue: "a"))
                case 1:
                    var container = encoder.unkeyedContainer()
                    try container.encode([self])
                case 2:
                    var container = encoder.container(keyedBy: CBORKey.self)
                    try container.encodeIfPresent(Optional(self), forKey: CBORKey(intValue: 1))
                case 3: try Secret(self).encode(to: encoder)
                default:
                    var container = encoder.unkeyedContainer()
                    var inner = container.nestedContainer(keyedBy: CBORKey.self)
                    try inner.encode(self, forKey: CBORKey(stringValue: "a"))
                }
            }
        }
        for kind in 0...4 {
            let ring = Ring(kind)
            let failure = #expect(throws: CBORFailure.self) { try CBOREncoder.encode(ring) }
            #expect(failure?.reason == .tooDeep && ring.visits <= 65, "\(kind): \(ring.visits)")
        }
        var value = CBORValue.null
        for _ in 0..<5000 { value = .array([value]) }
        #expect(throws: CBORFailure(.tooDeep, path: Array(repeating: .index(0), count: 64))) {
            try CBOREncoder.encode(value)
        }
    }
}
