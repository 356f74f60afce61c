// Text into a sealed box, and what is checked of it before any key is used. FORMAT §2, §5.2.

/// A token's text.
enum Token {
    /// The box in `text`.
    ///
    /// - Parameter limit: bytes of text that are looked at, at the most.
    /// - Parameter bytes: an empty array, for its memory.
    /// - Parameter tailroom: bytes to reserve behind the box.
    static func box(
        in text: Span<UInt8>, limit: Int, reusing bytes: consuming [UInt8] = [], tailroom: Int = 0
    ) throws(OpenError) -> SealedBox {
        guard text.count <= limit else { throw .tooLong(byteCount: text.count) }
        bytes.reserveCapacity(text.count * 3 / 4 + tailroom)
        guard Base64URL.decode(text, appendingTo: &bytes) else { throw .notBase64URL }
        return try SealedBox(untrusted: bytes)
    }

    /// The key id in front of `text`, for who has not looked at the rest: of a token, or of anything.
    ///
    /// Looking up the key first and decoding afterwards makes garbage cheap. `check` then finds what comes
    /// first in the order of the checks.
    static func keyID(in text: Span<UInt8>, limit: Int) -> KeyID? {
        guard text.count <= limit, let first = Base64URL.firstFourBytes(text),
            first >> 24 == SealedBox.version
        else { return nil }
        return KeyID(number: first & 0xFF_FFFF)
    }

    /// Throws what is wrong with `text` before any key is looked for; in FORMAT §5.2 steps 1 to 4.
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
