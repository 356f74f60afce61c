// Decimals: as exact as JSON's, and at a bounded cost.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct DecimalTests {
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
            // JSON's decoder reads numbers of up to 38 digits, and does not read some whose exponents are too large.
            if let json = try? JSONDecoder().decode(Decimal.self, from: JSONEncoder().encode(decimal)),
                json == decimal
            {
                #expect(back == json && back.description == json.description)
                #expect(try CBOREncoder.encode(json) == item)
            }
            // The same from its text, in the shortest form.
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
            // It used to take 40 times as long.
            #expect(large.encoding < 5 * small.encoding)
            #expect(large.decoding < 12 * small.decoding)
        }
    }

    @Test func `the largest exponents of a Decimal are kept by zeros in its digits`() throws {
        for exponent in 127...165 {
            let value = try #require(CBORDecimal(text: "1e\(exponent)")?.decimal)
            #expect(CBORDecimal(value)?.text == "1e\(exponent)")
        }
        #expect(CBORDecimal(text: "1e166")?.decimal == nil)
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
}
