// The last stage of a value: a sealed box as text. FORMAT §2.

/// The text that a cookie carries.
struct Token: Sendable {
    let text: String

    init(_ box: borrowing SealedBox) {
        text = Base64URL.encode(box.bytes.span)
    }

    /// The box in `text`.
    ///
    /// - Parameter limit: bytes of text that are looked at, at the most.
    /// - Parameter bytes: an empty array, for its memory.
    static func box(
        in text: Span<UInt8>, limit: Int, reusing bytes: consuming [UInt8] = []
    ) throws(OpenError) -> SealedBox {
        guard text.count <= limit else { throw .tooLong(byteCount: text.count) }
        guard Base64URL.decode(text, appendingTo: &bytes) else { throw .notBase64URL }
        return try SealedBox(untrusted: bytes)
    }

    /// The characters of a token with a payload of this many bytes.
    static func textCount(payloadByteCount: Int) -> Int {
        Base64URL.encodedCount(SealedBox.headerCount + payloadByteCount + XAESKey.tagLength)
    }
}
