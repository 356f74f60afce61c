// Sessions of a typed application, and how any bytes become one.
import Foundation

@testable import SealedCookie

/// A type that reaches all ways of decoding.
struct Everything: Codable, Equatable, Sendable {
    indirect enum Choice: Codable, Equatable, Sendable {
        case none
        case some(Int, label: String)
        case more(Choice)
    }
    var a: Int?
    var b: [String: Int]?
    var c: [Everything]?
    var d: Date?
    var e: Data?
    var f: Double?
    var g: Choice?
    var h: UUID?
    var i: URL?
    var j: Decimal?
    var k: [Int: String]?
    var l: Secret<[String]>?
    var m: Int128?
    var n: [Bool]?
    var o: Float?
    var p: UInt8?
    var q: ByHand?
    var r: Compact?
    var s: UInt64?
    var t: [UInt8]?
    var u: Numbers?
    var v: Nest?
}

/// Containers in an array, and a superclass without a name.
struct Nest: Codable, Equatable, Sendable {
    var row: [Int]
    var name: String
    var base: Int16
    var last: Bool

    private enum Key: CodingKey { case name }

    init(row: [Int], name: String, base: Int16, last: Bool) {
        (self.row, self.name, self.base, self.last) = (row, name, base, last)
    }

    init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        var inner = try list.nestedUnkeyedContainer()
        row = []
        while !inner.isAtEnd { row.append(try inner.decode(Int.self)) }
        let keyed = try list.nestedContainer(keyedBy: Key.self)
        name = try keyed.decode(String.self, forKey: .name)
        base = try Int16(from: keyed.superDecoder())
        last = try Bool(from: list.superDecoder())
    }

    func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        var inner = list.nestedUnkeyedContainer()
        for number in row { try inner.encode(number) }
        var keyed = list.nestedContainer(keyedBy: Key.self)
        try keyed.encode(name, forKey: .name)
        try base.encode(to: keyed.superEncoder())
        try last.encode(to: list.superEncoder())
    }
}

/// Every type of number, by its name and in an array.
struct Numbers: Codable, Equatable, Sendable {
    struct Row: Codable, Equatable, Sendable {
        var (a, b, c, d): (Int8, Int16, Int32, Int64) = (0, 0, 0, 0)
        var (e, f, g, h): (UInt8, UInt16, UInt32, UInt64) = (0, 0, 0, 0)
        var (i, j, k, l): (Int, UInt, Int128, UInt128) = (0, 0, 0, 0)
        var (m, n, o, p): (Float, Double, Bool, String) = (0, 0, false, "")

        init() {}

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            (a, b) = (try list.decode(Int8.self), try list.decode(Int16.self))
            (c, d) = (try list.decode(Int32.self), try list.decode(Int64.self))
            (e, f) = (try list.decode(UInt8.self), try list.decode(UInt16.self))
            (g, h) = (try list.decode(UInt32.self), try list.decode(UInt64.self))
            (i, j) = (try list.decode(Int.self), try list.decode(UInt.self))
            (k, l) = (try list.decode(Int128.self), try list.decode(UInt128.self))
            (m, n) = (try list.decode(Float.self), try list.decode(Double.self))
            (o, p) = (try list.decode(Bool.self), try list.decode(String.self))
        }

        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            for value: any Encodable in [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] {
                try list.encode(value)
            }
        }
    }
    var (a, b, c, d): (Int8?, Int32?, Int64?, UInt?)
    var (e, f, g, h): (UInt16?, UInt32?, UInt128?, Bool?)
    var row: Row?
    var lists: [[Int8]]?
    var more: [UInt128]?
}

/// Containers in one another, and a superclass.
struct ByHand: Codable, Equatable, Sendable {
    var numbers: [Int]
    var inner: String
    var over: Bool

    private enum Key: CodingKey { case list, inner, name, over }

    init(numbers: [Int], inner: String, over: Bool) {
        (self.numbers, self.inner, self.over) = (numbers, inner, over)
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        var list = try container.nestedUnkeyedContainer(forKey: .list)
        numbers = []
        while !list.isAtEnd { numbers.append(try list.decodeNil() ? 0 : list.decode(Int.self)) }
        inner = try container.nestedContainer(keyedBy: Key.self, forKey: .inner).decode(
            String.self, forKey: .name)
        over = try Bool(from: container.superDecoder(forKey: .over))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        var list = container.nestedUnkeyedContainer(forKey: .list)
        for number in numbers { if number == 0 { try list.encodeNil() } else { try list.encode(number) } }
        var inner = container.nestedContainer(keyedBy: Key.self, forKey: .inner)
        try inner.encode(self.inner, forKey: .name)
        try over.encode(to: container.superEncoder(forKey: .over))
    }
}

/// Integer keys.
struct Compact: Codable, Equatable, Sendable {
    enum CodingKeys: Int, CodingKey {
        case user = 1
        case roles = -2
        case token = 300
    }
    var user: Int16
    var roles: [String]?
    var token: Secret<Data>?
}

/// Bytes as a sequence of choices; zeros once they are used up.
struct Choices {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isEmpty: Bool { rest.isEmpty }
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }
    mutating func below(_ bound: Int) -> Int { Int(byte()) % bound }
    mutating func integer() -> UInt64 {
        var value: UInt64 = 0
        for _ in 0..<1 << below(4) { value = value << 8 | UInt64(byte()) }
        return value
    }
    mutating func int() -> Int { Int(truncatingIfNeeded: integer()) &* (byte() & 1 == 0 ? 1 : -1) }
    mutating func bytes() -> [UInt8] {
        let count = byte() & 7 == 7 ? Int(integer() & 0x1FFF) : below(32)
        let taken = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return taken
    }
    mutating func text() -> String { String(decoding: bytes(), as: UTF8.self) }
    mutating func list<Element>(_ element: (inout Choices) -> Element) -> [Element] {
        (0..<(byte() & 15 == 15 ? 64 : below(5))).map { _ in element(&self) }
    }
    /// No NaN, which does not equal itself.
    mutating func double() -> Double {
        let value = Double(bitPattern: byte() & 1 == 0 ? integer() << 40 : integer())
        return value.isNaN ? 0 : value
    }

    mutating func session(depth: Int = 0) -> Everything {
        var session = Everything()
        for _ in 0..<below(6) + 1 {
            switch below(22) {
            case 0: session.a = int()
            case 1: session.b = Dictionary(list { ($0.text(), $0.int()) }) { a, _ in a }
            case 2: session.c = depth < 3 ? list { $0.session(depth: depth + 1) } : []
            case 3:
                let seconds = double()
                session.d =
                    byte() & 1 == 0
                    ? Date(timeIntervalSince1970: seconds) : Date(timeIntervalSinceReferenceDate: seconds)
            case 4: session.e = Data(bytes())
            case 5: session.f = double()
            case 6:
                var choice = Everything.Choice.none
                if byte() & 1 == 0 { choice = .some(int(), label: text()) }
                for _ in 0..<below(4) { choice = .more(choice) }
                session.g = choice
            case 7: session.h = UUID(of: Array((bytes() + [UInt8](repeating: 7, count: 16)).prefix(16)))
            case 8: session.i = URL(string: text())
            case 9:
                session.j = Decimal(
                    sign: byte() & 1 == 0 ? .plus : .minus, exponent: below(200) - 128,
                    significand: Decimal(integer()))
            case 10: session.k = Dictionary(list { ($0.int(), $0.text()) }) { a, _ in a }
            case 11: session.l = Secret(list { $0.text() })
            case 12: session.m = Int128(int()) &* Int128(int()) &+ Int128(truncatingIfNeeded: integer())
            case 13: session.n = list { $0.byte() & 1 == 0 }
            case 14:
                let value = Float(bitPattern: UInt32(truncatingIfNeeded: integer()))
                session.o = value.isNaN ? 0 : value
            case 15: session.p = byte()
            case 16: session.q = ByHand(numbers: list { $0.int() }, inner: text(), over: byte() & 1 == 0)
            case 17:
                session.r = Compact(
                    user: Int16(truncatingIfNeeded: int()), roles: byte() & 1 == 0 ? nil : list { $0.text() },
                    token: byte() & 1 == 0 ? nil : Secret(Data(bytes())))
            case 18: session.s = integer()
            case 19:
                var numbers = Numbers()
                numbers.a = Int8(truncatingIfNeeded: int())
                numbers.b = Int32(truncatingIfNeeded: int())
                (numbers.c, numbers.d) = (Int64(int()), UInt(integer()))
                (numbers.e, numbers.f) = (
                    UInt16(truncatingIfNeeded: integer()), UInt32(truncatingIfNeeded: integer())
                )
                (numbers.g, numbers.h) = (UInt128(integer()) << 64 | UInt128(integer()), byte() & 1 == 0)
                var row = Numbers.Row()
                (row.a, row.b, row.c, row.d) = (numbers.a ?? 0, -1, numbers.b ?? 0, numbers.c ?? 0)
                (row.e, row.f, row.g, row.h) = (byte(), numbers.e ?? 0, numbers.f ?? 0, integer())
                (row.i, row.j, row.k, row.l) = (
                    int(), numbers.d ?? 0, Int128(int()) &* Int128(int()), numbers.g ?? 0
                )
                (row.m, row.n, row.o, row.p) = (Float(byte()) / 4, double(), numbers.h ?? false, text())
                numbers.row = row
                numbers.lists = list { $0.list { Int8(truncatingIfNeeded: $0.int()) } }
                numbers.more = [numbers.g ?? 0]
                session.u = numbers
            case 20:
                session.v = Nest(
                    row: list { $0.int() }, name: text(), base: Int16(truncatingIfNeeded: int()),
                    last: byte() & 1 == 0)
            default: session.t = bytes()
            }
        }
        return session
    }
}
