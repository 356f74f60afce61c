// Containers that are requested again, and values that are written twice, as with JSONEncoder.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ContainersAskedAgainTests {
    /// The closure's output, from JSON's encoder and from ours.
    private func sameAsJSON(_ what: String, _ body: @escaping (any Encoder) throws -> Void) throws {
        let json = try JSONDecoder().decode(AnyValue.self, from: JSONEncoder().encode(Doing(body)))
        #expect(try decode(AnyValue.self, item(Doing(body))) == json, "\(what)")
    }

    @Test func `a container that is asked for again under its key is the same one, as with JSON`() throws {
        try sameAsJSON("keyed, twice") { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            var first = outer.nestedContainer(keyedBy: LetterKey.self, forKey: .inner)
            try first.encode(1, forKey: .a)
            var second = outer.nestedContainer(keyedBy: LetterKey.self, forKey: .inner)
            try second.encode(2, forKey: .b)
            try first.encode(3, forKey: .c)
        }
        try sameAsJSON("unkeyed, twice, in turns") { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            var first = outer.nestedUnkeyedContainer(forKey: .list)
            try first.encode(1)
            var second = outer.nestedUnkeyedContainer(forKey: .list)
            #expect(second.count == 1)
            try second.encode(2)
            try first.encode("3")
        }
        try sameAsJSON("a map as a value, then a container") { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            try outer.encode(["a": 1], forKey: .inner)
            var inner = outer.nestedContainer(keyedBy: LetterKey.self, forKey: .inner)
            try inner.encode(2, forKey: .b)
        }
        try sameAsJSON("an array as a value, then a container") { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            try outer.encode([1, 2], forKey: .list)
            var inner = outer.nestedUnkeyedContainer(forKey: .list)
            try inner.encode(3)
        }
        try sameAsJSON("a container, then a value") { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            var inner = outer.nestedContainer(keyedBy: LetterKey.self, forKey: .inner)
            try inner.encode(1, forKey: .a)
            try outer.encode(5, forKey: .inner)
        }
        try sameAsJSON("a container, a map as a value, a container") { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            var inner = outer.nestedContainer(keyedBy: LetterKey.self, forKey: .inner)
            try inner.encode(1, forKey: .a)
            try outer.encode(["b": 2], forKey: .inner)
            inner = outer.nestedContainer(keyedBy: LetterKey.self, forKey: .inner)
            try inner.encode(3, forKey: .c)
        }
        try sameAsJSON("containers that are never written to") { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            _ = outer.nestedContainer(keyedBy: LetterKey.self, forKey: .a)
            _ = outer.nestedUnkeyedContainer(forKey: .b)
            _ = outer.superEncoder(forKey: .c)
            var list = outer.nestedUnkeyedContainer(forKey: .list)
            _ = list.nestedUnkeyedContainer()
            _ = list.nestedContainer(keyedBy: LetterKey.self)
            _ = list.superEncoder()
        }
        try sameAsJSON("the encoder's own container, twice") { encoder in
            var first = encoder.container(keyedBy: LetterKey.self)
            try first.encode(1, forKey: .a)
            var second = encoder.container(keyedBy: DynamicKey.self)
            try second.encode(2, forKey: DynamicKey("b"))
        }
        try sameAsJSON("the encoder's own array, twice") { encoder in
            var first = encoder.unkeyedContainer()
            try first.encode(1)
            var second = encoder.unkeyedContainer()
            try second.encode("2")
        }
        try sameAsJSON("arrays by themselves, twice") { encoder in
            try ["a"].encode(to: encoder)
            try ["b"].encode(to: encoder)
        }
        try sameAsJSON("a null, then a value") { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            try outer.encodeNil(forKey: .a)
            try outer.encode(1, forKey: .a)
        }
        // In maps of many entries these are found by a table, with values in between that take over a key.
        try sameAsJSON("many") { encoder in
            var outer = encoder.container(keyedBy: DynamicKey.self)
            for number in 0..<200 {
                var inner = outer.nestedContainer(
                    keyedBy: DynamicKey.self, forKey: DynamicKey("k\(number % 40)"))
                try inner.encode(number, forKey: DynamicKey("n\(number)"))
                if number % 7 == 0 {
                    try outer.encode([String: Int](), forKey: DynamicKey("k\(number % 11)"))
                }
            }
        }
    }

    @Test func `of a key that is written thousands of times the last value is kept, as with JSON`() throws {
        let writers: [(String, (inout KeyedEncodingContainer<LetterKey>, Int) throws -> Void)] = [
            ("a number", { try $0.encode($1, forKey: .a) }),
            ("a text", { try $0.encode("the number \($1)", forKey: .a) }),
            ("a long text", { try $0.encode("\($1)" + String(repeating: "x", count: 700), forKey: .a) }),
            ("a map", { try $0.encode(["b": $1], forKey: .a) }),
            ("an array", { try $0.encode([$1, $1], forKey: .a) }),
            ("an encoder for super", { try [$1].encode(to: $0.superEncoder(forKey: .a)) }),
            (
                "a container",
                {
                    var inner = $0.nestedContainer(keyedBy: LetterKey.self, forKey: .inner)
                    try inner.encode($1, forKey: .b)
                }
            ),
        ]
        for (what, write) in writers {
            let body: (any Encoder) throws -> Void = { encoder in
                var outer = encoder.container(keyedBy: LetterKey.self)
                for number in 0..<10_000 { try write(&outer, number) }
            }
            try sameAsJSON(what, body)
            let (limit, mostValues) = (16_384, CBORLimits.mostValues(ofItem: 16_384))
            #expect(
                try CBOREncoder.encode(Doing(body), limit: limit, mostValues: mostValues)
                    == item(Doing(body)), "\(what)")
        }
    }

    @Test func `an encoder for super that is asked for again writes on in the same map`() throws {
        let body: (any Encoder) throws -> Void = { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            try ["a": 1].encode(to: outer.superEncoder())
            try ["b": 2].encode(to: outer.superEncoder())
            try ["a": 1].encode(to: outer.superEncoder(forKey: .inner))
            var inner = outer.nestedContainer(keyedBy: LetterKey.self, forKey: .inner)
            try inner.encode(2, forKey: .b)
            try 1.encode(to: outer.superEncoder(forKey: .c))
            try 2.encode(to: outer.superEncoder(forKey: .c))
        }
        let both = AnyValue.object(["a": .int(1), "b": .int(2)])
        #expect(
            try decode(AnyValue.self, item(Doing(body)))
                == .object(["super": both, "inner": both, "c": .int(2)]))
    }

    @Test
    func `of arrays and values that encoders for super write under one key the later is kept, as with JSON`()
        throws
    {
        let writers: [(String, (inout KeyedEncodingContainer<LetterKey>, Int) throws -> Void)] = [
            ("super", { try [$1, 2].encode(to: $0.superEncoder()) }),
            ("forKey", { try [$1, 2].encode(to: $0.superEncoder(forKey: .list)) }),
            ("bytes", { try [UInt8($1)].encode(to: $0.superEncoder(forKey: .list)) }),
            (
                "unkeyed",
                {
                    var list = $0.superEncoder(forKey: .list).unkeyedContainer()
                    try list.encode($1)
                }
            ),
            (
                "an array as a value",
                {
                    var value = $0.superEncoder(forKey: .list).singleValueContainer()
                    try value.encode([$1])
                }
            ),
            (
                "a map as a value",
                {
                    var value = $0.superEncoder(forKey: .list).singleValueContainer()
                    try value.encode(["\($1)": $1])
                }
            ),
            (
                "a number",
                {
                    var value = $0.superEncoder(forKey: .list).singleValueContainer()
                    try value.encode($1)
                }
            ),
            ("nothing", { container, _ in _ = container.superEncoder(forKey: .list) }),
            ("an array, encoded", { try $0.encode([$1], forKey: .list) }),
        ]
        for (first, write) in writers {
            // Here the map stays.
            for (second, writeAgain) in writers where first != "a map as a value" || second != "nothing" {
                try sameAsJSON("\(first), then \(second)") { encoder in
                    var outer = encoder.container(keyedBy: LetterKey.self)
                    try write(&outer, 1)
                    try writeAgain(&outer, 3)
                }
            }
        }
        try sameAsJSON("dynamic") { encoder in
            var outer = encoder.container(keyedBy: DynamicKey.self)
            try [1].encode(to: outer.superEncoder(forKey: DynamicKey("5")))
            try [2].encode(to: outer.superEncoder(forKey: DynamicKey("5")))
        }
        try sameAsJSON("a map, then a map as a value, with a key of a number") { encoder in
            var outer = encoder.container(keyedBy: DynamicKey.self)
            try ["a": 1].encode(to: outer.superEncoder(forKey: DynamicKey("5")))
            var value = outer.superEncoder(forKey: DynamicKey("5")).singleValueContainer()
            try value.encode(["b": 2])
        }
        // A value that fails leaves the previous one.
        let body: (any Encoder) throws -> Void = { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            try ["a": 1].encode(to: outer.superEncoder(forKey: .inner))
            var value = outer.superEncoder(forKey: .inner).singleValueContainer()
            try? value.encode(Doing { _ in throw CancellationError() })
        }
        #expect(
            try decode(AnyValue.self, item(Doing(body))) == .object(["inner": .object(["a": .int(1)])]))
    }

    @Test func `of a value that failed in a single value container nothing is left for the next`() throws {
        try sameAsJSON("many containers under keys, then again") { encoder in
            func write(_ encoder: any Encoder, _ count: Int) throws {
                var map = encoder.container(keyedBy: DynamicKey.self)
                for number in 0..<3 * count {
                    var inner = map.nestedContainer(
                        keyedBy: DynamicKey.self, forKey: DynamicKey("k\(number % count)"))
                    try inner.encode(number, forKey: DynamicKey("n\(number)"))
                }
            }
            var value = encoder.singleValueContainer()
            let failing = Doing { encoder in
                try write(encoder, 40)
                throw CancellationError()
            }
            // JSON's encoder accepts a value only once.
            if encoder is CBORItemEncoder { try? value.encode(failing) }
            try value.encode(Doing { encoder in try write(encoder, 40) })
        }
    }

    @Test func `an encoded session is taken up to the same size and the same number of values as any`() throws
    {
        for count in [3000, 4094, 4095] {
            let session = Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, 0) })
            let encoded = try EncodedSession(item(session).bytes)
            #expect(((try? encoded.item(limit: 16_384)) != nil) == (count < 4095))
            #expect(
                ((try? CBOREncoder.encode(session, limit: 16_384, mostValues: 4096)) != nil) == (count < 4095)
            )
        }
        let encoded = try EncodedSession(item(String(repeating: "x", count: 1000)).bytes)
        #expect(try encoded.item(limit: 1003).bytes == encoded.bytes)
        #expect(throws: SealError.self) { try encoded.item(limit: 1002) }
    }

    @Test func `a decimal of the longest mantissa below zero is out of a Decimal's and an integer's range`()
        throws
    {
        for exponent in [-3, 1, 2] as [Int64] {
            let fraction = CBORDecimal(
                exponent: exponent, mantissa: CBORInteger(isNegative: true, magnitude: .max))
            let index = try CheckedItem(parsing: fraction.encoded.bytes)
            #expect(throws: DecodingError.self) { try CBORDecoder.decode(Decimal.self, from: index) }
            #expect(throws: DecodingError.self) { try CBORDecoder.decode(Int128.self, from: index) }
            #expect(try CBORDecoder.decode(Double.self, from: index) < -3e35)
        }
    }

    @Test func `bytes stay a byte string where an element between them has failed`() throws {
        let bytes = Doing { encoder in
            var list = encoder.unkeyedContainer()
            try list.encode(UInt8(200))
            try? list.encode(Doing { _ in throw CancellationError() })
            try list.encode(UInt8(7))
        }
        #expect(try item(bytes) == CBORItem(bytes: [0x42, 200, 7], byteStrings: [1..<3]))
    }

    @Test func `a value that an encoder for super could not write leaves the map, which may be tried again`()
        throws
    {
        struct Failing: Encodable {
            func encode(to encoder: any Encoder) throws { throw CocoaError(.coderInvalidValue) }
        }
        struct Trying: Encodable {
            let second: String?
            func encode(to encoder: any Encoder) throws {
                var outer = encoder.container(keyedBy: LetterKey.self)
                var map = outer.superEncoder(forKey: .list).container(keyedBy: LetterKey.self)
                try map.encode(1, forKey: .a)
                var value = outer.superEncoder(forKey: .list).singleValueContainer()
                #expect(throws: CocoaError.self) { try value.encode(Failing()) }
                if let second { try value.encode(second) } else { try map.encode(2, forKey: .b) }
            }
        }
        let again = try CBOREncoder.encode(Trying(second: "x"))
        #expect(try CBOREncoder.encode(["list": "x"]) == again)
        let kept = try CBOREncoder.encode(Trying(second: nil))
        #expect(try CBOREncoder.encode(["list": ["a": 1, "b": 2]]) == kept)
    }

    /// JSON keeps the value of the encoder that is freed last, which no one can predict.
    @Test func `what is written to an encoder for super after another has taken its key is refused`() throws {
        let late: [(String, (any Encoder, any Encoder) throws -> Void)] = [
            (
                "arrays, both opened empty",
                {
                    var (first, second) = ($0.unkeyedContainer(), $1.unkeyedContainer())
                    try first.encode(1)
                    try second.encode(2)
                }
            ),
            (
                "values",
                {
                    try 1.encode(to: $0)
                    try 2.encode(to: $1)
                }
            ),
            ("a map and nothing", { first, _ in try ["a": 1].encode(to: first) }),
            (
                "an array without elements",
                { first, second in
                    try 2.encode(to: second)
                    _ = first.unkeyedContainer()
                }
            ),
        ]
        for (what, write) in late {
            refused(what, .encodedTwice) { encoder in
                var outer = encoder.container(keyedBy: LetterKey.self)
                try write(outer.superEncoder(forKey: .list), outer.superEncoder(forKey: .list))
            }
        }
        refused("inside", .encodedTwice) { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            var list = outer.superEncoder(forKey: .list).unkeyedContainer()
            var inner = list.nestedUnkeyedContainer()
            _ = outer.superEncoder(forKey: .list)
            try inner.encode(1)
        }
        refused("one encoder's value, twice", .encodedTwice) { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            try ["a": 1].encode(to: outer.superEncoder(forKey: .list))
            var value = outer.superEncoder(forKey: .list).singleValueContainer()
            try value.encode(1)
            try value.encode(2)
        }
    }

    class Base: Codable {
        var a = 0
        private enum Keys: CodingKey { case a, inner }
        init() {}
        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            a = try container.nestedContainer(keyedBy: Keys.self, forKey: .inner).decode(Int.self, forKey: .a)
        }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            var inner = container.nestedContainer(keyedBy: Keys.self, forKey: .inner)
            try inner.encode(a, forKey: .a)
        }
    }

    final class Derived: Base {
        var b = 0
        private enum Keys: CodingKey { case b, inner }
        override init() { super.init() }
        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            b = try container.nestedContainer(keyedBy: Keys.self, forKey: .inner).decode(Int.self, forKey: .b)
            try super.init(from: decoder)
        }
        override func encode(to encoder: any Encoder) throws {
            try super.encode(to: encoder)
            var container = encoder.container(keyedBy: Keys.self)
            var inner = container.nestedContainer(keyedBy: Keys.self, forKey: .inner)
            try inner.encode(b, forKey: .b)
        }
    }

    @Test func `a class and its subclass share a container under one key`() throws {
        let value = Derived()
        (value.a, value.b) = (1, 2)
        let back = try decode(Derived.self, item(value))
        #expect(back.a == 1 && back.b == 2)
    }

    @Test func `containers of two kinds under one key are refused when they are sealed`() {
        refused("a number, then a container", .containerMixed) { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            try outer.encode(5, forKey: .inner)
            var inner = outer.nestedContainer(keyedBy: LetterKey.self, forKey: .inner)
            try inner.encode(1, forKey: .a)
        }
        refused("null, then a container", .containerMixed) { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            try outer.encodeNil(forKey: .inner)
            _ = outer.nestedUnkeyedContainer(forKey: .inner)
        }
        refused("keyed, then unkeyed", .containerMixed) { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            _ = outer.nestedContainer(keyedBy: LetterKey.self, forKey: .inner)
            _ = outer.nestedUnkeyedContainer(forKey: .inner)
        }
        refused("a secret, then a container", .containerMixed) { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            try outer.encode(Secret(["a": 1]), forKey: .inner)
            _ = outer.nestedContainer(keyedBy: LetterKey.self, forKey: .inner)
        }
        refused("bytes, then a container", .containerMixed) { encoder in
            var outer = encoder.container(keyedBy: LetterKey.self)
            try outer.encode(Data([1]), forKey: .list)
            _ = outer.nestedUnkeyedContainer(forKey: .list)
        }
        for values: [any Encodable] in [
            [[1], [2]], [["a": 1], ["b": 2]], [Data([1]), Data([2])], [["a"], ["b"]], [1, ["a": 1]],
            [["a": 1], 1],
        ] {
            refused("a single value container, twice", .encodedTwice) { encoder in
                var container = encoder.singleValueContainer()
                for value in values { try container.encode(value) }
            }
        }
    }

    /// Only two entries: nothing else can be out of order.
    @Test(arguments: [2, 3, 30]) func `a key that is encoded twice in a row is written once`(times: Int)
        throws
    {
        let body: (any Encoder) throws -> Void = { encoder in
            var container = encoder.container(keyedBy: LetterKey.self)
            for number in 1...times { try container.encode(number, forKey: .a) }
        }
        #expect(
            try item(Doing(body)).bytes == [0xA1, 0x61, 0x61] + (times < 24 ? [UInt8(times)] : [24, 30]))
        try sameAsJSON("twice in a row", body)
    }

    private struct Failing: Encodable {
        struct Failure: Error {}
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: LetterKey.self)
            try container.encode("half", forKey: .a)
            throw Failure()
        }
    }

    /// Half of it used to be left in the item, which then did not open.
    @Test func `a value that throws and is done without leaves nothing behind`() throws {
        func written(_ body: @escaping (any Encoder) throws -> Void) throws -> AnyValue {
            try decode(AnyValue.self, item(Doing(body)))
        }
        let map = try written { encoder in
            var container = encoder.container(keyedBy: LetterKey.self)
            try? container.encode(Failing(), forKey: .a)
            try container.encode(1, forKey: .b)
            try container.encode(2, forKey: .c)
            try? container.encode(Failing(), forKey: .c)
        }
        #expect(map == .object(["b": .int(1), "c": .int(2)]))
        let array = try written { encoder in
            var container = encoder.unkeyedContainer()
            try? container.encode(Failing())
            try container.encode(1)
            try? container.encode([Failing()])
            #expect(container.count == 1)
        }
        #expect(array == .array([.int(1)]))
        let second = try written { encoder in
            var container = encoder.singleValueContainer()
            do { try container.encode(Failing()) } catch { try container.encode("whole") }
        }
        #expect(second == .text("whole"))
        let many = try written { encoder in
            var container = encoder.container(keyedBy: DynamicKey.self)
            for number in 0..<100 {
                try? container.encode(Failing(), forKey: DynamicKey("k\(number % 50)"))
                var inner = container.nestedContainer(
                    keyedBy: LetterKey.self, forKey: DynamicKey("k\(number % 50)"))
                try inner.encode(number, forKey: number < 50 ? .a : .b)
            }
        }
        let expected = (0..<50).map { ("k\($0)", AnyValue.object(["a": .int($0), "b": .int($0 + 50)])) }
        #expect(many == .object(Dictionary(uniqueKeysWithValues: expected)))
    }
}
