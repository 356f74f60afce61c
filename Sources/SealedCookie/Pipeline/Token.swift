// Turns text into a sealed box, and checks it before any key is used. FORMAT §2, §5.2.

/// A token's text.
enum Token {
    /// Decodes the box in `text`.
    ///
    /// - Parameters:
    ///   - limit: The number of bytes of text that are read at most.
    ///   - bytes: An empty array, whose memory is reused.
    ///   - tailroom: The bytes to reserve after the box.
    static func box(
        in text: Span<UInt8>, limit: Int, reusing bytes: consuming [UInt8] = [], tailroom: Int = 0
    ) throws(OpenError) -> SealedBox {
        guard text.count <= limit else { throw .tooLong(byteCount: text.count) }
        bytes.reserveCapacity(text.count * 3 / 4 + tailroom)
        guard Base64URL.decode(text, appendingTo: &bytes) else { throw .notBase64URL }
        return try SealedBox(untrusted: bytes)
    }

    /// The key ID at the start of `text`, without validating the rest: it may be a token or anything.
    ///
    /// Looking up the key first and decoding later makes garbage cheap to refuse. `check` then finds the first
    /// failure in the order of the checks.
    static func keyID(in text: Span<UInt8>, limit: Int) -> KeyID? {
        guard text.count <= limit, let first = Base64URL.firstFourBytes(text),
            first >> 24 == SealedBox.version
        else { return nil }
        return KeyID(number: first & 0xFF_FFFF)
    }

    /// Throws what is wrong with `text` before any key is looked up: steps 1 to 4 of FORMAT §5.2.
    static func check(_ text: Span<UInt8>, limit: Int) throws(OpenError) {
        guard text.count <= limit else { throw .tooLong(byteCount: text.count) }
        guard Base64URL.isText(text) else { throw .notBase64URL }
        let count = text.count * 3 / 4
        guard count >= SealedBox.minimumCount, let first = Base64URL.firstFourBytes(text) else {
            throw .tooShort(byteCount: count)
        }
        let version = UInt8(first >> 24)
        guard version == SealedBox.version else { throw .unknownVersion(version) }
    }
}
