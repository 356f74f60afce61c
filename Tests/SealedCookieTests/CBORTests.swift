// CBOR for Codable: RFC 8949's examples, every shape that Codable has, and what is refused.
import Foundation
import Testing

@testable import SealedCookie

/// What encoding `value` gives, in hexadecimal digits.
private func hex(_ value: some Encodable) throws -> String {
    try CBOREncoder.encode(value).bytes.hex
}

private func decode<Value: Decodable>(_ type: Value.Type, _ hex: String) throws -> Value {
    let bytes = try #require([UInt8](hex: hex))
    return try CBORDecoder.decode(type, from: CheckedItem(parsing: bytes))
}

/// Encodes and decodes; the encoding is one item of the profile, and decodes to a value that encodes
/// to the same bytes.
private func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
    let item = try CBOREncoder.encode(value)
    let index = try CheckedItem(parsing: item.bytes)
    #expect(index.wholeItem == item)
    #expect(try CBOREncoder.encode(CBORValue(index)) == item)
    let decoded = try CBORDecoder.decode(Value.self, from: index)
    #expect(try CBOREncoder.encode(decoded) == item)
    return decoded
}

/// A generator whose numbers are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

@Suite struct CBORTests {
    // MARK: RFC 8949

    struct AppendixA: Decodable {
        struct Vector: Decodable {
            let hex: Hex
            let json: CBORJSON?
            let refused: String?

            enum CodingKeys: CodingKey { case hex, json, refused }

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: CodingKeys.self)
                hex = try container.decode(Hex.self, forKey: .hex)
                // Not decodeIfPresent: null is one of the examples.
                json = container.contains(.json) ? try container.decode(CBORJSON.self, forKey: .json) : nil
                refused = try container.decodeIfPresent(String.self, forKey: .refused)
            }
        }
        let vectors: [Vector]
    }

    @Test func `RFC 8949's examples decode, or are refused for the reason stated`() throws {
        let file = try vectors("cbor-appendix-a.json", as: AppendixA.self)
        var (decoded, refused) = (0, 0)
        for vector in file.vectors {
            if let json = vector.json {
                let index = try CheckedItem(parsing: vector.hex.bytes)
                let value = CBORValue(index)
                #expect(value == json.value, "\(vector.hex.bytes.hex)")
                #expect(try CBOREncoder.encode(value).bytes == vector.hex.bytes)
                decoded += 1
            } else {
                let failure = #expect(throws: CBORFailure.self, "\(vector.hex.bytes.hex)") {
                    try CheckedItem(parsing: vector.hex.bytes)
                }
                #expect(failure?.reason.description == vector.refused, "\(vector.hex.bytes.hex)")
                refused += 1
            }
        }
        #expect(decoded == 59 && refused == 23)
    }

    // MARK: Types

    struct Address: Codable, Equatable {
        var street: String
        var zip: String?
    }
    enum Plan: Codable, Equatable {
        case free
        case paid(monthly: Decimal, until: Date)
        case gift(String)
    }
    enum Role: String, Codable { case member, admin }
    struct Everything: Codable, Equatable {
        var bool = true
        var int8 = Int8.min
        var int16 = Int16.min
        var int32 = Int32.min
        var int64 = Int64.min
        var int128 = Int128.min
        var uint8 = UInt8.max
        var uint16 = UInt16.max
        var uint32 = UInt32.max
        var uint64 = UInt64.max
        var uint128 = UInt128.max
        var float: Float = 0.1
        var double = 0.1
        var text = "Zoë 田中 😀"
        var none: Int?
        var some: Int? = 5
        var list = [[1, 2], [], [3]]
        var texts = ["a", "b"]
        var address = Address(street: "Chandler's Row", zip: nil)
        var plans: [Plan] = [.free, .paid(monthly: 9.99, until: noon), .gift("from Łódź")]
        var role = Role.admin
        var byText = ["42": 1, "042": 2, "+42": 3, "": 4, "a": 5]
        var byInt = [42: "a", -1: "b", 0: "c", Int.max: "d", Int.min: "e"]
        var byRole: [Role: Int] = [.member: 1]
        var byDouble: [Double: String] = [1.5: "a"]
        var set: Set<Int> = [7]
        var data = Data([0, 255])
        var bytes: [UInt8] = [1, 2, 3]
        var uuid = UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16))
        var date = noon
        var url = URL(string: "https://example.org/a?b=c#d")
        var decimal = Decimal(string: "-12345678901234567890.123456789")
        var secret = Secret(["a": [1, 2]])
        var empty = [String: Int]()
    }

    @Test func `a session of every type comes back equal`() throws {
        #expect(try roundTrip(Everything()) == Everything())
    }

    @Test func `expected bytes, from RFC 8949 by hand`() throws {
        struct Point: Codable { var y = 1, x = -1, long = 500 }
        struct Compact: Codable {
            var id = 7, name = "n"
            enum CodingKeys: Int, CodingKey {
                case id = 1
                case name = -1
            }
        }
        // Keys by their bytes: shorter texts first, then the alphabet.
        #expect(try hex(Point()) == "a361782061790164" + "6c6f6e67" + "1901f4")
        #expect(try hex(Compact()) == "a2010720616e")
        #expect(try hex(Plan.gift("x")) == "a16467696674a1625f306178")
        #expect(try hex(Plan.free) == "a16466726565a0")
        #expect(try hex([Int?.none, 1]) == "82f601")
        #expect(try hex(Data([1, 2])) == "420102")
        #expect(try hex([UInt8]([1, 2])) == "420102")
        #expect(try hex([UInt16]([1, 2])) == "820102")
        #expect(
            try hex(UUID(uuid: (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)))
                == "d82550000102030405060708090a0b0c0d0e0f")
        #expect(try hex(noon) == "c11a6a6fda00")
        #expect(try hex(noon + 0.5) == "c1fb41da9bf680200000")
        #expect(try hex(Decimal(string: "12.50")) == "c48220187d")
        #expect(try hex(URL(string: "a:b")) == "d82063613a62")
        #expect(try hex(Secret("ab")) == "d818" + "43626162")
        #expect(try hex(["b": 1, "aa": 2, "a": 3]) == "a3616103616201626161" + "02")
        #expect(try hex([-1: 0, 1: 0, 24: 0]) == "a30100181800" + "2000")
        #expect(try hex(Int128(UInt64.max) + 1) == "c249010000000000000000")
        #expect(try hex(-Int128(UInt64.max) - 1) == "3bffffffffffffffff")
        #expect(try hex(1.5) == "f93e00")
        #expect(try hex(Float(100_000)) == "fa47c35000")
        #expect(try hex(1.1) == "fb3ff199999999999a")
    }

    @Test func `floats keep their bits`() throws {
        var random = SplitMix(state: 1)
        var patterns: [UInt64] = [
            0, 1 << 63, 0x7FF0 << 48, 0xFFF0 << 48, 0x7FF8 << 48, 0x7FF8_0000_0000_0001,
            0x7FF0_0000_0000_0001,
            0xFFF4_0000_0000_0000, 0x7FF0_0400_0000_0000, 0x7FF0_0000_2000_0000, 1, 0x000F_FFFF_FFFF_FFFF,
            0x36A0_0000_0000_0000, 0x3E70_0000_0000_0000, 0x40EF_FC00_0000_0000, 0x40EF_FE00_0000_0000,
            0x47EF_FFFF_E000_0000, 0x47EF_FFFF_F000_0000,
        ]
        for _ in 0..<20_000 {
            let bits = random.next()
            patterns += [bits, bits & ~0x1FFF_FFFF, bits & ~0x3FF_FFFF_FFFF]
        }
        for bits in patterns {
            let item = try CBOREncoder.encode(Double(bitPattern: bits))
            #expect(
                try CBORDecoder.decode(Double.self, from: CheckedItem(parsing: item.bytes)).bitPattern == bits
            )
            let single = UInt32(truncatingIfNeeded: bits >> 32)
            let small = try CBOREncoder.encode(Float(bitPattern: single))
            #expect(small.bytes.count <= 5)
            #expect(
                try CBORDecoder.decode(Float.self, from: CheckedItem(parsing: small.bytes)).bitPattern
                    == single
            )
        }
    }

    @Test
    func `a Double and a Float read the nearest number, an Int whole floats`()
        throws
    {
        #expect(try decode(Double.self, "1b0020000000000000") == 9_007_199_254_740_992)
        #expect(try decode(Double.self, "3903e7") == -1000)
        #expect(try decode(Double.self, "3bffffffffffffffff") == -18_446_744_073_709_551_616)
        // Rounded as JSON rounds; a Float not by way of a Double.
        for (hex, digits) in [
            ("1b0020000000000001", "9007199254740993"), ("1bffffffffffffffff", "18446744073709551615"),
            ("1b7fffffffffffffff", "9223372036854775807"), ("1b0000004000000001", "274877906945"),
            ("1b0100000180000001", "72057600480378881"),
            ("3b0020000000000000", "-9007199254740993"), ("3bffffffffffffffff", "-18446744073709551616"),
            ("c249010000000000000001", "18446744073709551617"),
            ("c349010000000000000000", "-18446744073709551617"),
            ("c482201b0020000000000001", "900719925474099.3"),
        ] {
            let double = try JSONDecoder().decode([Double].self, from: Data("[\(digits)]".utf8))
            #expect(try [decode(Double.self, hex)] == double, "\(digits)")
            let float = try? JSONDecoder().decode([Float].self, from: Data("[\(digits)]".utf8))
            #expect(try float == nil || [decode(Float.self, hex)] == float, "\(digits)")
        }
        #expect(try decode(Double.self, "c350ffffffffffffffffffffffffffffffff") == -0x1p128)
        #expect(throws: DecodingError.self) { try decode(Float.self, "c350ffffffffffffffffffffffffffffffff") }
        // 1e-400 and 1e400: numbers that would be zero and infinite.
        for hex in ["c48239018f01", "c48219019001", "c48239018f20"] {
            #expect(throws: DecodingError.self) { try decode(Double.self, hex) }
            #expect(throws: DecodingError.self) { try decode(Float.self, hex) }
        }
        #expect(try decode(Double.self, "c48239018f00") == 0)
        #expect(try decode(Float.self, "f93e00") == 1.5)
        #expect(try decode(Float.self, "fb3ff199999999999a") == 1.1)
        #expect(throws: DecodingError.self) { try decode(Float.self, "fb7e37e43c8800759c") }
        #expect(try decode(Float.self, "f97c00") == .infinity)
        #expect(try decode(Int.self, "f93c00") == 1)
        #expect(throws: DecodingError.self) { try decode(Int.self, "f93e00") }
        #expect(throws: DecodingError.self) { try decode(Int8.self, "f95800") }
    }

    @Test func `integers at their ends, and one beyond`() throws {
        #expect(try decode(Int64.self, "3b7fffffffffffffff") == .min)
        #expect(throws: DecodingError.self) { try decode(Int64.self, "3b8000000000000000") }
        #expect(throws: DecodingError.self) { try decode(Int64.self, "1b8000000000000000") }
        #expect(try decode(UInt64.self, "1bffffffffffffffff") == .max)
        #expect(throws: DecodingError.self) { try decode(UInt64.self, "20") }
        #expect(throws: DecodingError.self) { try decode(UInt8.self, "190100") }
        #expect(try decode(Int8.self, "387f") == -128)
        #expect(throws: DecodingError.self) { try decode(Int8.self, "3880") }
        #expect(throws: DecodingError.self) { try decode(UInt128.self, "c349010000000000000000") }
        #expect(try decode(Int128.self, "c3507fffffffffffffffffffffffffffffff") == .min)
        #expect(throws: DecodingError.self) {
            try decode(Int128.self, "c35080000000000000000000000000000000")
        }
    }

    @Test func `a Date comes back as it was, whatever its fraction`() throws {
        var random = SplitMix(state: 2)
        var dates: [Date] = [
            .now, .distantPast, .distantFuture, Date(timeIntervalSinceReferenceDate: 0), noon,
        ]
        for exponent in 1...14 {
            for _ in 0..<300 {
                var magnitude = Double.random(in: 0.2...1, using: &random) * (random.next() & 1 == 0 ? 1 : -1)
                for _ in 0..<exponent { magnitude *= 10 }
                dates.append(Date(timeIntervalSinceReferenceDate: magnitude))
                dates.append(Date(timeIntervalSince1970: magnitude))
            }
        }
        for _ in 0..<3000 { dates.append(noon + Double.random(in: 0...1e8, using: &random)) }
        for date in dates {
            let item = try CBOREncoder.encode(date)
            let back = try CBORDecoder.decode(Date.self, from: CheckedItem(parsing: item.bytes))
            #expect(back == date, "\(date.timeIntervalSinceReferenceDate)")
        }
        // Both forms were met: half of all present times need the second.
        let forms = Set(try dates.map { try CBOREncoder.encode($0).bytes[0] })
        #expect(forms == [0xC1, 0xD9])
        // Nearer than two seconds to 2001 a Date is finer than 10^-18 s: these are written as a Date encodes itself.
        for _ in 0..<300 {
            let date = Date(timeIntervalSinceReferenceDate: Double.random(in: -2...2, using: &random))
            let item = try CBOREncoder.encode(date)
            let back = try CBORDecoder.decode(Date.self, from: CheckedItem(parsing: item.bytes))
            #expect(back == date)
        }
        // Found by fuzzing: dates whose seconds since 1970 a Double does not hold, some hundred million years from here.
        for power in 53..<63 {
            for odd in [-1.0, 1, 3] {
                let date = Date(
                    timeIntervalSinceReferenceDate: odd
                        * Double(sign: .plus, exponent: power, significand: 1.0).nextUp / 4)
                #expect(try roundTrip(date) == date, "\(date.timeIntervalSinceReferenceDate)")
            }
        }
        for odd in [Double.infinity, -.infinity, 1e300, -1e300] {
            let date = Date(timeIntervalSinceReferenceDate: odd)
            #expect(try roundTrip(date) == date)
        }
        #expect(try decode(Date.self, "c1f97e00").timeIntervalSince1970.isNaN)
    }

    /// Between 2001 and 5 × 10^-17 s before it a Date was sealed with 10^18 units of 10^-18 s, and opened nowhere.
    @Test func `Dates just before and behind a whole second open`() throws {
        var random = SplitMix(state: 4)
        var numbers: [Double] = [-1e-17, -1e-20, -5.5e-17, -5.6e-17, -0.0, .leastNonzeroMagnitude]
        numbers += (-80...2).map { Double(sign: .minus, exponent: $0, significand: 1) }
        for _ in 0..<2000 {
            numbers.append(
                Double(
                    sign: .minus, exponent: .random(in: -1074 ... -1, using: &random),
                    significand: .random(in: 1..<2, using: &random)))
            numbers.append(.random(in: -1e6...1e6, using: &random).rounded())
            numbers.append(.random(in: -1e10...1e10, using: &random).rounded())
        }
        numbers += (-3...3).map { Double($0) }
        for number in numbers.flatMap({ [$0, -$0] }).flatMap({ [$0, $0.nextUp, $0.nextDown] }) {
            for date in [
                Date(timeIntervalSinceReferenceDate: number), Date(timeIntervalSince1970: number),
            ] {
                let item = try CBOREncoder.encode(date)
                let back = try CBORDecoder.decode(Date.self, from: CheckedItem(parsing: item.bytes))
                #expect(back == date, "\(number)")
            }
        }
    }

    @Test func `Decimals keep every digit`() throws {
        for text in [
            "0", "1", "-1", "0.1", "12.50", "100", "1e20", "-1e-20", "99999999999999999999999999999999999999",
            "0.00000000000000000000000000000000000001", "-340282366920938463463374607431768211455", "1e127",
            "1e-128",
            "123456789.987654321",
        ] {
            let decimal = try #require(Decimal(string: text))
            #expect(try roundTrip(decimal) == decimal, "\(text)")
        }
        #expect(try roundTrip(Decimal.nan).isNaN)
        #expect(try decode(Decimal.self, "1903e8") == 1000)
        #expect(throws: DecodingError.self) { try decode(Decimal.self, "c4821903e801") }
        #expect(try decode(Decimal.self, "f93e00") == 1.5)
        #expect(throws: DecodingError.self) { try decode(Decimal.self, "f97c00") }
        #expect(throws: DecodingError.self) { try decode(Decimal.self, "6131") }
    }

    // MARK: Containers

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

    /// It was sealed, and opened nowhere: the empty map that is written for it is a level as well.
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

    /// The second was dropped in silence.
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

    /// Each element's siblings were gone through.
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

    /// Types went on into what was too deep, until the stack was used up.
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

    struct Item: Codable { var id: Int, tags: [String] }
    struct Cart: Codable { var items: [Item] }

    private func error(_ hex: String) throws -> DecodingError {
        let error = #expect(throws: DecodingError.self) { try decode(Cart.self, hex) }
        return try #require(error)
    }

    @Test func `decoding errors say where`() throws {
        // {"items": [{"id": 1, "tags": ["a", 5]}]}
        guard
            case .typeMismatch(_, let mismatch) = try error(
                "a1656974656d7381a26269640164746167738261" + "6105")
        else {
            Issue.record("no mismatch")
            return
        }
        #expect(mismatch.codingPath.map(\.stringValue) == ["items", "0", "tags", "1"])
        guard case .keyNotFound(let key, let missing) = try error("a1656974656d7381a1626964" + "01") else {
            Issue.record("no missing key")
            return
        }
        #expect(key.stringValue == "tags" && missing.codingPath.map(\.stringValue) == ["items", "0"])
        guard case .valueNotFound(_, let null) = try error("a1656974656d73f6") else {
            Issue.record("no null")
            return
        }
        #expect(null.codingPath.map(\.stringValue) == ["items"])
        #expect(throws: DecodingError.self) { try decode([Int].self, "a0") }
        #expect(throws: DecodingError.self) { try decode([String: Int].self, "80") }
        #expect(throws: DecodingError.self) { try decode(UUID.self, "40") }
        // What was sealed before it was a secret is taken, of its own type only; not the other way round.
        #expect(try decode(Secret<Int>.self, "01") == Secret(1))
        #expect(
            try decode([String: Secret<Date>].self, "a16161c100") == [
                "a": Secret(.init(timeIntervalSince1970: 0))
            ])
        // A secret takes levels of its own: one that has none left opens, and is refused when it is sealed again.
        let deep = try decode([Secret<EncodedSession>].self, String(repeating: "81", count: 63) + "80")
        let failure = #expect(throws: CBORFailure.self) { try CBOREncoder.encode(deep) }
        #expect(failure?.reason == .tooDeep)
        #expect(throws: DecodingError.self) { try decode(Secret<Int>.self, "6131") }
        #expect(throws: DecodingError.self) { try decode(Secret<Int>.self, "d818426131") }
        #expect(throws: DecodingError.self) { try decode(Int.self, "d8184101") }
    }

    @Test func `optionals: absent, null and present`() throws {
        struct Maybe: Codable, Equatable {
            var int: Int?, text: String?, bool: Bool?, double: Double?, list: [Int]?, date: Date?,
                secret: Secret<Int>?
        }
        #expect(try decode(Maybe.self, "a0") == Maybe())
        #expect(try decode(Maybe.self, "a263696e74f66474657874f6") == Maybe())
        let full = Maybe(int: 1, text: "t", bool: true, double: 2, list: [3], date: noon, secret: Secret(4))
        #expect(try roundTrip(full) == full)
        #expect(try roundTrip([Int?.none, 5, nil]) == [nil, 5, nil])
    }

    @Test func `keys with integers find integers first, then their text`() throws {
        struct Compact: Codable, Equatable {
            var id: Int, name: String
            enum CodingKeys: Int, CodingKey {
                case id = 1
                case name = 2
            }
        }
        let expected = Compact(id: 7, name: "n")
        #expect(try decode(Compact.self, "a20107" + "02616e") == expected)
        #expect(try decode(Compact.self, "a2626964" + "07646e616d65616e") == expected)
        #expect(try decode(Compact.self, "a30107" + "02616e" + "62696408") == expected)
    }

    @Test func `entries are found in whatever order they are asked for, in maps within maps`() throws {
        var random = SplitMix(state: 12)
        for _ in 0..<50 {
            let keys = (0..<random.next() % 40).map { "k\($0)" }
            let maps = Dictionary(uniqueKeysWithValues: keys.map { ($0, ["a": 1, $0: 2, "z": 3]) })
            #expect(try roundTrip(maps) == maps)
            let index = try CheckedItem(
                parsing: CBOREncoder.encode(Dictionary(uniqueKeysWithValues: keys.map { ($0, $0.count) }))
                    .bytes)
            let reader = CBORReader(CBORReading(index))
            for _ in 0..<200 {
                let key = "k\(random.next() % 44)"
                let found = reader.value(in: 0, text: key).map { index.node(Int($0)).argument }
                #expect(found == (keys.contains(key) ? UInt64(key.count) : nil))
            }
        }
        #expect(try roundTrip(["a": true, "é": false]) == ["a": true, "é": false])
        #expect(try roundTrip(["a": "x", "": "y"]) == ["a": "x", "": "y"])
        #expect(try roundTrip(["a": 0.5, "b": -1]) == ["a": 0.5, "b": -1])
        let error = #expect(throws: DecodingError.self) { try decode([String: Int].self, "a26161016162f4") }
        guard case .typeMismatch(_, let context) = error else { return #expect(Bool(false)) }
        #expect(context.codingPath.map(\.stringValue) == ["b"])
    }

    @Test func `dictionaries keep text and integer keys apart`() throws {
        #expect(try hex(["1": 2]) == "a1613102")
        #expect(try hex([1: 2]) == "a10102")
        // {1: 10, "1": 20}
        #expect(try decode([Int: Int].self, "a1010a") == [1: 10])
        #expect(throws: DecodingError.self) { try decode([Int: Int].self, "a161610a") }
        // A wrapper that hands its encoder on: text, which reads back as either.
        struct Wrapper<Key: Hashable & Codable & Sendable>: Codable, Equatable {
            var values: [Key: Int]
            init(_ values: [Key: Int]) { self.values = values }
            init(from decoder: any Decoder) throws { values = try [Key: Int](from: decoder) }
            func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }
        }
        #expect(try roundTrip(Wrapper(["42": 1, "042": 2])) == Wrapper(["42": 1, "042": 2]))
        #expect(try roundTrip(Wrapper([42: 1, -7: 2])) == Wrapper([42: 1, -7: 2]))
    }

    // MARK: Refusals

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

    /// Texts are looked at in words of eight bytes.
    @Test func `a byte that is not UTF-8 is found wherever it stands`() throws {
        for count in 1...40 {
            for position in 0..<count {
                var bytes: [UInt8] = [0x82]
                bytes.append(.text, UInt64(count))
                let start = bytes.count
                // What is behind the text is not looked at with it.
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
        // Levels inside a value count as well: what is sealed opens.
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

    /// An array of texts was copied to its end, and trapped beyond 2 GiB.
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

    /// Where no method can throw, entries were added without end: it trapped beyond 2 GiB.
    @Test func `containers that cannot throw make nothing larger than an item`() throws {
        struct Filler: Encodable {
            let key: String
            let fill: (any Encoder, String) throws -> Void
            func encode(to encoder: any Encoder) throws { try fill(encoder, key) }
        }
        /// Entries or elements that are left.
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
        // A caller that goes on after its errors.
        _ = try count(60_000) { encoder, text in
            var container = encoder.unkeyedContainer()
            for _ in 0..<100 { try? container.encode(text) }
        }
        // Values that are written behind their siblings' take their keys along: once each.
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

    // MARK: Properties

    private func randomValue(_ random: inout SplitMix, depth: Int) -> CBORValue {
        switch random.next() % (depth > 4 ? 9 : 13) {
        case 0: return .null
        case 1: return .bool(random.next() & 1 == 0)
        case 2:
            let magnitude = UInt128(random.next()) << 64 | UInt128(random.next())
            return .integer(
                CBORInteger(
                    isNegative: random.next() & 1 == 0, magnitude: magnitude >> UInt128(random.next() % 128)))
        case 3: return .float(random.next() & ~0 << (random.next() % 53))
        case 4, 5:
            return .text(
                String(
                    (0..<random.next() % 12).map { _ in "aé田😀$\"\\b0".randomElement(using: &random) ?? "x" }))
        case 6: return .bytes((0..<random.next() % 40).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        case 7:
            return .time(
                CBORTime(
                    Date(
                        timeIntervalSinceReferenceDate: Double(Int64(bitPattern: random.next()) >> 30) / 1024)
                ))
        case 8:
            let bytes = (0..<16).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            return [
                .uuid(UUID(bytes: bytes.span)),
                .url("a:b?c"),
                .decimal(CBORDecimal(exponent: -2, mantissa: CBORInteger(Int(random.next() % 1000)))),
            ].randomElement(using: &random) ?? .null
        case 9, 10: return .array((0..<random.next() % 5).map { _ in randomValue(&random, depth: depth + 1) })
        case 11: return .secret(randomValue(&random, depth: depth + 1))
        default:
            var entries: [CBORMapKey: CBORValue] = [:]
            for _ in 0..<random.next() % 6 {
                let key: CBORMapKey =
                    random.next() & 1 == 0
                    ? .integer(Int64(bitPattern: random.next()) >> Int64(random.next() % 64))
                    : .text(
                        ["", "a", "$a", "$$", "aa", "b", "é", "$5", "long key"].randomElement(using: &random)
                            ?? "")
                entries[key] = randomValue(&random, depth: depth + 1)
            }
            return .map(entries.map { CBORMapEntry(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key })
        }
    }

    @Test func `any value survives encoding, and its JSON view`() throws {
        var random = SplitMix(state: 3)
        for _ in 0..<3000 {
            let value = randomValue(&random, depth: 0)
            let item = try CBOREncoder.encode(value)
            let index = try CheckedItem(parsing: item.bytes)
            #expect(CBORValue(index) == value)
            #expect(index.wholeItem == item)
            // Divided, as in a compressed body.
            var skeleton: [UInt8] = []
            var contents: [UInt8] = []
            var position = 0
            for content in item.byteStrings {
                skeleton += item.bytes[position..<content.lowerBound]
                contents += item.bytes[content]
                position = content.upperBound
            }
            skeleton += item.bytes[position...]
            var divided = CheckedItem()
            try divided.check(
                skeleton + contents, item: 0..<skeleton.count,
                contents: skeleton.count..<skeleton.count + contents.count)
            #expect(CBORValue(divided) == value)
            #expect(divided.wholeItem == item)
            let json = CBORJSON(value).text(pretty: false)
            #expect(
                try CBOREncoder.encode(CBORJSON(parsing: json).value) == item,
                "\(String(decoding: json, as: UTF8.self))")
        }
    }

    static let jsonForms: [(json: String, hex: String?)] = [
        // The number of digits of a fraction tells the three forms of a time apart.
        (#"{"$date": "2013-03-21T20:04:00Z"}"#, "c11a514b67b0"),
        (#"{"$date": "2013-03-21T20:04:00.5Z"}"#, "c1fb41d452d9ec200000"),
        (#"{"$date": "2013-03-21T20:04:00.500000000Z"}"#, "d903e9a2011a514b67b0281a1dcd6500"),
        (#"{"$date": "@-1"}"#, "c120"),
        (#"{"$date": "@-1.5"}"#, "c1f9be00"),
        // Found by fuzzing: a time that is a NaN with a payload.
        (#"{"$date": "@0xfffee40000000000"}"#, "c1f9ffb9"),
        (#"{"$date": "@0xfffffc0000000000"}"#, "c1f9ffff"),
        (#"{"$date": "@nan"}"#, "c1f97e00"), (#"{"$date": "@-inf"}"#, "c1f9fc00"),
        (#"{"$date": "@-2+500000000"}"#, "d903e9a20121281a1dcd6500"),
        (#"{"$date": "1583-01-01T00:00:00Z"}"#, "c13b00000002d7ecc77f"),
        (#"{"$date": "1582-12-31T23:59:59Z"}"#, nil),
        (#"{"$date": "2026-02-29T00:00:00Z"}"#, nil),
        (#"{"$date": "2026-02-28T00:00:60Z"}"#, nil),
        (#"{"$date": "2026-02-28T00:00:00+00:00"}"#, nil),
        (#"{"$date": "@1e3+500000000"}"#, nil),
        (#"{"$date": "@0x10"}"#, nil),
        // Not the nearest float.
        (#"{"$date": "@9223372036854775809"}"#, nil), (#"{"$date": "@-9223372036854775809"}"#, nil),
        (#"{"$date": "@-0"}"#, nil), (#"{"$date": "@9223372036854775808.0"}"#, "c1fa5f000000"),
        (#"{"$float": "1.0"}"#, "f93c00"),
        (#"{"$float": "1e2"}"#, "f95640"),
        (#"{"$float": "nan"}"#, "f97e00"),
        (#"{"$float": "0x7ff8000000000001"}"#, "fb7ff8000000000001"),
        (#"{"$float": "0x3ff0000000000000"}"#, nil),
        (#"{"$float": "0x1p3"}"#, nil),
        (#"{"$float": "infinity"}"#, nil),
        // Found by fuzzing: what Swift reads as a number and JSON does not write.
        (#"{"$float": ".5"}"#, nil), (#"{"$float": "5."}"#, nil), (#"{"$float": "+5"}"#, nil),
        (#"{"$float": "05"}"#, nil),
        (#"{"$float": "1e400"}"#, nil), (#"{"$float": "-1e400"}"#, nil), (#"{"$float": " 5"}"#, nil),
        (#"{"$date": "@.5"}"#, nil),
        (#"{"$date": "@+5"}"#, nil), (#"{"$date": "@+5+500000000"}"#, nil), (#"{"$date": "@05"}"#, nil),
        (#"{"$int": "18446744073709551616"}"#, "c249010000000000000000"),
        (#"{"$int": "007"}"#, nil),
        (#"{"$int": "+7"}"#, nil),
        (#"{"$int": "-0"}"#, nil),
        ("18446744073709551615", "1bffffffffffffffff"),
        ("18446744073709551616", nil),
        ("1.0", "01"),
        ("1e400", nil),
        (#"{"$decimal": "-125e-2"}"#, "c48221387c"),
        (#"{"$decimal": "-1.25"}"#, "c48221387c"),
        (#"{"$bytes": "AQ"}"#, "4101"),
        (#"{"$bytes": "AQ=="}"#, nil),
        (#"{"$uuid": "FE049F18-1B8F-4A6F-8C38-00C3448DE041"}"#, "d82550fe049f181b8f4a6f8c3800c3448de041"),
        // Found by fuzzing.
        (#"{"$uuid": "fe049f18-1b8f-0x6f-8c38-00c3448de041"}"#, nil),
        (#"{"$5": {"$$bytes": null}}"#, "a105a166246279746573f6"),
        (#"{"$05": 1}"#, nil),
        // Found by fuzzing: a text key of `$` and a combining accent, in Swift one character that is no `$`.
        (#"{"$$\u0301": 1}"#, "a16324cc8101"),
        (#"{"$\u0301": 1}"#, nil),
        (#"{"$5\u0301": 1}"#, nil),
        (#"{"$x": 1}"#, nil),
        (#"{"$bytes": "AQ", "b": 1}"#, nil),
        // JSONDecoder would keep one of them.
        (#"{"a": 1, "b": 2, "a": 3}"#, nil),
        (
            #"{"a:": "\\\":", "b": [{"c": ":\\"}, {"d": "", "e": {}}]}"#,
            "a2616282a16163623a5ca26164606165a062613a635c223a"
        ),
        (#"{"\u00e9": 1, "e\u0301": 2}"#, nil),
        (#"{"$map": [["e\u0301", 2], ["\u00e9", 1], [5, null]]}"#, "a305f662c3a9016365cc8102"),
        (#"{"$map": [["a", 1], ["a", 2]]}"#, nil),
        (#"{"$map": [[1.5, 1]]}"#, nil),
        (#"{"$map": [["a"]]}"#, nil),
        // Found by fuzzing: decimals below one, and exponents beyond a million.
        (#"{"$decimal": "0.5"}"#, "c4822005"), (#"{"$decimal": "-0.050"}"#, "c482223831"),
        (#"{"$decimal": "1e9223372036854775807"}"#, "c4821b7fffffffffffffff01"),
        (#"{"$decimal": "1.5e-9223372036854775808"}"#, nil), (#"{"$decimal": "12"}"#, "c482000c"),
        (#"{"$decimal": "-1.25e3"}"#, "c48201387c"), (#"{"$decimal": "0.00"}"#, "c4822100"),
        (#"{"$decimal": "00.5"}"#, nil), (#"{"$decimal": "-0.0"}"#, nil), (#"{"$decimal": "--1"}"#, nil),
        (#"{"$decimal": "1e05"}"#, nil), (#"{"$decimal": "1e+5"}"#, nil), (#"{"$decimal": ".5"}"#, nil),
        (#"{"$decimal": "1."}"#, nil), (#"{"$decimal": "1.-5"}"#, nil), (#"{"$decimal": "-"}"#, nil),
        (#"{"$decimal": ""}"#, nil),
        // Found by fuzzing: the lowest mantissa, whose digits alone are beyond 128 bits.
        (
            #"{"$decimal": "-340282366920938463463374607431768211456e127"}"#,
            "c482187fc350" + String(repeating: "ff", count: 16)
        ),
        (#"{"$decimal": "340282366920938463463374607431768211456"}"#, nil),
        // Found by fuzzing: numbers that Foundation rounds before anybody can see it.
        ("18446744073709551615.0", "1bffffffffffffffff"),
        ("-92233720368547758080e-1", "3b7fffffffffffffff"),
        ("1844674407370955161.50e1", "1bffffffffffffffff"),
        ("123456789012345678901e200", nil),
        ("184467440730000000000000000000000000000000000000000000000000000000000000000709551615", nil),
        ("1e300", "fb7e37e43c8800759c"),
        ("18446744073709551616.5", "fa5f800000"),
        ("1e-400", "f90000"),
        ("0e999999999999999999999", "00"),
        ("-0.0", "00"),
        ("1e999999999999999999999", nil),
        ("1e-999999999999999999999", "f90000"),
        // RFC 8259, and what other readers take besides.
        ("\u{FEFF} [ 1 ,\t-2.5e+1\r\n, \"\" ] ", "8301381860"), ("[1,]", nil), (#"{"a":1,}"#, nil),
        ("[1 2]", nil),
        ("01", nil), ("1.", nil), (".5", nil), ("+1", nil), ("-", nil), ("1e", nil), ("0x10", nil),
        ("NaN", nil),
        ("nul", nil), ("[1]]", nil), ("// a\n1", nil), ("'a'", nil), ("{a: 1}", nil), (#"{"a" 1}"#, nil),
        (#"{"a": }"#, nil),
        ("\"\t\"", nil), (#""\x""#, nil), (#""\u12""#, nil), (#""\u+123""#, nil), (#""\ud800""#, nil),
        (#""\ud83d\u0041""#, nil),
        (#""\ude00""#, nil), (#""a"#, nil), (#""\"#, nil), (#""\ud83d\ude00""#, "64f09f9880"),
        (#""\"\\\/\b\f\n\r\t\u0000""#, "69225c2f080c0a0d0900"), ("\"\u{7F}\u{2028}\"", "647fe280a8"),
        (String(repeating: "[", count: 600), nil), (String(repeating: "{\"a\":", count: 600), nil),
    ]

    @Test(arguments: jsonForms) func `the JSON view's forms, and what is none`(json: String, hex: String?)
        throws
    {
        guard let hex else {
            #expect(throws: CBORJSONFailure.self) { try CBORJSON(parsing: Data(json.utf8)) }
            return
        }
        let value = try CBORJSON(parsing: Data(json.utf8)).value
        let item = try CBOREncoder.encode(value)
        #expect(item.bytes.hex == hex)
        #expect(try CBORJSON(parsing: CBORJSON(value).text(pretty: false)).value == value)
    }

    @Test func `bytes that were changed anywhere never trap, and what is taken encodes to itself`() throws {
        var random = SplitMix(state: 4)
        let seeds =
            try (0..<60).map { _ in try CBOREncoder.encode(randomValue(&random, depth: 0)).bytes }
            + [try CBOREncoder.encode(Everything()).bytes]
        var (taken, refused) = (0, 0)
        for round in 0..<40_000 {
            var bytes = seeds[round % seeds.count]
            if round % 7 == 0 {
                bytes = (0..<random.next() % 24).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            }
            for _ in 0...random.next() % 3 where !bytes.isEmpty {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes[place] ^= 1 << UInt8(random.next() % 8)
                case 2: bytes.remove(at: place)
                default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                }
            }
            do {
                let index = try CheckedItem(parsing: bytes)
                #expect(index.wholeItem.bytes == bytes)
                #expect(try CBOREncoder.encode(CBORValue(index)).bytes == bytes)
                _ = CBORJSON(CBORValue(index)).text(pretty: false)
                _ = try? CBORDecoder.decode(Everything.self, from: index)
                _ = try? CBORDecoder.decode([String: Decimal].self, from: index)
                _ = try? CBORDecoder.decode([Date].self, from: index)
                taken += 1
            } catch is CBORFailure {
                refused += 1
            }
        }
        #expect(taken > 1000 && refused > 1000)
    }
}
