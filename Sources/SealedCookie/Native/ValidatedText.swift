// Strings of bytes that are known to be UTF-8.

extension String {
    /// The text of bytes that a check has found to be UTF-8 already.
    init(validated bytes: Span<UInt8>) {
        // Sound: callers have them from `CBORIndex`, which keeps no text that is not UTF-8.
        self.init(copying: unsafe UTF8Span(unchecked: bytes))
    }
}
