// Looks up entries and elements of a checked item, and reads what types write of themselves.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension CBORReader {
    /// The value of an entry, found by its text or integer key.
    func value(in map: Position, text: String) -> Position? {
        let utf8 = text.utf8.span
        let count = UInt64(utf8.count)
        return firstValue(in: map) { key in
            key.kind == .text && key.argument == count && index.compare(key, with: utf8) == 0
        } precedes: { key in
            guard key.kind == .text, key.argument == count else {
                // Order: integers, then texts, with the shorter first.
                return key.kind != .text || key.argument < count
            }
            return index.compare(key, with: utf8) < 0
        }
    }

    /// Entries are mostly asked for in their order: that is examined where a key is looked up, without a call, which
    /// saves 1.5 % of the instructions to open a session with integer keys.
    @inline(__always)
    func value(in map: Position, integer: Int) -> Position? {
        let position = guess(map) ?? Int(map) + 1
        if position < index.node(Int(map)).next {
            let key = index.node(position)
            if key.kind == .unsigned, key.argument == UInt64(bitPattern: Int64(integer)) {
                return found(position, in: map)
            }
        }
        return anyValue(in: map, integer: integer)
    }

    @inline(never)
    private func anyValue(in map: Position, integer: Int) -> Position? {
        let kind: CheckedItem.Node.Kind = integer < 0 ? .negative : .unsigned
        let argument = integer < 0 ? UInt64(~integer) : UInt64(integer)
        return firstValue(in: map) {
            $0.kind == kind && $0.argument == argument
        } precedes: {
            // Order: integers from 0 up, then from -1 down, then texts.
            $0.kind == kind ? $0.argument < argument : $0.kind == .unsigned
        }
    }

    @inline(__always)
    private func firstValue(
        in map: Position, where matches: (CheckedItem.Node) -> Bool, precedes: (CheckedItem.Node) -> Bool
    ) -> Position? {
        let start = Int(map) + 1
        let end = index.node(Int(map)).next
        let guess = guess(map) ?? start
        // A key is one node, and the next is its value.
        if guess < end, matches(index.node(guess)) { return found(guess, in: map) }
        if index.node(Int(map)).argument > UInt64(Self.fewNodes), !value.isKept {
            guard let position = search(map, precedes), matches(index.node(position)) else { return nil }
            return found(position, in: map)
        }
        var position = guess
        while position < end {
            if matches(index.node(position)) { return found(position, in: map) }
            position = index.node(position + 1).next
        }
        position = start
        while position < guess {
            if matches(index.node(position)) { return found(position, in: map) }
            position = index.node(position + 1).next
        }
        return nil
    }

    /// The first key of a map that does not precede the one searched for: keys are sorted.
    private func search(_ map: Position, _ precedes: (CheckedItem.Node) -> Bool) -> Int? {
        let keys = value.keys[map] ?? keyPositions(of: map)
        value.keys[map] = keys
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if precedes(node(keys[middle])) { low = middle + 1 } else { high = middle }
        }
        return low < keys.count ? Int(keys[low]) : nil
    }

    private func keyPositions(of map: Position) -> [Position] {
        var keys: [Position] = []
        keys.reserveCapacity(Int(index.node(Int(map)).argument))
        var position = Int(map) + 1
        let end = index.node(Int(map)).next
        while position < end {
            keys.append(Position(truncatingIfNeeded: position))
            position = index.node(position + 1).next
        }
        return keys
    }

    /// The value after the key at `position`. The next search starts after it.
    @inline(__always)
    private func found(_ position: Int, in map: Position) -> Position {
        if !value.isKept {
            value.guesses[Int(map & 3)] = UInt64(map) << 32 | UInt64(index.node(position + 1).next)
        }
        return Position(truncatingIfNeeded: position + 1)
    }

    @inline(__always)
    private func guess(_ map: Position) -> Int? {
        let guess = value.guesses[Int(map & 3)]
        return guess >> 32 == UInt64(map) && guess & 0xFFFF_FFFF > UInt64(map)
            ? Int(guess & 0xFFFF_FFFF) : nil
    }

    /// The value of an entry with an integer key, if a key's text spells that integer.
    func value(in map: Position, spelled text: String) -> Position? {
        // Integers come first.
        guard index.node(Int(map)).argument > 0, index.node(Int(map) + 1).kind != .text,
            let integer = Int64(plain: text)
        else { return nil }
        return value(in: map, integer: Int(integer))
    }

    func keyed<Key: CodingKey>(
        by keyType: Key.Type, at position: Position, in type: Any.Type
    ) throws -> KeyedDecodingContainer<Key> {
        guard node(position).kind == .map else {
            guard let reader = try ownForm(for: keyType, at: position) else {
                throw mismatch([String: Any].self, at: position)
            }
            return try reader.keyed(by: keyType, at: 0, in: type)
        }
        return KeyedDecodingContainer(
            CBORKeyedDecodingContainer<Key>(
                reader: self, map: position, form: KeyForm(of: keyType, in: type)))
    }

    func unkeyed(at position: Position) throws -> any UnkeyedDecodingContainer {
        switch node(position).kind {
        case .array: return CBORUnkeyedDecodingContainer(reader: self, array: position)
        case .bytes:
            // Bytes, for a type that reads them one by one.
            let elements = CheckedItem(elements: index.bytes.span.extracting(index.content(Int(position))))
            return CBORUnkeyedDecodingContainer(reader: inner(elements, at: position), array: 0)
        default: throw mismatch([Any].self, at: position)
        }
    }

    /// A null instead of a missing entry, for `superDecoder`: JSON's decoder does the same, and a superclass may take
    /// it for nothing.
    func null(forKey key: some CodingKey, in map: Position) throws -> CBORReader {
        inner(try CheckedItem(parsing: [0xF6]), at: map, missing: .key(key.stringValue))
    }

    /// A URL or Decimal in the form in which it encodes itself, for its own `init(from:)`, which asks for a
    /// container.
    private func ownForm(for keyType: Any.Type, at position: Position) throws -> CBORReader? {
        let value: any Encodable
        if keyType == OwnForm.urlKeys {
            value = try url(at: position)
        } else if keyType == OwnForm.decimalKeys {
            value = try decimal(at: position)
        } else {
            return nil
        }
        return inner(try CheckedItem(parsing: CBOREncoder.encode(OwnForm(value: value)).bytes), at: position)
    }

    /// A reader of an item that represents the value at `position`.
    private func inner(
        _ index: CheckedItem, at position: Position, missing: CBORPathElement? = nil
    ) -> CBORReader {
        var reading = CBORReading(index)
        reading.userInfo = value.userInfo
        reading.outer = .init(reader: self, position: position, missing: missing)
        return CBORReader(reading)
    }
}

/// `Secret`, whatever its value's type.
protocol SecretOfDecodable {
    /// Whether the item at `position` is a value of the secret's type.
    static func holds(_ reader: CBORReader, at position: CBORReader.Position) -> Bool
}
protocol OptionalSecret {
    static var secret: Any.Type { get }
}
extension Optional: OptionalSecret where Wrapped: SecretOfDecodable {
    static var secret: Any.Type { Wrapped.self }
}

/// A value that encodes itself, instead of in the format's form for its type.
private struct OwnForm: Encodable {
    let value: any Encodable

    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }

    static let urlKeys = KeyTypeProbe.keyType(of: URL(filePath: "/"))
    static let decimalKeys = KeyTypeProbe.keyType(of: Decimal())
}

extension UUID {
    /// A UUID of exactly 16 bytes.
    init(bytes b: Span<UInt8>) {
        precondition(b.count == 16)
        self.init(
            uuid: (
                b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
                b[15]
            ))
    }
}
