// The memory and streams that one token leaves for the next.

/// A stream to inflate with, and memory for a token's bytes and for its item.
///
/// The next token overwrites what one token leaves here, and does not read it. Only what is known about the keys of a
/// type stays (`KnownKeys`).
@usableFromInline
struct WorkingMemory: ~Copyable {
    private var inflater: Inflater?
    /// The item after its check, for decoding a session of some type.
    private var reader = CBORReader(CBORReading())
    /// The item as received, for callers that want the raw bytes.
    var item = UncheckedItem()
    /// Two arrays whose memory is used again: without them 3 to 4 % more instructions.
    private var spare: [UInt8] = []
    private var secondSpare: [UInt8] = []

    /// The size in bytes of the largest array that is kept: enough for a session in one cookie.
    private static let mostKept = 16_384

    init() {}

    /// Inflates with the stream, which is created if there is none.
    mutating func inflate(
        _ input: Span<UInt8>, _ dictionary: [UInt8], appendingTo output: inout [UInt8], limit: Int
    ) throws(NativeFailure) -> Inflater.Outcome {
        let inflater = if let kept = self.inflater.take() { kept } else { try Inflater() }
        let outcome = try inflater.decompress(
            input, dictionary: dictionary, appendingTo: &output, limit: limit)
        self.inflater = consume inflater
        return outcome
    }

    /// An empty array, with capacity if one is spare.
    mutating func takeBytes() -> [UInt8] {
        spare.capacity > 0 ? exchange(&spare, with: []) : exchange(&secondSpare, with: [])
    }

    /// Keeps an array's memory for a later `takeBytes`.
    mutating func give(_ bytes: consuming [UInt8]) {
        guard bytes.capacity <= Self.mostKept else { return }
        bytes.removeAll(keepingCapacity: true)
        if spare.capacity == 0 { spare = bytes } else { secondSpare = bytes }
    }

    /// Checks `item` (FORMAT §7), so that `decode` can read it.
    mutating func checkItem() throws(CBORFailure) {
        let (range, contents) = (item.range, item.contents)
        try reader.value.check(item.takeBytes(), item: range, contents: contents)
    }

    /// Decodes the checked item.
    mutating func decode<Session: Decodable>(
        _ type: Session.Type, userInfo: [CodingUserInfoKey: any Sendable] = [:]
    ) throws -> Session {
        if !userInfo.isEmpty { reader.value.userInfo = userInfo }
        defer {
            // A value that has kept its decoder, against Codable's rules, also keeps this item.
            if isKnownUniquelyReferenced(&reader) {
                give(reader.value.takeBytes())
            } else {
                reader.value.keep()
                reader = CBORReader(CBORReading())
            }
        }
        return try reader.decode(type)
    }
}
