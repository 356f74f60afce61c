// What decoding finds: optionals, entries in any order, keys of two kinds; and the path of an error.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CBORDecodingTests {
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
        // A value that was sealed before it became a secret is accepted, but only of its own type, and not the other
        // way round.
        #expect(try decode(Secret<Int>.self, "01") == Secret(1))
        #expect(
            try decode([String: Secret<Date>].self, "a16161c100") == [
                "a": Secret(.init(timeIntervalSince1970: 0))
            ])
        // A secret adds levels. One that has none left opens, and is refused when it is sealed again.
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
        // A wrapper that forwards its encoder: text, which can be read back as either.
        struct Wrapper<Key: Hashable & Codable & Sendable>: Codable, Equatable {
            var values: [Key: Int]
            init(_ values: [Key: Int]) { self.values = values }
            init(from decoder: any Decoder) throws { values = try [Key: Int](from: decoder) }
            func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }
        }
        #expect(try roundTrip(Wrapper(["42": 1, "042": 2])) == Wrapper(["42": 1, "042": 2]))
        #expect(try roundTrip(Wrapper([42: 1, -7: 2])) == Wrapper([42: 1, -7: 2]))
    }
}
