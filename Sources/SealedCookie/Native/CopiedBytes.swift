// Bytes moved in one piece: into arrays, texts and Data.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension String {
    /// The text of bytes that a check has found to be UTF-8 already.
    init(validated bytes: Span<UInt8>) {
        // Sound: callers have them from `CBORIndex`, which keeps no text that is not UTF-8.
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

extension [UInt8] {
    mutating func append(copying bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        append(addingCapacity: bytes.count) { free in
            unsafe free.withUnsafeMutableBufferPointer { target, initialized in
                unsafe bytes.withUnsafeBufferPointer { source in
                    guard let to = target.baseAddress, let from = source.baseAddress else { return }
                    // Sound: there is room for as many.
                    unsafe to.initialize(from: from, count: source.count)
                    initialized = source.count
                }
            }
        }
    }

    /// Drops all but the bytes in `range`, in place.
    mutating func keep(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        unsafe withUnsafeMutableBufferPointer { buffer in
            guard range.lowerBound > 0, let base = buffer.baseAddress else { return }
            // Sound: the precondition keeps the range inside the array.
            unsafe base.update(from: base + range.lowerBound, count: range.count)
        }
        removeLast(count - range.count)
    }
}
