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
        static let dictionary: UInt8 = 8
        static let known: UInt8 = 15
    }

    init(bytes: [UInt8], range: Range<Int>) {
        self.bytes = bytes
        self.range = range
    }

    /// - Parameters:
    ///   - headroom: bytes to leave free in front, for the token's header.
    ///   - tailroom: bytes to reserve behind, for the tag.
    ///   - compression: how, if at all.
    ///   - block: pads the payload to a multiple of this many bytes; 0: no padding.
    init(
        compressing payload: SessionPayload<CBORItem>,
        by compression: SessionCompression = .withoutDictionary,
        block: Int = 0, headroom: Int, tailroom: Int
    ) throws(NativeFailure) {
        let item = payload.item
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headroom + 15 + item.bytes.count + block + tailroom)
        bytes.append(zeros: headroom)
        bytes.append(payload.times.lifetime == nil ? 0 : Flag.lifetime)
        bytes.append(bigEndian: UInt64(payload.times.created), byteCount: 4)
        bytes.append(leb128: payload.times.age)
        if let lifetime = payload.times.lifetime { bytes.append(leb128: lifetime) }
        let flags = try Self.appendCompressed(item, by: compression, to: &bytes)
        bytes[headroom] |= flags
        if flags == 0 { bytes.append(contentsOf: item.bytes) }
        if block > 0 {
            bytes[headroom] |= Flag.padding
            bytes.append(0x80)
            while !(bytes.count - headroom).isMultiple(of: block) { bytes.append(0) }
        }
        self.bytes = bytes
        range = headroom..<bytes.count
    }

    private static let deflaters = DeflaterPool()
    private static let inflaters = Pool<Inflater>()

    /// Appends the divided, compressed form of `item` if it is shorter than the item.
    ///
    /// - Returns: the flags that say so; 0 where nothing was appended.
    private static func appendCompressed(
        _ item: CBORItem, by compression: SessionCompression, to bytes: inout [UInt8]
    ) throws(NativeFailure) -> UInt8 {
        let contentCount = item.byteStrings.reduce(0) { $0 + $1.count }
        let skeletonCount = item.bytes.count - contentCount
        // No stream of a shorter item is shorter than the item itself.
        guard compression.isOn, skeletonCount > 4 else { return 0 }
        let skeleton = Self.skeleton(of: item)
        let start = bytes.count
        // One that the skeleton has nothing in common with costs its name and helps nobody.
        let dictionary = compression.dictionary.flatMap { $0.hasLikes(of: skeleton.span) ? $0 : nil }
        if let id = dictionary?.id { bytes.append(bigEndian: UInt64(id.number), byteCount: id.byteCount) }
        let limit = skeletonCount - 1 - (bytes.count - start)
        let isKept = try (dictionary?.deflaters ?? Self.deflaters).with { (deflater) throws(NativeFailure) in
            try deflater.compress(skeleton.span, appendingTo: &bytes, limit: limit)
        }
        guard isKept else {
            bytes.removeLast(bytes.count - start)
            return 0
        }
        for content in item.byteStrings { bytes.append(contentsOf: item.bytes[content]) }
        return dictionary == nil ? Flag.compressed : Flag.compressed | Flag.dictionary
    }

    /// The item without the contents of its byte strings, their heads included.
    static func skeleton(of item: CBORItem) -> [UInt8] {
        guard !item.byteStrings.isEmpty else { return item.bytes }
        var skeleton: [UInt8] = []
        skeleton.reserveCapacity(item.bytes.count)
        var position = 0
        for content in item.byteStrings {
            skeleton.append(contentsOf: item.bytes[position..<content.lowerBound])
            position = content.upperBound
        }
        skeleton.append(contentsOf: item.bytes[position...])
        return skeleton
    }

    /// The payload back.
    consuming func decompressed(_ compression: SessionCompression) throws(PayloadError) -> SessionPayload<
        PayloadBody
    > {
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
        let isCompressed = flags & Flag.compressed != 0
        var dictionary: CompressionDictionary?
        if flags & Flag.dictionary != 0 {
            // A dictionary for nothing.
            guard isCompressed else { throw .payload(.unknownFlags(flags)) }
            dictionary = try self.dictionary(&reader, end: end, compression)
        }
        guard reader.position <= end else { throw .payload(.endsEarly) }
        let body = reader.position..<end
        guard isCompressed else {
            return SessionPayload(times: times, item: PayloadBody(bytes: bytes, item: body, contents: nil))
        }
        return SessionPayload(times: times, item: try inflated(body, dictionary), dictionary: dictionary?.id)
    }

    private func dictionary(
        _ reader: inout ByteReader, end: Int, _ compression: SessionCompression
    ) throws(PayloadError) -> CompressionDictionary {
        guard let id = CompressionDictionary.ID(&reader, end: end) else { throw .payload(.endsEarly) }
        guard let dictionary = compression.dictionary(id) else {
            throw .payload(.unknownDictionary(id.description))
        }
        return dictionary
    }

    private func inflated(
        _ body: Range<Int>, _ dictionary: CompressionDictionary?
    ) throws(PayloadError) -> PayloadBody {
        var inflated: [UInt8] = []
        let outcome: Inflater.Outcome
        do throws(NativeFailure) {
            outcome = try Self.inflaters.with(
                { inflater throws(NativeFailure) in
                    try inflater.decompress(
                        bytes.span.extracting(body), dictionary: dictionary?.bytes ?? [],
                        appendingTo: &inflated,
                        limit: CBORLimits.itemBytes)
                }, orNew: Inflater.init)
        } catch {
            throw .native(error)
        }
        guard case .ended(let consumed) = outcome else {
            throw .payload(outcome == .tooLong ? .item(CBORFailure(.tooLong)) : .deflate)
        }
        let skeleton = 0..<inflated.count
        inflated.append(contentsOf: bytes[body.lowerBound + consumed..<body.upperBound])
        let contents = skeleton.upperBound..<inflated.count
        return PayloadBody(bytes: inflated, item: skeleton, contents: contents)
    }
}

/// What can stop the way back from a plaintext to a payload.
enum PayloadError: Error {
    case payload(PayloadFailure)
    case native(NativeFailure)
}
