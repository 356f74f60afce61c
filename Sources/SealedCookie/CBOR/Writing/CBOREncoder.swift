// Encodes Encodable values as deterministic CBOR (RFC 8949 §4.2.1). FORMAT §7 maps the types.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Encodes Codable values. All of Codable's containers work, in any order of use.
enum CBOREncoder {
    /// Encodes `value` as one item.
    ///
    /// - Parameters:
    ///   - userInfo: The encoder's entries for the types.
    ///   - limit: The bytes that the item may have.
    ///   - mostValues: The values that it may have.
    ///   - extra: The bytes to reserve after the item.
    /// - Throws: `CBORFailure` for what no item can contain, and whatever `value` itself throws.
    static func encode(
        _ value: some Encodable, userInfo: [CodingUserInfoKey: any Sendable] = [:],
        limit: Int = CBORLimits.itemBytes, mostValues: Int = .max, reservingCapacity extra: Int = 0
    ) throws -> CBORItem {
        try spareTrees.with(
            { tree throws in
                tree.value.limit = limit
                tree.value.mostValues = mostValues
                defer {
                    // A value that has kept its encoder, against Codable's rules, writes to a tree of its own.
                    if isKnownUniquelyReferenced(&tree) {
                        tree.value.reset()
                    } else {
                        tree.value.close()
                        tree = Shared(ItemBuilder())
                    }
                }
                if !userInfo.isEmpty { tree.value.userInfo = userInfo }
                try working.with(tree) { try tree.encode(value, at: ItemBuilder.root) }
                return try tree.value.item(reservingCapacity: extra)
            }, orNew: { Shared(ItemBuilder()) })
    }

    private static let spareTrees = Pool<SharedTree>()
    /// The tree that this thread encodes into.
    static let working = ThreadVariable<SharedTree>()
}

typealias SharedTree = Shared<ItemBuilder>

extension SharedTree {
    func encodeNil(at node: ItemBuilder.NodeID) throws {
        value.writeNull(node)
        try value.check()
    }

    func encode(_ bool: Bool, at node: ItemBuilder.NodeID) throws {
        value.write(bool, node)
        try value.check()
    }

    func encode(_ text: String, at node: ItemBuilder.NodeID) throws {
        if value.isAwaitingMark, value.takeMark(text, at: node) { return }
        value.write(text, node)
        try value.check()
    }

    func encode(_ double: Double, at node: ItemBuilder.NodeID) throws {
        value.write(floatBits: double.bitPattern, node)
        try value.check()
    }

    func encode(_ float: Float, at node: ItemBuilder.NodeID) throws {
        value.write(floatBits: CBORFloat.widen(single: float.bitPattern), node)
        try value.check()
    }

    func encode(_ integer: Int64, at node: ItemBuilder.NodeID) throws {
        value.write(integer, node)
        try value.check()
    }

    func encode(_ integer: UInt64, at node: ItemBuilder.NodeID) throws {
        value.write(integer, node)
        try value.check()
    }

    func encode(_ integer: CBORInteger, at node: ItemBuilder.NodeID) throws {
        value.write(integer.encoded, node)
        try value.check()
    }

    /// Encodes a byte. In an array of only bytes, it becomes part of a byte string.
    func encode(byte: UInt8, at node: ItemBuilder.NodeID) throws {
        // Before it is written: with it, the values of an array of bytes may have to be counted.
        value.markByte(node)
        try encode(UInt64(byte), at: node)
    }

    /// A negative number is not a byte: code that reads an Int there would find another number.
    func encode(byte: Int8, at node: ItemBuilder.NodeID) throws {
        if byte >= 0 { value.markByte(node) }
        try encode(Int64(byte), at: node)
    }

    /// Encodes any value, using the format's own forms for the types that have one.
    func encode<Session: Encodable>(_ encodable: Session, at node: ItemBuilder.NodeID) throws {
        // Elements of arrays and dictionaries come here, and would each take a container to write their value.
        if Session.self == String.self {
            return try encode(sameType(encodable, as: String.self), at: node)
        } else if Session.self == Int.self {
            return try encode(Int64(sameType(encodable, as: Int.self)), at: node)
        } else if Session.self == Bool.self {
            return try encode(sameType(encodable, as: Bool.self), at: node)
        } else if Session.self == Double.self {
            return try encode(sameType(encodable, as: Double.self), at: node)
        } else if Session.self == Date.self {
            let date = sameType(encodable, as: Date.self)
            let time = CBORTime(date)
            if case .extended(_, .atto, _) = time, time.date != date {
                // Nearer to 2001 than any form has digits for: in the form in which a Date encodes itself.
                value.write(floatBits: date.timeIntervalSinceReferenceDate.bitPattern, node)
            } else {
                value.write(time, node)
            }
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
                value.addText(text, to: node)
                try value.check()
            }
        } else if Session.self == URL.self {
            let url = sameType(encodable, as: URL.self)
            if url.baseURL == nil {
                value.write(url: url.absoluteString, node)
            } else {
                // The absolute URL would come back as another one: in the form in which a URL encodes itself.
                try url.encode(to: CBORItemEncoder(tree: self, node: node, type: Session.self))
            }
        } else if Session.self == Decimal.self {
            let decimal = sameType(encodable, as: Decimal.self)
            if decimal.isNaN {
                value.write(floatBits: Double.nan.bitPattern, node)
            } else if let fraction = CBORDecimal(decimal)?.encoded {
                value.write(fraction, node)
            } else {
                throw EncodingError.invalidValue(
                    decimal,
                    .init(
                        codingPath: value.path(to: node).map(CBORKey.init),
                        debugDescription: "a Decimal of another form than Foundation's"))
            }
        } else if try encodeCollection(encodable, at: node) {
            return
        } else {
            // Before, not after: a value that is far too deep would exhaust the stack first.
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

/// The type of the value that an encoder for super writes, if its key has a map.
private enum Again {}

/// The Encoder for the value at one node. It is three words long, so that it fits an existential.
struct CBORItemEncoder: Encoder {
    let tree: SharedTree
    let node: ItemBuilder.NodeID
    /// The type that is being encoded here, which tells a dictionary's keys apart.
    let type: Any.Type

    var codingPath: [any CodingKey] { tree.value.path(to: node).map(CBORKey.init) }
    var userInfo: [CodingUserInfoKey: Any] { CodingUserInfoKey.adding(tree, to: tree.value.userInfo) }

    func container<Key: CodingKey>(keyedBy keyType: Key.Type) -> KeyedEncodingContainer<Key> {
        tree.value.open(node, as: .map)
        return KeyedEncodingContainer(
            CBORKeyedEncodingContainer(tree: tree, node: node, form: KeyForm(of: keyType, in: type)))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        let node = type == Again.self ? tree.value.replace(node) : node
        tree.value.open(node, as: .array)
        return CBORUnkeyedEncodingContainer(tree: tree, node: node)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        CBORSingleValueEncodingContainer(tree: tree, node: node, type: type)
    }

    /// This library's encoder at the position that `encoder` writes to: `encoder` itself, or the one to which it
    /// forwards. Nil if this library is not encoding.
    ///
    /// - Throws: `CBORFailure` if an encoder of another kind is in between, such as one that collects values and
    ///   writes them later: what is not written now cannot be kept a secret.
    static func behind(
        _ encoder: any Encoder, orRefuse reason: CBORFailure.Reason = .secretLost
    ) throws -> CBORItemEncoder? {
        if let own = encoder as? CBORItemEncoder { return own }
        guard let tree = try tree(behind: encoder, orRefuse: reason) else { return nil }
        tree.value.awaitMark(orRefuse: reason)
        let written = Result {
            var container = encoder.singleValueContainer()
            try container.encode(ItemBuilder.markText)
        }
        guard let node = tree.value.found() else {
            // Also noted: the mark may be anywhere now, whatever code catches this.
            tree.value.note(reason, at: ItemBuilder.root)
            try tree.value.check()
            return nil
        }
        try written.get()
        try tree.value.check()
        return CBORItemEncoder(tree: tree, node: node, type: Never.self)
    }

    /// The tree that this library encodes into. The `userInfo` that `encoder` passes on identifies it, also on
    /// another thread; otherwise the current thread does.
    private static func tree(
        behind encoder: any Encoder, orRefuse reason: CBORFailure.Reason
    ) throws -> SharedTree? {
        if let tree = CodingUserInfoKey.own(in: encoder.userInfo, as: SharedTree.self), !tree.value.isClosed {
            return tree
        }
        guard CBOREncoder.working.isUsable else { throw CBORFailure(reason) }
        return CBOREncoder.working.current
    }

    /// Encodes `value` as an item inside a byte string (tag 24), which the compressor never sees.
    ///
    /// What it throws names nothing inside: a type may append its own keys to the path that it is given.
    func encodeEmbedded(_ value: some Encodable) throws {
        if tree.value.kind(of: node) == .embedded { tree.value.note(.encodedTwice, at: node) }
        tree.value.open(node, as: .embedded)
        do {
            try tree.encode(value, at: tree.value.addElement(to: node))
        } catch is EncodingError {
            // Nor the value, which would appear wherever the error is printed.
            throw EncodingError.invalidValue(
                (), .init(codingPath: codingPath, debugDescription: "in an embedded item"))
        }
    }
}

struct CBORKeyedEncodingContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let tree: SharedTree
    let node: ItemBuilder.NodeID
    let form: KeyForm

    var codingPath: [any CodingKey] { tree.value.path(to: node).map(CBORKey.init) }

    @inline(__always)
    private func entry(_ key: some CodingKey) -> ItemBuilder.NodeID {
        if let (integer, kind) = form.integer(of: key, in: tree) {
            return tree.value.addEntry(to: node, key: integer, kind)
        }
        return tree.value.addEntry(to: node, key: key.stringValue)
    }

    /// The encoder for a container under a key. An existing container is reused.
    private func encoder(_ key: some CodingKey, replaces: Bool = false) -> CBORItemEncoder {
        let container =
            if let (integer, kind) = form.integer(of: key, in: tree) {
                tree.value.container(in: node, key: integer, kind, replaces: replaces)
            } else {
                tree.value.container(in: node, key: key.stringValue, replaces: replaces)
            }
        let isAgain = replaces && tree.value.kind(of: container) == .map
        return CBORItemEncoder(tree: tree, node: container, type: isAgain ? Again.self : Never.self)
    }

    /// Writes an entry with its value at once. False, without writing anything, if it is not certain to fit the item.
    ///
    /// - Parameter size: The bytes that `write` appends, at most.
    @inline(__always)
    private func addLeaf(forKey key: Key, size: Int, _ write: (inout OutputSpan<UInt8>) -> Void) -> Bool {
        if let (integer, kind) = form.integer(of: key, in: tree) {
            return tree.value.addLeaf(to: node, key: integer, kind, size: size, write)
        }
        return tree.value.addLeaf(to: node, key: key.stringValue, size: size, write)
    }

    private func encode(signed value: Int64, forKey key: Key) throws {
        if addLeaf(forKey: key, size: 9, { $0.append(cborInteger: value) }) { return }
        try tree.encode(value, at: entry(key))
    }

    private func encode(unsigned value: UInt64, forKey key: Key) throws {
        if addLeaf(forKey: key, size: 9, { $0.append(.unsigned, value) }) { return }
        try tree.encode(value, at: entry(key))
    }

    private func encode(floatBits bits: UInt64, forKey key: Key) throws {
        if addLeaf(forKey: key, size: 9, { $0.append(cborFloat: bits) }) { return }
        tree.value.write(floatBits: bits, entry(key))
        try tree.value.check()
    }

    func encodeNil(forKey key: Key) throws { try tree.encodeNil(at: entry(key)) }
    func encode(_ value: Bool, forKey key: Key) throws {
        if addLeaf(forKey: key, size: 1, { $0.append(value ? 0xF5 : 0xF4) }) { return }
        try tree.encode(value, at: entry(key))
    }
    func encode(_ value: String, forKey key: Key) throws {
        let count = value.utf8.count
        // Long text is examined for combining marks.
        if count <= ItemBuilder.shortText, !tree.value.isAwaitingMark,
            addLeaf(forKey: key, size: 9 + count, { $0.append(cborText: value) })
        {
            return
        }
        try tree.encode(value, at: entry(key))
    }
    func encode(_ value: Double, forKey key: Key) throws {
        try encode(floatBits: value.bitPattern, forKey: key)
    }
    func encode(_ value: Float, forKey key: Key) throws {
        try encode(floatBits: CBORFloat.widen(single: value.bitPattern), forKey: key)
    }
    func encode(_ value: Int, forKey key: Key) throws { try encode(signed: Int64(value), forKey: key) }
    func encode(_ value: Int8, forKey key: Key) throws { try encode(signed: Int64(value), forKey: key) }
    func encode(_ value: Int16, forKey key: Key) throws { try encode(signed: Int64(value), forKey: key) }
    func encode(_ value: Int32, forKey key: Key) throws { try encode(signed: Int64(value), forKey: key) }
    func encode(_ value: Int64, forKey key: Key) throws { try encode(signed: value, forKey: key) }
    func encode(_ value: UInt, forKey key: Key) throws { try encode(unsigned: UInt64(value), forKey: key) }
    func encode(_ value: UInt8, forKey key: Key) throws { try encode(unsigned: UInt64(value), forKey: key) }
    func encode(_ value: UInt16, forKey key: Key) throws { try encode(unsigned: UInt64(value), forKey: key) }
    func encode(_ value: UInt32, forKey key: Key) throws { try encode(unsigned: UInt64(value), forKey: key) }
    func encode(_ value: UInt64, forKey key: Key) throws { try encode(unsigned: value, forKey: key) }
    func encode(_ value: Int128, forKey key: Key) throws {
        try tree.encode(CBORInteger(value), at: entry(key))
    }
    func encode(_ value: UInt128, forKey key: Key) throws {
        try tree.encode(CBORInteger(value), at: entry(key))
    }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        let entry = entry(key)
        do {
            try tree.encode(value, at: entry)
        } catch {
            tree.value.drop(entry)
            throw error
        }
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> { encoder(key).container(keyedBy: keyType) }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder(key).unkeyedContainer()
    }
    func superEncoder() -> any Encoder { encoder(CBORKey.super, replaces: true) }
    func superEncoder(forKey key: Key) -> any Encoder { encoder(key, replaces: true) }
}

/// The part that an array and a single value share: each value goes to the next slot.
private protocol CBORSlotEncodingContainer {
    var tree: SharedTree { get }
    var node: ItemBuilder.NodeID { get }
    /// The node for the next value.
    func slot() -> ItemBuilder.NodeID
    /// Whether a UInt8 or Int8 that is encoded here is itself an element of what may be bytes.
    var takesBytes: Bool { get }
}

extension CBORSlotEncodingContainer {
    var codingPath: [any CodingKey] { tree.value.path(to: node).map(CBORKey.init) }

    func encodeNil() throws { try tree.encodeNil(at: slot()) }
    func encode(_ value: Bool) throws { try tree.encode(value, at: slot()) }
    func encode(_ value: String) throws { try tree.encode(value, at: slot()) }
    func encode(_ value: Double) throws { try tree.encode(value, at: slot()) }
    func encode(_ value: Float) throws { try tree.encode(value, at: slot()) }
    func encode(_ value: Int) throws { try tree.encode(Int64(value), at: slot()) }
    func encode(_ value: Int8) throws {
        try takesBytes ? tree.encode(byte: value, at: slot()) : tree.encode(Int64(value), at: slot())
    }
    func encode(_ value: Int16) throws { try tree.encode(Int64(value), at: slot()) }
    func encode(_ value: Int32) throws { try tree.encode(Int64(value), at: slot()) }
    func encode(_ value: Int64) throws { try tree.encode(value, at: slot()) }
    func encode(_ value: UInt) throws { try tree.encode(UInt64(value), at: slot()) }
    func encode(_ value: UInt8) throws {
        try takesBytes ? tree.encode(byte: value, at: slot()) : tree.encode(UInt64(value), at: slot())
    }
    func encode(_ value: UInt16) throws { try tree.encode(UInt64(value), at: slot()) }
    func encode(_ value: UInt32) throws { try tree.encode(UInt64(value), at: slot()) }
    func encode(_ value: UInt64) throws { try tree.encode(value, at: slot()) }
}

private struct CBORSingleValueEncodingContainer: CBORSlotEncodingContainer, SingleValueEncodingContainer {
    let tree: SharedTree
    let node: ItemBuilder.NodeID
    let type: Any.Type

    /// A node of its own if an encoder for super writes a value instead of a map.
    func slot() -> ItemBuilder.NodeID { type == Again.self ? tree.value.replace(node) : node }
    /// Not for the raw value of another type.
    var takesBytes: Bool {
        type == UInt8.self || type == Int8.self || type == Never.self
    }

    func encode<Value: Encodable>(_ value: Value) throws {
        let slot = slot()
        guard tree.value.kind(of: slot) == .empty else {
            // Otherwise a second array or map would continue where the first ended.
            tree.value.note(.encodedTwice, at: slot)
            return try tree.value.check()
        }
        do {
            try tree.encode(value, at: slot)
        } catch {
            if slot == node {
                tree.value.clear(node)
            } else {
                tree.value.drop(slot)
                tree.value.restore(node)
            }
            throw error
        }
    }
    func encode(_ value: Int128) throws { try tree.encode(CBORInteger(value), at: slot()) }
    func encode(_ value: UInt128) throws { try tree.encode(CBORInteger(value), at: slot()) }
}

private struct CBORUnkeyedEncodingContainer: CBORSlotEncodingContainer, UnkeyedEncodingContainer {
    let tree: SharedTree
    let node: ItemBuilder.NodeID

    var count: Int { tree.value.childCount(of: node) }

    func slot() -> ItemBuilder.NodeID { tree.value.addElement(to: node) }
    var takesBytes: Bool { true }

    func encode<Value: Encodable>(_ value: Value) throws {
        if Value.self == UInt8.self { return try encode(sameType(value, as: UInt8.self)) }
        if Value.self == Int8.self { return try encode(sameType(value, as: Int8.self)) }
        let element = slot()
        do {
            try tree.encode(value, at: element)
        } catch {
            tree.value.drop(element)
            throw error
        }
    }
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
