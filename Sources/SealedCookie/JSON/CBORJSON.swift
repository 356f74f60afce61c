// The JSON view of a session: readable, and reversible to the same item. FORMAT §8.
#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// A value as JSON shows it.
///
/// A value for which JSON has no form is an object with one key that begins with `$`. A text key that itself begins
/// with `$` gets another `$` in front. An integer key is `$` and its digits.
package struct CBORJSON: Codable, Equatable, Sendable {
    package var value: CBORValue

    package init(_ value: CBORValue) {
        self.value = value
    }

    /// Reads JSON text.
    package init(parsing json: Data) throws(CBORJSONFailure) {
        value = try Self.value(JSONTree(parsing: [UInt8](json)))
    }

    /// JSON text with its keys sorted, fit for a terminal.
    package func text(pretty: Bool) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        // Cannot fail: every number below is finite, and the view always encodes a value.
        guard let json = try? encoder.encode(self) else { return Data() }
        return Data(TerminalJSON.escaping(String(decoding: json, as: UTF8.self)).utf8)
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
            // A whole number would be read back as an integer, or look like one.
            if number.isFinite, number != number.rounded() {
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
            // Keys that differ in their bytes but are equal as Strings: an object would lose one.
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

    private static func keyText(_ key: CBORMapKey) -> String {
        switch key {
        case .integer(let integer): "$\(integer)"
        case .text(let text): isMarked(text.utf8) ? "$" + text : text
        }
    }

    /// Whether a key begins with `$`. Not compared as a String, where a `$` with a combining accent is one character.
    private static func isMarked(_ key: some Collection<UInt8>) -> Bool { key.first == UInt8(ascii: "$") }

    // MARK: Reading

    package init(from decoder: any Decoder) throws {
        value = try Self.value(JSONTree(from: decoder))
    }

    private static func value(_ json: JSONTree) throws(CBORJSONFailure) -> CBORValue {
        switch json {
        case .null: return .null
        case .bool(let bool): return .bool(bool)
        case .text(let text): return .text(text)
        case .number(let text): return try number(text)
        case .array(let elements):
            var values: [CBORValue] = []
            for (index, element) in elements.enumerated() {
                values.append(try at("[\(index)]") { () throws(CBORJSONFailure) in try value(element) })
            }
            return .array(values)
        case .object(let members): return try object(members)
        }
    }

    /// An integer if its value has at most 64 bits, otherwise a float, which must not silently lose a whole number's
    /// digits.
    private static func number(_ text: String) throws(CBORJSONFailure) -> CBORValue {
        let digits = DecimalDigits(text)
        if let integer = digits.integer,
            integer.exactly(as: Int64.self) != nil || integer.exactly(as: UInt64.self) != nil
        {
            return .integer(integer)
        }
        guard let double = Double(text), double.isFinite else {
            throw CBORJSONFailure(problem: "a number that a double cannot hold")
        }
        guard !digits.isWhole || DecimalDigits("\(double)") == digits else {
            throw CBORJSONFailure(
                problem: "a whole number beyond 64 bits", detail: "write it as {\"\(Mark.integer)\": \"…\"}")
        }
        return .float(double.bitPattern)
    }

    private static func object(
        _ members: [(key: String, value: JSONTree)]
    ) throws(CBORJSONFailure) -> CBORValue {
        guard Set(members.map(\.key)).count == members.count else {
            throw CBORJSONFailure(
                problem: "a key occurs twice in an object", detail: "or in two Unicode forms")
        }
        if members.count == 1, let marked = try markedValue(members[0].key, members[0].value) {
            return marked
        }
        var entries: [CBORMapEntry] = []
        for (key, json) in members {
            entries.append(
                try at(key) { () throws(CBORJSONFailure) in
                    guard let mapKey = mapKey(key) else {
                        throw CBORJSONFailure(
                            problem: "not a key of the JSON view",
                            detail:
                                "a key that begins with $ must be $$text, $ and an integer, or the only mark of its object"
                        )
                    }
                    return CBORMapEntry(key: mapKey, value: try value(json))
                })
        }
        return .map(entries.sorted { $0.key < $1.key })
    }

    /// Adds this path element to a failure inside `body`.
    private static func at<Result>(
        _ place: String, _ body: () throws(CBORJSONFailure) -> Result
    ) throws(CBORJSONFailure) -> Result {
        do throws(CBORJSONFailure) {
            return try body()
        } catch {
            throw CBORJSONFailure(
                path: [place.printable] + error.path, problem: error.problem, detail: error.detail)
        }
    }

    /// A map from pairs of key and value; nil if an element is not a pair, or two keys have the same bytes.
    private static func map(_ value: CBORValue) -> CBORValue? {
        guard case .array(let pairs) = value else { return nil }
        var entries: [CBORMapEntry] = []
        for pair in pairs {
            guard case .array(let pair) = pair, pair.count == 2, let key = CBORMapKey(pair[0]) else {
                return nil
            }
            entries.append(CBORMapEntry(key: key, value: pair[1]))
        }
        entries.sort { $0.key < $1.key }
        return zip(entries, entries.dropFirst()).allSatisfy { $0.key < $1.key } ? .map(entries) : nil
    }

    private static func mapKey(_ text: String) -> CBORMapKey? {
        guard isMarked(text.utf8) else { return .text(text) }
        let rest = Substring(text.utf8.dropFirst())
        if isMarked(rest.utf8) { return .text(String(rest)) }
        guard let integer = Int64(plain: rest) else { return nil }
        return .integer(integer)
    }

    /// The value of an object whose only key is a mark; nil for any other key.
    private static func markedValue(_ key: String, _ json: JSONTree) throws(CBORJSONFailure) -> CBORValue? {
        try at(key) { () throws(CBORJSONFailure) in
            let read: CBORValue?
            switch key {
            case Mark.secret: return .secret(try value(json))
            case Mark.map: read = map(try value(json))
            case Mark.bytes, Mark.date, Mark.uuid, Mark.url, Mark.decimal, Mark.integer, Mark.float:
                if case .text(let text) = json { read = value(text, markedBy: key) } else { read = nil }
            default: return nil
            }
            guard let read else { throw CBORJSONFailure(problem: "not a value for \(key)") }
            return read
        }
    }

    private static func value(_ text: String, markedBy mark: String) -> CBORValue? {
        switch mark {
        case Mark.bytes: Base64URL.decode(text).map { .bytes($0) }
        case Mark.date: CBORTime(text: text).map { .time($0) }
        // Foundation's parser accepts 0x as two digits.
        case Mark.uuid:
            UUID(uuidString: text).flatMap { $0.uuidString == text.uppercased() ? .uuid($0) : nil }
        case Mark.decimal: CBORDecimal(text: text).map { .decimal($0) }
        case Mark.integer: CBORInteger(text).map { .integer($0) }
        case Mark.float: CBORFloat.bits(text).map { .float($0) }
        default: .url(text)
        }
    }
}

extension JSONTree: Decodable {
    /// The value from another library's decoder.
    init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: CBORKey.self) {
            self = .object(
                try container.allKeys.map { key in
                    (key.stringValue, try container.decode(JSONTree.self, forKey: key))
                })
            return
        }
        if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONTree] = []
            while !container.isAtEnd { elements.append(try container.decode(JSONTree.self)) }
            self = .array(elements)
            return
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let bool = try? single.decode(Bool.self) {
            self = .bool(bool)
        } else if let text = try? single.decode(String.self) {
            self = .text(text)
        } else if let integer = try? single.decode(Int64.self) {
            self = .number("\(integer)")
        } else if let integer = try? single.decode(UInt64.self) {
            self = .number("\(integer)")
        } else {
            self = .number("\(try single.decode(Double.self))")
        }
    }
}

/// JSON that is not a session's view.
package struct CBORJSONFailure: Error {
    package let path: [String]
    package let problem: String
    package let detail: String?

    init(path: [String] = [], problem: String, detail: String? = nil) {
        self.path = path
        self.problem = problem
        self.detail = detail
    }
}
