// Whatever JSONEncoder and JSONDecoder preserve of arbitrary types, ours preserve too.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CodableTypesTests {
    // MARK: Types that write themselves

    /// With every pair of ways in which a value can be written and read.
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
        /// Writes the smallest type that can represent a number, and reads any.
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

    /// A Double with a whole value came back as an Int.
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

    /// Equal by JSON: equal by ours. If JSON does not preserve it, nor do ours: it is refused when it is sealed.
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
        // The same applies inside a secret.
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
        /// In a different order, and through every kind of container.
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

    struct Triple: Codable, Equatable {
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
}
