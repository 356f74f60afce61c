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
        try CBORReader(CBORReading(index)).decode(type)
    }

    /// What this thread decodes from.
    static let working = ThreadVariable<CBORReader>()
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
    private var knownKeys = KnownKeys()
    /// What the application gave its types to decode with.
    var userInfo: [CodingUserInfoKey: any Sendable] = [:]
    var refusals = CBORRefusals()
    /// Whether the next Bool that is asked for, or the next value that is refused as another type, shows where another decoder reads (`CBORItemDecoder.behind`); where it was.
    var isAwaitingMark = false
    var mark: Int32?
    /// The value was decoded, and a decoder was kept: all that is noted for speed is noted no longer, so that threads may
    /// share it.
    private(set) var isKept = false
    /// An item that was made of a value for a type that asks for it in its own form: where that value stands.
    fileprivate(set) var outer: Outer?

    struct Outer {
        let reader: CBORReader
        let position: Int32
        /// The entry of the map at `position` that is meant, where there is none.
        var missing: CBORPathElement?
    }

    init(_ index: CBORIndex = CBORIndex()) {
        self.index = index
    }

    /// Checks another item, in the memory of the one before, of which `takeBytes` has left nothing else.
    mutating func check(
        _ bytes: consuming [UInt8], item: Range<Int>, contents: Range<Int>?
    ) throws(CBORFailure) {
        try index.check(bytes, item: item, contents: contents)
    }

    /// Gives the item's bytes away, and forgets where what was in them.
    mutating func takeBytes() -> [UInt8] {
        forget()
        return index.takeBytes()
    }

    private mutating func forget() {
        guesses = InlineArray(repeating: 0)
        if !keys.isEmpty { keys = [:] }
        if parents != nil { parents = nil }
        if refusals.count > 0 { refusals = CBORRefusals() }
        if !userInfo.isEmpty { userInfo = [:] }
    }

    mutating func keep() { isKept = true }

    /// Reads the content of a byte or text string.
    ///
    /// Mutating, though it changes nothing: who has the index alone reads its bytes without counting one more
    /// reference to them.
    @inline(__always)
    mutating func content<Result>(_ position: Int, _ read: (Span<UInt8>) -> Result) -> Result {
        read(index.bytes.span.extracting(index.content(position)))
    }
}

extension CBORReading: KeyMemory {
    @inline(__always)
    mutating func knows<Key: CodingKey>(_ key: Key) -> Bool { knownKeys.contains(key) }
    mutating func remember<Key: CodingKey>(_ key: Key) { if !isKept { knownKeys.insert(key) } }
}

/// What every container of one decoding reads from.
typealias CBORReader = Shared<CBORReading>

extension CBORReader {
    typealias Position = Int32

    var index: CBORIndex { _read { yield value.index } }

    @inline(__always)
    private func node(_ position: Position) -> CBORIndex.Node { index.node(Int(position)) }

    /// Decodes the whole item.
    ///
    /// - Throws: `DecodingError` with a coding path where it is not a `Session`, and whatever the type throws.
    func decode<Session: Decodable>(_ type: Session.Type) throws -> Session {
        do {
            return try CBORDecoder.working.with(self) { try decode(type, at: 0) }
        } catch let error as DecodingError {
            throw whole(error)
        }
    }

    func path(to position: Position) -> [any CodingKey] { elements(to: position).map(CBORKey.init) }

    private func elements(to position: Position) -> [CBORPathElement] {
        let path = inner(to: Int(position))
        return value.outer.map {
            $0.reader.elements(to: $0.position) + ($0.missing.map { [$0] } ?? []) + path
        } ?? path
    }

    /// A type may ask for the path of every element.
    private func inner(to position: Int) -> [CBORPathElement] {
        guard position > Self.fewNodes, !value.isKept else { return index.path(to: position) }
        let parents = value.parents ?? index.parents()
        value.parents = parents
        return index.path(to: position, parents)
    }

    /// As many nodes or entries as are gone through in less time than a table takes.
    private static var fewNodes: Int { 32 }

    func isNull(_ position: Position) -> Bool { node(position).kind == .null }

    /// Whether a secret is here that holds null: written by a `Secret` of an optional.
    @inline(__always)
    func isNullSecret(_ position: Position) -> Bool {
        let node = node(position)
        // The tag, the byte string, the item in it.
        return node.kind == .tag && node.argument == CBORTag.embeddedItem && isNull(position + 2)
    }

    /// Whether a secret of null is nothing to `type`: a `Secret` of what null is no value of.
    func isNothing(_ position: Position, as type: Any.Type) -> Bool {
        (type as? any SecretOfDecodable.Type).map { !$0.holds(self, at: position + 2) } ?? false
    }

    func isNothing(_ position: Position, asOptional type: Any.Type) -> Bool {
        (type as? any OptionalSecret.Type).map { isNothing(position, as: $0.secret) } ?? false
    }

    // MARK: Leaves

    func decode(_ type: Bool.Type, at position: Position) throws -> Bool {
        if value.isAwaitingMark {
            value.isAwaitingMark = false
            value.mark = position
            return false
        }
        let node = node(position)
        guard node.kind == .bool else { throw mismatch(type, at: position) }
        return node.argument == 1
    }

    func decode(_ type: String.Type, at position: Position) throws -> String {
        guard node(position).kind == .text else {
            // What others write as text.
            switch (node(position).kind, node(position).argument) {
            case (.tag, CBORTag.uuid): return try uuid(at: position).uuidString
            case (.tag, CBORTag.url): return index.text(Int(position) + 1)
            default: throw mismatch(type, at: position)
            }
        }
        return value.content(Int(position)) { String(validated: $0) }
    }

    /// - Parameter takesWhole: whether a float of a whole value is taken: not where a type asks for one type of number after the
    ///   other, which then comes back as it was.
    func decode<Integer: FixedWidthInteger>(
        integer type: Integer.Type, at position: Position, takesWhole: Bool = true
    ) throws -> Integer {
        let node = node(position)
        switch node.kind {
        case .unsigned:
            if let value = Integer(exactly: node.argument) { return value }
        case .negative:
            if Integer.isSigned, let value = Integer(exactly: node.argument) { return ~value }
        case .float where takesWhole:
            if let value = Integer(exactly: Double(bitPattern: node.argument)) { return value }
        case .tag:
            if let big = CBORInteger(index, at: Int(position))
                ?? CBORDecimal(index, at: Int(position))?.integer
            {
                if let value = big.exactly(as: type) { return value }
            } else if node.argument != CBORTag.decimalFraction {
                throw mismatch(type, at: position)
            }
        default:
            throw mismatch(type, at: position)
        }
        throw failure(.outOfRange, type, at: position)
    }

    /// Floats of any width, the nearest to an integer or decimal number, as with JSON, and a Date as it encodes itself.
    func decode(_ type: Double.Type, at position: Position) throws -> Double {
        if let bits = floatBits(at: position) { return Double(bitPattern: bits) }
        return try nearest(type, at: position)
    }

    /// The nearest Float, as with JSON, where that is a number.
    func decode(_ type: Float.Type, at position: Position) throws -> Float {
        guard let bits = floatBits(at: position) else { return try nearest(type, at: position) }
        // Exactly first: it keeps the payload of a NaN.
        if let exact = CBORFloat.narrowToSingle(bits) { return exact }
        let nearest = Float(Double(bitPattern: bits))
        guard nearest.isFinite || !Double(bitPattern: bits).isFinite, nearest != 0 else {
            throw failure(.outOfRange, type, at: position)
        }
        return nearest
    }

    /// The bits of a float, or of a Date as it encodes itself.
    private func floatBits(at position: Position) -> UInt64? {
        let node = node(position)
        if node.kind == .float { return node.argument }
        guard node.kind == .tag else { return nil }
        return CBORTime(checked: { index.node(Int(position) + $0) })?.date.timeIntervalSinceReferenceDate
            .bitPattern
    }

    /// Rounded once: a Float of an integer would not be by way of a Double.
    private func nearest<Number: BinaryFloatingPoint & LosslessStringConvertible>(
        _ type: Number.Type, at position: Position
    ) throws -> Number {
        let nearest: Number?
        let node = node(position)
        if node.kind == .unsigned {
            nearest = Number(node.argument)
        } else if let integer = CBORInteger(index, at: Int(position)) {
            // -1 - n, of which only one is beyond UInt128.
            let (size, overflow) = integer.magnitude.addingReportingOverflow(integer.isNegative ? 1 : 0)
            let number = overflow ? Number(sign: .plus, exponent: 128, significand: 1) : Number(size)
            nearest = integer.isNegative ? -number : number
        } else if let decimal = CBORDecimal(index, at: Int(position)) {
            let number = Number(decimal.text)
            nearest = number == 0 && decimal.mantissa != CBORInteger(0) ? nil : number
        } else {
            throw mismatch(type, at: position)
        }
        guard let nearest, nearest.isFinite else { throw failure(.outOfRange, type, at: position) }
        return nearest
    }

    private func date(at position: Position) throws -> Date {
        guard let time = CBORTime(checked: { index.node(Int(position) + $0) }) else {
            switch node(position).kind {
            // As a Date encodes itself.
            case .float, .unsigned, .negative:
                return Date(timeIntervalSinceReferenceDate: try decode(Double.self, at: position))
            default: throw mismatch(Date.self, at: position)
            }
        }
        return time.date
    }

    private func data(at position: Position) throws -> Data {
        guard node(position).kind == .bytes else {
            guard node(position).kind == .array else { throw mismatch(Data.self, at: position) }
            // As JSON has to write bytes, too.
            return Data(try [UInt8](from: CBORItemDecoder(reader: self, position: position, type: Data.self)))
        }
        return value.content(Int(position)) { Data(copying: $0) }
    }

    private func bytes(at position: Position) -> [UInt8] { Array(index.bytes[index.content(Int(position))]) }

    private func uuid(at position: Position) throws -> UUID {
        guard node(position).kind == .tag, node(position).argument == CBORTag.uuid else {
            guard node(position).kind == .text else { throw mismatch(UUID.self, at: position) }
            // As a UUID encodes itself.
            guard let uuid = UUID(uuidString: index.text(Int(position))) else {
                throw failure(.malformed, UUID.self, at: position)
            }
            return uuid
        }
        return value.content(Int(position) + 1) { UUID(bytes: $0) }
    }

    private func url(at position: Position) throws -> URL {
        let text: Int
        switch (node(position).kind, node(position).argument) {
        case (.tag, CBORTag.url): text = Int(position) + 1
        case (.text, _): text = Int(position)
        // As a URL encodes itself.
        case (.map, _):
            return try URL(from: CBORItemDecoder(reader: self, position: position, type: URL.self))
        default: throw mismatch(URL.self, at: position)
        }
        guard let url = URL(string: index.text(text)) else {
            throw failure(.malformed, URL.self, at: position)
        }
        return url
    }

    private func decimal(at position: Position) throws -> Decimal {
        let fraction: CBORDecimal?
        switch node(position).kind {
        case .float:
            let number = Double(bitPattern: node(position).argument)
            if number.isNaN { return .nan }
            // The digits that JSON would have.
            guard number.isFinite, let decimal = Decimal(string: "\(number)") else {
                throw failure(.outOfRange, Decimal.self, at: position)
            }
            return decimal
        // As a Decimal encodes itself.
        case .map:
            return try Decimal(from: CBORItemDecoder(reader: self, position: position, type: Decimal.self))
        default:
            fraction =
                if let integer = CBORInteger(index, at: Int(position)) {
                    CBORDecimal(exponent: 0, mantissa: integer)
                } else {
                    CBORDecimal(index, at: Int(position))
                }
        }
        guard let fraction else { throw mismatch(Decimal.self, at: position) }
        guard let decimal = fraction.decimal else { throw failure(.outOfRange, Decimal.self, at: position) }
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
        var position = Int(array) + 1
        let end = index.node(Int(array)).next
        while position < end {
            texts.append(try decode(String.self, at: Position(truncatingIfNeeded: position)))
            position = index.node(position).next
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

    /// The value of an entry whose key is an integer, where a key's text spells one.
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
            // Bytes for a type that takes them one by one.
            let elements = CBORIndex(elements: index.bytes.span.extracting(index.content(Int(position))))
            return CBORUnkeyedDecodingContainer(reader: inner(elements, at: position), array: 0)
        default: throw mismatch([Any].self, at: position)
        }
    }

    /// Null in place of an entry that is not there, for `superDecoder`: as JSON's, which a superclass may take for nothing.
    fileprivate func null(forKey key: some CodingKey, in map: Position) throws -> CBORReader {
        inner(try CBORIndex(parsing: [0xF6]), at: map, missing: .key(key.stringValue))
    }

    /// A URL or Decimal as it encodes itself, for its own `init(from:)`, which asks for a container.
    private func ownForm(for keyType: Any.Type, at position: Position) throws -> CBORReader? {
        let value: any Encodable
        if keyType == OwnForm.urlKeys {
            value = try url(at: position)
        } else if keyType == OwnForm.decimalKeys {
            value = try decimal(at: position)
        } else {
            return nil
        }
        return inner(try CBORIndex(parsing: CBOREncoder.encode(OwnForm(value: value)).bytes), at: position)
    }

    /// A reader of an item that stands for the value at `position`.
    private func inner(
        _ index: CBORIndex, at position: Position, missing: CBORPathElement? = nil
    ) -> CBORReader {
        var reading = CBORReading(index)
        reading.userInfo = value.userInfo
        reading.outer = .init(reader: self, position: position, missing: missing)
        return CBORReader(reading)
    }
}

/// `Secret`, whatever is in it.
protocol SecretOfDecodable {
    /// Whether the item at `position` is a value of what is secret.
    static func holds(_ reader: CBORReader, at position: CBORReader.Position) -> Bool
}
private protocol OptionalSecret {
    static var secret: Any.Type { get }
}
extension Optional: OptionalSecret where Wrapped: SecretOfDecodable {
    static var secret: Any.Type { Wrapped.self }
}

/// A value that writes itself, not in the format's form for its type.
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

/// The Decoder for the item at one position. Three words, so that it fits an existential.
struct CBORItemDecoder: Decoder {
    let reader: CBORReader
    let position: CBORReader.Position
    /// What is being decoded here: tells a dictionary's keys apart.
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

    /// This library's decoder where `decoder` reads: `decoder` itself, or the one that it forwards to. Nil for any other.
    static func behind(_ decoder: any Decoder) throws -> CBORItemDecoder? {
        if let own = decoder as? CBORItemDecoder { return own }
        let handed = CodingUserInfoKey.own(in: decoder.userInfo, as: CBORReader.self)
        guard let reader = handed.flatMap({ $0.value.isKept ? nil : $0 }) ?? CBORDecoder.working.current
        else {
            return nil
        }
        let container = try decoder.singleValueContainer()
        (reader.value.isAwaitingMark, reader.value.mark) = (true, nil)
        // Refused or not: whoever forwards asks this library's decoder for it.
        _ = try? container.decode(Bool.self)
        let position = reader.value.mark
        (reader.value.isAwaitingMark, reader.value.mark) = (false, nil)
        return position.map { CBORItemDecoder(reader: reader, position: $0, type: Never.self) }
    }

    /// Whether here is an item inside a byte string.
    var isEmbedded: Bool {
        let node = reader.index.node(Int(position))
        return node.kind == .tag && node.argument == CBORTag.embeddedItem
    }

    /// Decodes the item inside a byte string (tag 24), or one in the plain, as it was sealed before its property
    /// was made a secret.
    ///
    /// What it throws names nothing inside: containers and types append keys of their own to the path.
    func decodeEmbedded<Value: Decodable>(_ type: Value.Type) throws -> Value {
        do {
            // The tag, the byte string, the item in it.
            return try reader.decode(type, at: isEmbedded ? position + 2 : position)
        } catch let error as DecodingError {
            throw reader.secret(error, type, at: position)
        }
    }
}

// Not part of the container, which is generic: looking an entry up there would ask for the container's type.
extension CBORReader {
    /// The value of an entry; nil for one that is not there.
    ///
    /// A key with an integer finds the integer entry, else the text one: what another tool wrote as
    /// text, or what was written before the key got its integer, still opens. A key that is spelled as an integer finds
    /// either as well: dictionaries and dynamic keys read one another's.
    @inline(__always)
    fileprivate func find(_ key: some CodingKey, in map: Position, _ form: KeyForm) -> Position? {
        // Before the key is asked for its text: a type of many optional fields asks for each.
        if node(map).argument == 0 { return nil }
        if let (integer, _) = form.integer(of: key, in: self),
            let position = value(in: map, integer: integer)
        {
            return position
        }
        let text = key.stringValue
        return value(in: map, text: text) ?? value(in: map, spelled: text)
    }

    /// Nil for an absent key and for null.
    @inline(__always)
    fileprivate func findIfPresent(_ key: some CodingKey, in map: Position, _ form: KeyForm) -> Position? {
        guard let position = find(key, in: map, form), !isNull(position) else { return nil }
        return position
    }
}

private struct CBORKeyedDecodingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
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

    private static func key(_ index: CBORIndex, _ position: Int) -> Key? {
        if index.node(position).kind == .text { return Key(stringValue: index.text(position)) }
        // As JSON asks: not every key type is made of integers. Only a declared one's text is another.
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
    /// As `decodeIfPresent` elsewhere: nil for an absent key and for null, with one look-up.
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

    /// An integer. Of a float only where the value that is decoded here is one itself (`[Int]`), not one of several types that are
    /// tried.
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
        guard !isAtEnd else { throw reader.failure(.end, type, at: array) }
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
