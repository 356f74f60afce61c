// JSON text as a tree that keeps what Foundation's parser drops: the spelling of numbers, and every member. RFC 8259.

/// The contents of a JSON text, before they are interpreted.
indirect enum JSONTree {
    case null
    case bool(Bool)
    /// As it is written.
    case number(String)
    case text(String)
    case array([JSONTree])
    /// In the text's order. A key may occur twice.
    case object([(key: String, value: JSONTree)])

    /// Parses UTF-8 text, with or without a byte order mark.
    ///
    /// - Throws: `CBORJSONFailure`, with the line, for anything that RFC 8259 does not allow, half a surrogate pair,
    ///   and more than 512 levels.
    init(parsing json: [UInt8]) throws(CBORJSONFailure) {
        var reader = JSONReader(bytes: json)
        guard (try? UTF8Span(validating: json.span)) != nil else { throw reader.failure("not UTF-8") }
        self = try reader.text()
    }
}

/// Reads JSON from front to back.
private struct JSONReader {
    /// A view with 64 levels takes up to three JSON levels for each.
    private static let depthLimit = 512

    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    func failure(_ what: String) -> CBORJSONFailure {
        let line = bytes[..<position].count { $0 == UInt8(ascii: "\n") } + 1
        return CBORJSONFailure(path: [], problem: "not JSON", detail: "line \(line): \(what)")
    }

    mutating func text() throws(CBORJSONFailure) -> JSONTree {
        let value = try value(depth: 0)
        skipBlanks()
        guard position == bytes.count else { throw failure("something follows the value") }
        return value
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(CBORJSONFailure) -> JSONTree {
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth < Self.depthLimit else { throw failure("more than \(Self.depthLimit) levels") }
            return take("{") ? .object(try members(depth: depth + 1)) : .array(try elements(depth: depth + 1))
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "-"), (UInt8(ascii: "0")...UInt8(ascii: "9"))?: return .number(try number())
        case nil: throw failure("the text ends early")
        default:
            for (word, value) in [("null", JSONTree.null), ("true", .bool(true)), ("false", .bool(false))]
            where bytes[position...].starts(with: word.utf8) {
                position += word.utf8.count
                return value
            }
            throw failure("not a value")
        }
    }

    private mutating func elements(depth: Int) throws(CBORJSONFailure) -> [JSONTree] {
        position += 1
        var elements: [JSONTree] = []
        skipBlanks()
        if take("]") { return elements }
        repeat {
            elements.append(try value(depth: depth))
            skipBlanks()
        } while take(",")
        guard take("]") else { throw failure("expected , or ]") }
        return elements
    }

    private mutating func members(depth: Int) throws(CBORJSONFailure) -> [(key: String, value: JSONTree)] {
        var members: [(key: String, value: JSONTree)] = []
        skipBlanks()
        if take("}") { return members }
        repeat {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else { throw failure("not a key") }
            let key = try string()
            skipBlanks()
            guard take(":") else { throw failure("a key without :") }
            members.append((key, try value(depth: depth)))
            skipBlanks()
        } while take(",")
        guard take("}") else { throw failure("expected , or }") }
        return members
    }

    private mutating func string() throws(CBORJSONFailure) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                // Before Swift hashes or compares it.
                guard !CombiningMarks.areTooMany(in: text.span) else {
                    throw failure("\(CBORFailure.Reason.combiningMarks)")
                }
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try appendEscaped(to: &text)
            case 0..<0x20: throw failure("a control character in a string")
            default: text.append(byte)
            }
        }
        throw failure("a string does not end")
    }

    private mutating func appendEscaped(to text: inout [UInt8]) throws(CBORJSONFailure) {
        guard let character = next else { throw failure("a string does not end") }
        position += 1
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(character)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = try unit()
            if (0xD800..<0xDC00).contains(scalar), take("\\"), take("u") {
                let low = try unit()
                guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair") }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + low - 0xDC00
            }
            guard let scalar = Unicode.Scalar(scalar) else { throw failure("half a surrogate pair") }
            text.append(contentsOf: Character(scalar).utf8)
        default: throw failure("not an escape sequence")
        }
    }

    /// Four hexadecimal digits.
    private mutating func unit() throws(CBORJSONFailure) -> UInt32 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw failure("not four hexadecimal digits") }
        position += 4
        return unit
    }

    private mutating func number() throws(CBORJSONFailure) -> String {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws(CBORJSONFailure) {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw failure("a number without a digit") }
    }
}

/// The value of a decimal number: digits × 10^exponent, without zeros at either end of the digits. Zero has no
/// digits.
struct DecimalDigits: Equatable {
    let isNegative: Bool
    let digits: String
    let exponent: Int

    /// - Parameter text: A finite number as JSON or Swift writes it.
    init(_ text: String) {
        let parts = text.split { "eE".contains($0) }
        let number = parts[0].split(separator: ".")
        let fraction = number.count > 1 ? number[1].utf8.count : 0
        let all = number.joined().drop { $0 == "-" }.drop { $0 == "0" }
        let zeros = all.reversed().prefix { $0 == "0" }.count
        isNegative = text.utf8.first == UInt8(ascii: "-")
        digits = String(all.dropLast(zeros))
        // Beyond any double, but far from overflow in the sums below.
        let limit = 1_000_000_000_000
        let written =
            parts.count > 1 ? Int(parts[1]) ?? (parts[1].utf8.first == UInt8(ascii: "-") ? -limit : limit) : 0
        exponent = digits.isEmpty ? 0 : min(max(written, -limit), limit) - fraction + zeros
    }

    var isWhole: Bool { exponent >= 0 }

    /// The number, if it is whole and has at most 20 digits.
    var integer: CBORInteger? {
        guard isWhole, digits.utf8.count + exponent <= 20 else { return nil }
        guard !digits.isEmpty else { return CBORInteger(UInt64(0)) }
        return CBORInteger((isNegative ? "-" : "") + digits + String(repeating: "0", count: exponent))
    }
}
