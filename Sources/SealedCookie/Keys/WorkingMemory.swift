// What one token leaves for the next to be worked with.

/// A stream to inflate with, and memory for a token's bytes and for its item.
///
/// What one token leaves here the next overwrites, and does not read. Only what holds of a type's keys stays (`KnownKeys`).
@usableFromInline
struct WorkingMemory: ~Copyable {
    private var inflater: Inflater?
    /// The item, once it is checked: for a session of some type.
    private var reader = CBORReader(CBORReading())
    /// The item as it came: for who takes it as bytes.
    var item = UncheckedItem()
    private var spare: [UInt8] = []
    private var secondSpare: [UInt8] = []

    /// Bytes of an array that is kept: enough for a session in one cookie.
    private static let mostKept = 16_384

    init() {}

    /// Inflates with the stream, made where there is none.
    mutating func inflate(
        _ input: Span<UInt8>, _ dictionary: [UInt8], appendingTo output: inout [UInt8], limit: Int
    ) throws(NativeFailure) -> Inflater.Outcome {
        let inflater = if let kept = self.inflater.take() { kept } else { try Inflater() }
        let outcome = try inflater.decompress(
            input, dictionary: dictionary, appendingTo: &output, limit: limit)
        self.inflater = consume inflater
        return outcome
    }

    /// An empty array, with room if there is one to spare.
    mutating func takeBytes() -> [UInt8] {
        spare.capacity > 0 ? exchange(&spare, with: []) : exchange(&secondSpare, with: [])
    }

    /// Keeps an array's memory for another `takeBytes`.
    mutating func give(_ bytes: consuming [UInt8]) {
        guard bytes.capacity <= Self.mostKept else { return }
        bytes.removeAll(keepingCapacity: true)
        if spare.capacity == 0 { spare = bytes } else { secondSpare = bytes }
    }

    /// Checks `item` (FORMAT §7), which is then for `decode` to read.
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
            // A value that has kept its decoder, against Codable's rules, keeps this item too.
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
