// What a visitor can make a valid session cost: opening one cookie of 4 KB into types that applications have, and
// sealing what does not fit into one. SECURITY.md has the figures.
import CHostile
import Foundation

@testable import SealedCookie

/// Any JSON, as most applications and packages decode it: a chain of tries, `null` first.
enum JSONValue: Codable, Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case text(String)
    case array([JSONValue])
    case object([String: JSONValue])

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
        } else if let array = try? value.decode([JSONValue].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSONValue].self))
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

/// The same with containers: keyed, then unkeyed, then single.
enum ContainerJSON: Codable, Sendable {
    case object([String: ContainerJSON])
    case array([ContainerJSON])
    case leaf(String)

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: Key.self) {
            var object: [String: ContainerJSON] = [:]
            for key in container.allKeys {
                object[key.stringValue] = try container.decode(ContainerJSON.self, forKey: key)
            }
            self = .object(object)
        } else if var container = try? decoder.unkeyedContainer() {
            var array: [ContainerJSON] = []
            while !container.isAtEnd { array.append(try container.decode(ContainerJSON.self)) }
            self = .array(array)
        } else {
            let container = try decoder.singleValueContainer()
            self = .leaf((try? container.decode(String.self)) ?? "")
        }
    }

    func encode(to encoder: any Encoder) throws {}
}

/// Enums with associated values, as the compiler encodes them.
enum Step: Codable, Sendable {
    case a(Int)
    case bee(first: Int, second: Int)
}

final class Base: Codable, Sendable {
    let a: Int?
    let b: [Base]?
}

/// Combining marks of two alternating classes, which Swift sorts, in runs of the longest allowed length.
func marks(_ byteCount: Int) -> [UInt8] {
    let run = Array(("e" + String(repeating: "\u{300}\u{316}", count: 128)).utf8)
    var text: [UInt8] = []
    while text.count + run.count <= byteCount { text += run }
    return text
}

func cborText(_ bytes: [UInt8]) -> [UInt8] { head(.text, UInt64(bytes.count)) + bytes }

/// A map of text keys that `key` makes longer.
private func marked(_ count: Int, _ key: (Int) -> [UInt8]) -> [UInt8] {
    let digits = Array("0123456789abcdefghijklmnopqrstuv".utf8)
    var item = head(.map, UInt64(count))
    for number in 0..<count {
        var text: [UInt8] = []
        for shift in [10, 5, 0] { text.append(digits[number >> shift & 31]) }
        item += cborText(text + key(number)) + [0]
    }
    return item
}

/// An item of at most `size` bytes, of as many elements as fit.
private func fill(_ size: Int, _ element: [UInt8]) -> [UInt8] { array((size - 3) / element.count, element) }

/// A valid item of at most this many bytes, to be opened as some type.
struct Costly {
    let name: String
    let item: (Int) -> [UInt8]
    /// Opens a token.
    let open: (String) throws -> Void
    /// Returns a function that seals an item's session for a cookie into which it does not fit.
    let sealing: ([UInt8], Int) throws -> () throws -> Void
}

func costly() -> [Costly] {
    func costly<Session: Codable & Sendable>(
        _ name: String, _ type: Session.Type, _ item: @escaping (Int) -> [UInt8]
    ) -> Costly {
        let limits = CookieLimits(nameAndValue: 100_000, attributeValue: 1024)
        let sessions = sealer(type, limits: limits)
        return Costly(name: "\(name) as \(type)", item: item) {
            _ = try sessions.open(value: $0, at: now)
        } sealing: { item, largest in
            let session = try CBORDecoder.decode(type, from: CheckedItem(parsing: item))
            let small = sealer(
                type, limits: .init(nameAndValue: 128, attributeValue: 1024), itemLimit: largest)
            return { _ = try small.seal(session, at: now) }
        }
    }
    var list: [Costly] = []
    func add(_ name: String, _ item: @escaping (Int) -> [UInt8]) {
        list.append(costly(name, JSONValue.self, item))
        list.append(costly(name, ContainerJSON.self, item))
    }
    add("arrays 60 deep") { size in fill(size, bytes(59, of: 0x81) + [0x80]) }
    add("maps 30 deep") { size in
        var element: [UInt8] = []
        for _ in 0..<30 { element += [0xA1, 0x61, 0x61] }
        return fill(size, element + [0xA0])
    }
    let small: [(String, [UInt8])] = [
        ("{}", [0xA0]), ("[]", [0x80]), ("\"\"", [0x60]), ("null", [0xF6]), ("0", [0]),
        ("0.5", [0xF9, 0x38, 0]),
        ("{a: {}}", [0xA1, 0x61, 0x61, 0xA0]),
    ]
    for (name, element) in small { add(name) { size in fill(size, element) } }
    add("one text of marks") { size in cborText(marks(size - 3)) }
    add("entries of a map") { size in textMap(entries: (size - 3) / 5) { _ in [0] } }
    add("keys of marks") { size in marked(size / 1500) { _ in marks(1100) } }
    func add<Session: Codable & Sendable>(
        _ name: String, _ type: Session.Type, _ item: @escaping (Int) -> [UInt8]
    ) {
        list.append(costly(name, type, item))
    }
    add("texts of marks", Set<String>.self) { size in
        var item = head(.array, UInt64((size - 3) / 520))
        for number in 0..<(size - 3) / 520 {
            let front: [UInt8] = [UInt8(65 + number % 26), UInt8(65 + number / 26)]
            item += cborText(front + marks(513))
        }
        return item
    }
    add("one text of marks", Set<String>.self) { size in [0x81] + cborText(marks(size - 4)) }
    add("texts", Set<String>.self) { size in
        let digits = Array("0123456789abcdefghijklmnopqrstuv".utf8)
        var item = head(.array, UInt64((size - 3) / 4))
        for number in 0..<(size - 3) / 4 {
            item.append(0x63)
            for shift in [10, 5, 0] { item.append(digits[number >> shift & 31]) }
        }
        return item
    }
    add("keys of marks", [String: Int].self) { size in marked(size / 1500) { _ in marks(1100) } }
    add("keys", [String: Int].self) { size in textMap(entries: (size - 3) / 5) { _ in [0] } }
    add("keys", [Int: Int].self) { size in map(upTo: size, value: [0]) }
    add("keys", [String: [String: Int]].self) { size in
        textMap(entries: (size - 3) / 8) { _ in [0xA1, 0x61, 0x61, 0] }
    }
    add("entries beside 30 fields", Optionals.self) { size in textMap(entries: (size - 3) / 5) { _ in [0] } }
    add("structs of no fields", [Optionals].self) { size in fill(size, [0xA0]) }
    add("structs", [Base].self) { size in fill(size, [0xA2, 0x61, 0x61, 0, 0x61, 0x62, 0x80]) }
    add("structs 28 deep", [Base].self) { size in
        var element: [UInt8] = []
        for _ in 0..<28 { element += [0xA1, 0x61, 0x62, 0x81] }
        return fill(size, element + [0xA0])
    }
    add("cases", [Step].self) { size in fill(size, [0xA1, 0x61, 0x61, 0xA1, 0x62, 0x5F, 0x30, 0]) }
    add("decimals", [Decimal].self) { size in fill(size, [0xC4, 0x82, 0x21, 0x19, 0x30, 0x39]) }
    add("decimals of 38 digits", [Decimal].self) { size in
        fill(size, [0xC4, 0x82, 0x21, 0xC2, 0x50] + bytes(16, of: 0x11))
    }
    add("decimals of 10^127", [Decimal].self) { size in fill(size, [0xC4, 0x82, 0x18, 127, 1]) }
    add("integers", [Decimal].self) { size in fill(size, [0]) }
    add("UUIDs", [UUID].self) { size in fill(size, [0xD8, 37, 0x50] + bytes(16, of: 1)) }
    add("dates", [Date].self) { size in fill(size, [0xC1, 0]) }
    add("dates of nanoseconds", [Date].self) { size in fill(size, [0xD9, 3, 0xE9, 0xA2, 1, 0, 0x28, 0]) }
    add("URLs", [URL].self) { size in fill(size, [0xD8, 32] + cborText(Array("a:b".utf8))) }
    func url(_ path: String) -> (Int) -> [UInt8] {
        { size in
            let text = "https://a/" + String(repeating: path, count: (size - 20) / path.utf8.count)
            return [0xD8, 32] + cborText(Array(text.utf8))
        }
    }
    add("one URL", URL.self, url("a"))
    add("one URL of escapes", URL.self, url("%41"))
    add("one URL to be escaped", URL.self, url("é"))
    add("secrets", [Secret<Int>].self) { size in fill(size, [0xD8, 24, 0x41, 0]) }
    add("bignums", [Int128].self) { size in fill(size, [0xC2, 0x4F] + bytes(15, of: 1)) }
    add("byte strings", [Data].self) { size in fill(size, [0x40]) }
    add("byte strings", [[UInt8]].self) { size in fill(size, [0x40]) }
    add("floats", [Float].self) { size in fill(size, [0xF9, 0x38, 0]) }
    add("optionals", [Int?].self) { size in fill(size, [0xF6]) }
    add("arrays", [[[[Int]]]].self) { size in fill(size, [0x81, 0x81, 0x80]) }
    return list
}

/// Random bytes of a few kinds.
private func random(_ count: Int, _ byte: (UInt64) -> UInt8) -> [UInt8] {
    var state: UInt64 = 88_172_645_463_325_252
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return byte(state >> 33)
    }
}

/// Texts that cost a compressor most.
struct SlowText {
    let name: String
    let bytes: (Int) -> [UInt8]

    /// Letters "a" with an occasional "b".
    private static func seldom(_ weight: UInt64) -> SlowText {
        SlowText(name: "\"a\", one in \(weight) \"b\"") { count in
            random(count) { $0 % weight == 0 ? 0x62 : 0x61 }
        }
    }

    /// `front` and any letter, repeatedly.
    private static func repeating(_ front: String) -> SlowText {
        SlowText(name: "\"\(front)\" and a letter of any kind") { count in
            let front = Array(front.utf8)
            var text: [UInt8] = []
            for letter in random(count / (front.count + 1), { UInt8(0x21 + $0 % 90) }) {
                text += front + [letter]
            }
            return text
        }
    }

    private static func letters(_ number: UInt64) -> SlowText {
        SlowText(name: "\(number) letters") { count in random(count) { 0x40 + UInt8($0 % number) } }
    }

    /// Rows of one letter, with another letter one position further in each.
    private static var rows: SlowText {
        SlowText(name: "rows that differ in one place") { count in
            var text = [UInt8](repeating: 0x61, count: count)
            for row in 0..<count / 64 { text[row * 64 + 63 - row % 64] = UInt8(0x62 + row % 8) }
            return text
        }
    }

    static var all: [SlowText] {
        [2, 4, 8, 30, 100, 250].map { seldom($0) } + [letters(3), letters(4), letters(64), rows]
            + ["abc", "user", "email", "ab"].map { repeating($0) }
    }
}

/// Prints a line. Returns whether the bound was met.
private func line(_ name: String, _ microseconds: Double, _ size: Int, _ note: String, most: Double) {
    print(cell(name, 64), number(microseconds), number(Double(size)), "", note, verdict(microseconds <= most))
    fflush(nil)
}

func costs(_ only: String?, slack: Double) throws {
    let most = 5000 * slack
    print(
        """

        One cookie of at most 4096 characters, as large and of as many values as a sealer of ours takes (16,384 bytes, 4,096 values), opened
        into these types within 5 ms of the thread's time; and for comparison where itemLimit is 65,536 (16,384 values):

        """)
    print("\(cell("", 64)) µs: default     bytes    65,536")
    for kind in costly() where only.map(kind.name.contains) ?? true {
        func sealed(_ size: Int, itemLimit: Int?) throws -> String? {
            // As any session, and where there are no values to be encoded, as an item.
            let item = kind.item(size)
            if itemLimit != nil {
                let sessions = sealer(EncodedSession.self, itemLimit: itemLimit)
                return try? sessions.seal(EncodedSession(item), at: now).cookies[0].value
            }
            let value = CBORValue(try CheckedItem(parsing: item))
            return try? sealer(CBORValue.self).seal(value, at: now).cookies[0].value
        }
        func opening(_ size: Int, itemLimit: Int?) throws -> (microseconds: Double, count: Int) {
            // As much as fits one cookie and its sealer: less if it does not compress, or consists of small values.
            var (low, high) = (0, size)
            var token = try sealed(size, itemLimit: itemLimit)
            if token != nil { low = size }
            while low < high - 16 {
                let middle = (low + high) / 2
                if middle > 16, let fits = try sealed(middle, itemLimit: itemLimit) {
                    (low, token) = (middle, fits)
                } else {
                    high = middle
                }
            }
            guard let token else { fail("no token of \(kind.name)") }
            try kind.open(token)
            return (cost(5) { try? kind.open(token) }.microseconds, kind.item(low).count)
        }
        let (ours, others) = (
            try opening(16_384, itemLimit: nil), try opening(65_536, itemLimit: 65_536)
        )
        line(kind.name, ours.microseconds, ours.count, number(others.microseconds), most: most)
    }

    print("\nWhat does not fit is refused within 5 ms: encoded, compressed and reported.\n")
    print("\(cell("", 64))        µs     bytes")
    for slow in SlowText.all {
        for size in [2_000, 4_090, 8_192, 16_380, 22_000, 32_768, 60_000, 65_530] {
            let name = "\(size) of \(slow.name)"
            guard only.map(name.contains) ?? true else { continue }
            let value = String(decoding: slow.bytes(size), as: UTF8.self)
            for (kind, sessions) in [
                ("", sealer(String.self, limits: .init(nameAndValue: 128, attributeValue: 1024))),
                (
                    ", with a largest item of 65,536",
                    sealer(
                        String.self, limits: .init(nameAndValue: 128, attributeValue: 1024),
                        itemLimit: 65_536)
                ),
            ] where kind == "" || size > 16_380 {
                var words = "SEALED"
                do { _ = try sessions.seal(value, at: now) } catch { words = String("\(error)".prefix(40)) }
                let time = cost(5) { _ = try? sessions.seal(value, at: now) }.microseconds
                line(name + kind, time, size, words, most: most)
            }
        }
    }
    print(
        "\nThe same of values, with items of up to 16,384 and 65,536 bytes, the latter refused before they are compressed.\n"
    )
    print("\(cell("", 64)) µs: 16 KiB     bytes    64 KiB")
    for kind in costly() where !kind.name.contains("ContainerJSON") && only.map(kind.name.contains) ?? true {
        var times: [(microseconds: Double, count: Int)] = []
        var words = ""
        for size in [16_384, 65_536] {
            let item = kind.item(size)
            let seal = try kind.sealing(item, 16_384)
            do {
                try seal()
                words = "SEALED"
            } catch { words = String("\(error)".prefix(40)) }
            times.append((cost(5) { try? seal() }.microseconds, item.count))
        }
        line(
            kind.name, max(times[0].microseconds, times[1].microseconds), times[0].count,
            number(times[1].microseconds) + "  " + words, most: most)
    }
}
