// Coders between an application's types and ours.
import Foundation

@testable import SealedCookie

/// The way in which an encoder of the user's forwards values.
enum Way: CaseIterable {
    /// To the next container, with their types.
    case typed
    /// Each encodes itself into another of the same kind.
    case deep
    /// The same, and keys get a prefix.
    case renaming
    /// Like it, with twice as many in between.
    case twice
}

struct Renamed: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ key: some CodingKey, _ way: Way) { stringValue = (way == .renaming ? "x-" : "") + key.stringValue }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

struct Forward: Encoder {
    let base: any Encoder
    let way: Way
    var codingPath: [any CodingKey] { base.codingPath }
    /// As many forget.
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func around(_ encoder: any Encoder, _ way: Way) -> any Encoder {
        way == .twice
            ? Forward(base: Forward(base: encoder, way: .deep), way: .typed)
            : Forward(base: encoder, way: way)
    }
    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(Keyed<Key>(base: base.container(keyedBy: Renamed.self), way: way))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        Unkeyed(base: base.unkeyedContainer(), way: way)
    }
    func singleValueContainer() -> any SingleValueEncodingContainer { SingleValue(encoder: base, way: way) }

    struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        var base: KeyedEncodingContainer<Renamed>
        let way: Way
        var codingPath: [any CodingKey] { base.codingPath }
        private func key(_ key: Key) -> Renamed { Renamed(key, way) }
        mutating func encodeNil(forKey key: Key) throws { try base.encodeNil(forKey: self.key(key)) }
        mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
            if way == .typed { return try base.encode(value, forKey: self.key(key)) }
            try value.encode(to: Forward(base: base.superEncoder(forKey: self.key(key)), way: way))
        }
        mutating func nestedContainer<N: CodingKey>(
            keyedBy type: N.Type, forKey key: Key
        ) -> KeyedEncodingContainer<N> {
            KeyedEncodingContainer<N>(
                Keyed<N>(base: base.nestedContainer(keyedBy: Renamed.self, forKey: self.key(key)), way: way))
        }
        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            Unkeyed(base: base.nestedUnkeyedContainer(forKey: self.key(key)), way: way)
        }
        mutating func superEncoder() -> any Encoder { Forward(base: base.superEncoder(), way: way) }
        mutating func superEncoder(forKey key: Key) -> any Encoder {
            Forward(base: base.superEncoder(forKey: self.key(key)), way: way)
        }
    }

    struct Unkeyed: UnkeyedEncodingContainer {
        var base: any UnkeyedEncodingContainer
        let way: Way
        var codingPath: [any CodingKey] { base.codingPath }
        var count: Int { base.count }
        mutating func encodeNil() throws { try base.encodeNil() }
        mutating func encode<T: Encodable>(_ value: T) throws {
            if way == .typed { return try base.encode(value) }
            try value.encode(to: Forward(base: base.superEncoder(), way: way))
        }
        mutating func nestedContainer<N: CodingKey>(keyedBy type: N.Type) -> KeyedEncodingContainer<N> {
            KeyedEncodingContainer(Keyed<N>(base: base.nestedContainer(keyedBy: Renamed.self), way: way))
        }
        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            Unkeyed(base: base.nestedUnkeyedContainer(), way: way)
        }
        mutating func superEncoder() -> any Encoder { Forward(base: base.superEncoder(), way: way) }
    }

    struct SingleValue: SingleValueEncodingContainer {
        let encoder: any Encoder
        let way: Way
        var codingPath: [any CodingKey] { encoder.codingPath }
        private func base(_ body: (inout any SingleValueEncodingContainer) throws -> Void) rethrows {
            var container = encoder.singleValueContainer()
            try body(&container)
        }
        func encodeNil() throws { try base { try $0.encodeNil() } }
        func encode(_ value: Bool) throws { try base { try $0.encode(value) } }
        func encode(_ value: String) throws { try base { try $0.encode(value) } }
        func encode(_ value: Double) throws { try base { try $0.encode(value) } }
        func encode(_ value: Float) throws { try base { try $0.encode(value) } }
        func encode(_ value: Int) throws { try base { try $0.encode(value) } }
        func encode(_ value: Int8) throws { try base { try $0.encode(value) } }
        func encode(_ value: Int16) throws { try base { try $0.encode(value) } }
        func encode(_ value: Int32) throws { try base { try $0.encode(value) } }
        func encode(_ value: Int64) throws { try base { try $0.encode(value) } }
        func encode(_ value: UInt) throws { try base { try $0.encode(value) } }
        func encode(_ value: UInt8) throws { try base { try $0.encode(value) } }
        func encode(_ value: UInt16) throws { try base { try $0.encode(value) } }
        func encode(_ value: UInt32) throws { try base { try $0.encode(value) } }
        func encode(_ value: UInt64) throws { try base { try $0.encode(value) } }
        func encode<T: Encodable>(_ value: T) throws {
            if way == .typed { return try base { try $0.encode(value) } }
            try value.encode(to: Forward(base: encoder, way: way))
        }
    }
}

struct Backward: Decoder {
    let base: any Decoder
    let way: Way
    var codingPath: [any CodingKey] { base.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func around(_ decoder: any Decoder, _ way: Way) -> any Decoder {
        way == .twice
            ? Backward(base: Backward(base: decoder, way: .deep), way: .typed)
            : Backward(base: decoder, way: way)
    }
    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Keyed<Key>(base: try base.container(keyedBy: Renamed.self), way: way))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        Unkeyed(base: try base.unkeyedContainer(), way: way)
    }
    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        SingleValue(base: try base.singleValueContainer(), decoder: base, way: way)
    }

    struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let base: KeyedDecodingContainer<Renamed>
        let way: Way
        var codingPath: [any CodingKey] { base.codingPath }
        var allKeys: [Key] {
            base.allKeys.compactMap {
                Key(stringValue: way == .renaming ? String($0.stringValue.dropFirst(2)) : $0.stringValue)
            }
        }
        private func key(_ key: Key) -> Renamed { Renamed(key, way) }
        func contains(_ key: Key) -> Bool { base.contains(self.key(key)) }
        func decodeNil(forKey key: Key) throws -> Bool { try base.decodeNil(forKey: self.key(key)) }
        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            if way == .typed { return try base.decode(type, forKey: self.key(key)) }
            return try T(from: Backward(base: base.superDecoder(forKey: self.key(key)), way: way))
        }
        func nestedContainer<N: CodingKey>(
            keyedBy type: N.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<N> {
            try Backward(base: base.superDecoder(forKey: self.key(key)), way: way).container(keyedBy: type)
        }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            Unkeyed(base: try base.nestedUnkeyedContainer(forKey: self.key(key)), way: way)
        }
        func superDecoder() throws -> any Decoder { Backward(base: try base.superDecoder(), way: way) }
        func superDecoder(forKey key: Key) throws -> any Decoder {
            Backward(base: try base.superDecoder(forKey: self.key(key)), way: way)
        }
    }

    struct Unkeyed: UnkeyedDecodingContainer {
        var base: any UnkeyedDecodingContainer
        let way: Way
        var codingPath: [any CodingKey] { base.codingPath }
        var count: Int? { base.count }
        var isAtEnd: Bool { base.isAtEnd }
        var currentIndex: Int { base.currentIndex }
        mutating func decodeNil() throws -> Bool { try base.decodeNil() }
        mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
            if way == .typed { return try base.decode(type) }
            return try T(from: Backward(base: base.superDecoder(), way: way))
        }
        mutating func nestedContainer<N: CodingKey>(keyedBy type: N.Type) throws -> KeyedDecodingContainer<N>
        {
            try Backward(base: base.superDecoder(), way: way).container(keyedBy: type)
        }
        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            Unkeyed(base: try base.nestedUnkeyedContainer(), way: way)
        }
        mutating func superDecoder() throws -> any Decoder {
            Backward(base: try base.superDecoder(), way: way)
        }
    }

    struct SingleValue: SingleValueDecodingContainer {
        let base: any SingleValueDecodingContainer
        let decoder: any Decoder
        let way: Way
        var codingPath: [any CodingKey] { base.codingPath }
        func decodeNil() -> Bool { base.decodeNil() }
        func decode(_ type: Bool.Type) throws -> Bool { try base.decode(type) }
        func decode(_ type: String.Type) throws -> String { try base.decode(type) }
        func decode(_ type: Double.Type) throws -> Double { try base.decode(type) }
        func decode(_ type: Float.Type) throws -> Float { try base.decode(type) }
        func decode(_ type: Int.Type) throws -> Int { try base.decode(type) }
        func decode(_ type: Int8.Type) throws -> Int8 { try base.decode(type) }
        func decode(_ type: Int16.Type) throws -> Int16 { try base.decode(type) }
        func decode(_ type: Int32.Type) throws -> Int32 { try base.decode(type) }
        func decode(_ type: Int64.Type) throws -> Int64 { try base.decode(type) }
        func decode(_ type: UInt.Type) throws -> UInt { try base.decode(type) }
        func decode(_ type: UInt8.Type) throws -> UInt8 { try base.decode(type) }
        func decode(_ type: UInt16.Type) throws -> UInt16 { try base.decode(type) }
        func decode(_ type: UInt32.Type) throws -> UInt32 { try base.decode(type) }
        func decode(_ type: UInt64.Type) throws -> UInt64 { try base.decode(type) }
        func decode<T: Decodable>(_ type: T.Type) throws -> T {
            if way == .typed { return try base.decode(type) }
            return try T(from: Backward(base: decoder, way: way))
        }
    }
}

/// A value whose coders are wrapped on the way.
struct Wrapped<Value: Codable>: Codable {
    var value: Value
    init(_ value: Value) { self.value = value }
    init(from decoder: any Decoder) throws { value = try Value(from: Backward.around(decoder, Current.way)) }
    func encode(to encoder: any Encoder) throws { try value.encode(to: Forward.around(encoder, Current.way)) }
}

/// Codable gives a type no other way to find out.
enum Current { @TaskLocal static var way = Way.typed }

/// The part of an item that goes through DEFLATE.
func compressed(_ item: CBORItem) -> [UInt8] {
    var bytes = item.bytes
    for range in item.byteStrings.reversed() { bytes.removeSubrange(range) }
    return bytes
}
