// A session that is already CBOR.

/// One CBOR item as FORMAT §7 defines it, for gateways and for serializations other than `Codable`. A
/// `CookieSealer<EncodedSession>` seals and opens it unchanged.
///
/// An item from an opened token is authentic: a holder of the key sealed it. So it is not checked against FORMAT §7
/// again, nor is a compressed one for byte strings that lack their contents (§6.2). ``init(_:)`` checks both.
public struct EncodedSession: Equatable, Sendable {
    /// The item's bytes.
    public let bytes: [UInt8]
    /// The ranges of its byte strings' contents; nil if they have not been searched for yet.
    private let byteStrings: [Range<Int>]?
    /// It has no more values than this, as a sealer counts them. A value takes at least one byte, and none counts more
    /// than twice; only ``init(_:)`` counts exactly, so that a large item is not parsed again each time it is sealed.
    private let valueBound: Int

    /// Takes over an item.
    ///
    /// - Parameter bytes: The bytes of exactly one item.
    /// - Throws: ``SealError/notEncodable(codingPath:reason:)`` for bytes that are not exactly one item of FORMAT §7,
    ///   with the path in it; ``SealError/itemTooLarge(codingPath:reason:)`` for more than 65,536 bytes.
    public init(_ bytes: [UInt8]) throws(SealError) {
        let (item, valueCount) = try Self.parsed(bytes)
        self.bytes = item.bytes
        byteStrings = item.byteStrings
        valueBound = valueCount
    }

    init(_ item: CBORItem) {
        bytes = item.bytes
        byteStrings = item.byteStrings
        valueBound = 2 * bytes.count
    }

    /// Takes the item out of an opened token, and puts the contents of its byte strings back where they belong.
    @usableFromInline
    init(takenFrom memory: inout WorkingMemory) throws(OpenError) {
        defer { memory.give(memory.item.takeBytes()) }
        guard let contents = memory.item.contents, !contents.isEmpty else {
            bytes = memory.item.wholeItem()
            byteStrings = nil
            valueBound = 2 * bytes.count
            return
        }
        do throws(CBORFailure) {
            let item = try CheckedItem(checking: memory.item).wholeItem
            bytes = item.bytes
            byteStrings = item.byteStrings
            valueBound = 2 * bytes.count
        } catch {
            throw .malformedPayload(PayloadFailure.item(error).words)
        }
    }

    /// - Parameter limit: The size in bytes that it may have. It may contain as many values as any session
    ///   (`itemLimit`).
    @usableFromInline
    func item(limit: Int) throws(SealError) -> CBORItem {
        try item(limit: limit, mostValues: CBORLimits.mostValues(ofItem: limit))
    }

    private func item(limit: Int, mostValues: Int) throws(SealError) -> CBORItem {
        guard bytes.count <= limit else { throw SealError(CBORFailure(.tooLong), limit: limit) }
        if let byteStrings, valueBound <= mostValues {
            return CBORItem(bytes: bytes, byteStrings: byteStrings)
        }
        let (item, valueCount) = try Self.parsed(bytes)
        guard valueCount <= mostValues else {
            throw SealError(CBORFailure(.tooManyValues(mostValues)), limit: limit)
        }
        return item
    }

    private static func parsed(_ bytes: [UInt8]) throws(SealError) -> (CBORItem, valueCount: Int) {
        do throws(CBORFailure) {
            let index = try CheckedItem(parsing: bytes)
            return (index.wholeItem, index.valueCount)
        } catch {
            throw SealError(error)
        }
    }

    /// Whether two items have the same bytes.
    public static func == (a: EncodedSession, b: EncodedSession) -> Bool { a.bytes == b.bytes }
}

extension EncodedSession: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Its size, but not its contents.
    public var description: String { "EncodedSession(\(bytes.count) bytes)" }
    /// Its size, but not its contents.
    public var debugDescription: String { description }
    /// An empty mirror, so that `dump` does not show the contents.
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

extension EncodedSession {
    /// A dictionary of what many of `sessions` have in common, at most `size` bytes.
    ///
    /// - Returns: Nil if no two have anything in common.
    package static func trainedDictionary(
        on sessions: [EncodedSession], size: Int = 2048
    ) throws(DictionaryError) -> CompressionDictionary? {
        try CompressionDictionary.trained(
            // A session that could not be sealed, such as one from an unchecked token, is of no use for training.
            on: sessions.compactMap { try? $0.item(limit: CBORLimits.itemBytes, mostValues: .max) },
            size: size)
    }

    package init(_ value: CBORValue) throws {
        self.init(try CBOREncoder.encode(value))
    }
}

extension EncodedSession: Codable {
    /// Encodes the item as part of another session. Coders other than this library's write its JSON view.
    ///
    /// - Parameter encoder: The encoder to write to.
    /// - Throws: `EncodingError` if the bytes are not exactly one item of FORMAT §7.
    public func encode(to encoder: any Encoder) throws {
        let index: CheckedItem
        do throws(CBORFailure) {
            index = try CheckedItem(parsing: bytes)
        } catch {
            // Its path begins here, not at the session's root.
            throw EncodingError.invalidValue(
                self,
                .init(codingPath: encoder.codingPath, debugDescription: error.reason.description))
        }
        try CBORValue(index).encode(to: encoder)
    }

    /// Decodes an item that is part of another session, or its JSON view.
    ///
    /// - Parameter decoder: The decoder to read from.
    /// - Throws: An error if the result would not be an item.
    public init(from decoder: any Decoder) throws {
        self.init(try CBOREncoder.encode(CBORValue(from: decoder)))
    }
}
