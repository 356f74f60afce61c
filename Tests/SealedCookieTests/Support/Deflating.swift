// DEFLATE streams for tests.
import SealedCookieZlib

@testable import SealedCookie

extension Deflater {
    /// Both steps in one.
    mutating func compress(
        _ input: [UInt8], after dictionary: IndexedText = .empty, appendingTo output: inout [UInt8],
        limit: Int = 1 << 20
    ) -> Bool {
        findMatches(in: input.span, after: dictionary)
        return append(input.span, to: &output, limit: limit)
    }
}

/// The stream that this library makes.
func deflated(_ input: [UInt8], after dictionary: IndexedText = .empty) -> [UInt8] {
    var deflater = Deflater()
    var stream: [UInt8] = []
    _ = deflater.compress(input, after: dictionary, appendingTo: &stream)
    return stream
}

/// zlib's stream at level 9: for input of more than 64 KiB, for which this library's compressor is not made, and for
/// comparison.
func zlibDeflated(_ input: [UInt8]) -> [UInt8] {
    var stream = unsafe z_stream()
    unsafe deflateInit2_(
        &stream, 9, Z_DEFLATED, -13, 6, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    defer { unsafe deflateEnd(&stream) }
    var input = input
    let room = unsafe Int(deflateBound(&stream, UInt(input.count)))
    return unsafe [UInt8](unsafeUninitializedCapacity: room) { target, count in
        unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe stream.next_in = source.baseAddress
            unsafe stream.avail_in = UInt32(source.count)
            unsafe stream.next_out = target.baseAddress
            unsafe stream.avail_out = UInt32(target.count)
            unsafe deflate(&stream, Z_FINISH)
            count = unsafe target.count - Int(stream.avail_out)
        }
    }
}

extension CompressedPayload {
    init(
        compressing payload: SessionPayload, by compression: SessionCompression = .withoutDictionary,
        block: Int = 0, headroom: Int = 0, tailroom: Int = 0
    ) {
        var deflater = Deflater()
        self.init(
            compressing: payload, by: compression, block: block, headroom: headroom, tailroom: tailroom,
            using: &deflater)
    }
}
