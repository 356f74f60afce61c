// Types, keys and checks that the Codable suites share.
import Foundation
import Testing

@testable import SealedCookie

func item(_ value: some Encodable) throws -> CBORItem {
    let item = try CBOREncoder.encode(value)
    // Whatever is sealed opens.
    #expect(try CheckedItem(parsing: item.bytes).wholeItem == item)
    return item
}

func decode<Value: Decodable>(_ type: Value.Type, _ item: CBORItem) throws -> Value {
    try CBORDecoder.decode(type, from: CheckedItem(parsing: item.bytes))
}

/// Any JSON, as most applications write it: each type is tried in turn.
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

/// A value that forwards its coder.
struct Handed<Value: Codable>: Codable {
    var value: Value
    init(_ value: Value) { self.value = value }
    init(from decoder: any Decoder) throws { value = try Value(from: decoder) }
    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}

/// A value by way of a single value container.
struct Single<Value: Codable>: Codable {
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

struct AnyEncodable: Encodable {
    let value: any Encodable
    init(_ value: any Encodable) { self.value = value }
    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}

struct Box<Value: Codable>: Codable {
    var v: Value
    var list: [Value]
    var named: [String: Value]
    var maybe: Value?
    init(_ value: Value) { (v, list, named, maybe) = (value, [value, value], ["k": value], value) }
}

extension Box: Equatable where Value: Equatable {}

/// A key that is any text, with an integer if Swift reads one in it, as most dynamic keys are.
struct DynamicKey: CodingKey, Hashable {
    var stringValue: String
    var intValue: Int? { Int(stringValue) }
    init(_ text: String) { stringValue = text }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { stringValue = String(intValue) }
}

/// Whatever a closure does with an encoder.
struct Doing: Encodable {
    let body: (any Encoder) throws -> Void
    init(_ body: @escaping (any Encoder) throws -> Void) { self.body = body }
    func encode(to encoder: any Encoder) throws { try body(encoder) }
}

enum LetterKey: String, CodingKey { case a, b, c, inner, list, kind }

func refused(
    _ what: String, _ reason: CBORFailure.Reason, _ body: @escaping (any Encoder) throws -> Void
) {
    let failure = #expect(throws: CBORFailure.self, "\(what)") { try item(Doing(body)) }
    #expect(failure?.reason == reason, "\(what)")
}

func written<K: CodingKey>(_ key: K) throws -> String {
    try item(
        Doing { encoder in
            var container = encoder.container(keyedBy: K.self)
            try container.encode(true, forKey: key)
        }
    ).bytes.hex
}
