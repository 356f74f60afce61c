// A cursor over bytes that cannot run past their end.

/// Reads from the front of a range of bytes, which each read gets as an argument: the cursor has no reference to
/// them. Every read tells whether there was enough.
struct ByteReader {
    private(set) var position: Int
    let end: Int

    init(in range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    var remaining: Int { end - position }

    @inline(__always)
    mutating func byte(_ bytes: Span<UInt8>) -> UInt8? {
        guard position < end else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    /// Skips one byte if it matches.
    mutating func skipByte(_ bytes: Span<UInt8>, where isSuch: (UInt8) -> Bool) -> Bool {
        guard position < end, isSuch(bytes[position]) else { return false }
        position += 1
        return true
    }

    /// The next byte if it is below `limit`; otherwise nil, without moving.
    @inline(__always)
    mutating func byte(_ bytes: Span<UInt8>, below limit: UInt8) -> UInt8? {
        guard position < end, bytes[position] < limit else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    /// A big-endian unsigned integer of `count` bytes, 1 to 8.
    mutating func integer(_ bytes: Span<UInt8>, byteCount count: Int) -> UInt64? {
        guard remaining >= count else { return nil }
        defer { position += count }
        return bytes.extracting(position...).prefix >> UInt64(64 - 8 * count)
    }

    /// The range of the next `count` bytes; nil, without moving, if fewer are left.
    @inline(__always)
    mutating func skip(_ count: UInt64) -> Range<Int>? {
        guard count <= UInt64(remaining) else { return nil }
        let start = position
        position += Int(truncatingIfNeeded: count)
        return start..<position
    }

    /// An unsigned LEB128 number in its shortest form, below 2^32.
    mutating func leb128(_ bytes: Span<UInt8>) -> UInt32? {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 35, by: 7) {
            guard let byte = byte(bytes) else { return nil }
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte & 0x80 == 0 {
                // A last group of zero adds nothing: it would be a longer spelling of the same number.
                guard byte != 0 || shift == 0 else { return nil }
                return UInt32(exactly: value)
            }
        }
        return nil
    }
}

/// A destination for bytes.
protocol ByteSink: ~Copyable, ~Escapable {
    mutating func append(_ byte: UInt8)
}

extension [UInt8]: ByteSink {}
extension OutputSpan: ByteSink where Element == UInt8 {}

extension ByteSink where Self: ~Copyable & ~Escapable {
    /// Appends the last `count` bytes of `value`, in big-endian order.
    @inline(__always)
    mutating func append(bigEndian value: UInt64, byteCount count: Int) {
        for shift in stride(from: (count - 1) * 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
        }
    }

    @inline(__always)
    mutating func append(leb128 value: UInt32) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}

extension [UInt8] {
    mutating func append(zeros count: Int) {
        guard count > 0 else { return }
        append(addingCapacity: count) { $0.append(repeating: 0, count: count) }
    }
}
