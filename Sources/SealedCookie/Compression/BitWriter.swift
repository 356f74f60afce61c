// Packs bits into bytes. RFC 1951 §3.1.1.

/// Writes bits one after the other, the lowest first.
struct BitWriter {
    private var place: Int
    private var bits: UInt64 = 0
    private var bitCount = 0

    /// Appends room for `bits` bits to `output`, unless that is more than `limit` bytes.
    init?(for bits: Int, in output: inout [UInt8], limit: Int) {
        let count = (bits + 7) / 8
        guard count <= limit else { return nil }
        place = output.count
        output.append(addingCapacity: count) { $0.append(repeating: 0, count: count) }
    }

    /// Writes a code, followed by up to 13 raw bits.
    @inline(__always)
    mutating func write(
        _ code: HuffmanCodes.Code, _ extra: Int, _ extraCount: Int, to bytes: inout MutableRawSpan
    ) {
        let length = Int(code.length)
        write(Int(code.bits) | extra &<< length, length &+ extraCount, to: &bytes)
    }

    /// - Parameter count: up to 32 bits.
    @inline(__always)
    mutating func write(_ value: Int, _ count: Int, to bytes: inout MutableRawSpan) {
        bits |= UInt64(truncatingIfNeeded: value) &<< UInt64(truncatingIfNeeded: bitCount)
        bitCount &+= count
        guard bitCount >= 32 else { return }
        bytes.storeBytes(
            of: UInt32(truncatingIfNeeded: bits).littleEndian, toByteOffset: place, as: UInt32.self)
        place &+= 4
        bits &>>= 32
        bitCount &-= 32
    }

    mutating func finish(_ bytes: inout MutableRawSpan) {
        while bitCount > 0 {
            bytes.storeBytes(of: UInt8(truncatingIfNeeded: bits), toByteOffset: place, as: UInt8.self)
            place += 1
            bits >>= 8
            bitCount -= 8
        }
    }
}
