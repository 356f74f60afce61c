// Arrays and dictionaries that are written and read without a container for each element. FORMAT §7.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CommonTypesTests {
    /// An array that asks for its elements one after the other.
    private struct Listed<Element: Codable & Equatable>: Decodable {
        var elements: [Element] = []
        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            while !container.isAtEnd { elements.append(try container.decode(Element.self)) }
        }
    }

    private static let keys = ["1", "-1", "", "é", "name", "Name", "0", "18446744073709551616", "a.b", "名"]

    private func check<Value: Codable & Equatable & SendableMetatype>(_ values: [Value]) throws {
        for count in [0, 1, 2, values.count] {
            let array = Array(values.prefix(count))
            #expect(try hex(array) == hex(array.map(Handed.init)))
            #expect(try roundTrip(array) == array)
            let named = Dictionary(uniqueKeysWithValues: zip(Self.keys, array))
            #expect(try hex(named) == hex(named.mapValues(Handed.init)))
            #expect(try roundTrip(named) == named)
        }
        for value in values {
            #expect(try hex(value) == hex(Handed(value)))
            #expect(try roundTrip(value) == value)
            #expect(try roundTrip([value, nil]) == [value, nil])
            #expect(try roundTrip(["k": Optional(value)]) == ["k": value])
        }
    }

    @Test func `they are the same as with a container for each element`() throws {
        try check([0, -1, 23, 24, 256, Int.max, .min])
        try check([true, false, true])
        try check([0, -0.0, 0.1, .infinity, 1e300, .leastNonzeroMagnitude])
        try check(["", "a", "ü", "1", String(repeating: "x", count: 300)])
    }

    /// The elements, or how they were refused.
    private func result<Element: Decodable>(_ read: () throws -> [Element]) -> String {
        do {
            return "\(try read())"
        } catch let error as DecodingError {
            let path = error.context?.codingPath.map(\.stringValue) ?? []
            return "\(path) \(error.context?.debugDescription ?? "")"
        } catch {
            return "\(error)"
        }
    }

    /// Integers, whole and other floats, large integers, decimals, texts, null, a UUID, an array and nothing.
    @Test(arguments: [
        "82003903e7", "82f94000f93c00", "82f93e0001", "811bffffffffffffffff", "813bffffffffffffffff",
        "81c249010000000000000000", "81c4822019" + "04d2", "81c4820105", "826161f6", "8201f6", "81f5",
        "81d82550000102030405060708090a0b0c0d0e0f", "818101", "80", "a0", "4101", "01",
    ])
    func `what others wrote is read or refused as element by element`(_ item: String) throws {
        func compare<Element: Codable & Equatable>(_ type: Element.Type) {
            let listed = result { try decode(Listed<Element>.self, item).elements }
            #expect(result { try decode([Element].self, item) } == listed)
        }
        compare(Int.self)
        compare(String.self)
        compare(Bool.self)
        compare(Double.self)
    }

    @Test func `beyond the limits they are refused as element by element`() throws {
        func refusal(_ limit: Int, _ mostValues: Int, _ value: some Encodable) -> String {
            do {
                return try CBOREncoder.encode(value, limit: limit, mostValues: mostValues).bytes.hex
            } catch { return "\(error)" }
        }
        // One dictionary: another one may have its entries in another order, and refuse another of them.
        let entries = ["a": 1, "b": 300]
        var refusals: Set<String> = []
        for limit in 0..<20 {
            for most in 1..<7 {
                let named = refusal(limit, most, ["in": entries])
                #expect(named == refusal(limit, most, ["in": entries.mapValues(Handed.init)]))
                let listed = refusal(limit, most, [["ab", "cd"]])
                #expect(listed == refusal(limit, most, [["ab", "cd"].map(Handed.init)]))
                let numbers = refusal(limit, most, ["in": [1, 300]])
                #expect(numbers == refusal(limit, most, ["in": [1, 300].map(Handed.init)]))
                refusals.formUnion([named, listed, numbers])
            }
        }
        #expect(refusals.count > 8)
    }

    @Test func `a dictionary may be written where a container was, but not twice`() throws {
        let twice = Doing { encoder in
            var container = encoder.singleValueContainer()
            try container.encode(["a": 1])
            try container.encode(["b": 2])
        }
        refused("twice", .encodedTwice) { try twice.encode(to: $0) }
        let extended = Doing { encoder in
            var container = encoder.container(keyedBy: DynamicKey.self)
            try container.encode("x", forKey: DynamicKey("c"))
            try ["a": 1, "c": 2].encode(to: encoder)
        }
        #expect(try hex(extended) == "a2" + "616101" + "616302")
    }
}
