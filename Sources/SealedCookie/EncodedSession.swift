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
    /// - Parameter bytes: the bytes of exactly one item.
    /// - Throws: `SealError.notEncodable` for bytes that are not exactly one item of FORMAT §7, with the place in it;
    ///   `.itemTooLarge` for more than 65,536 bytes.
    public init(_ bytes: [UInt8]) throws(SealError) {
        let item = try Self.item(bytes)
        self.bytes = item.bytes
        byteStrings = item.byteStrings
    }

    init(_ item: CBORItem) {
        bytes = item.bytes
        byteStrings = item.byteStrings
    }

    /// Takes the item out of an opened token; puts the contents of its byte strings back in their places.
    @usableFromInline
    init(takenFrom memory: inout WorkingMemory) throws(OpenError) {
        defer { memory.give(memory.item.takeBytes()) }
        guard let contents = memory.item.contents, !contents.isEmpty else {
            bytes = memory.item.wholeItem()
            byteStrings = nil
            return
        }
        do throws(CBORFailure) {
            let item = try CheckedItem(checking: memory.item).wholeItem
            bytes = item.bytes
            byteStrings = item.byteStrings
        } catch {
            throw .malformedPayload(PayloadFailure.item(error).words)
        }
    }

    /// - Parameter limit: bytes that it may have; so many values may be in it as in any session (`itemLimit`).
    @usableFromInline
    func item(limit: Int) throws(SealError) -> CBORItem {
        try item(limit: limit, mostValues: CBORLimits.mostValues(ofItem: limit))
    }

    private func item(limit: Int, mostValues: Int) throws(SealError) -> CBORItem {
        guard bytes.count <= limit else { throw SealError(CBORFailure(.tooLong), limit: limit) }
        // A value takes a byte at least, and none counts more than twice.
        guard let byteStrings, bytes.count <= mostValues / 2 else {
            return try Self.item(bytes, mostValues: mostValues)
        }
        return CBORItem(bytes: bytes, byteStrings: byteStrings)
    }

    private static func item(_ bytes: [UInt8], mostValues: Int = .max) throws(SealError) -> CBORItem {
        do throws(CBORFailure) {
            let index = try CheckedItem(parsing: bytes)
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

extension EncodedSession {
    /// A dictionary of what many of `sessions` have in common, at most `size` bytes.
    ///
    /// - Returns: nil where no two have anything in common.
    package static func trainedDictionary(
        on sessions: [EncodedSession], size: Int = 2048
    ) throws(DictionaryError) -> CompressionDictionary? {
        try CompressionDictionary.trained(
            // One that could not be sealed, such as out of a token that was not checked, has nothing to teach.
            on: sessions.compactMap { try? $0.item(limit: CBORLimits.itemBytes, mostValues: .max) },
            size: size)
    }

    package init(_ value: CBORValue) throws {
        self.init(try CBOREncoder.encode(value))
    }
}

extension EncodedSession: Codable {
    /// As part of another session; other coders write its JSON view.
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

    public init(from decoder: any Decoder) throws {
        self.init(try CBOREncoder.encode(CBORValue(from: decoder)))
    }
}
