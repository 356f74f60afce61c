// Text from bytes in one copy.

extension String {
    /// A string of `count` bytes that `write` appends; they must be UTF-8 and are checked to be.
    init(utf8Count count: Int, _ write: (inout OutputSpan<UInt8>) -> Void) {
        self = unsafe String(unsafeUninitializedCapacity: count) { buffer in
            var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
            write(&output)
            // Sound: what is not written is not counted.
            return unsafe output.finalize(for: buffer)
        }
    }
}
