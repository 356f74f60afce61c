// Decodes Decodable values from a checked item. FORMAT §7 maps the types.

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Decodes Codable values from items that `CheckedItem` has checked.
enum CBORDecoder {
    /// - Throws: `DecodingError`, with a coding path, if the item is not a `Value`.
    static func decode<Value: Decodable>(_ type: Value.Type, from index: CheckedItem) throws -> Value {
        try CBORReader(CBORReading(index)).decode(type)
    }

    /// The reader that this thread decodes from.
    static let working = ThreadVariable<CBORReader>()
}

/// The Decoder for the item at one position. It is three words long, so that it fits an existential.
struct CBORItemDecoder: Decoder {
    let reader: CBORReader
    let position: CBORReader.Position
    /// The type that is being decoded here, which tells a dictionary's keys apart.
    let type: Any.Type

    var codingPath: [any CodingKey] { reader.path(to: position) }
    var userInfo: [CodingUserInfoKey: Any] { CodingUserInfoKey.adding(reader, to: reader.value.userInfo) }

    func container<Key: CodingKey>(keyedBy keyType: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try reader.keyed(by: keyType, at: position, in: type)
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try reader.unkeyed(at: position)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        CBORSingleValueDecodingContainer(reader: reader, position: position, type: type)
    }

    /// This library's decoder at the position that `decoder` reads: `decoder` itself, or the one to which it
    /// forwards. Nil for any other decoder.
    static func behind(_ decoder: any Decoder) throws -> CBORItemDecoder? {
        if let own = decoder as? CBORItemDecoder { return own }
        let handed = CodingUserInfoKey.own(in: decoder.userInfo, as: CBORReader.self)
        guard let reader = handed.flatMap({ $0.value.isKept ? nil : $0 }) ?? CBORDecoder.working.current
        else {
            return nil
        }
        let container = try decoder.singleValueContainer()
        (reader.value.isAwaitingMark, reader.value.mark) = (true, nil)
        // Refused or not: a decoder that forwards asks this library's decoder for it.
        _ = try? container.decode(Bool.self)
        let position = reader.value.mark
        (reader.value.isAwaitingMark, reader.value.mark) = (false, nil)
        return position.map { CBORItemDecoder(reader: reader, position: $0, type: Never.self) }
    }

    /// Whether an item inside a byte string is here.
    var isEmbedded: Bool {
        let node = reader.index.node(Int(position))
        return node.kind == .tag && node.argument == CBORTag.embeddedItem
    }

    /// Decodes the item inside a byte string (tag 24), or a plain one, which was sealed before its property became a
    /// secret.
    ///
    /// What it throws names nothing inside: containers and types append their own keys to the path.
    func decodeEmbedded<Value: Decodable>(_ type: Value.Type) throws -> Value {
        do {
            // The tag, the byte string, the item in it.
            return try reader.decode(type, at: isEmbedded ? position + 2 : position)
        } catch let error as DecodingError {
            throw reader.secret(error, type, at: position)
        }
    }
}

// Not part of the generic container: looking up an entry there would also look up the container's type.
extension CBORReader {
    /// The value of an entry; nil if it is missing.
    ///
    /// A key with an integer finds the integer entry, otherwise the text entry. So a session still opens if another
    /// tool wrote the key as text, or if it was written before the key got its integer. A key that spells an integer
    /// finds either as well: dictionaries and dynamic keys read each other's entries.
    @inline(__always)
    fileprivate func find(_ key: some CodingKey, in map: Position, _ form: KeyForm) -> Position? {
        // Before the key is asked for its text: a type with many optional fields asks for each.
        if node(map).argument == 0 { return nil }
        if let (integer, _) = form.integer(of: key, in: self),
            let position = value(in: map, integer: integer)
        {
            return position
        }
        let text = key.stringValue
        return value(in: map, text: text) ?? value(in: map, spelled: text)
    }

    /// Nil for a missing key and for null.
    @inline(__always)
    fileprivate func findIfPresent(_ key: some CodingKey, in map: Position, _ form: KeyForm) -> Position? {
        guard let position = find(key, in: map, form), !isNull(position) else { return nil }
        return position
    }
}

struct CBORKeyedDecodingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let reader: CBORReader
    let map: CBORReader.Position
    let form: KeyForm

    var codingPath: [any CodingKey] { reader.path(to: map) }

    var allKeys: [Key] {
        let index = reader.index
        var keys: [Key] = []
        keys.reserveCapacity(Int(index.node(Int(map)).argument))
        var position = Int(map) + 1
        let end = index.node(Int(map)).next
        while position < end {
            if let key = Self.key(index, position) { keys.append(key) }
            position = index.node(position + 1).next
        }
        return keys
    }

    private static func key(_ index: CheckedItem, _ position: Int) -> Key? {
        if index.node(position).kind == .text { return Key(stringValue: index.text(position)) }
        // As JSON does: not every key type can be made from integers. Only a declared key has another text.
        guard case .integerKey(let integer) = index.keyElement(position) else { return nil }
        return Key(stringValue: String(integer)) ?? Key(intValue: Int(integer))
    }

    private func position(_ key: Key) throws -> CBORReader.Position {
        guard let position = reader.find(key, in: map, form) else { throw reader.missing(key, in: map) }
        return position
    }

    func contains(_ key: Key) -> Bool { reader.find(key, in: map, form) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { reader.isNull(try position(key)) }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        try reader.decode(type, at: try position(key))
    }
    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try reader.decode(type, at: try position(key))
    }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        try reader.decode(type, at: try position(key))
    }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float {
        try reader.decode(type, at: try position(key))
    }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        try reader.decode(integer: type, at: try position(key))
    }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 {
        try reader.decode(integer: type, at: try position(key))
    }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 {
        try reader.decode(integer: type, at: try position(key))
    }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 {
        try reader.decode(integer: type, at: try position(key))
    }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 {
        try reader.decode(integer: type, at: try position(key))
    }
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 {
        try reader.decode(integer: type, at: try position(key))
    }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt {
        try reader.decode(integer: type, at: try position(key))
    }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 {
        try reader.decode(integer: type, at: try position(key))
    }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 {
        try reader.decode(integer: type, at: try position(key))
    }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 {
        try reader.decode(integer: type, at: try position(key))
    }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 {
        try reader.decode(integer: type, at: try position(key))
    }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 {
        try reader.decode(integer: type, at: try position(key))
    }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try reader.decode(type, at: try position(key))
    }
    /// Like `decodeIfPresent` of other types: nil for a missing key and for null, with a single lookup.
    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        guard let position = reader.findIfPresent(key, in: map, form),
            !(reader.isNullSecret(position) && reader.isNothing(position, as: type))
        else { return nil }
        return try reader.decode(type, at: position)
    }
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        try reader.findIfPresent(key, in: map, form).map { try reader.decode(type, at: $0) }
    }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        try reader.findIfPresent(key, in: map, form).map { try reader.decode(type, at: $0) }
    }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        try reader.findIfPresent(key, in: map, form).map { try reader.decode(type, at: $0) }
    }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        try reader.findIfPresent(key, in: map, form).map { try reader.decode(integer: type, at: $0) }
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try reader.keyed(by: type, at: try position(key), in: Never.self)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try reader.unkeyed(at: try position(key))
    }
    func superDecoder() throws -> any Decoder { try decoder(CBORKey.super) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }

    private func decoder(_ key: some CodingKey) throws -> CBORItemDecoder {
        guard let position = reader.find(key, in: map, form) else {
            return CBORItemDecoder(
                reader: try reader.null(forKey: key, in: map), position: 0, type: Never.self)
        }
        return CBORItemDecoder(reader: reader, position: position, type: Never.self)
    }
}

private struct CBORSingleValueDecodingContainer: SingleValueDecodingContainer {
    let reader: CBORReader
    let position: CBORReader.Position
    let type: Any.Type

    var codingPath: [any CodingKey] { reader.path(to: position) }

    /// An integer. A float counts as one only if the value decoded here is itself an integer (`[Int]`), not one of
    /// several types that are tried.
    private func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws -> Integer {
        try reader.decode(integer: type, at: position, takesWhole: self.type == type)
    }

    func decodeNil() -> Bool {
        reader.isNull(position)
            || reader.isNullSecret(position) && reader.isNothing(position, asOptional: type)
    }
    func decode(_ type: Bool.Type) throws -> Bool { try reader.decode(type, at: position) }
    func decode(_ type: String.Type) throws -> String { try reader.decode(type, at: position) }
    func decode(_ type: Double.Type) throws -> Double { try reader.decode(type, at: position) }
    func decode(_ type: Float.Type) throws -> Float { try reader.decode(type, at: position) }
    func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    func decode(_ type: Int128.Type) throws -> Int128 { try integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try integer(type) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try reader.decode(type, at: position)
    }
}

struct CBORUnkeyedDecodingContainer: UnkeyedDecodingContainer {
    let reader: CBORReader
    let array: CBORReader.Position
    var next: Int
    private(set) var currentIndex = 0

    init(reader: CBORReader, array: CBORReader.Position) {
        self.reader = reader
        self.array = array
        next = Int(array) + 1
    }

    var codingPath: [any CodingKey] { reader.path(to: array) }
    var count: Int? { Int(reader.index.node(Int(array)).argument) }
    var isAtEnd: Bool { next >= reader.index.node(Int(array)).next }

    private func here(_ type: Any.Type) throws -> CBORReader.Position {
        guard !isAtEnd else { throw reader.failure(.end, type, at: array) }
        return CBORReader.Position(truncatingIfNeeded: next)
    }

    /// The element that `read` returns. The container advances only if it does not throw.
    private mutating func element<Value>(
        _ type: Any.Type, _ read: (CBORReader.Position) throws -> Value
    ) throws -> Value {
        let value = try read(try here(type))
        next = reader.index.node(next).next
        currentIndex += 1
        return value
    }

    mutating func decodeNil() throws -> Bool {
        guard reader.isNull(try here(Never?.self)) else { return false }
        return try element(Never?.self) { _ in true }
    }
    mutating func decode(_ type: Bool.Type) throws -> Bool {
        try element(type) { [reader] in try reader.decode(type, at: $0) }
    }
    mutating func decode(_ type: String.Type) throws -> String {
        try element(type) { [reader] in try reader.decode(type, at: $0) }
    }
    mutating func decode(_ type: Double.Type) throws -> Double {
        try element(type) { [reader] in try reader.decode(type, at: $0) }
    }
    mutating func decode(_ type: Float.Type) throws -> Float {
        try element(type) { [reader] in try reader.decode(type, at: $0) }
    }
    mutating func decode(_ type: Int.Type) throws -> Int {
        try element(type) { [reader] in try reader.decode(integer: type, at: $0) }
    }
    mutating func decode(_ type: Int8.Type) throws -> Int8 {
        try element(type) { [reader] in try reader.decode(integer: type, at: $0) }
    }
    mutating func decode(_ type: Int16.Type) throws -> Int16 {
        try element(type) { [reader] in try reader.decode(integer: type, at: $0) }
    }
    mutating func decode(_ type: Int32.Type) throws -> Int32 {
        try element(type) { [reader] in try reader.decode(integer: type, at: $0) }
    }
    mutating func decode(_ type: Int64.Type) throws -> Int64 {
        try element(type) { [reader] in try reader.decode(integer: type, at: $0) }
    }
    mutating func decode(_ type: Int128.Type) throws -> Int128 {
        try element(type) { [reader] in try reader.decode(integer: type, at: $0) }
    }
    mutating func decode(_ type: UInt.Type) throws -> UInt {
        try element(type) { [reader] in try reader.decode(integer: type, at: $0) }
    }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 {
        try element(type) { [reader] in try reader.decode(integer: type, at: $0) }
    }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 {
        try element(type) { [reader] in try reader.decode(integer: type, at: $0) }
    }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 {
        try element(type) { [reader] in try reader.decode(integer: type, at: $0) }
    }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 {
        try element(type) { [reader] in try reader.decode(integer: type, at: $0) }
    }
    mutating func decode(_ type: UInt128.Type) throws -> UInt128 {
        try element(type) { [reader] in try reader.decode(integer: type, at: $0) }
    }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try element(type) { [reader] in try reader.decode(type, at: $0) }
    }
    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try element([String: Any].self) { [reader] in try reader.keyed(by: type, at: $0, in: Never.self) }
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try element([Any].self) { [reader] in try reader.unkeyed(at: $0) }
    }
    mutating func superDecoder() throws -> any Decoder {
        try element((any Decoder).self) { [reader] in
            CBORItemDecoder(reader: reader, position: $0, type: Never.self)
        }
    }
}
