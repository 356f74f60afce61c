// What JSONEncoder and JSONDecoder keep, ours keeps; what cannot be kept is refused when it is sealed.
import Foundation
import Testing

@testable import SealedCookie

private func item(_ value: some Encodable) throws -> CBORItem {
    let item = try CBOREncoder.encode(value)
    // What is sealed opens.
    #expect(try CheckedItem(parsing: item.bytes).wholeItem == item)
    return item
}

private func decode<Value: Decodable>(_ type: Value.Type, _ item: CBORItem) throws -> Value {
    try CBORDecoder.decode(type, from: CheckedItem(parsing: item.bytes))
}

/// Any JSON, as most applications have it: each type is tried in turn.
indirect enum AnyValue: Codable, Equatable, Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case text(String)
    case array([AnyValue])
    case object([String: AnyValue])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let int = try? value.decode(Int.self) {
            self = .int(int)
        } else if let double = try? value.decode(Double.self) {
            self = .double(double)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let array = try? value.decode([AnyValue].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: AnyValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let bool): try value.encode(bool)
        case .int(let int): try value.encode(int)
        case .double(let double): try value.encode(double)
        case .text(let text): try value.encode(text)
        case .array(let array): try value.encode(array)
        case .object(let object): try value.encode(object)
        }
    }
}

/// A value that hands its coder on.
private struct Handed<Value: Codable>: Codable {
    var value: Value
    init(_ value: Value) { self.value = value }
    init(from decoder: any Decoder) throws { value = try Value(from: decoder) }
    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}

/// A value by way of a single value container.
private struct Single<Value: Codable>: Codable {
    var value: Value
    init(_ value: Value) { self.value = value }
    init(from decoder: any Decoder) throws { value = try decoder.singleValueContainer().decode(Value.self) }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

extension Handed: Equatable where Value: Equatable {}
extension Single: Equatable where Value: Equatable {}

private struct AnyEncodable: Encodable {
    let value: any Encodable
    init(_ value: any Encodable) { self.value = value }
    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}

private struct Box<Value: Codable>: Codable {
    var v: Value
    var list: [Value]
    var named: [String: Value]
    var maybe: Value?
    init(_ value: Value) { (v, list, named, maybe) = (value, [value, value], ["k": value], value) }
}
extension Box: Equatable where Value: Equatable {}

/// A key that is any text, with an integer where Swift reads one in it, as most dynamic keys are.
private struct DynamicKey: CodingKey, Hashable {
    var stringValue: String
    var intValue: Int? { Int(stringValue) }
    init(_ text: String) { stringValue = text }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { stringValue = String(intValue) }
}

/// Whatever a closure does with an encoder.
private struct Doing: Encodable {
    let body: (any Encoder) throws -> Void
    init(_ body: @escaping (any Encoder) throws -> Void) { self.body = body }
    func encode(to encoder: any Encoder) throws { try body(encoder) }
}

private enum Key: String, CodingKey { case a, b, c, inner, list, kind }

@Suite struct CodableTests {
    // MARK: Containers asked for again

    /// What the closure writes, as JSON's encoder has it and as ours has it.
    private func sameAsJSON(_ what: String, _ body: @escaping (any Encoder) throws -> Void) throws {
        let json = try JSONDecoder().decode(AnyValue.self, from: JSONEncoder().encode(Doing(body)))
        #expect(try decode(AnyValue.self, item(Doing(body))) == json, "\(what)")
    }

    private func refused(
        _ what: String, _ reason: CBORFailure.Reason, _ body: @escaping (any Encoder) throws -> Void
    ) {
        let failure = #expect(throws: CBORFailure.self, "\(what)") { try item(Doing(body)) }
        #expect(failure?.reason == reason, "\(what)")
    }

    @Test func `a container that is asked for again under its key is the same one, as with JSON`() throws {
        try sameAsJSON("keyed, twice") { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            var first = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
            try first.encode(1, forKey: .a)
            var second = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
            try second.encode(2, forKey: .b)
            try first.encode(3, forKey: .c)
        }
        try sameAsJSON("unkeyed, twice, in turns") { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            var first = outer.nestedUnkeyedContainer(forKey: .list)
            try first.encode(1)
            var second = outer.nestedUnkeyedContainer(forKey: .list)
            #expect(second.count == 1)
            try second.encode(2)
            try first.encode("3")
        }
        try sameAsJSON("a map as a value, then a container") { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            try outer.encode(["a": 1], forKey: .inner)
            var inner = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
            try inner.encode(2, forKey: .b)
        }
        try sameAsJSON("an array as a value, then a container") { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            try outer.encode([1, 2], forKey: .list)
            var inner = outer.nestedUnkeyedContainer(forKey: .list)
            try inner.encode(3)
        }
        try sameAsJSON("a container, then a value") { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            var inner = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
            try inner.encode(1, forKey: .a)
            try outer.encode(5, forKey: .inner)
        }
        try sameAsJSON("a container, a map as a value, a container") { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            var inner = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
            try inner.encode(1, forKey: .a)
            try outer.encode(["b": 2], forKey: .inner)
            inner = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
            try inner.encode(3, forKey: .c)
        }
        try sameAsJSON("containers that are never written to") { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            _ = outer.nestedContainer(keyedBy: Key.self, forKey: .a)
            _ = outer.nestedUnkeyedContainer(forKey: .b)
            _ = outer.superEncoder(forKey: .c)
            var list = outer.nestedUnkeyedContainer(forKey: .list)
            _ = list.nestedUnkeyedContainer()
            _ = list.nestedContainer(keyedBy: Key.self)
            _ = list.superEncoder()
        }
        try sameAsJSON("the encoder's own container, twice") { encoder in
            var first = encoder.container(keyedBy: Key.self)
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
            var outer = encoder.container(keyedBy: Key.self)
            try outer.encodeNil(forKey: .a)
            try outer.encode(1, forKey: .a)
        }
        // In maps of many entries these are found by a table; with values in between that take a key over.
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
        let writers: [(String, (inout KeyedEncodingContainer<Key>, Int) throws -> Void)] = [
            ("a number", { try $0.encode($1, forKey: .a) }),
            ("a text", { try $0.encode("the number \($1)", forKey: .a) }),
            ("a long text", { try $0.encode("\($1)" + String(repeating: "x", count: 700), forKey: .a) }),
            ("a map", { try $0.encode(["b": $1], forKey: .a) }),
            ("an array", { try $0.encode([$1, $1], forKey: .a) }),
            ("an encoder for super", { try [$1].encode(to: $0.superEncoder(forKey: .a)) }),
            (
                "a container",
                {
                    var inner = $0.nestedContainer(keyedBy: Key.self, forKey: .inner)
                    try inner.encode($1, forKey: .b)
                }
            ),
        ]
        for (what, write) in writers {
            let body: (any Encoder) throws -> Void = { encoder in
                var outer = encoder.container(keyedBy: Key.self)
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
            var outer = encoder.container(keyedBy: Key.self)
            try ["a": 1].encode(to: outer.superEncoder())
            try ["b": 2].encode(to: outer.superEncoder())
            try ["a": 1].encode(to: outer.superEncoder(forKey: .inner))
            var inner = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
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
        let writers: [(String, (inout KeyedEncodingContainer<Key>, Int) throws -> Void)] = [
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
            // Here the map stays then.
            for (second, writeAgain) in writers where first != "a map as a value" || second != "nothing" {
                try sameAsJSON("\(first), then \(second)") { encoder in
                    var outer = encoder.container(keyedBy: Key.self)
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
        // A value that fails leaves the one before.
        let body: (any Encoder) throws -> Void = { encoder in
            var outer = encoder.container(keyedBy: Key.self)
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
            // JSON's takes a value once only.
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

    /// JSON keeps that of the encoder which goes last: nobody can tell which.
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
        ]
        for (what, write) in late {
            refused(what, .encodedTwice) { encoder in
                var outer = encoder.container(keyedBy: Key.self)
                try write(outer.superEncoder(forKey: .list), outer.superEncoder(forKey: .list))
            }
        }
        refused("inside", .encodedTwice) { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            var list = outer.superEncoder(forKey: .list).unkeyedContainer()
            var inner = list.nestedUnkeyedContainer()
            _ = outer.superEncoder(forKey: .list)
            try inner.encode(1)
        }
        refused("one encoder's value, twice", .encodedTwice) { encoder in
            var outer = encoder.container(keyedBy: Key.self)
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
            var outer = encoder.container(keyedBy: Key.self)
            try outer.encode(5, forKey: .inner)
            var inner = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
            try inner.encode(1, forKey: .a)
        }
        refused("null, then a container", .containerMixed) { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            try outer.encodeNil(forKey: .inner)
            _ = outer.nestedUnkeyedContainer(forKey: .inner)
        }
        refused("keyed, then unkeyed", .containerMixed) { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            _ = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
            _ = outer.nestedUnkeyedContainer(forKey: .inner)
        }
        refused("a secret, then a container", .containerMixed) { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            try outer.encode(Secret(["a": 1]), forKey: .inner)
            _ = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
        }
        refused("bytes, then a container", .containerMixed) { encoder in
            var outer = encoder.container(keyedBy: Key.self)
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

    /// Two entries only: there is nothing else to be out of order.
    @Test(arguments: [2, 3, 30]) func `a key that is encoded twice in a row is written once`(times: Int)
        throws
    {
        let body: (any Encoder) throws -> Void = { encoder in
            var container = encoder.container(keyedBy: Key.self)
            for number in 1...times { try container.encode(number, forKey: .a) }
        }
        #expect(
            try item(Doing(body)).bytes == [0xA1, 0x61, 0x61] + (times < 24 ? [UInt8(times)] : [24, 30]))
        try sameAsJSON("twice in a row", body)
    }

    private struct Failing: Encodable {
        struct Failure: Error {}
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode("half", forKey: .a)
            throw Failure()
        }
    }

    /// Half of it was left in the item, which then did not open.
    @Test func `a value that throws and is done without leaves nothing behind`() throws {
        func written(_ body: @escaping (any Encoder) throws -> Void) throws -> AnyValue {
            try decode(AnyValue.self, item(Doing(body)))
        }
        let map = try written { encoder in
            var container = encoder.container(keyedBy: Key.self)
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
                    keyedBy: Key.self, forKey: DynamicKey("k\(number % 50)"))
                try inner.encode(number, forKey: number < 50 ? .a : .b)
            }
        }
        let expected = (0..<50).map { ("k\($0)", AnyValue.object(["a": .int($0), "b": .int($0 + 50)])) }
        #expect(many == .object(Dictionary(uniqueKeysWithValues: expected)))
    }

    // MARK: Keys

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

    private func written<K: CodingKey>(_ key: K) throws -> String {
        try item(
            Doing { encoder in
                var container = encoder.container(keyedBy: K.self)
                try container.encode(true, forKey: key)
            }
        ).bytes.hex
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
        /// Whose integers say nothing.
        struct Counting: CodingKey {
            var stringValue: String
            var intValue: Int? { stringValue.count }
            init(_ text: String) { stringValue = text }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { stringValue = String(repeating: "x", count: intValue) }
        }
        #expect(try written(Counting("ab")) == "a1626162f5")
        #expect(try written(Counting("xx")) == "a102f5")
        /// With integers that it does not read.
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
        /// Both keys have one integer, which gives back the first.
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

    /// Whose author says that nobody asks for it, as of JSON's coders nobody does.
    private struct TextKey: CodingKey {
        var stringValue: String
        var intValue: Int? { Int(stringValue) }
        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { fatalError("not used") }
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

    /// Keys of the type's own, and in the same map what others name.
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
        // What is no clash is kept, and a key that is written twice holds its later value.
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
        // A map of no type's keys may have both.
        let both = CBORValue.map([
            .init(key: .integer(9), value: .null), .init(key: .text("9"), value: .bool(true)),
        ])
        #expect(try decode(CBORValue.self, item(both)) == both)
    }

    /// A key that is text alone.
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

    // MARK: Types that write themselves

    /// By every pair of ways that a value can be written and read.
    private func everyWay<Value: Codable & Equatable & Sendable>(_ value: Value) throws {
        func reads(_ written: some Encodable, _ way: String) throws {
            let item = try item(written)
            #expect(try decode(Value.self, item) == value, "\(way), as the type: \(Value.self)")
            #expect(try decode(Handed<Value>.self, item).value == value, "\(way), by its init: \(Value.self)")
            #expect(
                try decode(Single<Value>.self, item).value == value, "\(way), by a container: \(Value.self)")
            #expect(try decode(Value?.self, item) == value, "\(way), as an optional: \(Value.self)")
        }
        try reads(value, "as the type")
        try reads(Handed(value), "by itself")
        try reads(Single(value), "by a container")
        try reads(Optional(value), "as an optional")
        try reads(AnyEncodable(AnyEncodable(value)), "as anything")
        #expect(try decode(Box<Value>.self, item(Box(Handed(value)))) == Box(value))
        #expect(try decode(Box<Handed<Value>>.self, item(Box(value))) == Box(Handed(value)))
        #expect(try decode(Secret<Value>.self, item(Secret(Handed(value)))).value == value)
        #expect(try decode(Secret<Handed<Value>>.self, item(Secret(value))).value.value == value)
    }

    @Test func `what writes itself reads as its type, and the other way round`() throws {
        try everyWay(UUID())
        for date in [
            noon, noon + 0.1, .now, Date(timeIntervalSinceReferenceDate: 1e-300), .distantPast,
            .distantFuture,
            Date(timeIntervalSinceReferenceDate: 0.1), Date(timeIntervalSinceReferenceDate: -1.1),
            Date(timeIntervalSinceReferenceDate: 1e17), Date(timeIntervalSinceReferenceDate: -.infinity),
        ] {
            try everyWay(date)
        }
        for count in [0, 1, 23, 24, 300, 4_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try everyWay(bytes)
            try everyWay(Data(bytes))
            try everyWay(Data([0] + bytes + [0])[1..<count + 1])
            try everyWay(bytes.map { Int8(bitPattern: $0) })
            try everyWay(bytes.map { Int8($0 & 0x7F) })
            try everyWay(ContiguousArray(bytes))
            try everyWay(Set(bytes))
        }
        try everyWay(try #require(URL(string: "https://example.org/a?b=c#d")))
        try everyWay(URL(filePath: "/etc/passwd"))
        try everyWay(try #require(URL(string: "b/c?d", relativeTo: URL(string: "https://example.org/a/"))))
        for text in ["0", "1", "-1.25", "12345678901234567890.123456789", "1e30", "1e-30"] {
            try everyWay(try #require(Decimal(string: text)))
        }
        try everyWay(Int128.min)
        try everyWay(UInt128.max)
        try everyWay(Float16(1.5))
        try everyWay(Float.leastNonzeroMagnitude)
        try everyWay(Double.greatestFiniteMagnitude)
        try everyWay(["a", ""])
        try everyWay(["1": 1, "01": 2])
        try everyWay([1: "a", -1: "b"])
    }

    @Test func `what JSON reads as another type, ours reads as the same`() throws {
        func cross<A: Encodable, B: Codable & Equatable>(_ a: A, _ type: B.Type) throws {
            let json = try JSONDecoder().decode([String: B].self, from: JSONEncoder().encode(["v": a]))
            #expect(try decode([String: B].self, item(["v": a])) == json, "\(a) as \(type)")
            #expect(try decode([B].self, item([a])) == [json["v"]], "\(a) as \(type)")
        }
        try cross(0.1, Float.self)
        try cross(1.1, Float.self)
        try cross(16_777_217, Float.self)
        try cross(-1e-3, Float.self)
        try cross(Float(0.5), Double.self)
        try cross(0.1, Float16.self)
        try cross(0.1, Decimal.self)
        try cross(1e20, Decimal.self)
        try cross(5, Decimal.self)
        try cross(5.0, Int.self)
        try cross(-5.0, Int8.self)
        try cross(5, Double.self)
        try cross(UInt64.max / 2 + 1, Double.self)
        try cross(Decimal(5), Int.self)
        try cross(Decimal(500), UInt16.self)
        try cross(Decimal(string: "0.1"), Double.self)
        try cross(Decimal(string: "0.5"), Float.self)
        try cross(noon, Double.self)
        try cross(123.25, Date.self)
        try cross(5, Date.self)
        try cross(UUID(), String.self)
        try cross("E621E1F8-C36C-495A-93FC-0C247A3E6E5F", UUID.self)
        try cross("https://example.org/", URL.self)
        try cross(URL(string: "https://example.org/"), String.self)
        try cross([UInt8]([1, 2, 255]), [Int].self)
        try cross([1, 2, 255], [UInt8].self)
        try cross([1, 2], ContiguousArray<Int8>.self)
        try cross(Int128(5), Int.self)
        try cross(UInt128(5), Double.self)
        try cross([5, nil], [Int?].self)
    }

    /// An Int8 below zero was a byte of two's complement, and above 127 in every other type.
    @Test func `numbers written as Int8 read as the same numbers in every type`() throws {
        func same<A: Encodable, B: Codable & Equatable>(_ a: A, _ type: B.Type) throws {
            let json = try JSONDecoder().decode(B.self, from: JSONEncoder().encode(a))
            #expect(try decode(type, item(a)) == json, "\(a) as \(type)")
            #expect(
                try decode([String: B].self, item(["k": AnyEncodable(a)])) == ["k": json], "\(a) as \(type)")
        }
        for list: [Int8] in [[-1, 5], [5, -128], [0, 127], [-1], [24, 127, 100, -24]] {
            try same(list, [Int].self)
            try same(list, [Int16].self)
            try same(list, [Double].self)
            try same(list, [Decimal].self)
            try same(list, [Int?].self)
            try same(list, [Int8].self)
            try same(list, ContiguousArray<Int64>.self)
            try same(Set(list), Set<Int>.self)
            try same(list.map(Optional.some), [Int8].self)
            try same([list, []], [[Int]].self)
        }
        try same(SIMD4<Int8>(-1, 0, 1, 2), SIMD4<Int>.self)
        try same(Int8(-5)...5, ClosedRange<Int>.self)
        try same([Int8(-1): Int8(-2)], [Int16: Int16].self)
        /// Who writes the least that holds a number, and reads any.
        struct Narrow: Codable, Equatable {
            var x = -1, y = 7
            init() {}
            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                (x, y) = try (container.decode(Int.self), container.decode(Int.self))
            }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(Int8(x))
                try container.encode(Int8(y))
            }
        }
        try same(Narrow(), Narrow.self)
        #expect(try item([Int8(-1), 5]).bytes.hex == "822005")
        #expect(try item([Int8(5), 127]).bytes.hex == "42057f")
    }

    @Test func `what JSON does not read as another type, ours does not either`() throws {
        func never<A: Encodable, B: Codable>(_ a: A, _ type: B.Type) throws {
            #expect(throws: DecodingError.self, "JSON: \(a) as \(type)") {
                try JSONDecoder().decode([String: B].self, from: JSONEncoder().encode(["v": a]))
            }
            #expect(throws: DecodingError.self, "\(a) as \(type)") {
                try decode([String: B].self, item(["v": a]))
            }
        }
        try never(1e300, Float.self)
        try never(0.5, Int.self)
        try never(5.5, UInt8.self)
        try never(256.0, UInt8.self)
        try never(1e30, Int.self)
        try never(-1, UInt.self)
        try never("5", Int.self)
        try never(1, Bool.self)
        try never(true, Int.self)
        try never(5, String.self)
        try never("x", UUID.self)
        try never(5, URL.self)
        try never(Decimal(string: "0.5"), Int.self)
        try never(Decimal(300), UInt8.self)
        try never([-1], [UInt8].self)
        try never([Int8(-1), 5], [UInt8].self)
        try never([Int8(-1)], Data.self)
        try never([UInt8(200)], [Int8].self)
        try never([UInt8(1), 128], ContiguousArray<Int8>.self)
        try never(Data([255]), [Int8].self)
        try never([1e-300], [Float].self)
        try never(1e-46, Float.self)
        try never(-1e-46, Float.self)
        try never(Decimal(string: "1e-46"), Float.self)
        try never(Decimal(string: "1e39"), Float.self)
        try never(["a": 1], [Int].self)
        try never([1], [String: Int].self)
        try never([String: Int](), URL.self)
        try never(URL(string: "a:b"), [String: Int].self)
    }

    /// A Double that is whole came back as an Int.
    @Test func `a type that tries one number after the other gets back what it wrote`() throws {
        let values: AnyValue = .array([
            .double(5.0), .int(5), .double(-0.0), .double(1e300), .text("5"), .bool(true), .null, .array([]),
            .object(["a": .double(3), "1": .null]),
        ])
        #expect(try decode(AnyValue.self, item(values)) == values)
    }

    // MARK: Everybody's types

    private enum Role: String, Codable, CodingKeyRepresentable { case admin, member }
    private enum Level: Int, Codable, CodingKeyRepresentable {
        case low = 1
        case high = 20
    }
    private struct UserID: Hashable, Codable, CodingKeyRepresentable {
        var text: String
        init(_ text: String) { self.text = text }
        var codingKey: any CodingKey { DynamicKey(text) }
        init?(codingKey: some CodingKey) { text = codingKey.stringValue }
    }
    private enum Plan: Codable, Equatable {
        case free
        case paid(monthly: Decimal, Int, until: Date?)
        case gift(String)
        indirect case both(Plan, Plan)
    }
    @propertyWrapper private struct Defaulted<Value: Codable & Equatable>: Codable, Equatable {
        var wrappedValue: Value
        init(wrappedValue: Value) { self.wrappedValue = wrappedValue }
        init(from decoder: any Decoder) throws { wrappedValue = try Value(from: decoder) }
        func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
    }
    private struct WithWrappers: Codable, Equatable {
        @Defaulted var id = UUID(uuidString: "E621E1F8-C36C-495A-93FC-0C247A3E6E5F") ?? UUID()
        @Defaulted var when = noon + 0.3
        @Defaulted var data = Data([1, 2, 200])
        @Defaulted var maybe: Int?
        @Defaulted var decimal = Decimal(5) / 3
        @Defaulted var url = URL(string: "https://example.org/")
        @Defaulted var roles: [Role: [Level]] = [.admin: [.low]]
    }

    /// Equal by JSON: equal by ours. Not by JSON, nor by ours: refused when it is sealed.
    private func kept<Value: Codable & Equatable>(_ value: Value) throws {
        let json = JSONEncoder()
        let byJSON = try? JSONDecoder().decode([Value].self, from: json.encode([value])) == [value]
        let written: CBORItem
        do {
            written = try item([value])
        } catch {
            #expect(byJSON != true, "refused: \(Value.self) \(error)")
            return
        }
        #expect(try decode([Value].self, written) == [value], "\(Value.self), JSON: \(byJSON == true)")
        #expect(try decode([String: Handed<Value>].self, item(["k": value])) == ["k": Handed(value)])
        #expect(try decode(Box<Value>.self, item(Box(Handed(value)))) == Box(value))
        // In a secret it is the same.
        #expect(try decode(Secret<Value>.self, item(Secret(value))).value == value)
    }

    @Test func `what JSON keeps of everybody's types, ours keeps`() throws {
        try kept([Role.admin: 1, .member: 2])
        try kept([Level.low: "a", .high: "b"])
        try kept([UserID("01"): 1, UserID("1"): 2, UserID("+1"): 3, UserID("x"): 4])
        try kept([UUID(): 1, UUID(): 2])
        try kept([noon: "a"])
        try kept([1.5: [true: [nil, 5]]] as [Double: [Bool: [Int?]]])
        try kept([
            Plan.free, .paid(monthly: 9.99, 12, until: nil),
            .both(.gift("x"), .paid(monthly: 1, 0, until: noon)),
        ])
        try kept(WithWrappers())
        try kept(["a": nil, "b": 5] as [String: Int?])
        try kept([nil, [nil, 1]] as [[Int?]?])
        try kept([[], [[]], [[], [[:], ["": []]]]] as [[[[String: [Int]]]]])
        try kept(Set(["a", "b"]))
        try kept(Set([Set([1, 2]), []]))
        try kept(ContiguousArray(["a"]))
        try kept([ContiguousArray([UInt8(1), 255]), []])
        try kept([Int8.min, -1, 0, .max])
        try kept([Int8?.none, -1])
        try kept([[Int8(-1)], []])
        try kept(Data([0, 1, 2, 3])[1..<3])
        try kept([Data()])
        try kept(1...5)
        try kept(1..<5)
        try kept(UInt8(1)...200)
        try kept(Duration.seconds(1.5) + .nanoseconds(1))
        try kept(CGFloat(0.1))
        try kept(CGPoint(x: 0.1, y: -3))
        try kept(CGRect(x: 1, y: 2, width: 3, height: 4.5))
        try kept(Float16(0.1))
        try kept([Float16.infinity, -0.0])
        try kept([0.1, -0.0, .infinity, .leastNonzeroMagnitude, 1e300])
        try kept([Float(0.1), .greatestFiniteMagnitude])
        try kept([Int128.min, -1, .max])
        try kept([UInt128.max, UInt128(UInt64.max) + 1])
        try kept([UInt64.max, 0])
        try kept(SIMD4<Float>(0.1, 2, 3, 4))
        try kept(SIMD2<Int8>(-1, 2))
        try kept(Decimal(string: "-12345678901234567890.123456789"))
        try kept(Decimal.greatestFiniteMagnitude)
        try kept(Decimal.leastNonzeroMagnitude)
        try kept(Measurement(value: 1.5, unit: UnitLength.kilometers))
        try kept(DateComponents(calendar: Calendar(identifier: .gregorian), year: 2026, month: 8, day: 3))
        try kept(DateInterval(start: noon, duration: 60.5))
        try kept(Locale(identifier: "de_DE"))
        try kept(try #require(TimeZone(identifier: "Europe/Berlin")))
        try kept(Calendar(identifier: .buddhist))
        try kept(IndexSet([1, 2, 3, 100]))
        try kept(IndexPath(indexes: [1, 2, 3]))
        try kept(CharacterSet(charactersIn: "abcé😀"))
        var person = PersonNameComponents()
        (person.givenName, person.familyName) = ("Zoë", "Müller")
        try kept(person)
        try kept(try #require(URLComponents(string: "https://u:p@example.org:8080/a?b=c#d")))
        try kept(try #require(URL(string: "https://example.org/a%20b?c=%C3%A9")))
        try kept(URL(fileURLWithPath: "relative/to here"))
        try kept(try #require(URL(string: "?x", relativeTo: URL(string: "http://a/b/c"))))
        try kept([1, 2, 3].difference(from: [2, 5]))
        try kept(Date.ISO8601FormatStyle())
        try kept(Locale.Currency("EUR"))
        for seconds in [0.1, -0.1, 1e-300, -1e-17, 1.0.nextUp, 1e9 + 0.1, 1e17, -62_135_769_600, 0.5] {
            try kept(Date(timeIntervalSinceReferenceDate: seconds))
            try kept(Date(timeIntervalSince1970: seconds))
        }
        try kept("e\u{301}\u{0}\u{10FFFF}")
        try kept(["é": 1, "a\u{0}": 2, "": 3])
    }

    private struct Scattered: Codable, Equatable {
        var values: [AnyValue]
        private enum Keys: String, CodingKey {
            case a, b
            case c = "super"
            case d
        }
        init(_ values: [AnyValue]) { self.values = values }
        /// In an order of its own, and through every kind of container.
        func encode(to encoder: any Encoder) throws {
            var outer = encoder.container(keyedBy: Keys.self)
            var list = outer.nestedUnkeyedContainer(forKey: .d)
            try values[0].encode(to: outer.superEncoder())
            var a = outer.nestedContainer(keyedBy: DynamicKey.self, forKey: .a)
            try list.encode(values[1])
            try a.encode(values[2], forKey: DynamicKey("007"))
            try list.encodeNil()
            var deep = list.nestedContainer(keyedBy: Keys.self)
            try values[3].encode(to: list.superEncoder())
            try deep.encode(values[4], forKey: .b)
            var again = outer.nestedContainer(keyedBy: DynamicKey.self, forKey: .a)
            try values[5].encode(to: again.superEncoder(forKey: DynamicKey("7")))
        }
        init(from decoder: any Decoder) throws {
            let outer = try decoder.container(keyedBy: Keys.self)
            let a = try outer.nestedContainer(keyedBy: DynamicKey.self, forKey: .a)
            var list = try outer.nestedUnkeyedContainer(forKey: .d)
            values = [try AnyValue(from: outer.superDecoder()), try list.decode(AnyValue.self)]
            values.append(try a.decode(AnyValue.self, forKey: DynamicKey("007")))
            guard try list.decodeNil(), try !outer.decodeNil(forKey: .a), a.allKeys.count == 2 else {
                throw DecodingError.dataCorruptedError(forKey: .d, in: outer, debugDescription: "")
            }
            let deep = try list.nestedContainer(keyedBy: Keys.self)
            values.append(try AnyValue(from: list.superDecoder()))
            values.append(try deep.decode(AnyValue.self, forKey: .b))
            values.append(try AnyValue(from: a.superDecoder(forKey: DynamicKey("7"))))
        }
    }

    @Test func `values of every kind in every kind of container come back as with JSON`() throws {
        let kinds: [AnyValue] = [
            .null, .bool(true), .int(-5), .double(0.1), .text("é"), .array([]), .array([.int(1), .null]),
            .object([:]),
            .object(["": .object(["1": .array([])])]),
        ]
        for shift in kinds.indices {
            let values = (0..<6).map { kinds[($0 * 4 + shift) % kinds.count] }
            try kept(Scattered(values))
        }
    }

    // MARK: Bytes

    private struct Triple: Codable, Equatable {
        var r = UInt8(200)
        var g = UInt8(0)
        var b = UInt8(255)
        init() {}
        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            (r, g, b) = (
                try container.decode(UInt8.self), try container.decode(UInt8.self),
                try container.decode(UInt8.self)
            )
        }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            try container.encode(r)
            try container.encode(g)
            try container.encode(contentsOf: [b])
        }
    }

    @Test func `bytes are byte strings in whatever container they are`() throws {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let small = bytes.map { $0 & 0x7F }
        let signed = small.map { Int8($0) }
        let all: [(any Encodable, String)] = [
            (bytes, "[UInt8]"), (Data(bytes), "Data"), (ContiguousArray(bytes), "ContiguousArray"),
            (Data([1] + bytes)[1...], "a slice of Data"),
            (Handed(bytes), "[UInt8] by itself"), (Handed(Data(bytes)), "Data by itself"),
        ]
        let allSmall: [(any Encodable, String)] = [
            (signed, "[Int8]"), (ContiguousArray(signed), "ContiguousArray of Int8"),
            (Handed(signed), "[Int8] by itself"),
        ]
        for (value, what) in allSmall {
            let item = try item(value)
            #expect(item.bytes == [0x59, 1, 44] + small && item.byteStrings == [3..<303], "\(what)")
            #expect(try decode([Int8].self, item) == signed, "\(what)")
        }
        for (value, what) in all {
            let item = try item(value)
            #expect(item.bytes == [0x59, 1, 44] + bytes && item.byteStrings == [3..<303], "\(what)")
            #expect(try decode(Data.self, item) == Data(bytes), "\(what)")
        }
        #expect(try item(Triple()).bytes.hex == "43c800ff")
        #expect(try decode(Triple.self, item(Triple())) == Triple())
        #expect(try item(SIMD4<UInt8>(1, 2, 3, 200)).bytes.hex == "44010203c8")
        #expect(try decode(SIMD4<UInt8>.self, item(SIMD4<UInt8>(1, 2, 3, 200)))[3] == 200)
        #expect(try item([[UInt8]](arrayLiteral: [1], [])).bytes.hex == "82410140")
        #expect(try item([ContiguousArray<UInt8>](arrayLiteral: [1], [])).bytes.hex == "82410180")
        // Numbers, and raw values of another type, stay an array of numbers.
        enum Level: UInt8, Codable {
            case low = 1
            case high = 200
        }
        #expect(try item([Level.low, .high]).bytes.hex == "820118c8")
        #expect(try item([UInt16(1), 200]).bytes.hex == "820118c8")
        #expect(try item([UInt8?](arrayLiteral: 1, nil)).bytes.hex == "8201f6")
        #expect(try decode([UInt8?].self, item([UInt8?](arrayLiteral: 1, nil))) == [1, nil])
        #expect(try decode([UInt8: UInt8].self, item([UInt8(1): UInt8(2)])) == [1: 2])
    }

    // MARK: Errors

    private struct NotRefused: Error {}

    private func refusal<A: Codable & Sendable, B: Codable & Sendable>(_ a: A, _ type: B.Type) throws
        -> String
    {
        let policy = SessionLifetime(absolute: .days(1))
        let ring = try sampleRing(1)
        let token = try CookieSealer<A>(keys: ring, lifetime: policy).seal(a, at: noon).token
        let sealer = try CookieSealer<B>(keys: ring, lifetime: policy)
        do {
            _ = try sealer.open(value: token, at: noon)
        } catch {
            return "\(error)"
        }
        throw NotRefused()
    }

    @Test func `errors say in plain words what was wrong, and no value`() throws {
        struct Theme: Codable, Sendable { var theme: String }
        struct Cart: Codable, Sendable { var items: [Theme] }
        let prefix = "not the expected session: at "
        #expect(try refusal(["a": 1], Theme.self) == prefix + "theme, the key is missing")
        #expect(
            try refusal(["items": [["a": "hunter2"]]], Cart.self) == prefix
                + "items.0.theme, the key is missing")
        #expect(
            try refusal(["theme": 7], Theme.self) == prefix + "theme, an integer where String was expected")
        #expect(
            try refusal(["theme": Int?.none], Theme.self) == prefix + "theme, null where String was expected")
        #expect(
            try refusal(["theme": UUID()], [String: Int].self) == prefix
                + "theme, a UUID where Int was expected")
        #expect(
            try refusal(["a": 700], [String: Int8].self) == prefix + "a, an integer that Int8 cannot hold")
        #expect(
            try refusal(["a": 1e300], [String: Float].self) == prefix + "a, a float that Float cannot hold")
        #expect(try refusal(["a"], Theme.self) == prefix + "its root, an array where a map was expected")
        #expect(try refusal(["a": 1], [Int].self) == prefix + "its root, a map where an array was expected")
        #expect(
            try refusal(["a": "hunter2"], [String: UUID].self) == prefix + "a, text that is no UUID")
        #expect(
            try refusal(["a": Secret("hunter2")], [String: String].self)
                == prefix + "a, a secret where String was expected")
        enum Role: String, Codable { case admin }
        #expect(
            try refusal(["a": "hunter2"], [String: Role].self) == prefix + "a, a value that its type refuses")
        #expect(
            try refusal([1], Triple.self) == prefix
                + "its root, an array that ends too early, where UInt8 was expected")
    }

    /// Tries types, and throws what the last try threw.
    private struct Trying<Value: Codable & Sendable>: Codable, Sendable {
        init() {}
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            for _ in 0..<100 { _ = try? container.decode(UUID.self) }
            _ = try container.decode(Value.self)
        }
        func encode(to encoder: any Encoder) throws {}
    }

    private func error<Value: Decodable>(_ hex: String, _ type: Value.Type) throws -> DecodingError.Context {
        let bytes = try #require([UInt8](hex: hex))
        do {
            _ = try CBORDecoder.decode(type, from: CheckedItem(parsing: bytes))
        } catch let error as DecodingError {
            return try #require(error.context)
        }
        throw NotRefused()
    }

    @Test func `after any number of failed tries the error that comes out has its place and words`() throws {
        let mismatch = try error("a16161" + "8107", [String: [Trying<String>]].self)
        #expect(mismatch.codingPath.map(\.stringValue) == ["a", "0"])
        #expect(mismatch.debugDescription == "an integer where String was expected")
        struct Both: Codable, Sendable { var name: String }
        let missing = try error("a16161" + "81a0", [String: [Trying<Both>]].self)
        #expect(missing.codingPath.map(\.stringValue) == ["a", "0"])
        #expect(missing.debugDescription == "the key is missing")
        let range = try error("a16161" + "811903e8", [String: [Trying<Int8>]].self)
        #expect(range.debugDescription == "an integer that Int8 cannot hold")
        let secret = try error("a16161" + "81d8184101", [String: [Trying<Secret<String>>]].self)
        #expect(secret.codingPath.map(\.stringValue) == ["a", "0"])
        #expect(secret.debugDescription == "a secret that holds no String")
        let byte = try error("a16161" + "81420102", [String: [Trying<[String]>]].self)
        #expect(byte.codingPath.map(\.stringValue) == ["a", "0"])
    }

    @Test func `the first errors of a session have their paths for a type that looks at them`() throws {
        struct Looking: Decodable {
            var paths: [String] = []
            init(from decoder: any Decoder) throws {
                var container = try decoder.container(keyedBy: Key.self).nestedUnkeyedContainer(forKey: .list)
                while !container.isAtEnd {
                    do {
                        _ = try container.decode(String.self)
                    } catch DecodingError.typeMismatch(_, let context) {
                        paths.append(context.codingPath.map(\.stringValue).joined(separator: "."))
                        _ = try container.decode(Int.self)
                    }
                }
            }
        }
        #expect(try decode(Looking.self, item(["list": [1, 2, 3]])).paths == ["list.0", "list.1", "list.2"])
    }

    /// Counts how many of its errors had a path that somebody made.
    private struct Counting: Decodable {
        var (paths, tries) = (0, 0)
        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            while !container.isAtEnd {
                for type: any Decodable.Type in [
                    Bool.self, String.self, UUID.self, Login.self, [Int].self, Secret<String>.self, URL.self,
                    Int8.self,
                ] {
                    do {
                        _ = try container.decode(type)
                        Issue.record("\(type) was decoded")
                    } catch let error as DecodingError {
                        tries += 1
                        if error.context?.codingPath.isEmpty == false { paths += 1 }
                    }
                }
                _ = try container.decode(Int.self)
            }
        }
    }

    /// Each of a million failed tries looked for its place among all that was before it, and made a path of it.
    @Test func `a type that tries one form after the other has paths made for its first errors only`() throws
    {
        for count in [1, 3, 1000] {
            let counting = try decode(Counting.self, item(Array(repeating: 1000, count: count)))
            #expect(counting.tries == count * 8)
            #expect(counting.paths == min(count * 8, 16))
        }
    }

    // MARK: One session after the other

    /// Opens sessions in one memory, as a sealer does.
    private struct Opening: ~Copyable {
        private var memory = WorkingMemory()

        mutating func open<Value: Decodable>(_ type: Value.Type, _ value: some Encodable) throws -> Value {
            let bytes = try item(value).bytes
            memory.item = UncheckedItem(bytes: bytes, range: 0..<bytes.count, contents: nil)
            try memory.checkItem()
            return try memory.decode(type)
        }
    }

    /// A number of entries, found from the last to the first: in a large map by a table.
    private struct Found: Decodable {
        var sum = 0
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: DynamicKey.self)
            for number in stride(from: 999, through: 0, by: -1) {
                sum += try container.decodeIfPresent(Int.self, forKey: DynamicKey("k\(number)")) ?? 0
            }
        }
    }

    /// The paths of an array's elements: of those far behind by a table.
    private struct Paths: Decodable {
        var paths: [String] = []
        init(from decoder: any Decoder) throws {
            var list = try decoder.container(keyedBy: Key.self).nestedUnkeyedContainer(forKey: .list)
            while !list.isAtEnd {
                paths.append(try list.superDecoder().codingPath.map(\.stringValue).joined(separator: "."))
            }
        }
    }

    @Test func `a session finds its entries whatever map was opened before it`() throws {
        var opening = Opening()
        for count in [40, 900, 300, 40, 1, 0, 500] {
            let map = Dictionary(uniqueKeysWithValues: (0..<count).map { ("k\($0)", $0) })
            #expect(try opening.open(Found.self, map).sum == count * max(0, count - 1) / 2)
            #expect(try opening.open([String: Int].self, map).count == count)
        }
    }

    @Test func `a session has its own paths whatever was opened before it`() throws {
        var opening = Opening()
        for count in [40, 900, 300, 1, 0, 500] {
            let paths = try opening.open(Paths.self, ["list": Array(repeating: 1, count: count)]).paths
            #expect(paths == (0..<count).map { "list.\($0)" })
            let nested = try opening.open(Paths.self, ["list": [[1, 2], [3]]]).paths
            #expect(nested == ["list.0", "list.1"])
        }
    }

    /// Where the next key was guessed in one session, the next has a value that reads like it.
    @Test func `a session guesses nothing from the one before it`() throws {
        struct First: Codable { var a = ["x"] }
        struct Second: Decodable { var c: String }
        var opening = Opening()
        _ = try opening.open(First.self, First())
        #expect(try opening.open(Second.self, ["a": "1", "b": "c", "c": "right"]).c == "right")
    }

    @Test func `the refusals of a session are its own`() throws {
        var opening = Opening()
        for _ in 0..<3 {
            for _ in 0..<40 {
                #expect(throws: DecodingError.self) {
                    try opening.open([String: Trying<UUID>].self, ["a": 1])
                }
            }
            let error = #expect(throws: DecodingError.self) { try opening.open([String].self, [["x"], []]) }
            #expect(error?.context?.codingPath.map(\.stringValue) == ["0"])
            #expect(try opening.open(Paths.self, ["list": [1]]).paths == ["list.0"])
        }
    }
}
