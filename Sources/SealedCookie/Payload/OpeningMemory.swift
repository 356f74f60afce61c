// What opening a token works with, and leaves for the next one.

/// A stream to inflate with, and memory for a token's bytes and for its item.
///
/// What one opening leaves here the next overwrites, and does not read.
@usableFromInline
struct OpeningMemory: ~Copyable {
    private var inflater: Inflater?
    /// The item, once it is checked: for a session of some type.
    private var reader = CBORReader(CBORReading())
    /// The item as it came: for who takes it as bytes.
    var body = PayloadBody.none
    private var spare: [UInt8] = []
    private var secondSpare: [UInt8] = []

    init() {}

    /// Runs `body` with a stream to inflate with, made where there is none.
    @inline(__always)
    mutating func inflating<Result>(
        _ body: (borrowing Inflater) throws(NativeFailure) -> Result
    ) throws(NativeFailure) -> Result {
        let inflater = if let kept = self.inflater.take() { kept } else { try Inflater() }
        let result = try body(inflater)
        self.inflater = consume inflater
        return result
    }

    /// An empty array, with room if there is one to spare.
    mutating func takeBytes() -> [UInt8] {
        spare.capacity > 0 ? exchange(&spare, with: []) : exchange(&secondSpare, with: [])
    }

    /// Keeps an array's memory for another `takeBytes`.
    mutating func give(_ bytes: consuming [UInt8]) {
        guard bytes.capacity <= 4 * CBORLimits.itemBytes else { return }
        bytes.removeAll(keepingCapacity: true)
        if spare.capacity == 0 { spare = bytes } else { secondSpare = bytes }
    }

    /// Checks `body` (FORMAT §7), which is then for `decode` to read.
    mutating func checkBody() throws(CBORFailure) {
        let (item, contents) = (body.item, body.contents)
        try reader.value.check(body.takeBytes(), item: item, contents: contents)
    }

    /// Decodes the checked item.
    mutating func decode<Session: Decodable>(_ type: Session.Type) throws -> Session {
        defer {
            // A value that has kept its decoder, against Codable's rules, keeps this item too.
            if isKnownUniquelyReferenced(&reader) {
                give(reader.value.index.takeBytes())
            } else {
                reader = CBORReader(CBORReading())
            }
        }
        return try reader.decode(type, at: 0)
    }
}
