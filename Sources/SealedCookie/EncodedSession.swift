// A session that is CBOR already.

/// One CBOR item as FORMAT §7 has it, for gateways and for other serializations than Codable:
/// `CookieSealer<EncodedSession>` seals and opens it as it is.
///
/// What was opened is authentic, and so what a holder of the key sealed; it is handed on without being
/// checked against FORMAT §7 again, nor a compressed one for byte strings that lack their contents
/// (§6.2). `init(_:)` checks both.
public struct EncodedSession: Equatable, Sendable {
    /// The item's bytes.
    public let bytes: [UInt8]
    /// Where the contents of its byte strings stand; nil: not looked for yet.
    private let byteStrings: [Range<Int>]?

    /// Takes over an item.
    ///
    /// - Throws: `SealError.notEncodable` for bytes that are not exactly one item of the profile, with
    ///   the place in it.
    public init(_ bytes: [UInt8]) throws(SealError) {
        let item = try Self.item(bytes)
        self.bytes = item.bytes
        byteStrings = item.byteStrings
    }

    init(_ item: CBORItem) {
        bytes = item.bytes
        byteStrings = item.byteStrings
    }

    /// Copies the item out of a payload; puts the contents of its byte strings back in their places.
    ///
    /// - Parameter body: not changed; who has it alone reads its bytes without counting a reference to them.
    init(copying body: inout PayloadBody) throws(OpenError) {
        guard let contents = body.contents, !contents.isEmpty else {
            bytes = body.wholeItem()
            byteStrings = nil
            return
        }
        do throws(CBORFailure) {
            let item = try CBORIndex(parsing: body).wholeItem
            bytes = item.bytes
            byteStrings = item.byteStrings
        } catch {
            throw .malformedPayload(PayloadFailure.item(error).words)
        }
    }

    /// - Parameter limit: bytes that it may have; so many values may be in it as in any session (`largestItem`).
    @usableFromInline
    func item(limit: Int) throws(SealError) -> CBORItem {
        try item(limit: limit, mostValues: CBORLimits.mostValues(ofItem: limit))
    }

    fileprivate func item(limit: Int, mostValues: Int) throws(SealError) -> CBORItem {
        guard bytes.count <= limit else { throw SealError(CBORFailure(.tooLong), limit: limit) }
        // A value takes a byte at least, and none counts more than twice.
        guard let byteStrings, bytes.count <= mostValues / 2 else {
            return try Self.item(bytes, mostValues: mostValues)
        }
        return CBORItem(bytes: bytes, byteStrings: byteStrings)
    }

    private static func item(_ bytes: [UInt8], mostValues: Int = .max) throws(SealError) -> CBORItem {
        do throws(CBORFailure) {
            let index = try CBORIndex(parsing: bytes)
            guard bytes.count <= mostValues / 2 || index.valueCount <= mostValues else {
                throw CBORFailure(.tooManyValues(mostValues))
            }
            return index.wholeItem
        } catch {
            throw SealError(error)
        }
    }

    public static func == (a: EncodedSession, b: EncodedSession) -> Bool { a.bytes == b.bytes }
}

extension EncodedSession: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Its size, not what it holds.
    public var description: String { "EncodedSession(\(bytes.count) bytes)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

extension CompressionDictionary {
    /// A dictionary of what many of `sessions` have in common, at most `size` bytes.
    ///
    /// - Returns: nil where no two have anything in common.
    package static func trained(
        on sessions: [EncodedSession], size: Int = 2048
    ) throws(DictionaryError) -> CompressionDictionary? {
        try trained(
            on: sessions.compactMap { try? $0.item(limit: CBORLimits.itemBytes, mostValues: .max) },
            size: size)
    }
}

extension EncodedSession {
    package init(_ value: CBORValue) throws {
        self.init(try CBOREncoder.encode(value))
    }
}

extension EncodedSession: Codable {
    /// As part of another session; other coders write its JSON view.
    public func encode(to encoder: any Encoder) throws {
        let index: CBORIndex
        do throws(CBORFailure) {
            index = try CBORIndex(parsing: bytes)
        } catch {
            // Its path begins here, not at the session's root.
            throw EncodingError.invalidValue(
                self,
                .init(codingPath: encoder.codingPath, debugDescription: error.reason.description))
        }
        try CBORValue(index).encode(to: encoder)
    }

    public init(from decoder: any Decoder) throws {
        self.init(try CBOREncoder.encode(CBORValue(from: decoder)))
    }
}

extension CBORIndex {
    /// How many values a sealer counts: a map's entry, a byte string and what has a tag are one each, a map, an array and
    /// a secret two.
    var valueCount: Int {
        var (values, position) = (0, 0)
        while position < count {
            let node = node(position)
            values += 1
            switch node.kind {
            case .array: values += 1
            case .map: values += 1 - Int(node.argument)
            case .tag where node.argument == CBORTag.embeddedItem:
                // The byte string is the tag's; the item in it has values of its own.
                values += 1
                position += 1
            case .tag: position = Int(node.next) - 1
            default: break
            }
            position += 1
        }
        return values
    }

    /// Where the contents of the byte strings stand that are in no other's, empty ones left out.
    private var outerByteStrings: [Range<Int>] {
        var ranges: [Range<Int>] = []
        var position = 0
        while position < count {
            let node = node(position)
            if node.kind == .bytes {
                if node.argument > 0 { ranges.append(content(position)) }
                position = Int(node.next)
            } else {
                position += 1
            }
        }
        return ranges
    }

    /// The item with the contents of its byte strings in their places.
    ///
    /// An item has one encoding only, so its nodes, which stand in the item's order, give it back.
    var wholeItem: CBORItem {
        if let whole {
            let bytes = whole.count == bytes.count ? bytes : Array(bytes[whole])
            return CBORItem(
                bytes: bytes,
                byteStrings: outerByteStrings.map {
                    $0.lowerBound - whole.lowerBound..<$0.upperBound - whole.lowerBound
                })
        }
        var item = CBORItem(bytes: [], byteStrings: [])
        item.bytes.reserveCapacity(bytes.count)
        var position = 0
        while position < count {
            let node = node(position)
            position += 1
            switch node.kind {
            case .unsigned: item.bytes.append(.unsigned, node.argument)
            case .negative: item.bytes.append(.negative, node.argument)
            case .array: item.bytes.append(.array, node.argument)
            case .map: item.bytes.append(.map, node.argument)
            case .tag: item.bytes.append(.tag, node.argument)
            case .bool: item.bytes.append(node.argument == 0 ? 0xF4 : 0xF5)
            case .null: item.bytes.append(0xF6)
            case .float: item.bytes.append(cborFloat: node.argument)
            case .text:
                item.bytes.append(.text, node.argument)
                item.bytes.append(contentsOf: bytes[content(position - 1)])
            case .bytes:
                item.bytes.append(.bytes, node.argument)
                let start = item.bytes.count
                item.bytes.append(contentsOf: bytes[content(position - 1)])
                if item.bytes.count > start { item.byteStrings.append(start..<item.bytes.count) }
                // What is embedded is part of the content.
                position = Int(node.next)
            }
        }
        return item
    }
}
