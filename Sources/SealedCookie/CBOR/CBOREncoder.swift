// Encodable values as deterministic CBOR (RFC 8949 §4.2.1). FORMAT §7 maps the types.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Encodes Codable values. All of Codable's containers work, in any order of use.
enum CBOREncoder {
    /// One item for `value`.
    ///
    /// - Parameters:
    ///   - limit: bytes that the item may have.
    ///   - extra: bytes of room to reserve behind the item.
    /// - Throws: `CBORFailure` for what no item can hold, and whatever `value` itself throws.
    static func encode(
        _ value: some Encodable, limit: Int = CBORLimits.itemBytes, reservingCapacity extra: Int = 0
    ) throws -> CBORItem {
        try spareTrees.with(
            { tree throws in
                tree.value.limit = limit
                defer {
                    // A value that has kept its encoder, against Codable's rules, writes to a tree of its own.
                    if isKnownUniquelyReferenced(&tree) {
                        tree.value.reset()
                    } else {
                        tree = Shared(CBORTree())
                    }
                }
                try tree.encode(value, at: CBORTree.root)
                return try tree.value.item(reservingCapacity: extra)
            }, orNew: { Shared(CBORTree()) })
    }

    private static let spareTrees = Pool<SharedTree>()
}

typealias SharedTree = Shared<CBORTree>

extension SharedTree {
    func encodeNil(at node: CBORTree.NodeID) throws {
        value.writeNull(node)
        try value.check()
    }

    func encode(_ bool: Bool, at node: CBORTree.NodeID) throws {
        value.write(bool, node)
        try value.check()
    }

    func encode(_ text: String, at node: CBORTree.NodeID) throws {
        value.write(text, node)
        try value.check()
    }

    func encode(_ double: Double, at node: CBORTree.NodeID) throws {
        value.write(floatBits: double.bitPattern, node)
        try value.check()
    }

    func encode(_ float: Float, at node: CBORTree.NodeID) throws {
        value.write(floatBits: CBORFloat.widen(single: float.bitPattern), node)
        try value.check()
    }

    func encode(_ integer: Int64, at node: CBORTree.NodeID) throws {
        value.write(integer, node)
        try value.check()
    }

    func encode(_ integer: UInt64, at node: CBORTree.NodeID) throws {
        value.write(integer, node)
        try value.check()
    }

    func encode(_ integer: CBORInteger, at node: CBORTree.NodeID) throws {
        value.write(integer.encoded, node)
        try value.check()
    }

    /// Encodes any value, with the format's own forms for the types that have one.
    func encode<Session: Encodable>(_ encodable: Session, at node: CBORTree.NodeID) throws {
        if Session.self == Date.self {
            value.write(CBORTime(sameType(encodable, as: Date.self)), node)
        } else if Session.self == UUID.self {
            value.write(sameType(encodable, as: UUID.self), node)
        } else if Session.self == Data.self {
            let data = sameType(encodable, as: Data.self)
            value.write(byteString: data.span, node)
        } else if Session.self == [UInt8].self {
            let bytes = sameType(encodable, as: [UInt8].self)
            value.write(byteString: bytes.span, node)
        } else if Session.self == [String].self {
            value.open(node, as: .array)
            for text in sameType(encodable, as: [String].self) {
                value.write(text, value.addElement(to: node))
                try value.check()
            }
        } else if Session.self == URL.self {
            value.write(url: sameType(encodable, as: URL.self).absoluteString, node)
        } else if Session.self == Decimal.self {
            if let fraction = CBORDecimal(sameType(encodable, as: Decimal.self))?.encoded {
                value.write(fraction, node)
            } else {
                // Decimal's one value without digits: NaN.
                value.write(floatBits: Double.nan.bitPattern, node)
            }
        } else {
            // Before, not after: a value far too deep would use up the stack first.
            try value.check()
            return try encodable.encode(to: CBORItemEncoder(tree: self, node: node, type: Session.self))
        }
        try value.check()
    }
}

extension UUID {
    var bytes: InlineArray<16, UInt8> {
        let bytes = uuid
        return [
            bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5, bytes.6, bytes.7,
            bytes.8, bytes.9, bytes.10, bytes.11, bytes.12, bytes.13, bytes.14, bytes.15,
        ]
    }
}

/// The Encoder for the value at one node. Three words, so that it fits an existential.
struct CBORItemEncoder: Encoder {
    let tree: SharedTree
    let node: CBORTree.NodeID
    /// What is being encoded here: tells a dictionary's keys apart.
    let type: Any.Type

    var codingPath: [any CodingKey] { tree.value.path(to: node).map(CBORKey.init) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy keyType: Key.Type) -> KeyedEncodingContainer<Key> {
        tree.value.open(node, as: .map)
        let textKeys = DictionaryKeys.areText(keyType, in: type) ?? true
        return KeyedEncodingContainer(
            CBORKeyedEncodingContainer(tree: tree, node: node, textKeys: textKeys))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        tree.value.open(node, as: .array)
        return CBORUnkeyedEncodingContainer(tree: tree, node: node)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        CBORSingleValueEncodingContainer(tree: tree, node: node)
    }

    /// Encodes `value` as an item inside a byte string (tag 24), out of the compressor's sight.
    ///
    /// What it throws names nothing inside: a type may append keys of its own to the path that it is given.
    func encodeEmbedded(_ value: some Encodable) throws {
        if tree.value.kind(of: node) == .embedded { tree.value.note(.encodedTwice, at: node) }
        tree.value.open(node, as: .embedded)
        do {
            try tree.encode(value, at: tree.value.addElement(to: node))
        } catch is EncodingError {
            // Nor the value: who prints the error would print it.
            throw EncodingError.invalidValue(
                (), .init(codingPath: codingPath, debugDescription: "in an embedded item"))
        }
    }
}

private struct CBORKeyedEncodingContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let tree: SharedTree
    let node: CBORTree.NodeID
    let textKeys: Bool

    var codingPath: [any CodingKey] { tree.value.path(to: node).map(CBORKey.init) }

    @inline(__always)
    private func entry(_ key: some CodingKey) -> CBORTree.NodeID {
        if !textKeys, let integer = key.intValue {
            return tree.value.addEntry(to: node, key: integer)
        }
        return tree.value.addEntry(to: node, key: key.stringValue)
    }

    private func encoder(_ key: some CodingKey) -> CBORItemEncoder {
        CBORItemEncoder(tree: tree, node: entry(key), type: Never.self)
    }

    func encodeNil(forKey key: Key) throws { try tree.encodeNil(at: entry(key)) }
    func encode(_ value: Bool, forKey key: Key) throws { try tree.encode(value, at: entry(key)) }
    func encode(_ value: String, forKey key: Key) throws { try tree.encode(value, at: entry(key)) }
    func encode(_ value: Double, forKey key: Key) throws { try tree.encode(value, at: entry(key)) }
    func encode(_ value: Float, forKey key: Key) throws { try tree.encode(value, at: entry(key)) }
    func encode(_ value: Int, forKey key: Key) throws { try tree.encode(Int64(value), at: entry(key)) }
    func encode(_ value: Int8, forKey key: Key) throws { try tree.encode(Int64(value), at: entry(key)) }
    func encode(_ value: Int16, forKey key: Key) throws { try tree.encode(Int64(value), at: entry(key)) }
    func encode(_ value: Int32, forKey key: Key) throws { try tree.encode(Int64(value), at: entry(key)) }
    func encode(_ value: Int64, forKey key: Key) throws { try tree.encode(value, at: entry(key)) }
    func encode(_ value: UInt, forKey key: Key) throws { try tree.encode(UInt64(value), at: entry(key)) }
    func encode(_ value: UInt8, forKey key: Key) throws { try tree.encode(UInt64(value), at: entry(key)) }
    func encode(_ value: UInt16, forKey key: Key) throws { try tree.encode(UInt64(value), at: entry(key)) }
    func encode(_ value: UInt32, forKey key: Key) throws { try tree.encode(UInt64(value), at: entry(key)) }
    func encode(_ value: UInt64, forKey key: Key) throws { try tree.encode(value, at: entry(key)) }
    func encode(_ value: Int128, forKey key: Key) throws {
        try tree.encode(CBORInteger(value), at: entry(key))
    }
    func encode(_ value: UInt128, forKey key: Key) throws {
        try tree.encode(CBORInteger(value), at: entry(key))
    }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try tree.encode(value, at: entry(key))
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> { encoder(key).container(keyedBy: keyType) }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder(key).unkeyedContainer()
    }
    func superEncoder() -> any Encoder { encoder(CBORKey.super) }
    func superEncoder(forKey key: Key) -> any Encoder { encoder(key) }
}

/// What an array and a single value share: each value goes to the next slot.
private protocol CBORSlotEncodingContainer {
    var tree: SharedTree { get }
    var node: CBORTree.NodeID { get }
    /// The node for the next value.
    func slot() -> CBORTree.NodeID
}

extension CBORSlotEncodingContainer {
    var codingPath: [any CodingKey] { tree.value.path(to: node).map(CBORKey.init) }

    func encodeNil() throws { try tree.encodeNil(at: slot()) }
    func encode(_ value: Bool) throws { try tree.encode(value, at: slot()) }
    func encode(_ value: String) throws { try tree.encode(value, at: slot()) }
    func encode(_ value: Double) throws { try tree.encode(value, at: slot()) }
    func encode(_ value: Float) throws { try tree.encode(value, at: slot()) }
    func encode(_ value: Int) throws { try tree.encode(Int64(value), at: slot()) }
    func encode(_ value: Int8) throws { try tree.encode(Int64(value), at: slot()) }
    func encode(_ value: Int16) throws { try tree.encode(Int64(value), at: slot()) }
    func encode(_ value: Int32) throws { try tree.encode(Int64(value), at: slot()) }
    func encode(_ value: Int64) throws { try tree.encode(value, at: slot()) }
    func encode(_ value: UInt) throws { try tree.encode(UInt64(value), at: slot()) }
    func encode(_ value: UInt8) throws { try tree.encode(UInt64(value), at: slot()) }
    func encode(_ value: UInt16) throws { try tree.encode(UInt64(value), at: slot()) }
    func encode(_ value: UInt32) throws { try tree.encode(UInt64(value), at: slot()) }
    func encode(_ value: UInt64) throws { try tree.encode(value, at: slot()) }
    func encode<Value: Encodable>(_ value: Value) throws { try tree.encode(value, at: slot()) }
}

private struct CBORSingleValueEncodingContainer: CBORSlotEncodingContainer, SingleValueEncodingContainer {
    let tree: SharedTree
    let node: CBORTree.NodeID

    func slot() -> CBORTree.NodeID { node }
    func encode(_ value: Int128) throws { try tree.encode(CBORInteger(value), at: slot()) }
    func encode(_ value: UInt128) throws { try tree.encode(CBORInteger(value), at: slot()) }
}

private struct CBORUnkeyedEncodingContainer: CBORSlotEncodingContainer, UnkeyedEncodingContainer {
    let tree: SharedTree
    let node: CBORTree.NodeID

    var count: Int { tree.value.childCount(of: node) }

    func slot() -> CBORTree.NodeID { tree.value.addElement(to: node) }
    func encode(_ value: Int128) throws { try tree.encode(CBORInteger(value), at: slot()) }
    func encode(_ value: UInt128) throws { try tree.encode(CBORInteger(value), at: slot()) }

    private func encoder() -> CBORItemEncoder {
        CBORItemEncoder(tree: tree, node: slot(), type: Never.self)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> { encoder().container(keyedBy: keyType) }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder().unkeyedContainer() }
    func superEncoder() -> any Encoder { encoder() }
}

/// Tells the keys of `[String: …]` from those of `[Int: …]`.
///
/// The standard library gives both one private key type, in which "42" has an integer value even
/// where it was a String. For that key type the dictionary's own type decides.
enum DictionaryKeys {
    /// Whether keys of `keyType` in a value of `type` are text whatever their `intValue` says; nil
    /// for a dictionary's keys where the dictionary's type is not known. Text is then the form that
    /// reads back as either.
    static func areText(_ keyType: Any.Type, in type: Any.Type) -> Bool? {
        guard keyType == dictionaryKeyType else { return false }
        if type is any IntegerKeyedDictionary.Type { return false }
        if type is any TextKeyedDictionary.Type { return true }
        return nil
    }

    /// The key type with which a dictionary asks for its container.
    private static let dictionaryKeyType: Any.Type = {
        let probe = KeyTypeProbe()
        // An empty dictionary asks for its container and encodes nothing: there is no error to lose.
        try? [Int: Int]().encode(to: probe)
        return probe.keyType
    }()

    private final class KeyTypeProbe: Encoder {
        var keyType: Any.Type = Never.self
        private let scratch = CBORItemEncoder(tree: Shared(CBORTree()), node: CBORTree.root, type: Never.self)
        var codingPath: [any CodingKey] { [] }
        var userInfo: [CodingUserInfoKey: Any] { [:] }

        func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
            keyType = type
            return KeyedEncodingContainer(
                CBORKeyedEncodingContainer(tree: scratch.tree, node: scratch.node, textKeys: false))
        }
        func unkeyedContainer() -> any UnkeyedEncodingContainer { scratch.unkeyedContainer() }
        func singleValueContainer() -> any SingleValueEncodingContainer { scratch.singleValueContainer() }
    }
}

private protocol TextKeyedDictionary {}
private protocol IntegerKeyedDictionary {}
extension Dictionary: TextKeyedDictionary where Key == String {}
extension Dictionary: IntegerKeyedDictionary where Key == Int {}
