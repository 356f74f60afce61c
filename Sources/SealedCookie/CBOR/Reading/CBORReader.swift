// Reads single values from a checked item. FORMAT §7.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A checked item, and the decoder's position in it.
struct CBORReading {
    var index: CheckedItem
    /// The likely position of the next key, since entries are mostly read in their order. There is one guess for each
    /// value of the two low bits of a map's position. It contains the last map read among those, and the key.
    /// Without guesses a typed session takes 3.4 % more instructions to open.
    var guesses = InlineArray<4, UInt64>(repeating: 0)
    /// An index for large items, which finds entries and paths without a scan of everything before them. Created when
    /// first needed: the positions of a map's keys, and the container of each node.
    var keys: [Int32: [Int32]] = [:]
    fileprivate var parents: CheckedItem.Parents?
    private var knownKeys = KnownKeys()
    /// The application's entries for its types to decode with.
    var userInfo: [CodingUserInfoKey: any Sendable] = [:]
    var refusals = CBORRefusals()
    /// Whether a mark is awaited: the next Bool that is asked for, or the next value that is refused as another type,
    /// shows where another decoder reads (`CBORItemDecoder.behind`). And the position of that mark.
    var isAwaitingMark = false
    var mark: Int32?
    /// Whether the value was decoded and a decoder was kept. Then nothing more is noted for speed, so that threads
    /// may share it.
    private(set) var isKept = false
    /// If the item was created from a value, for a type that asks for that value in its own form: the value's
    /// position.
    var outer: Outer?

    struct Outer {
        let reader: CBORReader
        let position: Int32
        /// The missing entry of the map at `position`, if one is meant.
        var missing: CBORPathElement?
    }

    init(_ index: CheckedItem = CheckedItem()) {
        self.index = index
    }

    /// Checks another item, in the memory of the previous one, of which `takeBytes` has left nothing else.
    mutating func check(
        _ bytes: consuming [UInt8], item: Range<Int>, contents: Range<Int>?
    ) throws(CBORFailure) {
        try index.check(bytes, item: item, contents: contents)
    }

    /// Returns the item's bytes, and forgets the positions in them.
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
    /// `inout` only to avoid a retain: a caller that has exclusive access to the index reads its bytes without
    /// another reference to them.
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

/// The state that every container of one decoding reads from.
typealias CBORReader = Shared<CBORReading>

extension CBORReader {
    typealias Position = Int32

    var index: CheckedItem { _read { yield value.index } }

    @inline(__always)
    func node(_ position: Position) -> CheckedItem.Node { index.node(Int(position)) }

    /// Decodes the whole item.
    ///
    /// - Throws: `DecodingError`, with a coding path, if it is not a `Session`, and whatever the type throws.
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

    /// The number of nodes or entries for which a scan takes less time than a table.
    static var fewNodes: Int { 32 }

    func isNull(_ position: Position) -> Bool { node(position).kind == .null }

    /// Whether a secret with null is here, as a `Secret` of an optional writes it.
    @inline(__always)
    func isNullSecret(_ position: Position) -> Bool {
        let node = node(position)
        // The tag, the byte string, the item in it.
        return node.kind == .tag && node.argument == CBORTag.embeddedItem && isNull(position + 2)
    }

    /// Whether a secret of null means "no value" for `type`: a `Secret` whose value cannot be null.
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
            // Values that others write as text.
            switch (node(position).kind, node(position).argument) {
            case (.tag, CBORTag.uuid): return try uuid(at: position).uuidString
            case (.tag, CBORTag.url): return index.text(Int(position) + 1)
            default: throw mismatch(type, at: position)
            }
        }
        return value.content(Int(position)) { String(validated: $0) }
    }

    /// - Parameter takesWhole: Whether a float with a whole value is accepted. It is not if a type tries one number
    ///   type after the other: the number then comes back as it was.
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

    /// Accepts a float of any width, the double nearest to an integer or decimal number, as JSON does, and a Date in
    /// the form in which it encodes itself.
    func decode(_ type: Double.Type, at position: Position) throws -> Double {
        if let bits = floatBits(at: position) { return Double(bitPattern: bits) }
        return try nearest(type, at: position)
    }

    /// The nearest Float, as with JSON, if that is a number.
    func decode(_ type: Float.Type, at position: Position) throws -> Float {
        guard let bits = floatBits(at: position) else { return try nearest(type, at: position) }
        // An exact conversion first: it keeps the payload of a NaN.
        if let exact = CBORFloat.narrowToSingle(bits) { return exact }
        let nearest = Float(Double(bitPattern: bits))
        guard nearest.isFinite || !Double(bitPattern: bits).isFinite, nearest != 0 else {
            throw failure(.outOfRange, type, at: position)
        }
        return nearest
    }

    /// The bits of a float, or of a Date in the form in which it encodes itself.
    private func floatBits(at position: Position) -> UInt64? {
        let node = node(position)
        if node.kind == .float { return node.argument }
        guard node.kind == .tag else { return nil }
        return CBORTime(checked: { index.node(Int(position) + $0) })?.date.timeIntervalSinceReferenceDate
            .bitPattern
    }

    /// Rounds once: an integer converted to Float by way of Double would be rounded twice.
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
            // A Date in the form in which it encodes itself.
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
            // JSON has to write bytes in this form, too.
            return Data(try [UInt8](from: CBORItemDecoder(reader: self, position: position, type: Data.self)))
        }
        return value.content(Int(position)) { Data(copying: $0) }
    }

    private func bytes(at position: Position) -> [UInt8] { Array(index.bytes[index.content(Int(position))]) }

    private func uuid(at position: Position) throws -> UUID {
        guard node(position).kind == .tag, node(position).argument == CBORTag.uuid else {
            guard node(position).kind == .text else { throw mismatch(UUID.self, at: position) }
            // A UUID in the form in which it encodes itself.
            guard let uuid = UUID(uuidString: index.text(Int(position))) else {
                throw failure(.malformed, UUID.self, at: position)
            }
            return uuid
        }
        return value.content(Int(position) + 1) { UUID(bytes: $0) }
    }

    func url(at position: Position) throws -> URL {
        let text: Int
        switch (node(position).kind, node(position).argument) {
        case (.tag, CBORTag.url): text = Int(position) + 1
        case (.text, _): text = Int(position)
        // A URL in the form in which it encodes itself.
        case (.map, _):
            return try URL(from: CBORItemDecoder(reader: self, position: position, type: URL.self))
        default: throw mismatch(URL.self, at: position)
        }
        guard let url = URL(string: index.text(text)) else {
            throw failure(.malformed, URL.self, at: position)
        }
        return url
    }

    func decimal(at position: Position) throws -> Decimal {
        let fraction: CBORDecimal?
        switch node(position).kind {
        case .float:
            let number = Double(bitPattern: node(position).argument)
            if number.isNaN { return .nan }
            // The same digits as in JSON.
            guard number.isFinite, let decimal = Decimal(string: "\(number)") else {
                throw failure(.outOfRange, Decimal.self, at: position)
            }
            return decimal
        // A Decimal in the form in which it encodes itself.
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

    /// A dictionary with text keys, without a container and a key for each entry; nil if it has other keys.
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
            // Integer keys are left to Dictionary itself.
            guard index.node(position).kind == .text else { return nil }
            dictionary[index.text(position)] = try decode(value)
            position = next
        }
        return dictionary
    }

    /// Decodes any value, using the format's own forms for the types that have one.
    func decode<Session: Decodable>(_ type: Session.Type, at position: Position) throws -> Session {
        if type == Date.self { return sameType(try date(at: position), as: type) }
        if type == UUID.self { return sameType(try uuid(at: position), as: type) }
        if type == Data.self { return sameType(try data(at: position), as: type) }
        if type == URL.self { return sameType(try url(at: position), as: type) }
        if type == Decimal.self { return sameType(try decimal(at: position), as: type) }
        switch node(position).kind {
        // Elements of arrays come here. Each would take a container of its own to read its value.
        case .text where type == String.self:
            return sameType(try decode(String.self, at: position), as: type)
        case .unsigned where type == Int.self, .negative where type == Int.self:
            return sameType(try decode(integer: Int.self, at: position), as: type)
        case .bool where type == Bool.self:
            return sameType(try decode(Bool.self, at: position), as: type)
        case .float where type == Double.self:
            return sameType(try decode(Double.self, at: position), as: type)
        case .bytes where type == [UInt8].self:
            // An array of small integers is a [UInt8] too: that is how JSON has to write one.
            return sameType(bytes(at: position), as: type)
        case .array where type == [String].self:
            return sameType(try array(at: position) { try decode(String.self, at: $0) }, as: type)
        case .array where type == [Int].self:
            return sameType(try array(at: position) { try decode(integer: Int.self, at: $0) }, as: type)
        case .map:
            // The common dictionaries. Integer keys are left to Dictionary itself.
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

    private func array<Element>(
        at array: Position, _ decode: (Position) throws -> Element
    ) throws -> [Element] {
        var elements: [Element] = []
        elements.reserveCapacity(min(Int(node(array).argument), 1024))
        var position = Int(array) + 1
        let end = index.node(Int(array)).next
        while position < end {
            elements.append(try decode(Position(truncatingIfNeeded: position)))
            position = index.node(position).next
        }
        return elements
    }
}
