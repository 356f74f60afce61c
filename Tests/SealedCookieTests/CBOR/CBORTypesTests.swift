// Swift's types as CBOR and back: RFC 8949's examples, numbers, times, decimals.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CBORTypesTests {
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
        // Rounded as JSON rounds; a Float is not rounded by way of a Double.
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
        // Found by fuzzing: dates whose seconds since 1970 do not fit a Double, some hundred million years from now.
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

    /// Between 2001 and 5 × 10^-17 s before it, a Date was sealed with 10^18 units of 10^-18 s, and could not be
    /// opened.
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
}
