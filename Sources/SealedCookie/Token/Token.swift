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
    static func box(in text: Span<UInt8>, limit: Int) throws(OpenError) -> SealedBox {
        guard text.count <= limit else { throw .tooLong(byteCount: text.count) }
        guard let bytes = Base64URL.decode(text) else { throw .notBase64URL }
        return try SealedBox(untrusted: bytes)
    }

    /// The characters of a token with a payload of this many bytes.
    static func textCount(payloadByteCount: Int) -> Int {
        Base64URL.encodedCount(SealedBox.headerCount + payloadByteCount + XAESKey.tagLength)
    }
}
