// The second stage: a payload's bytes, compressed where that makes them fewer. FORMAT §6.

/// The plaintext of a token.
///
/// What a byte string holds never meets the compressor: in a compressed body the contents follow the
/// DEFLATE stream of the rest.
struct CompressedPayload: ~Copyable, Sendable {
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
        static let known: UInt8 = 15 | SessionMarks.all.rawValue
    }

    init(bytes: consuming [UInt8], range: Range<Int>) {
        self.bytes = bytes
        self.range = range
    }

    /// - Parameters:
    ///   - headroom: bytes to leave free in front, for the token's header.
    ///   - tailroom: bytes to reserve behind, for the tag.
    ///   - compression: how, if at all.
    ///   - block: pads the payload to a multiple of this many bytes; 0: no padding.
    ///   - deflater: what compresses.
    ///   - bytes: an empty array, for its memory.
    init(
        compressing payload: borrowing SessionPayload,
        by compression: SessionCompression = .withoutDictionary,
        block: Int = 0, headroom: Int, tailroom: Int, using deflater: inout Deflater,
        reusing bytes: consuming [UInt8] = []
    ) {
        let times = payload.times
        let itemCount = payload.item.bytes.count
        // Room for all that follows, and zeros for the stage before and for flags that are not known yet.
        bytes.append(addingCapacity: headroom + 20 + itemCount + block + tailroom) { start in
            start.append(repeating: 0, count: headroom)
            start.append(times.marks.rawValue | (times.lifetime == nil ? 0 : Flag.lifetime))
            start.append(bigEndian: UInt64(times.created), byteCount: 4)
            start.append(leb128: times.age)
            if let lifetime = times.lifetime {
                start.append(leb128: lifetime.absolute)
                start.append(leb128: lifetime.idle)
            }
        }
        let flags = Self.appendCompressed(payload.item, by: compression, using: &deflater, to: &bytes)
        bytes[headroom] |= flags
        if flags == 0 { bytes.append(copying: payload.item.bytes.span) }
        if block > 0 {
            bytes[headroom] |= Flag.padding
            bytes.append(0x80)
            while !(bytes.count - headroom).isMultiple(of: block) { bytes.append(0) }
        }
        self.bytes = bytes
        range = headroom..<bytes.count
    }

    /// Appends the divided, compressed form of `item` if it is shorter than the item.
    ///
    /// - Returns: the flags that say so; 0 where nothing was appended.
    private static func appendCompressed(
        _ item: CBORItem, by compression: SessionCompression, using deflater: inout Deflater,
        to bytes: inout [UInt8]
    ) -> UInt8 {
        guard compression.isOn else { return 0 }
        let contentCount = item.byteStrings.reduce(0) { $0 + $1.count }
        // No stream of a shorter item is shorter than the item itself.
        guard item.bytes.count - contentCount > 4 else { return 0 }
        let skeleton = item.skeleton
        let start = bytes.count
        var flags = Flag.compressed
        if let index = compression.sealingIndex {
            let (saved, id) = compression.dictionaries.withUncounted(\.contents, at: index) {
                (deflater.findMatches(in: skeleton.span, after: $0.text), $0.id)
            }
            // One that saves no more than its name takes helps nobody.
            if saved > 8 * id.byteCount {
                flags |= Flag.dictionary
                bytes.append(bigEndian: UInt64(id.number), byteCount: id.byteCount)
            } else {
                deflater.findMatches(in: skeleton.span)
            }
        } else {
            deflater.findMatches(in: skeleton.span)
        }
        let limit = skeleton.count - 1 - (bytes.count - start)
        guard deflater.append(skeleton.span, to: &bytes, limit: limit) else {
            bytes.removeLast(bytes.count - start)
            return 0
        }
        for content in item.byteStrings { bytes.append(copying: item.bytes.span.extracting(content)) }
        return flags
    }

    /// The payload back. Its item is in `memory.item`.
    consuming func decompressed(
        _ compression: SessionCompression, in memory: inout WorkingMemory
    ) throws(OpenError) -> (times: SessionTimes, dictionary: CompressionDictionary.ID?) {
        let fields: Fields
        do throws(PayloadFailure) {
            fields = try Fields(bytes.span, in: range)
        } catch {
            throw .malformedPayload(error.words)
        }
        var dictionary: [UInt8] = []
        if let id = fields.dictionary {
            guard let index = compression.index(of: id) else { throw .unknownDictionary(id.description) }
            dictionary = compression.dictionaries[index].bytes
        }
        guard !fields.body.isEmpty else { throw .malformedPayload(PayloadFailure.endsEarly.words) }
        guard fields.isCompressed else {
            if fields.times.marks.contains(.ended),
                fields.body.count > 1 || bytes[fields.body.lowerBound] != CBORItem.null.bytes[0]
            {
                throw .malformedPayload(PayloadFailure.endedSession.words)
            }
            memory.item = UncheckedItem(bytes: exchange(&bytes, with: []), range: fields.body, contents: nil)
            return (fields.times, nil)
        }
        try inflate(fields.body, dictionary, in: &memory)
        memory.give(exchange(&bytes, with: []))
        return (fields.times, fields.dictionary)
    }

    /// When it was sealed, and whether it says that a session was signed out, and no more of it; nil where its times cannot be
    /// read. For telling which of several tokens decides (FORMAT §11.2).
    var times: SessionTimes? {
        var reader = ByteReader(in: range)
        guard let flags = reader.byte(bytes.span), let times = try? Fields.times(&reader, bytes.span) else {
            return nil
        }
        return SessionTimes(
            created: times.created, age: times.age, lifetime: nil,
            marks: SessionMarks(rawValue: flags).intersection(.ended))
    }

    /// Where a payload's fields stand.
    private struct Fields {
        let times: SessionTimes
        let isCompressed: Bool
        let dictionary: CompressionDictionary.ID?
        let body: Range<Int>

        init(_ bytes: Span<UInt8>, in range: Range<Int>) throws(PayloadFailure) {
            var reader = ByteReader(in: range)
            guard let flags = reader.byte(bytes) else { throw .endsEarly }
            isCompressed = flags & Flag.compressed != 0
            let hasDictionary = flags & Flag.dictionary != 0
            let marks = SessionMarks(rawValue: flags).intersection(.all)
            // A dictionary for nothing is refused as well, and so is a compressed session that has ended.
            guard flags & ~Flag.known == 0, isCompressed ? !marks.contains(.ended) : !hasDictionary else {
                throw .unknownFlags(flags)
            }
            let (created, age) = try Self.times(&reader, bytes)
            var lifetime: OwnLifetime?
            if flags & Flag.lifetime != 0 {
                // A lifetime of nothing is no lifetime; an idle time of nothing is none.
                guard let absolute = reader.leb128(bytes), absolute > 0, let idle = reader.leb128(bytes)
                else {
                    throw .number
                }
                lifetime = OwnLifetime(absolute: absolute, idle: idle)
            }
            times = SessionTimes(created: created, age: age, lifetime: lifetime, marks: marks)
            var end = reader.end
            if flags & Flag.padding != 0 {
                while end > reader.position, bytes[end - 1] == 0 { end -= 1 }
                guard end > reader.position, bytes[end - 1] == 0x80 else { throw .padding }
                end -= 1
            }
            if hasDictionary {
                guard let id = CompressionDictionary.ID(&reader, bytes, end: end) else { throw .endsEarly }
                dictionary = id
            } else {
                dictionary = nil
            }
            guard reader.position <= end else { throw .endsEarly }
            body = reader.position..<end
        }

        /// The two times, which follow the flags.
        static func times(
            _ reader: inout ByteReader, _ bytes: Span<UInt8>
        ) throws(PayloadFailure) -> (created: UInt32, age: UInt32) {
            guard let created = reader.integer(bytes, byteCount: 4) else { throw .endsEarly }
            guard let age = reader.leb128(bytes) else { throw .number }
            return (UInt32(truncatingIfNeeded: created), age)
        }
    }

    /// Leaves what `body` holds in `memory.item`.
    private func inflate(
        _ body: Range<Int>, _ dictionary: [UInt8], in memory: inout WorkingMemory
    ) throws(OpenError) {
        var inflated = memory.takeBytes()
        let outcome: Inflater.Outcome
        do throws(NativeFailure) {
            outcome = try memory.inflate(
                bytes.span.extracting(body), dictionary, appendingTo: &inflated, limit: CBORLimits.itemBytes)
        } catch {
            throw .libraryFailed(operation: error.operation)
        }
        let failure: PayloadFailure
        switch outcome {
        case .ended(let consumed):
            let skeleton = 0..<inflated.count
            if consumed < body.count {
                inflated.append(
                    copying: bytes.span.extracting(body.lowerBound + consumed..<body.upperBound))
            }
            let contents = skeleton.upperBound..<inflated.count
            memory.item = UncheckedItem(bytes: inflated, range: skeleton, contents: contents)
            return
        case .tooLong: failure = .item(CBORFailure(.tooLong))
        default: failure = .deflate
        }
        throw .malformedPayload(failure.words)
    }
}
