// The JSON view of a session: readable, and reversible to the same item. FORMAT §8.
#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// A value as JSON shows it.
///
/// What JSON has no form for is an object with one key that begins with `$`; a text key that itself
/// begins with `$` gets a second one in front, and an integer key is `$` and its digits.
package struct CBORJSON: Codable, Equatable, Sendable {
    package var value: CBORValue

    package init(_ value: CBORValue) {
        self.value = value
    }

    /// Reads JSON text.
    package init(parsing json: Data) throws(CBORJSONFailure) {
        do {
            self = try JSONDecoder().decode(CBORJSON.self, from: json)
            // The decoder keeps one of two members of one name, and so would lose the other.
            guard
                try JSONDecoder().decode(MemberCount.self, from: json).count == MemberCount.written(in: json)
            else {
                throw CBORJSONFailure(
                    path: [], problem: "a key stands twice in an object", detail: "or in two Unicode forms")
            }
        } catch let failure as CBORJSONFailure {
            throw failure
        } catch let DecodingError.dataCorrupted(context) {
            let underlying = context.underlyingError.map { String(describing: $0) }
            throw CBORJSONFailure(
                path: Self.names(context.codingPath), problem: "not JSON", detail: underlying)
        } catch {
            throw CBORJSONFailure(path: [], problem: "not JSON", detail: nil)
        }
    }

    /// JSON text with its keys sorted.
    package func text(pretty: Bool) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        // Cannot fail: every number below is finite, and the view encodes a value always.
        return (try? encoder.encode(self)) ?? Data()
    }

    private enum Mark {
        static let bytes = "$bytes"
        static let date = "$date"
        static let uuid = "$uuid"
        static let url = "$url"
        static let decimal = "$decimal"
        static let integer = "$int"
        static let float = "$float"
        static let secret = "$secret"
        static let map = "$map"
    }

    // MARK: Writing

    package func encode(to encoder: any Encoder) throws {
        var single = encoder.singleValueContainer()
        switch value {
        case .null: try single.encodeNil()
        case .bool(let bool): try single.encode(bool)
        case .text(let text): try single.encode(text)
        case .array(let elements): try single.encode(elements.map(CBORJSON.init))
        case .integer(let integer):
            if let small = integer.exactly(as: Int64.self) {
                try single.encode(small)
            } else if let small = integer.exactly(as: UInt64.self) {
                try single.encode(small)
            } else {
                try single.encode([Mark.integer: integer.description])
            }
        case .float(let bits):
            let number = Double(bitPattern: bits)
            // A whole number within 64 bits would read back as an integer.
            let isInteger = Int64(exactly: number) != nil || UInt64(exactly: number) != nil
            if number.isFinite, !isInteger {
                try single.encode(number)
            } else {
                try single.encode([Mark.float: CBORFloat.text(bits)])
            }
        case .bytes(let bytes): try single.encode([Mark.bytes: Base64URL.encode(bytes.span)])
        case .time(let time): try single.encode([Mark.date: time.text])
        case .uuid(let uuid): try single.encode([Mark.uuid: uuid.uuidString.lowercased()])
        case .url(let url): try single.encode([Mark.url: url])
        case .decimal(let decimal): try single.encode([Mark.decimal: decimal.text])
        case .secret(let secret): try single.encode([Mark.secret: CBORJSON(secret)])
        case .map(let entries) where Set(entries.map { Self.keyText($0.key) }).count < entries.count:
            // Keys that differ in their bytes, but are equal as Strings: in an object one would be lost.
            let pairs = entries.map { entry in
                CBORJSON(.array([entry.key.value, entry.value]))
            }
            try single.encode([Mark.map: pairs])
        case .map(let entries):
            var container = encoder.container(keyedBy: CBORKey.self)
            for entry in entries {
                try container.encode(
                    CBORJSON(entry.value), forKey: CBORKey(stringValue: Self.keyText(entry.key)))
            }
        }
    }

    private static func names(_ path: [any CodingKey]) -> [String] {
        path.map { key in key.intValue.map { "[\($0)]" } ?? key.stringValue }
    }

    private static func keyText(_ key: CBORMapKey) -> String {
        switch key {
        case .integer(let integer): "$\(integer)"
        case .text(let text): text.hasPrefix("$") ? "$" + text : text
        }
    }

    // MARK: Reading

    package init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: CBORKey.self) {
            value = try Self.object(container)
            return
        }
        if var container = try? decoder.unkeyedContainer() {
            var elements: [CBORValue] = []
            while !container.isAtEnd { elements.append(try container.decode(CBORJSON.self).value) }
            value = .array(elements)
            return
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            value = .null
        } else if let bool = try? single.decode(Bool.self) {
            value = .bool(bool)
        } else if let integer = try? single.decode(Int64.self) {
            value = .integer(CBORInteger(integer))
        } else if let integer = try? single.decode(UInt64.self) {
            value = .integer(CBORInteger(integer))
        } else if let text = try? single.decode(String.self) {
            value = .text(text)
        } else {
            value = try Self.number(single)
        }
    }

    /// A number that is no 64-bit integer. A longer whole number must not lose digits in silence.
    private static func number(_ container: any SingleValueDecodingContainer) throws -> CBORValue {
        let double = try container.decode(Double.self)
        if let exact = try? container.decode(Decimal.self),
            CBORDecimal(exact).map({ $0.exponent >= 0 }) ?? false,
            Decimal(string: "\(double)") != exact
        {
            throw CBORJSONFailure(
                path: names(container.codingPath), problem: "a whole number beyond 64 bits",
                detail: "write it as {\"\(Mark.integer)\": \"…\"}")
        }
        return .float(double.bitPattern)
    }

    private static func object(_ container: KeyedDecodingContainer<CBORKey>) throws -> CBORValue {
        let keys = container.allKeys
        if keys.count == 1, let marked = try markedValue(container, keys[0]) { return marked }
        let entries = try keys.map { key in
            guard let mapKey = mapKey(key.stringValue) else {
                throw CBORJSONFailure(
                    path: names(container.codingPath + [key]),
                    problem: "not a key of the JSON view",
                    detail:
                        "a key that begins with $ is $$text, $ and an integer, or the one mark of its object")
            }
            return CBORMapEntry(key: mapKey, value: try container.decode(CBORJSON.self, forKey: key).value)
        }
        return .map(entries.sorted { $0.key < $1.key })
    }

    /// A map out of pairs of key and value; nil where one is not, or two keys have the same bytes.
    private static func map(_ pairs: [[CBORValue]]) -> CBORValue? {
        var entries: [CBORMapEntry] = []
        for pair in pairs {
            guard pair.count == 2, let key = CBORMapKey(pair[0]) else { return nil }
            entries.append(CBORMapEntry(key: key, value: pair[1]))
        }
        entries.sort { $0.key < $1.key }
        return zip(entries, entries.dropFirst()).allSatisfy { $0.key < $1.key } ? .map(entries) : nil
    }

    private static func mapKey(_ text: String) -> CBORMapKey? {
        guard text.hasPrefix("$") else { return .text(text) }
        if text.hasPrefix("$$") { return .text(String(text.dropFirst())) }
        guard let integer = Int64(text.dropFirst()), "$\(integer)" == text else { return nil }
        return .integer(integer)
    }

    /// The value of an object with one key that is a mark; nil for any other key.
    private static func markedValue(
        _ container: KeyedDecodingContainer<CBORKey>, _ key: CBORKey
    ) throws -> CBORValue? {
        func text() throws -> String {
            guard let text = try? container.decode(String.self, forKey: key) else { throw failure() }
            return text
        }
        func failure() -> CBORJSONFailure {
            CBORJSONFailure(
                path: names(container.codingPath + [key]),
                problem: "not a value for \(key.stringValue)",
                detail: nil)
        }
        let value: CBORValue?
        switch key.stringValue {
        case Mark.bytes: value = Base64URL.decode(try text()).map { .bytes($0) }
        case Mark.date: value = CBORTime(text: try text()).map { .time($0) }
        case Mark.uuid: value = UUID(uuidString: try text()).map { .uuid($0) }
        case Mark.url: value = .url(try text())
        case Mark.decimal: value = CBORDecimal(text: try text()).map { .decimal($0) }
        case Mark.integer: value = CBORInteger(try text()).map { .integer($0) }
        case Mark.float: value = CBORFloat.bits(try text()).map { .float($0) }
        case Mark.secret: value = .secret(try container.decode(CBORJSON.self, forKey: key).value)
        case Mark.map:
            value = map(try container.decode([[CBORJSON]].self, forKey: key).map { $0.map(\.value) })
        default: return nil
        }
        guard let value else { throw failure() }
        return value
    }
}

/// How many members all objects of a JSON text have.
private struct MemberCount: Decodable {
    var count = 0

    init(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: CBORKey.self) {
            count = object.allKeys.count
            for key in object.allKeys { count += try object.decode(MemberCount.self, forKey: key).count }
        } else if var array = try? decoder.unkeyedContainer() {
            while !array.isAtEnd { count += try array.decode(MemberCount.self).count }
        }
    }

    /// As they are written: each has one colon outside of strings.
    static func written(in json: Data) -> Int {
        var colons = 0
        var isInString = false
        var isEscaped = false
        for byte in json {
            if isInString {
                if !isEscaped, byte == UInt8(ascii: "\"") { isInString = false }
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if byte == UInt8(ascii: ":") {
                colons += 1
            }
        }
        return colons
    }
}

/// JSON that is not a session's view.
package struct CBORJSONFailure: Error {
    package let path: [String]
    package let problem: String
    package let detail: String?
}
