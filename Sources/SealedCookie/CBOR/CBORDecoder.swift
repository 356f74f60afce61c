// Decodable values from a checked item. FORMAT §7 maps the types.

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Decodes Codable values from items that `CBORIndex` has checked.
enum CBORDecoder {
    /// - Throws: `DecodingError` with a coding path where the item is not a `Value`.
    static func decode<Value: Decodable>(_ type: Value.Type, from index: CBORIndex) throws -> Value {
        try CBORReader(CBORReading(index)).decode(type, at: 0)
    }
}

/// A checked item, and where in it the decoder is.
struct CBORReading {
    var index: CBORIndex
    /// Where the key may stand that is asked for next: entries are mostly asked for in their order. Of the
    /// map last read among those whose position has the same two low bits; it and the key.
    fileprivate var guesses = InlineArray<4, UInt64>(repeating: 0)
    /// What finds entries and paths of large items without going through all that stands before; made when
    /// first asked for: the positions of a map's keys, and what each node is inside of.
    fileprivate var keys: [Int32: [Int32]] = [:]
    fileprivate var parents: CBORIndex.Parents?

    init(_ index: CBORIndex = CBORIndex()) {
        self.index = index
    }

    /// Checks another item, in the memory of the one before.
    mutating func check(
        _ bytes: consuming [UInt8], item: Range<Int>, contents: Range<Int>?
    ) throws(CBORFailure) {
        guesses = InlineArray(repeating: 0)
        try index.check(bytes, item: item, contents: contents)
    }

    /// Gives the item's bytes away, and forgets where what stood in them.
    mutating func takeBytes() -> [UInt8] {
        if !keys.isEmpty { keys = [:] }
        parents = nil
        return index.takeBytes()
    }

    /// Reads the content of a byte or text string.
    ///
    /// Mutating, though it changes nothing: who has the index alone reads its bytes without counting one more
    /// reference to them.
    @inline(__always)
    mutating func content<Result>(_ position: Int, _ read: (Span<UInt8>) -> Result) -> Result {
        read(index.bytes.span.extracting(index.content(position)))
    }
}

/// What every container of one decoding reads from.
typealias CBORReader = Shared<CBORReading>

extension CBORReader {
    typealias Position = Int32

    var index: CBORIndex { _read { yield value.index } }

    @inline(__always)
    private func node(_ position: Position) -> CBORIndex.Node { index.node(Int(position)) }

    func path(to position: Position) -> [any CodingKey] {
        path(to: Int(position)).map(CBORKey.init)
    }

    /// A type that tries one form after the other makes an error, and so a path, for every element.
    private func path(to position: Int) -> [CBORPathElement] {
        guard position > Self.fewNodes else { return index.path(to: position) }
        let parents = value.parents ?? index.parents()
        value.parents = parents
        return index.path(to: position, parents)
    }

    /// As many nodes or entries as are gone through in less time than a table takes.
    private static var fewNodes: Int { 32 }

    func context(_ position: Position, _ description: String) -> DecodingError.Context {
        DecodingError.Context(codingPath: path(to: position), debugDescription: description)
    }

    func mismatch(_ type: Any.Type, at position: Position) -> DecodingError {
        if isNull(position) {
            return .valueNotFound(type, context(position, "null where \(type) was expected"))
        }
        return .typeMismatch(type, context(position, "\(describe(position)) where \(type) was expected"))
    }

    /// What stands at `position`, in words and without its value.
    private func describe(_ position: Position) -> String {
        switch node(position).kind {
        case .unsigned, .negative: "an integer"
        case .bytes: "a byte string"
        case .text: "text"
        case .array: "an array"
        case .map: "a map"
        case .bool: "a Bool"
        case .null: "null"
        case .float: "a float"
        case .tag: "tag \(node(position).argument)"
        }
    }

    func isNull(_ position: Position) -> Bool { node(position).kind == .null }

    // MARK: Leaves

    func decode(_ type: Bool.Type, at position: Position) throws -> Bool {
        let node = node(position)
        guard node.kind == .bool else { throw mismatch(type, at: position) }
        return node.argument == 1
    }

    func decode(_ type: String.Type, at position: Position) throws -> String {
        guard node(position).kind == .text else { throw mismatch(type, at: position) }
        return value.content(Int(position)) { String(validated: $0) }
    }

    func decode<Integer: FixedWidthInteger>(integer type: Integer.Type, at position: Position) throws
        -> Integer
    {
        let node = node(position)
        switch node.kind {
        case .unsigned:
            if let value = Integer(exactly: node.argument) { return value }
        case .negative:
            if Integer.isSigned, let value = Integer(exactly: node.argument) { return ~value }
        case .tag:
            guard let big = CBORInteger(index, at: Int(position)) else { throw mismatch(type, at: position) }
            if let value = big.exactly(as: type) { return value }
        default:
            throw mismatch(type, at: position)
        }
        throw DecodingError.dataCorrupted(context(position, "an integer that \(type) cannot hold"))
    }

    /// Floats of any width, and integers that a Double holds exactly.
    func decode(_ type: Double.Type, at position: Position) throws -> Double {
        Double(bitPattern: try floatBits(type, at: position))
    }

    func decode(_ type: Float.Type, at position: Position) throws -> Float {
        guard let value = CBORFloat.narrowToSingle(try floatBits(type, at: position)) else {
            throw DecodingError.dataCorrupted(context(position, "a number that \(type) cannot hold exactly"))
        }
        return value
    }

    private func floatBits(_ type: Any.Type, at position: Position) throws -> UInt64 {
        let node = node(position)
        let exact: Double?
        switch node.kind {
        case .float: return node.argument
        case .unsigned: exact = Double(exactly: node.argument)
        // -1 - n: exact where n + 1 is, and n + 1 is 2^64 at the most.
        case .negative: exact = Double(exactly: UInt128(node.argument) + 1).map { -$0 }
        default: throw mismatch(type, at: position)
        }
        guard let exact else {
            throw DecodingError.dataCorrupted(
                context(position, "an integer that \(type) cannot hold exactly"))
        }
        return exact.bitPattern
    }

    private func date(at position: Position) throws -> Date {
        guard let time = CBORTime(checked: { index.node(Int(position) + $0) }) else {
            throw mismatch(Date.self, at: position)
        }
        return time.date
    }

    private func data(at position: Position) throws -> Data {
        guard node(position).kind == .bytes else { throw mismatch(Data.self, at: position) }
        return value.content(Int(position)) { Data(copying: $0) }
    }

    private func bytes(at position: Position) -> [UInt8] { Array(index.bytes[index.content(Int(position))]) }

    private func uuid(at position: Position) throws -> UUID {
        guard node(position).kind == .tag, node(position).argument == CBORTag.uuid else {
            throw mismatch(UUID.self, at: position)
        }
        return value.content(Int(position) + 1) { UUID(bytes: $0) }
    }

    private func url(at position: Position) throws -> URL {
        guard node(position).kind == .tag, node(position).argument == CBORTag.url else {
            throw mismatch(URL.self, at: position)
        }
        guard let url = URL(string: index.text(Int(position) + 1)) else {
            throw DecodingError.dataCorrupted(context(position, "not a URL"))
        }
        return url
    }

    private func decimal(at position: Position) throws -> Decimal {
        if node(position).kind == .float, Double(bitPattern: node(position).argument).isNaN { return .nan }
        let fraction: CBORDecimal?
        if let integer = CBORInteger(index, at: Int(position)) {
            fraction = CBORDecimal(exponent: 0, mantissa: integer)
        } else {
            fraction = CBORDecimal(index, at: Int(position))
        }
        guard let fraction else { throw mismatch(Decimal.self, at: position) }
        guard let decimal = fraction.decimal else {
            throw DecodingError.dataCorrupted(context(position, "a number that Decimal cannot hold"))
        }
        return decimal
    }

    /// A dictionary with text keys, without a container and a key for each entry; nil where there are others.
    private func dictionary<Element>(
        at map: Position, _ decode: (Position) throws -> Element
    ) throws -> [String: Element]? {
        guard node(map).kind == .map else { return nil }
        var dictionary: [String: Element] = [:]
        dictionary.reserveCapacity(min(Int(node(map).argument), 1024))
        var position = Int(map) + 1
        let end = index.node(Int(map)).next
        while position < end {
            let value = Position(truncatingIfNeeded: position + 1)
            let next = index.node(position + 1).next
            // Integer keys are Dictionary's own affair.
            guard index.node(position).kind == .text else { return nil }
            dictionary[index.text(position)] = try decode(value)
            position = next
        }
        return dictionary
    }

    /// Decodes any value, with the format's own forms for the types that have one.
    func decode<Session: Decodable>(_ type: Session.Type, at position: Position) throws -> Session {
        if type == Date.self { return sameType(try date(at: position), as: type) }
        if type == UUID.self { return sameType(try uuid(at: position), as: type) }
        if type == Data.self { return sameType(try data(at: position), as: type) }
        if type == URL.self { return sameType(try url(at: position), as: type) }
        if type == Decimal.self { return sameType(try decimal(at: position), as: type) }
        switch node(position).kind {
        case .bytes where type == [UInt8].self:
            // An array of small integers is a [UInt8] too: that is how JSON has to write one.
            return sameType(bytes(at: position), as: type)
        case .array where type == [String].self:
            return sameType(try texts(at: position), as: type)
        case .map:
            // The common dictionaries. Integer keys are Dictionary's own affair.
            if type == [String: String].self,
                let value = try dictionary(at: position, { try decode(String.self, at: $0) })
            {
                return sameType(value, as: type)
            }
            if type == [String: Bool].self,
                let value = try dictionary(at: position, { try decode(Bool.self, at: $0) })
            {
                return sameType(value, as: type)
            }
            if type == [String: Int].self,
                let value = try dictionary(at: position, { try decode(integer: Int.self, at: $0) })
            {
                return sameType(value, as: type)
            }
            if type == [String: Double].self,
                let value = try dictionary(at: position, { try decode(Double.self, at: $0) })
            {
                return sameType(value, as: type)
            }
        default: break
        }
        return try Session(from: CBORItemDecoder(reader: self, position: position, type: type))
    }

    private func texts(at array: Position) throws -> [String] {
        var texts: [String] = []
        texts.reserveCapacity(min(Int(node(array).argument), 1024))
        // A text is one node.
        for position in (array + 1)..<Position(index.node(Int(array)).next) {
            texts.append(try decode(String.self, at: position))
        }
        return texts
    }

    // MARK: Containers

    /// The value of an entry, by its text or integer key.
    func value(in map: Position, text: String) -> Position? {
        let utf8 = text.utf8.span
        let count = UInt64(utf8.count)
        return firstValue(in: map) { key in
            key.kind == .text && key.argument == count && index.compare(key, with: utf8) == 0
        } precedes: { key in
            guard key.kind == .text, key.argument == count else {
                // Integers, then texts, the shorter first.
                return key.kind != .text || key.argument < count
            }
            return index.compare(key, with: utf8) < 0
        }
    }

    func value(in map: Position, integer: Int) -> Position? {
        let kind: CBORIndex.Node.Kind = integer < 0 ? .negative : .unsigned
        let argument = integer < 0 ? UInt64(~integer) : UInt64(integer)
        return firstValue(in: map) {
            $0.kind == kind && $0.argument == argument
        } precedes: {
            // Integers from 0 up, then from -1 down, then texts.
            $0.kind == kind ? $0.argument < argument : $0.kind == .unsigned
        }
    }

    @inline(__always)
    private func firstValue(
        in map: Position, where matches: (CBORIndex.Node) -> Bool, precedes: (CBORIndex.Node) -> Bool
    ) -> Position? {
        let start = Int(map) + 1
        let end = index.node(Int(map)).next
        let guess = guess(map) ?? start
        // A key is one node; its value is the next.
        if guess < end, matches(index.node(guess)) { return found(guess, in: map) }
        if index.node(Int(map)).argument > UInt64(Self.fewNodes) {
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

    /// The first key of a map that does not precede the one that is asked for: they are sorted.
    private func search(_ map: Position, _ precedes: (CBORIndex.Node) -> Bool) -> Int? {
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

    /// The value behind the key at `position`; behind it is where the next key is looked for first.
    @inline(__always)
    private func found(_ position: Int, in map: Position) -> Position {
        value.guesses[Int(map & 3)] = UInt64(map) << 32 | UInt64(index.node(position + 1).next)
        return Position(truncatingIfNeeded: position + 1)
    }

    @inline(__always)
    private func guess(_ map: Position) -> Int? {
        let guess = value.guesses[Int(map & 3)]
        return guess >> 32 == UInt64(map) && guess & 0xFFFF_FFFF > UInt64(map)
            ? Int(guess & 0xFFFF_FFFF) : nil
    }

    func keyed<Key: CodingKey>(
        by keyType: Key.Type, at position: Position, in type: Any.Type
    ) throws -> KeyedDecodingContainer<Key> {
        guard node(position).kind == .map else { throw mismatch([String: Any].self, at: position) }
        let textKeys = DictionaryKeys.areText(keyType, in: type) ?? false
        return KeyedDecodingContainer(
            CBORKeyedDecodingContainer<Key>(reader: self, map: position, textKeys: textKeys))
    }

    func unkeyed(at position: Position) throws -> any UnkeyedDecodingContainer {
        guard node(position).kind == .array else { throw mismatch([Any].self, at: position) }
        return CBORUnkeyedDecodingContainer(reader: self, array: position)
    }
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

/// The Decoder for the item at one position. Three words, so that it fits an existential.
struct CBORItemDecoder: Decoder {
    let reader: CBORReader
    let position: CBORReader.Position
    /// What is being decoded here: tells a dictionary's keys apart.
    let type: Any.Type

    var codingPath: [any CodingKey] { reader.path(to: position) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy keyType: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try reader.keyed(by: keyType, at: position, in: type)
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try reader.unkeyed(at: position)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        CBORSingleValueDecodingContainer(reader: reader, position: position)
    }

    /// Decodes the item inside a byte string (tag 24), or one in the plain, as it was sealed before its property
    /// was made a secret.
    ///
    /// What it throws names nothing inside: containers and types append keys of their own to the path.
    func decodeEmbedded<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let node = reader.index.node(Int(position))
        let isEmbedded = node.kind == .tag && node.argument == CBORTag.embeddedItem
        do {
            // The tag, the byte string, the item in it.
            return try reader.decode(type, at: isEmbedded ? position + 2 : position)
        } catch let error as DecodingError {
            let context = reader.context(position, "in a secret")
            throw switch error {
            case .typeMismatch(let type, _): DecodingError.typeMismatch(type, context)
            case .valueNotFound(let type, _): DecodingError.valueNotFound(type, context)
            case .keyNotFound: DecodingError.typeMismatch(type, context)
            default: DecodingError.dataCorrupted(context)
            }
        }
    }
}

private struct CBORKeyedDecodingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let reader: CBORReader
    let map: CBORReader.Position
    let textKeys: Bool

    var codingPath: [any CodingKey] { reader.path(to: map) }

    var allKeys: [Key] {
        var keys: [Key] = []
        var isKey = true
        for position in reader.index.children(of: Int(map)) {
            if isKey, let element = reader.index.keyElement(position), let key = Self.key(element) {
                keys.append(key)
            }
            isKey.toggle()
        }
        return keys
    }

    private static func key(_ element: CBORPathElement) -> Key? {
        switch element {
        case .key(let text): Key(stringValue: text)
        case .integerKey(let integer): Int(exactly: integer).flatMap { Key(intValue: $0) }
        case .index: nil
        }
    }

    /// A key with an integer finds the integer entry, else the text one: what another tool wrote as
    /// text, or what was written before the key got its integer, still opens.
    @inline(__always)
    private func find(_ key: some CodingKey) -> CBORReader.Position? {
        if !textKeys, let integer = key.intValue, let position = reader.value(in: map, integer: integer) {
            return position
        }
        return reader.value(in: map, text: key.stringValue)
    }

    private func position(_ key: some CodingKey) throws -> CBORReader.Position {
        guard let position = find(key) else {
            throw DecodingError.keyNotFound(key, reader.context(map, "no entry for this key"))
        }
        return position
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }

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
    /// As `decodeIfPresent` elsewhere: nil for an absent key and for null, with one look-up.
    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        guard let position = find(key), !reader.isNull(position) else { return nil }
        return try reader.decode(type, at: position)
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
        CBORItemDecoder(reader: reader, position: try position(key), type: Never.self)
    }
}

private struct CBORSingleValueDecodingContainer: SingleValueDecodingContainer {
    let reader: CBORReader
    let position: CBORReader.Position

    var codingPath: [any CodingKey] { reader.path(to: position) }

    func decodeNil() -> Bool { reader.isNull(position) }
    func decode(_ type: Bool.Type) throws -> Bool { try reader.decode(type, at: position) }
    func decode(_ type: String.Type) throws -> String { try reader.decode(type, at: position) }
    func decode(_ type: Double.Type) throws -> Double { try reader.decode(type, at: position) }
    func decode(_ type: Float.Type) throws -> Float { try reader.decode(type, at: position) }
    func decode(_ type: Int.Type) throws -> Int { try reader.decode(integer: type, at: position) }
    func decode(_ type: Int8.Type) throws -> Int8 { try reader.decode(integer: type, at: position) }
    func decode(_ type: Int16.Type) throws -> Int16 { try reader.decode(integer: type, at: position) }
    func decode(_ type: Int32.Type) throws -> Int32 { try reader.decode(integer: type, at: position) }
    func decode(_ type: Int64.Type) throws -> Int64 { try reader.decode(integer: type, at: position) }
    func decode(_ type: Int128.Type) throws -> Int128 { try reader.decode(integer: type, at: position) }
    func decode(_ type: UInt.Type) throws -> UInt { try reader.decode(integer: type, at: position) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try reader.decode(integer: type, at: position) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try reader.decode(integer: type, at: position) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try reader.decode(integer: type, at: position) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try reader.decode(integer: type, at: position) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try reader.decode(integer: type, at: position) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try reader.decode(type, at: position)
    }
}

private struct CBORUnkeyedDecodingContainer: UnkeyedDecodingContainer {
    let reader: CBORReader
    let array: CBORReader.Position
    private var next: Int
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
        guard !isAtEnd else {
            let path = codingPath + [CBORKey(intValue: currentIndex)]
            throw DecodingError.valueNotFound(
                type, DecodingError.Context(codingPath: path, debugDescription: "the array ends here"))
        }
        return CBORReader.Position(truncatingIfNeeded: next)
    }

    /// The element that `read` returns; the container moves on only if it does not throw.
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
