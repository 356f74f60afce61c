// Input made to cost an opener as much as possible, and the expected refusals.
import CHostile
import Foundation

@testable import SealedCookie

/// Work that must end in a refusal.
struct Bomb {
    let name: String
    /// A part of the refusal's words.
    let refusal: String
    /// Runs it once; throws the refusal.
    let run: () throws -> Void
}

let key: SealingKey = {
    let bytes = (0..<32).map { UInt8($0) }
    guard let key = try? SealingKey(material: XAESKey(SecretBytes.copy(of: bytes.span)), activeFrom: nil)
    else { fail("no key") }
    return key
}()

let now = Date(timeIntervalSince1970: 1_785_715_200)
let policy = SessionLifetime(absolute: .days(14))

func sealer<Session: Codable & Sendable>(
    _ type: Session.Type, splitting: CookieSplitting = .never, limits: CookieLimits = .rfc6265bis,
    itemLimit: Int? = nil
) -> CookieSealer<Session> {
    guard let ring = try? KeyRing([key]),
        let sealer = try? CookieSealer<Session>(
            keys: ring, lifetime: policy, limits: limits, splitting: splitting, itemLimit: itemLimit)
    else { fail("no sealer") }
    return sealer
}

/// A token with any plaintext: only a holder of the key can make one.
func token(_ payload: [UInt8]) throws -> String {
    let bytes = [UInt8](repeating: 0, count: SealedBox.headerCount) + payload
    var ciphers = try XAESCiphers(key.material.key)
    let box = try SealedBox(
        sealing: CompressedPayload(bytes: bytes, range: SealedBox.headerCount..<bytes.count),
        using: &ciphers, of: key.id, authenticating: TokenContext(name: "__Host-session", purpose: ""))
    return Base64URL.encode(box.bytes.span)
}

let created: [UInt8] = [0x6A, 0x6F, 0xDA, 0x00]

func deflated(_ bytes: [UInt8], limit: Int = 4_000_000) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: limit)
    let count = hostile_deflate(bytes, bytes.count, nil, 0, &out, limit)
    precondition(count > 0, "no room for the stream")
    return Array(out[..<count])
}

/// A payload with `item` uncompressed or, if that is too much for a cookie, compressed.
func payload(_ item: [UInt8], contents: [UInt8] = []) -> [UInt8] {
    contents.isEmpty && item.count < 2900
        ? [0] + created + [0] + item : [1] + created + [0] + deflated(item) + contents
}

/// Heads of CBOR.
func head(_ major: CBORMajor, _ argument: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(major, argument)
    return bytes
}

func bytes(_ count: Int, of byte: UInt8) -> [UInt8] { Array(repeating: byte, count: count) }

/// A map of as many integer keys as fit into `count` bytes, each with `value`.
func map(upTo count: Int, value: [UInt8], last: [UInt8]? = nil) -> [UInt8] {
    var entries: [[UInt8]] = []
    var size = 3
    while true {
        let entry = head(.unsigned, UInt64(entries.count)) + value
        guard size + entry.count <= count else { break }
        size += entry.count
        entries.append(entry)
    }
    if let last { entries[entries.count - 1] = last }
    return head(.map, UInt64(entries.count)) + entries.joined()
}

/// A map of text keys, in the format's order.
func textMap(entries count: Int, value: (Int) -> [UInt8]) -> [UInt8] {
    let digits = Array("0123456789abcdefghijklmnopqrstuv".utf8)
    return head(.map, UInt64(count))
        + (0..<count).flatMap { number in
            [0x63] + [10, 5, 0].map { digits[number >> $0 & 31] } + value(number)
        }
}

/// `count` elements, of which the last is `last`.
func array(_ count: Int, _ element: [UInt8], last: [UInt8]? = nil) -> [UInt8] {
    let front = (0..<count - 1).flatMap { _ in element }
    return head(.array, UInt64(count)) + front + (last ?? element)
}

/// Nested arrays, each the last of `width` elements.
func nested(_ levels: Int, width: Int, end: [UInt8]) -> [UInt8] {
    (0..<levels).reduce(end) { inner, _ in
        head(.array, UInt64(width)) + bytes(width - 1, of: 0) + inner
    }
}

func embedded(_ item: [UInt8]) -> [UInt8] { head(.tag, 24) + head(.bytes, UInt64(item.count)) + item }

/// Any value, decoded as in many applications: by trying one type after the other.
enum AnyJSON: Codable, Sendable {
    case bool(Bool)
    case number(Double)
    case text(String)
    case array([AnyJSON])
    case object([String: AnyJSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let array = try? value.decode([AnyJSON].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: AnyJSON].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .bool(let bool): try value.encode(bool)
        case .number(let number): try value.encode(number)
        case .text(let text): try value.encode(text)
        case .array(let array): try value.encode(array)
        case .object(let object): try value.encode(object)
        }
    }
}

/// Thirty fields, all of them optional.
struct Optionals: Codable, Sendable {
    var a00, a01, a02, a03, a04, a05, a06, a07, a08, a09: Int?
    var a10, a11, a12, a13, a14, a15, a16, a17, a18, a19: Int?
    var a20, a21, a22, a23, a24, a25, a26, a27, a28, a29: Int?
}

/// Maps inside arrays inside a map.
typealias Nested = [Int: [[Int: Int]]]

// MARK: The list

func bombs() throws -> [Bomb] {
    var bombs: [Bomb] = []
    /// Contents after the tag's check, for one cookie of 4096 characters, or for nine.
    func behindTheTag<Session: Codable & Sendable>(
        _ name: String, _ refusal: String, _ payload: [UInt8], as type: Session.Type, large: Bool = false
    ) throws {
        let text = try token(payload)
        precondition(text.utf8.count <= (large ? 9 * 4080 : 4096), "\(name): \(text.utf8.count)")
        let sessions = sealer(
            type, limits: .init(nameAndValue: large ? 9 * 4096 : 4110, attributeValue: 1024))
        bombs.append(
            Bomb(name: "\(name) (\(text.utf8.count))", refusal: refusal) {
                _ = try sessions.open(value: text, at: now)
            })
    }
    let tree = CBORValue.self
    let zeros = bytes(3_000_000, of: 0)

    try behindTheTag(
        "inflates to 3 MB", "more than 65536 bytes", payload(head(.text, 3_000_000) + zeros), as: tree)
    try behindTheTag(
        "the same, item handed on as it is", "more than 65536 bytes",
        payload(head(.text, 3_000_000) + zeros), as: EncodedSession.self)
    try behindTheTag(
        "inflates to 27 MB, in nine cookies", "more than 65536 bytes",
        [1] + created + [0] + deflated(bytes(27_000_000, of: 0)), as: tree, large: true)
    try behindTheTag(
        "590 stored blocks of nothing", "broken DEFLATE",
        [1] + created + [0] + (0..<590).flatMap { _ in [0, 0, 0, 0xFF, 0xFF] as [UInt8] }, as: tree)
    try behindTheTag(
        "Huffman trees and no data", "broken DEFLATE", [1] + created + [0] + HuffmanTrees.stream(2900),
        as: tree)
    try behindTheTag(
        "2,900 bytes of padding", "ends early", [4] + created + [0, 0x80] + bytes(2900, of: 0), as: tree)
    try behindTheTag("padding of zeros alone", "padding", [4] + created + [0] + bytes(2900, of: 0), as: tree)
    try behindTheTag(
        "a dictionary that is not there", "dictionary 10000000",
        [9] + created + [0, 16, 0, 0, 0] + bytes(2900, of: 0),
        as: tree)

    for (name, major) in [("text", CBORMajor.text), ("array", .array), ("map", .map), ("bytes", .bytes)] {
        for length in [65_536, 100_000, 1 << 32, UInt64.max] {
            try behindTheTag(
                "declares \(length) of \(name)", "ends early", payload(head(major, length) + [0, 0]), as: tree
            )
        }
        try behindTheTag(
            "declares 2^63 of \(name), compressed", major == .bytes ? "byte string contents" : "ends early",
            [1] + created + [0] + deflated(head(major, 1 << 63) + [0, 0]) + [0], as: tree)
        try behindTheTag(
            "2^40 of \(name), 63 deep", "ends early",
            payload(nested(63, width: 1, end: head(major, 1 << 40))), as: tree)
    }
    try behindTheTag(
        "65,000 arrays in one another", "64 levels", payload(bytes(65_000, of: 0x81) + [0]), as: tree)
    try behindTheTag(
        "20,000 maps in one another", "64 levels",
        payload((0..<20_000).flatMap { _ in [0xA1, 0] as [UInt8] } + [0]), as: tree)
    try behindTheTag(
        "65,000 tags in one another", "64 levels", payload(bytes(65_000, of: 0xC1) + [0]), as: tree)
    try behindTheTag(
        "70 items embedded in one another", "64 levels",
        payload((0..<70).reduce([0]) { inner, _ in embedded(inner) }), as: tree)
    try behindTheTag(
        "21 embedded in one another, 2,700 bytes at the end", "simple value",
        payload((0..<21).reduce(array(2700, [0], last: [0xF8])) { inner, _ in embedded(inner) }), as: tree)
    try behindTheTag(
        "1,000 wide at each of 60 levels", "simple value", payload(nested(60, width: 1000, end: [0xF8])),
        as: tree)

    // As many as fit, with a fault at the very end.
    let elements: [(String, [UInt8])] = [
        ("0", [0]), ("32", [0x18, 0x20]), ("[0]", [0x81, 0]), ("[[]]", [0x81, 0x80]), ("1(0)", [0xC1, 0]),
        ("{0: 0}", [0xA1, 0, 0]), ("[0, 0]", [0x82, 0, 0]), ("\"A\"", [0x61, 0x41]),
        ("24(bytes)", [0xD8, 24, 0x41, 0]), ("0.0", [0xF9, 0, 0]), ("single", [0xFA, 0x3F, 0x80, 0, 1]),
        ("decimal", [0xC4, 0x82, 0, 0]), ("1001(map)", [0xD9, 3, 0xE9, 0xA2, 1, 0, 0x28, 0]),
        ("[[[[[[[0]]]]]]]", bytes(7, of: 0x81) + [0]),
        ("bignum", [0xC2, 0x49] + bytes(9, of: 1)), ("UUID", [0xD8, 37, 0x50] + bytes(16, of: 1)),
    ]
    for (name, element) in elements where !["bignum", "UUID", "24(bytes)"].contains(name) {
        let count = 65_500 / element.count
        try behindTheTag(
            "\(count) × \(name), a fault at the end", "simple value",
            payload(array(count, element, last: [0xF8])),
            as: tree)
        let item = array(count, element, last: [0xF8])
        bombs.append(
            Bomb(name: "the same to be sealed", refusal: "simple value") { _ = try EncodedSession(item) })
    }
    for (name, element) in elements where ["bignum", "UUID", "24(bytes)"].contains(name) {
        let item = array(65_500 / element.count, element, last: [0xF8])
        bombs.append(
            Bomb(name: "\(65_500 / element.count) × \(name) to be sealed", refusal: "simple value") {
                _ = try EncodedSession(item)
            })
    }
    for (name, last, refusal) in [
        ("a key twice at the end", [0x19, 0x40, 0, 0], "occurs twice"),
        ("a key out of order at the end", [0, 0], "out of order"),
        ("no key at the end", [0x80, 0], "neither text nor"),
        ("a fault at the end", [0x19, 0x7F, 0xFF, 0xF8], "simple value"),
    ] as [(String, [UInt8], String)] {
        /// As many keys as nine cookies take, or an item.
        func item(_ count: Int) -> [UInt8] {
            let item = map(upTo: count, value: [0], last: last)
            guard refusal == "occurs twice" else { return item }
            // The last two entries are equal.
            return Array(item.dropLast(last.count)) + item.dropLast(last.count).suffix(4)
        }
        try behindTheTag(
            "map of 12,500 integer keys, \(name)", refusal, payload(item(50_000)), as: tree, large: true)
        let whole = item(65_500)
        bombs.append(
            Bomb(name: "map of 16,300 integer keys, \(name), to be sealed", refusal: refusal) {
                _ = try EncodedSession(whole)
            })
    }
    for count in [100_000, 16_000] {
        let item = head(.map, UInt64(count)) + textMap(entries: 12_000) { _ in [0] }.dropFirst(3)
        try behindTheTag(
            "declares \(count) entries, holds 12,000", "ends early", payload(item), as: [String: Int].self,
            large: true)
    }
    let long = cborText(Array((0..<30_000).map { $0 % 2 == 0 ? "\u{300}" : "\u{316}" }.joined().utf8))
    try behindTheTag(
        "30,000 combining marks, a text", "combining marks", payload(head(.array, 1) + long),
        as: JSONValue.self)
    try behindTheTag(
        "30,000 combining marks, in a set", "combining marks", payload(head(.array, 1) + long),
        as: Set<String>.self)
    try behindTheTag(
        "30,000 combining marks, a key", "combining marks", payload(head(.map, 1) + long + [0]),
        as: [String: Int].self)
    bombs.append(
        Bomb(name: "30,000 combining marks to be sealed", refusal: "combining marks") {
            _ = try EncodedSession(head(.array, 1) + long)
        })
    let text = head(.text, 65_000) + bytes(64_999, of: 0x41) + [0xFF]
    try behindTheTag("64 KiB of text, not UTF-8 at its end", "not UTF-8", payload(text), as: tree)
    bombs.append(
        Bomb(name: "3 MB to be sealed", refusal: "more than 65536 bytes") { _ = try EncodedSession(zeros) })

    // Without a key.
    let split = sealer(CBORValue.self, splitting: .upTo(9))
    func header(_ name: String, _ refusal: String, _ text: String) {
        bombs.append(
            Bomb(name: "\(name) (\(text.utf8.count))", refusal: refusal) {
                guard try split.open(cookieHeader: text, at: now) != nil else { throw NoCookie() }
            })
    }
    header(
        "Cookie header of 100,000 pairs", "no cookie",
        (0..<100_000).map { "c\($0)=v" }.joined(separator: "; "))
    header("Cookie header of one long name", "no cookie", String(repeating: "a", count: 1_000_000))
    header("Cookie header of divisions alone", "no cookie", String(repeating: ";", count: 1_000_000))
    header(
        "Cookie header of 60,000 cookies of the name", "not base64url",
        (0..<60_000).map { _ in "__Host-session=!" }.joined(separator: ";"))
    let id = key.id.bytes
    func forged(_ number: Int) -> String {
        Base64URL.encode(([0x48, id.0, id.1, id.2] + bytes(3000, of: UInt8(7 + number))).span)
    }
    header(
        "four forged tokens", "not authentic",
        (0..<4).map { "__Host-session=" + forged($0) }.joined(separator: ";"))
    // Four authentic values: each is decrypted, and the latest once more.
    let authentic = try (0..<4).map { number in
        try token([0x80] + created + [UInt8(number)] + bytes(2950, of: 7))
    }
    header(
        "four authentic tokens", "malformed",
        authentic.map { "__Host-session=" + $0 }.joined(separator: "; "))
    for count in [2, 9] {
        let first = (0..<4).map { "__Host-session=\(count).\(forged($0))" }
        let parts = (1..<count).flatMap { part in
            (0..<4).map { "__Host-session.\(part)=\(String(repeating: "A", count: 4070 - $0))" }
        }
        header(
            "four times \(count) forged parts", "not authentic", (first + parts).joined(separator: "; "))
    }
    return bombs
}

struct NoCookie: Error, CustomStringConvertible { let description = "no cookie" }

/// The costliest DEFLATE blocks: a dynamic tree each, and nothing encoded with it.
enum HuffmanTrees {
    static func stream(_ count: Int) -> [UInt8] {
        var bits = Bits()
        while bits.bytes.count < count - 100 { block(&bits) }
        return Array(bits.bytes)
    }

    private struct Bits {
        var bytes: [UInt8] = []
        private var filled = 8

        mutating func put(_ value: Int, _ count: Int) {
            for bit in 0..<count {
                if filled == 8 {
                    bytes.append(0)
                    filled = 0
                }
                bytes[bytes.count - 1] |= UInt8(value >> bit & 1) << UInt8(filled)
                filled += 1
            }
        }
    }

    /// 257 literals and one distance: a complete tree of lengths 9 (for 255 symbols and one of 8) so that
    /// the whole table of 512 is filled.
    private static func block(_ bits: inout Bits) {
        bits.put(0, 1)
        bits.put(2, 2)
        bits.put(0, 5)
        bits.put(0, 5)
        bits.put(15, 4)
        // Lengths of the code lengths' own code, in the order of RFC 1951 §3.2.7: 16, 8, 9 and 1 get two bits.
        let used = [16: 2, 8: 2, 9: 2, 1: 2]
        for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] {
            bits.put(used[symbol] ?? 0, 3)
        }
        // Canonical: 1 → 00, 8 → 01, 9 → 10, 16 → 11, written from the top bit.
        let code = [1: 0b00, 8: 0b10, 9: 0b01, 16: 0b11]
        func length(_ symbol: Int) { bits.put(code[symbol] ?? 0, 2) }
        // 255 of length 8 and two of length 9 make 1.
        var left = 255
        length(8)
        left -= 1
        while left >= 3 {
            let run = min(6, left)
            length(16)
            bits.put(run - 3, 2)
            left -= run
        }
        for _ in 0..<left { length(8) }
        length(9)
        length(9)
        length(1)
        // End of block, symbol 256: the last code of nine bits.
        bits.put(0x1FF, 9)
    }
}

/// Input of any size that is valid, or a long text that is not.
struct Shape {
    let name: String
    let count: Int
    let run: (Int) throws -> () -> Void
}

func shapes() throws -> [Shape] {
    func session<Session: Codable & Sendable>(
        _ name: String, _ count: Int, as type: Session.Type, _ item: @escaping (Int) -> [UInt8]
    ) -> Shape {
        Shape(name: name, count: count) { count in
            let text = try token(payload(item(count)))
            let sessions = sealer(type, limits: .init(nameAndValue: 65_000, attributeValue: 1024))
            _ = try sessions.open(value: text, at: now)
            return { _ = try? sessions.open(value: text, at: now) }
        }
    }
    func ring(_ name: String, _ count: Int, _ text: @escaping (Int) throws -> String) -> Shape {
        Shape(name: name, count: count) { count in
            let text = try text(count)
            return { _ = try? KeyRing(parsing: text) }
        }
    }
    func json(_ name: String, _ count: Int, _ text: @escaping (Int) -> String) -> Shape {
        Shape(name: name, count: count) { count in
            let text = Data(text(count).utf8)
            return { _ = try? EncodedSession(CBORJSON(parsing: text).value) }
        }
    }
    return [
        session("integers as [Int]", 65_000, as: [Int].self) { array($0, [0]) },
        session("integers as a tree", 65_000, as: CBORValue.self) { array($0, [0]) },
        session("texts as a type that tries one form after the other", 65_000, as: AnyJSON.self) {
            array($0, [0x60])
        },
        session("[String: Int]", 13_000, as: [String: Int].self) { textMap(entries: $0) { _ in [0] } },
        session("[String: UInt8]", 13_000, as: [String: UInt8].self) { textMap(entries: $0) { _ in [0] } },
        session("[Int: Int]", 16_000, as: [Int: Int].self) { count in
            head(.map, UInt64(count)) + (0..<count).flatMap { head(.unsigned, UInt64($0)) + [0] }
        },
        session("[Int: [[Int: Int]]]", 9_000, as: Nested.self) { count in
            head(.map, UInt64(count))
                + (0..<count).flatMap { head(.unsigned, UInt64($0)) + [0x81, 0xA1, 0, 0] }
        },
        session("entries beside 30 fields that are not there", 13_000, as: Optionals.self) { count in
            textMap(entries: count) { _ in [0] }
        },
        Shape(name: "entries asked for backwards", count: 12_000) { count in
            let index = try CheckedItem(parsing: textMap(entries: count) { _ in [0] })
            let keys = (0..<count).map { index.text(1 + 2 * $0) }.reversed()
            return {
                let reader = CBORReader(CBORReading(index))
                for key in keys where reader.value(in: 0, text: key) == nil { fail("not found") }
            }
        },
        session("combining marks in one key of a [String: Int], 256 in a row", 16_000, as: [String: Int].self)
        { count in
            head(.map, 1) + cborText(marks(2 * count)) + [0]
        },
        ring("lines of a ring: revoked", 70_000) { count in
            (0..<count).map { "revoked " + String(0x100000 + $0, radix: 16) }.joined(separator: "\n")
        },
        ring("fields in a line of a ring", 500_000) { String(repeating: "x ", count: $0) },
        ring("words in a comment of a ring", 500_000) { "#" + String(repeating: "x ", count: $0) },
        ring("keys of a ring", 2_000) { count in
            var keys: [KeyID: SealingKey] = [:]
            while keys.count < count {
                let key = try SealingKey.generate()
                keys[key.id] = key
            }
            return try KeyRing(Array(keys.values)).fileContents().withSpan { text in
                String(decoding: text.indices.map { text[$0] }, as: UTF8.self)
            }
        },
        json("arrays in one another, JSON", 400_000) { String(repeating: "[", count: $0) },
        json("numbers, JSON", 60_000) { "[" + String(repeating: "1,", count: $0) + "1]" },
        json("digits, JSON", 900_000) { String(repeating: "1", count: $0) },
        json("digits of $int, JSON", 900_000) { "{\"$int\":\"\(String(repeating: "1", count: $0))\"}" },
        json("members, JSON", 60_000) { count in
            "{" + (0..<count).map { "\"k\($0)\":1" }.joined(separator: ",") + "}"
        },
        json("escapes, JSON", 150_000) { "\"" + String(repeating: "\\u0041", count: $0) + "\"" },
    ]
}
