// The cost of Codable itself, with any decoder: this one has every value ready.
import Foundation

/// Returns the fields of one session, found only by their key.
struct ReadyDecoder: Decoder {
    let session: User
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(ReadyContainer<Key>(session: Unmanaged.passUnretained(Self.box)))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Nothing() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Nothing() }

    struct Nothing: Error {}
    final class Box: Sendable {
        let session = User.sample
    }
    static let box = Box()
}

/// Has no counted reference: only what Codable requires of every container.
private struct ReadyContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let session: Unmanaged<ReadyDecoder.Box>
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    private var value: User { session._withUnsafeGuaranteedRef { $0.session } }

    func contains(_ key: Key) -> Bool { true }
    func decodeNil(forKey key: Key) -> Bool { false }
    func decode(_ type: Bool.Type, forKey key: Key) -> Bool { true }
    func decode(_ type: String.Type, forKey key: Key) -> String {
        key.intValue == 3 ? value.email : value.name
    }
    func decode(_ type: Double.Type, forKey key: Key) -> Double { 0 }
    func decode(_ type: Float.Type, forKey key: Key) -> Float { 0 }
    func decode(_ type: Int.Type, forKey key: Key) -> Int { value.id }
    func decode(_ type: Int8.Type, forKey key: Key) -> Int8 { 0 }
    func decode(_ type: Int16.Type, forKey key: Key) -> Int16 { 0 }
    func decode(_ type: Int32.Type, forKey key: Key) -> Int32 { 0 }
    func decode(_ type: Int64.Type, forKey key: Key) -> Int64 { 0 }
    func decode(_ type: UInt.Type, forKey key: Key) -> UInt { 0 }
    func decode(_ type: UInt8.Type, forKey key: Key) -> UInt8 { 0 }
    func decode(_ type: UInt16.Type, forKey key: Key) -> UInt16 { 0 }
    func decode(_ type: UInt32.Type, forKey key: Key) -> UInt32 { 0 }
    func decode(_ type: UInt64.Type, forKey key: Key) -> UInt64 { 0 }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        if type == Date.self { return unsafeBitCast(value.signedInAt, to: type) }
        if type == Data.self { return unsafeBitCast(value.csrf, to: type) }
        if type == [String].self { return unsafeBitCast(value.roles, to: type) }
        throw ReadyDecoder.Nothing()
    }
    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) -> Value? {
        guard let cart = value.cart, type == UUID.self else { return nil }
        return unsafeBitCast(cart, to: type)
    }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws
        -> KeyedDecodingContainer<Nested>
    { throw ReadyDecoder.Nothing() }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        throw ReadyDecoder.Nothing()
    }
    func superDecoder() throws -> any Decoder { throw ReadyDecoder.Nothing() }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw ReadyDecoder.Nothing() }
}
