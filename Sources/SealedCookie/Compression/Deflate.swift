// Raw DEFLATE (RFC 1951) through zlib, with streams that are reset rather than made anew. FORMAT §6.
import SealedCookieZlib

/// A reusable compressor, primed with a dictionary or none.
///
/// Priming a stream costs as much as compressing a small session. So one stream is primed once, and
/// each session is compressed by a copy of it.
@safe struct Deflater: ~Copyable, @unchecked Sendable {
    // @unchecked: owned by whoever took it out of its pool, alone. zlib keeps a pointer back to its
    // z_stream, which therefore has one fixed place on the heap.
    /// The stream at work, and the primed one that it is a copy of.
    private let streams: UnsafeMutablePointer<z_stream>
    /// The memory of both, where there is a dictionary; else zlib has its own.
    private let arena: UnsafeMutablePointer<sealed_cookie_arena>?
    /// How much of it the primed stream takes.
    private let primed: Int

    /// How far a stream looks back. Most sessions need little, and less memory is sooner copied or cleared.
    enum Reach {
        /// For at most `shortLimit` bytes, dictionary included: the same matches as with the long one.
        case short
        case long

        /// Within the window with what zlib looks ahead, and fewer symbols than end a block.
        static let shortLimit = 3800
        static let shortInput = 2000

        init(dictionary: Int, input: Int) {
            self = input <= Self.shortInput && dictionary + input <= Self.shortLimit ? .short : .long
        }

        /// Raw, of 4 and 8 KiB.
        fileprivate var windowBits: Int32 { self == .short ? -12 : -13 }
        /// The long one's: as small as long inputs allow without a longer token.
        fileprivate var memLevel: Int32 { self == .short ? 5 : 6 }
        /// Bytes that a stream and its copy take of zlib 1.2 and 1.3, to begin with.
        fileprivate var arena: Int { self == .short ? 80 * 1024 : 160 * 1024 }
    }

    init(dictionary: [UInt8] = [], reach: Reach = .long) throws(NativeFailure) {
        let streams = UnsafeMutablePointer<z_stream>.allocate(capacity: 2)
        unsafe streams.initialize(repeating: z_stream(), count: 2)
        unsafe self.streams = streams
        guard !dictionary.isEmpty else {
            unsafe arena = nil
            primed = 0
            // From here on the deinit frees what there is.
            guard unsafe Self.start(streams, reach) == Z_OK else {
                throw NativeFailure(operation: "deflateInit2")
            }
            return
        }
        var capacity = reach.arena
        while true {
            let arena = unsafe Self.arena(capacity)
            unsafe streams[1] = z_stream()
            unsafe streams[1].opaque = UnsafeMutableRawPointer(arena)
            unsafe streams[1].zalloc = sealed_cookie_arena_allocate
            unsafe streams[1].zfree = sealed_cookie_arena_release
            var status = unsafe Self.start(streams + 1, reach)
            if status == Z_OK {
                status = unsafe deflateSetDictionary(streams + 1, dictionary, UInt32(dictionary.count))
            }
            let used = unsafe arena.pointee.used
            let isTooSmall = unsafe arena.pointee.is_full || 2 * used > capacity
            // Another zlib takes more.
            if isTooSmall, capacity < 1 << 22 {
                unsafe Self.release(arena)
                capacity *= 2
                continue
            }
            unsafe self.arena = unsafe arena
            primed = used
            guard status == Z_OK, !isTooSmall else { throw NativeFailure(operation: "deflateInit2") }
            return
        }
    }

    private static func start(_ stream: UnsafeMutablePointer<z_stream>, _ reach: Reach) -> Int32 {
        unsafe deflateInit2_(
            stream, 9, Z_DEFLATED, reach.windowBits, reach.memLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
    }

    private static func arena(_ capacity: Int) -> UnsafeMutablePointer<sealed_cookie_arena> {
        let arena = UnsafeMutablePointer<sealed_cookie_arena>.allocate(capacity: 1)
        // Zeros: zlib reads ahead of what it has written, though nothing comes of it.
        let base = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        unsafe base.initialize(repeating: 0, count: capacity)
        unsafe arena.initialize(
            to: sealed_cookie_arena(base: base, used: 0, capacity: capacity, is_full: false))
        return unsafe arena
    }

    private static func release(_ arena: UnsafeMutablePointer<sealed_cookie_arena>) {
        unsafe arena.pointee.base.deallocate()
        unsafe arena.deallocate()
    }

    deinit {
        if let arena = unsafe arena {
            // Both streams lie in it: there is nothing to end.
            unsafe Self.release(arena)
        } else {
            unsafe deflateEnd(streams)
        }
        unsafe streams.deallocate()
    }

    /// The stream as it is before its first byte.
    private func fresh() throws(NativeFailure) -> UnsafeMutablePointer<z_stream> {
        guard let arena = unsafe arena else {
            guard unsafe deflateReset(streams) == Z_OK else { throw NativeFailure(operation: "deflateReset") }
            return unsafe streams
        }
        // The copy before is forgotten.
        unsafe arena.pointee.used = primed
        guard unsafe deflateCopy(streams, streams + 1) == Z_OK else {
            throw NativeFailure(operation: "deflateCopy")
        }
        return unsafe streams
    }

    /// Places that level 9 looks at for a match, for each byte.
    private static let fullEffort = 4096

    /// Places to look at for so many bytes: all up to 4,096 bytes, then fewer the more there are. Text made for
    /// it has a match that could be longer at each of them, and 65,536 letters out of two took 75 ms; so
    /// it is 3 ms at the most. Texts that people write have not as many places that begin alike.
    private static func effort(_ count: Int) -> Int { count <= 4096 ? fullEffort : (1 << 21) / count }

    /// Appends the compressed form of `input` to `output`.
    ///
    /// - Parameter effort: places to look at for a match; nil: as its length allows.
    /// - Returns: false, with `output` as it was, where it would take more than `limit` bytes.
    func compress(
        _ input: Span<UInt8>, appendingTo output: inout [UInt8], limit: Int, effort: Int? = nil
    ) throws(NativeFailure) -> Bool {
        guard limit > 0 else { return false }
        let effort = effort ?? Self.effort(input.count)
        let stream = unsafe try fresh()
        if effort < Self.fullEffort {
            guard unsafe deflateTune(stream, 32, 258, 258, Int32(effort)) == Z_OK else {
                throw NativeFailure(operation: "deflateTune")
            }
        }
        var status = Z_STREAM_ERROR
        let start = output.count
        // zlib does not report the end of a stream that fills its buffer to the last byte.
        let room = limit + 1
        output.append(addingCapacity: room) { free in
            unsafe free.withUnsafeMutableBufferPointer { target, initialized in
                unsafe input.withUnsafeBufferPointer { source in
                    // Sound: zlib reads avail_in bytes and writes at most avail_out; it does not
                    // write through next_in, which is not const in its header only.
                    unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                    unsafe stream.pointee.avail_in = UInt32(source.count)
                    unsafe stream.pointee.next_out = target.baseAddress
                    unsafe stream.pointee.avail_out = UInt32(room)
                    status = unsafe deflate(stream, Z_FINISH)
                    initialized = status == Z_STREAM_END ? unsafe room - Int(stream.pointee.avail_out) : 0
                    unsafe stream.pointee.next_in = nil
                    unsafe stream.pointee.next_out = nil
                }
            }
        }
        switch status {
        case Z_STREAM_END where output.count - start <= limit: return true
        case Z_STREAM_END:
            output.removeLast(output.count - start)
            return false
        case Z_OK, Z_BUF_ERROR: return false
        default: throw NativeFailure(operation: "deflate")
        }
    }
}

/// A reusable decompressor.
@safe struct Inflater: ~Copyable, @unchecked Sendable {
    // @unchecked: as for Deflater.
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(NativeFailure) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe inflateInit2_(stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            unsafe stream.deallocate()
            throw NativeFailure(operation: "inflateInit2")
        }
        unsafe self.stream = stream
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    enum Outcome: Equatable {
        /// The stream ended after `consumed` bytes of the input.
        case ended(consumed: Int)
        case corrupt
        case tooLong
    }

    /// Appends what the DEFLATE stream at the start of `input` holds to `output`, at most `limit` bytes.
    ///
    /// - Parameter dictionary: what the stream was primed with; empty: nothing.
    func decompress(
        _ input: Span<UInt8>, dictionary: [UInt8] = [], appendingTo output: inout [UInt8], limit: Int
    ) throws(NativeFailure) -> Outcome {
        guard unsafe inflateReset(stream) == Z_OK else { throw NativeFailure(operation: "inflateReset") }
        if !dictionary.isEmpty,
            unsafe inflateSetDictionary(stream, dictionary, UInt32(dictionary.count)) != Z_OK
        {
            throw NativeFailure(operation: "inflateSetDictionary")
        }
        var consumed = 0
        var produced = 0
        // One byte beyond the limit tells an item that fits exactly from one that goes on.
        let most = limit + 1
        // Most sessions inflate to less than four times their size: one step, one allocation.
        var room = min(most, max(256, input.count * 4))
        while true {
            var status = Z_STREAM_ERROR
            output.append(addingCapacity: room) { free in
                unsafe free.withUnsafeMutableBufferPointer { target, initialized in
                    unsafe input.extracting(droppingFirst: consumed).withUnsafeBufferPointer { source in
                        // Sound: as in `compress`.
                        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                        unsafe stream.pointee.avail_in = UInt32(source.count)
                        unsafe stream.pointee.next_out = target.baseAddress
                        unsafe stream.pointee.avail_out = UInt32(room)
                        status = unsafe inflate(stream, Z_NO_FLUSH)
                        consumed += unsafe source.count - Int(stream.pointee.avail_in)
                        initialized = unsafe room - Int(stream.pointee.avail_out)
                        produced += initialized
                        unsafe stream.pointee.next_in = nil
                        unsafe stream.pointee.next_out = nil
                    }
                }
            }
            switch status {
            case Z_STREAM_END:
                return produced > limit ? .tooLong : .ended(consumed: consumed)
            case Z_OK, Z_BUF_ERROR:
                if produced == most { return .tooLong }
                // Room left but no end: the input ran out in the middle of the stream.
                if unsafe stream.pointee.avail_out != 0 { return .corrupt }
                room = min(most - produced, produced)
            // Z_NEED_DICT is of zlib's own wrapper, which a raw stream has not.
            case Z_DATA_ERROR, Z_NEED_DICT:
                return .corrupt
            default:
                throw NativeFailure(operation: "inflate")
            }
        }
    }
}
