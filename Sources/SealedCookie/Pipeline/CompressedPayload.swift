// The second stage: a payload's bytes, compressed if that saves any. FORMAT §6.

/// The plaintext of a token.
///
/// The contents of byte strings never reach the compressor: in a compressed body they follow the DEFLATE stream of
/// the rest.
struct CompressedPayload: ~Copyable, Sendable {
    /// Contains the payload in `range`, with room around it for the next stages.
    var bytes: [UInt8]
    let range: Range<Int>

    /// The size of the smallest payload: flags, created, age, an item of one byte.
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
    ///   - headroom: The bytes to leave free in front, for the token's header.
    ///   - tailroom: The bytes to reserve at the end, for the tag.
    ///   - compression: How to compress, if at all.
    ///   - block: The payload is padded to a multiple of this many bytes; 0 means no padding.
    ///   - deflater: The compressor.
    ///   - bytes: An empty array, whose memory is reused.
    init(
        compressing payload: borrowing SessionPayload,
        by compression: SessionCompression = .withoutDictionary,
        block: Int = 0, headroom: Int, tailroom: Int, using deflater: inout Deflater,
        reusing bytes: consuming [UInt8] = []
    ) {
        let times = payload.times
        let itemCount = payload.item.bytes.count
        // Room for everything that follows, and zeros for the token's header and for flags that are not known yet.
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

    /// Appends `item`, divided and compressed, if that is shorter than the item.
    ///
    /// - Returns: The flags for this form; 0 if nothing was appended.
    private static func appendCompressed(
        _ item: CBORItem, by compression: SessionCompression, using deflater: inout Deflater,
        to bytes: inout [UInt8]
    ) -> UInt8 {
        guard compression.isOn else { return 0 }
        let contentCount = item.byteStrings.reduce(0) { $0 + $1.count }
        // For an item this short, no stream is shorter than the item itself.
        guard item.bytes.count - contentCount > 4 else { return 0 }
        let skeleton = item.skeleton
        let start = bytes.count
        var flags = Flag.compressed
        if let index = compression.sealingIndex {
            let (saved, id) = compression.dictionaries.withUncounted(\.contents, at: index) {
                (deflater.findMatches(in: skeleton.span, after: $0.text), $0.id)
            }
            // A dictionary that saves no more than its name takes is of no use.
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

    /// Restores the payload. Its item is in `memory.item`.
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

    /// The time at which it was sealed, and whether it marks a sign-out; nothing else is read. Nil if its times
    /// cannot be read. This tells which of several tokens decides (FORMAT §11.2).
    var times: SessionTimes? {
        var reader = ByteReader(in: range)
        guard let flags = reader.byte(bytes.span), let times = try? Fields.times(&reader, bytes.span) else {
            return nil
        }
        return SessionTimes(
            created: times.created, age: times.age, lifetime: nil,
            marks: SessionMarks(rawValue: flags).intersection(.ended))
    }

    /// The fields of a payload and their positions.
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
            // An unused dictionary is refused as well, and so is a compressed session that has ended.
            guard flags & ~Flag.known == 0, isCompressed ? !marks.contains(.ended) : !hasDictionary else {
                throw .unknownFlags(flags)
            }
            let (created, age) = try Self.times(&reader, bytes)
            var lifetime: OwnLifetime?
            if flags & Flag.lifetime != 0 {
                // A lifetime of 0 is refused. An idle time of 0 means none.
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

        /// The two times that follow the flags.
        static func times(
            _ reader: inout ByteReader, _ bytes: Span<UInt8>
        ) throws(PayloadFailure) -> (created: UInt32, age: UInt32) {
            guard let created = reader.integer(bytes, byteCount: 4) else { throw .endsEarly }
            guard let age = reader.leb128(bytes) else { throw .number }
            return (UInt32(truncatingIfNeeded: created), age)
        }
    }

    /// Leaves the contents of `body` in `memory.item`.
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
