// The second stage: a payload's bytes, compressed where that makes them fewer. FORMAT §6.

/// The plaintext of a token.
///
/// What a byte string holds never meets the compressor: in a compressed body the contents follow the
/// DEFLATE stream of the rest.
struct CompressedPayload: Sendable {
    /// The payload stands in `range`; around it is room for the stages to come.
    var bytes: [UInt8]
    let range: Range<Int>

    /// The fewest bytes a payload can have: flags, created, age, an item of one byte.
    static let minimumCount = 7

    enum Flag {
        static let compressed: UInt8 = 1
        static let lifetime: UInt8 = 2
        static let padding: UInt8 = 4
        static let known: UInt8 = 7
    }

    init(bytes: [UInt8], range: Range<Int>) {
        self.bytes = bytes
        self.range = range
    }

    /// - Parameters:
    ///   - headroom: bytes to leave free in front, for the token's header.
    ///   - tailroom: bytes to reserve behind, for the tag.
    ///   - block: pads the payload to a multiple of this many bytes; 0: no padding.
    init(
        compressing payload: SessionPayload<CBORItem>, block: Int = 0, headroom: Int, tailroom: Int
    ) throws(NativeFailure) {
        let item = payload.item
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headroom + 15 + item.bytes.count + block + tailroom)
        for _ in 0..<headroom { bytes.append(0) }
        bytes.append(payload.times.lifetime == nil ? 0 : Flag.lifetime)
        bytes.append(bigEndian: UInt64(payload.times.created), byteCount: 4)
        bytes.append(leb128: payload.times.age)
        if let lifetime = payload.times.lifetime { bytes.append(leb128: lifetime) }
        if try Self.appendCompressed(item, to: &bytes) {
            bytes[headroom] |= Flag.compressed
        } else {
            bytes.append(contentsOf: item.bytes)
        }
        if block > 0 {
            bytes[headroom] |= Flag.padding
            bytes.append(0x80)
            while !(bytes.count - headroom).isMultiple(of: block) { bytes.append(0) }
        }
        self.bytes = bytes
        range = headroom..<bytes.count
    }

    private static let deflaters = Pool<Deflater>()
    private static let inflaters = Pool<Inflater>()

    /// Appends the divided, compressed form of `item` if it is shorter than the item.
    private static func appendCompressed(_ item: CBORItem, to bytes: inout [UInt8]) throws(NativeFailure)
        -> Bool
    {
        let contentCount = item.byteStrings.reduce(0) { $0 + $1.count }
        let skeletonCount = item.bytes.count - contentCount
        // No stream of a shorter item is shorter than the item itself.
        guard skeletonCount > 4 else { return false }
        let deflater = if let spare = deflaters.take() { spare } else { try Deflater() }
        let kept: Bool
        if item.byteStrings.isEmpty {
            kept = try deflater.compress(item.bytes.span, appendingTo: &bytes, limit: skeletonCount - 1)
        } else {
            let skeleton = Self.skeleton(of: item, count: skeletonCount)
            kept = try deflater.compress(skeleton.span, appendingTo: &bytes, limit: skeletonCount - 1)
            if kept {
                for content in item.byteStrings { bytes.append(contentsOf: item.bytes[content]) }
            }
        }
        deflaters.give(deflater)
        return kept
    }

    /// The item without the contents of its byte strings, their heads included.
    private static func skeleton(of item: CBORItem, count: Int) -> [UInt8] {
        var skeleton: [UInt8] = []
        skeleton.reserveCapacity(count)
        var position = 0
        for content in item.byteStrings {
            skeleton.append(contentsOf: item.bytes[position..<content.lowerBound])
            position = content.upperBound
        }
        skeleton.append(contentsOf: item.bytes[position...])
        return skeleton
    }

    /// The payload back, checked to the last byte.
    func decompressed() throws(PayloadError) -> SessionPayload<CBORIndex> {
        var reader = ByteReader(bytes, in: range)
        guard let flags = reader.byte() else { throw .payload(.endsEarly) }
        guard flags & ~Flag.known == 0 else { throw .payload(.unknownFlags(flags)) }
        guard let created = reader.integer(byteCount: 4) else { throw .payload(.endsEarly) }
        guard let age = reader.leb128() else { throw .payload(.number) }
        var lifetime: UInt32?
        if flags & Flag.lifetime != 0 {
            // A lifetime of nothing is no lifetime.
            guard let span = reader.leb128(), span > 0 else { throw .payload(.number) }
            lifetime = span
        }
        var end = reader.end
        if flags & Flag.padding != 0 {
            while end > reader.position, bytes[end - 1] == 0 { end -= 1 }
            guard end > reader.position, bytes[end - 1] == 0x80 else { throw .payload(.padding) }
            end -= 1
        }
        let times = SessionTimes(created: UInt32(truncatingIfNeeded: created), age: age, lifetime: lifetime)
        let index = try item(reader.position..<end, isCompressed: flags & Flag.compressed != 0)
        return SessionPayload(times: times, item: index)
    }

    private func item(_ body: Range<Int>, isCompressed: Bool) throws(PayloadError) -> CBORIndex {
        guard isCompressed else {
            return try PayloadError.wrap { () throws(CBORFailure) in try CBORIndex(parsing: bytes, in: body) }
        }
        var inflated: [UInt8] = []
        let outcome: Inflater.Outcome
        do throws(NativeFailure) {
            let inflater = if let spare = Self.inflaters.take() { spare } else { try Inflater() }
            outcome = try inflater.decompress(
                bytes.span.extracting(body), appendingTo: &inflated, limit: CBORLimits.itemBytes)
            Self.inflaters.give(inflater)
        } catch {
            throw .native(error)
        }
        guard case .ended(let consumed) = outcome else {
            throw .payload(outcome == .tooLong ? .item(CBORFailure(.tooLong)) : .deflate)
        }
        let skeleton = 0..<inflated.count
        inflated.append(contentsOf: bytes[body.lowerBound + consumed..<body.upperBound])
        let contents = skeleton.upperBound..<inflated.count
        return try PayloadError.wrap { [inflated] () throws(CBORFailure) in
            try CBORIndex(parsing: inflated, skeleton: skeleton, contents: contents)
        }
    }
}

/// What can stop the way back from a plaintext to a payload.
enum PayloadError: Error {
    case payload(PayloadFailure)
    case native(NativeFailure)

    fileprivate static func wrap<Result>(
        _ body: () throws(CBORFailure) -> Result
    ) throws(PayloadError) -> Result {
        do throws(CBORFailure) {
            return try body()
        } catch {
            throw .payload(.item(error))
        }
    }
}
