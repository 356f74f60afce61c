// Reads raw DEFLATE streams (RFC 1951) with zlib. A stream is reset, not created again. FORMAT §6.
import SealedCookieZlib

/// A reusable decompressor.
@safe struct Inflater: ~Copyable, @unchecked Sendable {
    // @unchecked: only the code that took it out of its pool has it. zlib keeps a pointer back to its z_stream, which
    // therefore has a fixed address on the heap.
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

    /// Appends the contents of the DEFLATE stream at the start of `input` to `output`, at most `limit` bytes.
    ///
    /// - Parameter dictionary: The text that the stream was primed with; empty for none.
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
        // One byte beyond the limit distinguishes an item that fits exactly from one that continues.
        let most = limit + 1
        // Most sessions inflate to less than four times their size: one step, one allocation.
        var room = min(most, max(256, input.count * 4))
        while true {
            var status = Z_STREAM_ERROR
            output.append(addingCapacity: room) { free in
                unsafe free.withUnsafeMutableBufferPointer { target, initialized in
                    unsafe input.extracting(droppingFirst: consumed).withUnsafeBufferPointer { source in
                        // Sound: zlib reads avail_in bytes and writes at most avail_out; it does not
                        // write through next_in, which is not const in its header only.
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
                // Room is left but no end was found: the input stopped in the middle of the stream.
                if unsafe stream.pointee.avail_out != 0 { return .corrupt }
                room = min(most - produced, produced)
            // Z_NEED_DICT belongs to zlib's own wrapper, which a raw stream lacks.
            case Z_DATA_ERROR, Z_NEED_DICT:
                return .corrupt
            default:
                throw NativeFailure(operation: "inflate")
            }
        }
    }
}
