// An application's own keys, text and integers: kept unchanged or refused.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CodableKeysTests {
    @Test func `a dynamic key is kept as it is spelled, and dictionaries read it`() throws {
        let spellings = [
            "01234", "1234", "+49", "49", "-0", "0", "00", "1e3", "1000", "", "-", "-1", "- 1", " 7", "7 ",
            "0x10",
            "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
            "१२", "4️⃣", "a", "é",
        ]
        let expected = Dictionary(uniqueKeysWithValues: zip(spellings, 0...))
        let all = Doing { encoder in
            var container = encoder.container(keyedBy: DynamicKey.self)
            for (index, key) in spellings.enumerated() {
                try container.encode(index, forKey: DynamicKey(key))
            }
        }
        let written = try item(all)
        #expect(try decode([String: Int].self, written) == expected)
        #expect(try decode([String: Single<Int>].self, written) == expected.mapValues(Single.init))
        struct Reader: Decodable {
            var values: [String: Int] = [:]
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: DynamicKey.self)
                for key in container.allKeys {
                    values[key.stringValue] = try container.decode(Int.self, forKey: key)
                }
            }
        }
        #expect(try decode(Reader.self, written).values == expected)
        // A dictionary of texts, read by dynamic keys; one of integers, read as both; texts, read as integers.
        #expect(try decode(Reader.self, item(expected)).values == expected)
        let numbers = [7: 1, -3: 2, Int.max: 3, Int.min: 4]
        let named = Dictionary(uniqueKeysWithValues: numbers.map { (String($0), $1) })
        #expect(try decode(Reader.self, item(numbers)).values == named)
        #expect(try decode([String: Int].self, item(numbers)) == named)
        #expect(try decode([Int: Int].self, item(named)) == numbers)
        #expect(try decode([Int: Int].self, item(["+49": 1])) == [49: 1])
    }

    @Test func `a key is an integer only where the integer gives the key back`() throws {
        struct Named: Codable, Equatable {
            var a = 1, b = 2
            enum CodingKeys: Int, CodingKey {
                case a = 9
                case b = -1
            }
        }
        #expect(try item(Named()).bytes.hex == "a2090120" + "02")
        #expect(try written(DynamicKey("49")) == "a11831f5")
        #expect(try written(DynamicKey("+49")) == "a1632b3439f5")
        /// Its integers mean nothing.
        struct Counting: CodingKey {
            var stringValue: String
            var intValue: Int? { stringValue.count }
            init(_ text: String) { stringValue = text }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { stringValue = String(repeating: "x", count: intValue) }
        }
        #expect(try written(Counting("ab")) == "a1626162f5")
        #expect(try written(Counting("xx")) == "a102f5")
        /// It has integers that it does not read.
        struct OneWay: CodingKey {
            var stringValue: String
            var intValue: Int? { Int(stringValue) }
            init(_ text: String) { stringValue = text }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        #expect(try written(OneWay("42")) == "a1182af5")
        struct OneWayReader: Decodable {
            var keys: [String] = []
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: OneWay.self)
                for key in container.allKeys where try container.decode(Bool.self, forKey: key) {
                    keys.append(key.stringValue)
                }
            }
        }
        #expect(try decode(OneWayReader.self, item([42: true])).keys == ["42"])
        #expect(try decode(OneWayReader.self, item(["42": true])).keys == ["42"])
    }

    @Test
    func `a key that its integer gives back says nothing of other keys of its type, nor of other types`()
        throws
    {
        /// Both keys have the same integer, which restores the first.
        enum Half: String, CodingKey {
            case a, b
            var intValue: Int? { 7 }
            init?(intValue: Int) { self = .a }
        }
        enum None: String, CodingKey {
            case a, b
            var intValue: Int? { 7 }
            init?(intValue: Int) { nil }
        }
        enum All: Int, CodingKey { case a, b }
        struct Entry: Codable, Equatable {
            var values = [1, 2, 3, 4, 5, 6]
            init() {}
            init(from decoder: any Decoder) throws {
                var array = try decoder.unkeyedContainer()
                let (half, all) = (
                    try array.nestedContainer(keyedBy: Half.self),
                    try array.nestedContainer(keyedBy: All.self)
                )
                let none = try array.nestedContainer(keyedBy: None.self)
                values = [
                    try half.decode(Int.self, forKey: .a), try half.decode(Int.self, forKey: .b),
                    try all.decode(Int.self, forKey: .a), try all.decode(Int.self, forKey: .b),
                    try none.decode(Int.self, forKey: .a), try none.decode(Int.self, forKey: .b),
                ]
            }
            func encode(to encoder: any Encoder) throws {
                var array = encoder.unkeyedContainer()
                var half = array.nestedContainer(keyedBy: Half.self)
                try half.encode(values[0], forKey: .a)
                try half.encode(values[1], forKey: .b)
                var all = array.nestedContainer(keyedBy: All.self)
                try all.encode(values[2], forKey: .a)
                try all.encode(values[3], forKey: .b)
                var none = array.nestedContainer(keyedBy: None.self)
                try none.encode(values[4], forKey: .a)
                try none.encode(values[5], forKey: .b)
            }
        }
        let entry = "83" + "a20701616202" + "a200030104" + "a2616105616206"
        let item = try item([Entry(), Entry(), Entry()])
        #expect(item.bytes.hex == "83" + entry + entry + entry)
        #expect(try decode([Entry].self, item) == [Entry(), Entry(), Entry()])
    }

    /// Its author claims that no one calls this, and JSON's coders indeed do not.
    private struct TextKey: CodingKey {
        var stringValue: String
        var intValue: Int? { Int(stringValue) }
        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { fatalError("not used") }  // Tested: no one calls it.
    }

    private struct TextKeyed: Codable {
        var entries: [String: Int] = [:]
        init(_ keys: [String]) { for key in keys { entries[key] = key.utf8.count } }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: TextKey.self)
            for (key, value) in entries {
                try container.encode(value, forKey: TextKey(key))
                _ = container.nestedContainer(keyedBy: TextKey.self, forKey: TextKey("9\(key)"))
                _ = container.superEncoder(forKey: TextKey("8\(key)"))
            }
        }
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: TextKey.self)
            for key in container.allKeys {
                guard container.contains(key), let value = try? container.decode(Int.self, forKey: key)
                else {
                    continue
                }
                entries[key.stringValue] = value
            }
        }
    }

    @Test func `a key type that cannot be made of an integer is not asked to be`() async {
        await #expect(processExitsWith: .success) {
            let keys = ["42", "+42", "042", "-0", "-7", "a", "", "9223372036854775808", "1.5", "٣"]
            let back = try decode(TextKeyed.self, item(TextKeyed(keys))).entries
            #expect(back == TextKeyed(keys).entries)
            #expect(try decode(TextKeyed.self, item([7: 1, -8: 2])).entries == ["7": 1, "-8": 2])
        }
    }

    /// The type's own keys, and other keys in the same map.
    private struct Extended: Encodable {
        enum Keys: Int, CodingKey { case name = 9 }
        var extra: any Encodable
        var isNameFirst = true
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            if isNameFirst { try container.encode("Zoë", forKey: .name) }
            try extra.encode(to: encoder)
            if !isNameFirst { try container.encode("Zoë", forKey: .name) }
        }
    }

    @Test func `two keys of one map with the same integer are refused when they are sealed`() throws {
        let dynamic = Doing { encoder in
            var container = encoder.container(keyedBy: DynamicKey.self)
            try container.encode("visitor", forKey: DynamicKey("9"))
        }
        let nested = Doing { encoder in
            var container = encoder.container(keyedBy: DynamicKey.self)
            var inner = container.nestedContainer(keyedBy: DynamicKey.self, forKey: DynamicKey("9"))
            try inner.encode(1, forKey: DynamicKey("a"))
        }
        let clash: [any Encodable] = [
            dynamic, nested, ["9": "visitor"], [9: "visitor"], ["a": "b", "9": "c"],
        ]
        for extra in clash {
            for isNameFirst in [true, false] {
                for value: any Encodable in [
                    Extended(extra: extra, isNameFirst: isNameFirst),
                    ["k": AnyEncodable(Extended(extra: extra, isNameFirst: isNameFirst))],
                    Secret(AnyEncodable(Extended(extra: extra, isNameFirst: isNameFirst))),
                ] {
                    let failure = #expect(throws: CBORFailure.self) { try CBOREncoder.encode(value) }
                    #expect(failure?.reason == .keysOfOneInteger)
                }
            }
        }
        refused("text and number", .keysOfOneInteger) { encoder in
            var container = encoder.container(keyedBy: Key2.self)
            try container.encode(1, forKey: Key2("7"))
            var other = encoder.container(keyedBy: DynamicKey.self)
            try other.encode(2, forKey: DynamicKey("7"))
        }
        // Among many others, too.
        refused("among many", .keysOfOneInteger) { encoder in
            var container = encoder.container(keyedBy: DynamicKey.self)
            for number in 0..<100 { try container.encode(number, forKey: DynamicKey("\(number)")) }
            for number in 0..<100 { try container.encode(number, forKey: DynamicKey("k\(number)")) }
            var other = encoder.container(keyedBy: Key2.self)
            try other.encode(2, forKey: Key2("70"))
        }
        // Keys that do not clash are kept, and a key that is written twice has its later value.
        for extra: any Encodable in [
            ["a": "b"], ["09": "b"], ["+9": "b", "10": "c"], [10: "b"], ["name": "b"], [String: String](),
        ] {
            #expect(try item(Extended(extra: extra)) == item(Extended(extra: extra, isNameFirst: false)))
        }
        #expect(
            try item(
                Doing { encoder in
                    var container = encoder.container(keyedBy: Extended.Keys.self)
                    try container.encode("a", forKey: .name)
                    try container.encode("b", forKey: .name)
                    var dynamic = encoder.container(keyedBy: DynamicKey.self)
                    try dynamic.encode(1, forKey: DynamicKey("5"))
                    try dynamic.encode(2, forKey: DynamicKey("5"))
                }
            ).bytes.hex == "a20502096162")
        // A map without a key type may have both.
        let both = CBORValue.map([
            .init(key: .integer(9), value: .null), .init(key: .text("9"), value: .bool(true)),
        ])
        #expect(try decode(CBORValue.self, item(both)) == both)
    }

    /// A key that exists only as text.
    private struct Key2: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    @Test func `an entry that is not there is not taken for another spelling's`() throws {
        struct Looking: Decodable {
            var found: [String]
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: DynamicKey.self)
                found = ["+49", "049", "49", "-0", "0", "a"].filter { container.contains(DynamicKey($0)) }
            }
        }
        #expect(try decode(Looking.self, item([49: 1])).found == ["49"])
        #expect(try decode(Looking.self, item(["49": 1])).found == ["49"])
        #expect(try decode(Looking.self, item(["+49": 1, "-0": 2])).found == ["+49", "-0"])
        #expect(try decode(Looking.self, item(["a": 1])).found == ["a"])
    }
}
