// Texts and Data of bytes that are elsewhere.
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
