// Copies and compares bytes in one piece: arrays, texts and Data.
import SealedCookieLibc

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension String {
    /// The text of bytes that were already checked to be UTF-8.
    init(validated bytes: Span<UInt8>) {
        // Sound: callers get them from `CheckedItem`, which accepts no text that is not UTF-8.
        self.init(copying: unsafe UTF8Span(unchecked: bytes))
    }
}

extension Data {
    init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return Data() }
            // Sound: as many bytes as the span has.
            return unsafe Data(bytes: base, count: bytes.count)
        }
    }
}

extension Span<UInt8> {
    /// The first eight bytes, big-endian, padded with zeros.
    var prefix: UInt64 {
        if count >= 8 {
            // Sound: eight bytes.
            return unsafe withUnsafeBytes { unsafe UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) }
        }
        var prefix: UInt64 = 0
        for index in indices { prefix |= UInt64(self[index]) << UInt64(56 - 8 * index) }
        return prefix
    }

    /// Whether no byte is above 0x7F.
    var isASCII: Bool {
        let highBits: UInt64 = 0x8080_8080_8080_8080
        guard count >= 8 else { return prefix & highBits == 0 }
        return unsafe withUnsafeBytes { bytes in
            // Sound: eight bytes at a time. If the count is not a multiple of eight, the last eight overlap.
            var all = unsafe bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            for offset in stride(from: 0, to: count - 8, by: 8) {
                all |= unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            }
            return all & highBits == 0
        }
    }

    /// Compares these bytes with as many others: below 0, 0 or above. Not for secrets.
    func compare(with other: Span<UInt8>) -> Int {
        precondition(count == other.count)
        return unsafe withUnsafeBufferPointer { a in
            unsafe other.withUnsafeBufferPointer { b in
                guard let a = a.baseAddress, let b = b.baseAddress else { return 0 }
                // Sound: both have the same number of bytes.
                return unsafe Int(memcmp(a, b, count))
            }
        }
    }
}

extension OutputSpan<UInt8> {
    /// There must be room for them.
    @inline(__always)
    mutating func append(copying bytes: Span<UInt8>) {
        unsafe withUnsafeMutableBufferPointer { target, initialized in
            precondition(target.count - initialized >= bytes.count)
            unsafe bytes.withUnsafeBufferPointer { source in
                guard let to = target.baseAddress, let from = source.baseAddress else { return }
                // Sound: there is room for that many.
                unsafe (to + initialized).initialize(from: from, count: source.count)
                initialized += source.count
            }
        }
    }
}

extension [UInt8] {
    mutating func append(copying bytes: Span<UInt8>) {
        // Swift 6.3 also writes an array's count after `append(addingCapacity: 0)`. All empty arrays of all threads
        // share one count: it stays 0, but the write is a data race. So nothing here asks for a capacity of 0.
        guard !bytes.isEmpty else { return }
        append(addingCapacity: bytes.count) { $0.append(copying: bytes) }
    }

    init(copying bytes: Span<UInt8>) {
        self.init()
        append(copying: bytes)
    }
}
