// Bytes that are not an item of the profile, or are too large or too deep, are refused with their path.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CBORRefusalTests {
    static let refusals: [(String, CBORFailure.Reason, [CBORPathElement])] = [
        ("", .endsEarly, []), ("18", .endsEarly, []), ("19ff", .endsEarly, []), ("61", .endsEarly, []),
        ("42aa", .endsEarly, []), ("8101ff", .trailingBytes, []), ("8201", .endsEarly, []),
        ("a16161", .endsEarly, [.key("a")]), ("a2616101" + "6162", .endsEarly, [.key("b")]),
        ("0000", .trailingBytes, []),
        // Lengths far past the end, 2^64 - 1 among them.
        ("5bffffffffffffffff", .endsEarly, []), ("7bffffffffffffffff61", .endsEarly, []),
        ("9bffffffffffffffff", .endsEarly, []), ("bbffffffffffffffff", .endsEarly, []),
        ("9a7fffffff01", .endsEarly, []), ("bb8000000000000000", .endsEarly, []),
        // Not the shortest form.
        ("1817", .notShortest, []), ("1900ff", .notShortest, []), ("1a0000ffff", .notShortest, []),
        ("1b00000000ffffffff", .notShortest, []), ("3817", .notShortest, []), ("5800", .notShortest, []),
        ("780161", .notShortest, []), ("9800", .notShortest, []), ("b800", .notShortest, []),
        ("d801f6", .notShortest, []), ("fa3f800000", .notShortest, []),
        ("fb3ff0000000000000", .notShortest, []),
        ("fb3ff8000000000000", .notShortest, []), ("fb7ff8000000000000", .notShortest, []),
        ("81" + "1817", .notShortest, [.index(0)]),
        // Maps.
        ("a2616101616102", .duplicateKey, [.key("a")]), ("a2616201616102", .keysOutOfOrder, [.key("a")]),
        ("a2010201" + "03", .duplicateKey, [.integerKey(1)]),
        ("a2200101" + "02", .keysOutOfOrder, [.integerKey(1)]),
        ("a262616101616202", .keysOutOfOrder, [.key("b")]),
        ("a1410101", .unusableKey, []), ("a1f500", .unusableKey, []), ("a1f93c0000", .unusableKey, []),
        ("a1800000", .unusableKey, []), ("a11b800000000000000000", .unusableKey, []),
        ("a13b800000000000000000", .unusableKey, []), ("a1c2490100000000000000" + "0000", .unusableKey, []),
        ("a1616182a0a2616301616302", .duplicateKey, [.key("a"), .index(1), .key("c")]),
        // Text.
        ("61ff", .notUTF8, []), ("62c328", .notUTF8, []), ("63eda080", .notUTF8, []),
        ("62c080", .notUTF8, []),
        ("64f4908080", .notUTF8, []), ("a161ff00", .notUTF8, []),
        ("a1616181" + "62c328", .notUTF8, [.key("a"), .index(0)]),
        // Heads that mean nothing here.
        ("1c", .reservedHead, []), ("1d", .reservedHead, []), ("1e", .reservedHead, []),
        ("1f", .indefiniteLength, []),
        ("5f4101ff", .indefiniteLength, []), ("7f6161ff", .indefiniteLength, []),
        ("9f01ff", .indefiniteLength, []),
        ("bf616101ff", .indefiniteLength, []), ("ff", .indefiniteLength, []), ("fc", .reservedHead, []),
        ("f7", .unknownSimpleValue, []), ("e0", .unknownSimpleValue, []), ("f814", .unknownSimpleValue, []),
        ("f8ff", .unknownSimpleValue, []),
        // Tags.
        ("c0f6", .unknownTag(0), []), ("c5820101", .unknownTag(5), []), ("d9d9f7f6", .unknownTag(55799), []),
        ("c1f6", .tagContent(1), []), ("c161" + "61", .tagContent(1), []),
        ("c11b8000000000000000", .tagContent(1), []),
        ("c1c11a00010000", .tagContent(1), []), ("c24100", .tagContent(2), []),
        ("c248ffffffffffffffff", .tagContent(2), []),
        ("c249000000000000000000", .tagContent(2), []),
        ("c251" + "01" + String(repeating: "00", count: 16), .tagContent(2), []),
        ("c201", .tagContent(2), []), ("c348ffffffffffffffff", .tagContent(3), []),
        ("c48101", .tagContent(4), []),
        ("c4830101" + "01", .tagContent(4), []), ("c482f60a", .tagContent(4), []),
        ("c48201f6", .tagContent(4), []),
        ("d81801", .tagContent(24), []), ("d81840", .endsEarly, []), ("d8184101ff", .trailingBytes, []),
        ("d818420102", .trailingBytes, []), ("d818421817", .notShortest, []), ("d82001", .tagContent(32), []),
        ("d8254101", .tagContent(37), []), ("d825f6", .tagContent(37), []),
        ("d903e9f6", .tagContent(1001), []),
        ("d903e9a10100", .tagContent(1001), []), ("d903e9a2010028" + "1a3b9aca00", .tagContent(1001), []),
        ("d903e9a2010029" + "00", .tagContent(1001), []), ("d903e9a2020028" + "00", .tagContent(1001), []),
        ("d903e9a20160" + "2800", .tagContent(1001), []),
        // Inside an embedded item nothing is named.
        ("d81844a1616bf7", .unknownSimpleValue, []), ("d81845a2616b0000f6", .keysOutOfOrder, []),
        ("a1617382" + "00d8184681a1616b81f7", .unknownSimpleValue, [.key("s"), .index(1)]),
        ("a16173d81849d81846a1616b811817", .notShortest, [.key("s")]),
        ("d903e9a301002800" + "3100", .tagContent(1001), []),
    ]

    @Test(arguments: refusals) func `refused, with its place`(
        hex: String, reason: CBORFailure.Reason, path: [CBORPathElement]
    ) throws {
        let bytes = try #require([UInt8](hex: hex))
        #expect(throws: CBORFailure(reason, path: path)) { try CheckedItem(parsing: bytes) }
    }

    /// Texts are checked in words of eight bytes.
    @Test func `a byte that is not UTF-8 is found wherever it stands`() throws {
        for count in 1...40 {
            for position in 0..<count {
                var bytes: [UInt8] = [0x82]
                bytes.append(.text, UInt64(count))
                let start = bytes.count
                // The bytes after the text are not checked with it.
                bytes += Array(repeating: 0x7F, count: count) + [0x80]
                #expect(try CheckedItem(parsing: bytes).count == 3)
                bytes[start + position] = 0xFF
                #expect(throws: CBORFailure(.notUTF8, path: [.index(0)])) { try CheckedItem(parsing: bytes) }
            }
        }
    }

    @Test func `64 levels open, 65 do not, in either direction`() throws {
        for open in ["81", "a100"] {
            _ = try CheckedItem(
                parsing: try #require([UInt8](hex: String(repeating: open, count: 64) + "f6")))
            let deep = try #require([UInt8](hex: String(repeating: open, count: 65) + "f6"))
            let failure = #expect(throws: CBORFailure.self) { try CheckedItem(parsing: deep) }
            #expect(failure?.reason == .tooDeep && failure?.path.count == 64)
        }
        // Through embedded items as well: each is a tag in a byte string.
        var embedded: [UInt8] = [0xF6]
        for _ in 0..<64 {
            var outer: [UInt8] = [0xD8, 24]
            outer.append(.bytes, UInt64(embedded.count))
            embedded = outer + embedded
        }
        _ = try CheckedItem(parsing: embedded)
        var outer: [UInt8] = [0xD8, 24]
        outer.append(.bytes, UInt64(embedded.count))
        #expect(throws: CBORFailure(.tooDeep)) { try CheckedItem(parsing: outer + embedded) }

        indirect enum Nest: Encodable {
            case leaf
            case list(Nest)
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                if case .list(let inner) = self { try container.encode(inner) }
            }
        }
        var nest = Nest.leaf
        for _ in 0..<63 { nest = .list(nest) }
        #expect(try CBOREncoder.encode(nest).bytes.count == 64)
        nest = .list(nest)
        let failure = #expect(throws: CBORFailure.self) { try CBOREncoder.encode(nest) }
        #expect(failure?.reason == .tooDeep)
        // Levels inside a value count as well: whatever is sealed opens.
        let leaves: [(CBORValue, Int)] = [
            (.null, 0), (.uuid(UUID()), 1), (.url("a:b"), 1), (.time(CBORTime(noon)), 1),
            (.time(.extended(seconds: 1, scale: .nano, fraction: 1)), 2),
            (.integer(CBORInteger(isNegative: false, magnitude: .max)), 1),
            (.decimal(CBORDecimal(exponent: 0, mantissa: CBORInteger(1))), 2),
            (.decimal(CBORDecimal(exponent: 0, mantissa: CBORInteger(isNegative: true, magnitude: .max))), 3),
            (.secret(.null), 1), (.secret(.array([])), 2),
        ]
        for (leaf, levels) in leaves {
            var value = leaf
            for _ in 0..<64 - levels { value = .array([value]) }
            let item = try CBOREncoder.encode(value)
            #expect(CBORValue(try CheckedItem(parsing: item.bytes)) == value)
            let failure = #expect(throws: CBORFailure.self) {
                try CBOREncoder.encode(CBORValue.array([value]))
            }
            #expect(failure?.reason == .tooDeep)
        }
    }

    @Test func `more than 64 KiB are refused before they are copied`() throws {
        #expect(try CBOREncoder.encode(String(repeating: "a", count: 65_533)).bytes.count == 65_536)
        #expect(throws: CBORFailure(.tooLong)) {
            try CBOREncoder.encode(String(repeating: "a", count: 65_534))
        }
        #expect(throws: CBORFailure(.tooLong)) { try CBOREncoder.encode(Data(count: 100_000_000)) }
        #expect(throws: CBORFailure(.tooLong)) {
            try CBOREncoder.encode([Int](repeating: 0, count: 1_000_000))
        }
        let failure = #expect(throws: CBORFailure.self) {
            try CBOREncoder.encode(Dictionary(uniqueKeysWithValues: (0..<100_000).map { ($0, $0) }))
        }
        #expect(failure?.reason == .tooLong)
        #expect(throws: CBORFailure(.tooLong, path: [])) {
            try CBOREncoder.encode([String(repeating: "k", count: 70_000): 1])
        }
    }

    /// An array of texts used to be copied to its end, and trapped beyond 2 GiB.
    @Test func `an array that is too large is given up at the element that is too much`() throws {
        let text = String(repeating: "x", count: 60_000)
        func elements(_ value: some Encodable) -> Int {
            let tree = Shared(ItemBuilder())
            #expect(throws: CBORFailure(.tooLong, path: [.index(1)])) {
                try tree.encode(value, at: ItemBuilder.root)
            }
            return tree.value.childCount(of: ItemBuilder.root)
        }
        #expect(elements(Array(repeating: text, count: 1000)) == 2)
        #expect(elements(Array(repeating: String?(text), count: 1000)) == 2)
        #expect(elements(Array(repeating: Data(count: 60_000), count: 1000)) == 2)
        #expect(elements(Array(repeating: [UInt8](repeating: 0, count: 60_000), count: 1000)) == 2)
        #expect(elements(Array(repeating: Secret(text), count: 1000)) == 2)
    }

    /// Short entries are written at once, where they are certain to fit.
    @Test func `a map that is too large is given up at the entry that is too much`() throws {
        typealias Container = KeyedEncodingContainer<DynamicKey>
        func entries(_ key: String, _ write: @escaping (inout Container, DynamicKey) throws -> Void) -> Int {
            let tree = Shared(ItemBuilder())
            let value = Doing { encoder in
                var container = encoder.container(keyedBy: DynamicKey.self)
                for number in 100_000..<120_000 { try write(&container, DynamicKey("\(key)\(number)")) }
            }
            #expect(throws: CBORFailure.self) { try tree.encode(value, at: ItemBuilder.root) }
            return tree.value.childCount(of: ItemBuilder.root)
        }
        // A key is 5 bytes or more, a value one or more.
        let most = CBORLimits.itemBytes / 6 + 1
        for key in ["", "k"] {
            #expect(entries(key) { try $0.encode(true, forKey: $1) } <= most)
            #expect(entries(key) { try $0.encode(-70_000, forKey: $1) } <= most)
            #expect(entries(key) { try $0.encode(1.1, forKey: $1) } <= most)
            #expect(entries(key) { try $0.encode("ab", forKey: $1) } <= most)
        }
    }

    /// If a method cannot throw, entries used to be added without end: it trapped beyond 2 GiB.
    @Test func `containers that cannot throw make nothing larger than an item`() throws {
        struct Filler: Encodable {
            let key: String
            let fill: (any Encoder, String) throws -> Void
            func encode(to encoder: any Encoder) throws { try fill(encoder, key) }
        }
        /// The number of entries or elements left.
        func count(
            _ keyCount: Int,
            _ fill: @escaping (any Encoder, String) throws -> Void
        ) throws -> Int {
            let tree = Shared(ItemBuilder())
            let filler = Filler(key: String(repeating: "k", count: keyCount), fill: fill)
            try? tree.encode(filler, at: ItemBuilder.root)
            let failure = #expect(throws: CBORFailure.self) { try tree.value.item() }
            #expect(failure?.reason == .tooLong && tree.value.bytes.count <= 65_600)
            return tree.value.childCount(of: ItemBuilder.root)
        }
        let nested = try count(60_000) { encoder, key in
            var container = encoder.container(keyedBy: CBORKey.self)
            for index in 0..<100 {
                _ = container.nestedContainer(
                    keyedBy: CBORKey.self, forKey: CBORKey(stringValue: key + "\(index)"))
            }
        }
        #expect(nested == 1)
        let supers = try count(60_000) { encoder, key in
            var container = encoder.container(keyedBy: CBORKey.self)
            for index in 0..<100 {
                _ = container.superEncoder(forKey: CBORKey(stringValue: key + "\(index)"))
            }
        }
        #expect(supers == 1)
        let elements = try count(0) { encoder, _ in
            var container = encoder.unkeyedContainer()
            for _ in 0..<200_000 { _ = container.nestedUnkeyedContainer() }
        }
        #expect(elements == 65_536)
        // A caller that continues after its errors.
        _ = try count(60_000) { encoder, text in
            var container = encoder.unkeyedContainer()
            for _ in 0..<100 { try? container.encode(text) }
        }
        // Values that are written after their siblings' move their keys along, once each.
        let late = Shared(ItemBuilder())
        let filler = Filler(key: String(repeating: "k", count: 6_000)) { encoder, key in
            var container = encoder.container(keyedBy: CBORKey.self)
            let encoders = (0..<10).map {
                container.superEncoder(forKey: CBORKey(stringValue: "\($0)" + key))
            }
            for encoder in encoders { try true.encode(to: encoder) }
        }
        try late.encode(filler, at: ItemBuilder.root)
        #expect(try late.value.item().bytes.count == 10 * (3 + 6_001 + 1) + 1)
        #expect(late.value.bytes.count <= 2 * 65_536)
    }
}
