// The third stage: a payload encrypted and authenticated. FORMAT §3, §5.

/// A token's bytes: header, ciphertext, tag. Consumed by the next stage, as payloads are.
struct SealedBox: ~Copyable, Sendable {
    /// Every token's first byte. In base64url the text then begins with `S`.
    static let version: UInt8 = 0x48
    /// Version, key id and R.
    static let headerCount = 24
    private static let randomRange = 4..<24
    static let minimumCount = headerCount + CompressedPayload.minimumCount + XAESKey.tagLength

    private(set) var bytes: [UInt8]

    /// Takes over bytes that have not been checked in any way.
    init(untrusted bytes: consuming [UInt8]) throws(OpenError) {
        guard bytes.count >= Self.minimumCount else { throw .tooShort(byteCount: bytes.count) }
        guard bytes[0] == Self.version else { throw .unknownVersion(bytes[0]) }
        self.bytes = bytes
    }

    /// Seals `payload`, which must have `headerCount` bytes of headroom, with a fresh random R.
    ///
    /// - Parameter id: The ID of the ciphers' key.
    init(
        sealing payload: consuming CompressedPayload, using ciphers: inout XAESCiphers, of id: KeyID,
        authenticating context: borrowing TokenContext
    ) throws(NativeFailure) {
        let range = payload.range
        let end = range.upperBound + XAESKey.tagLength
        // Any bytes after the payload would go out after the tag.
        precondition(range.lowerBound == Self.headerCount && payload.bytes.count <= end)
        // Moved out, so that no second reference forces a copy.
        var bytes = exchange(&payload.bytes, with: [])
        bytes.append(zeros: end - bytes.count)
        bytes[0] = Self.version
        (bytes[1], bytes[2], bytes[3]) = id.bytes
        let data = context.append(header: Self.header(bytes), to: &bytes)
        try ciphers.seal(&bytes, random: Self.randomRange, plaintext: range, associatedData: data)
        bytes.removeLast(data.count)
        self.bytes = bytes
    }

    /// The bytes to reserve after a payload: for its tag, and for what is authenticated with it.
    static func tailCount(authenticating context: borrowing TokenContext) -> Int {
        XAESKey.tagLength + context.count
    }

    /// Gives the bytes away.
    consuming func takeBytes() -> [UInt8] { exchange(&bytes, with: []) }

    var keyID: KeyID { KeyID(bytes[1], bytes[2], bytes[3]) }

    /// Opens the box.
    ///
    /// - Throws: `.notAuthentic`. Nothing of the plaintext is then left in memory.
    consuming func opened(
        using ciphers: inout XAESCiphers, authenticating context: borrowing TokenContext
    ) throws(OpenError) -> CompressedPayload {
        var bytes = exchange(&self.bytes, with: [])
        let range = Self.headerCount..<bytes.count - XAESKey.tagLength
        let authentic: Bool
        do throws(NativeFailure) {
            let data = context.append(header: Self.header(bytes), to: &bytes)
            authentic = try ciphers.open(
                &bytes, random: Self.randomRange, ciphertext: range, associatedData: data)
        } catch {
            throw .libraryFailed(operation: error.operation)
        }
        guard authentic else { throw .notAuthentic }
        return CompressedPayload(bytes: bytes, range: range)
    }

    private static func header(_ bytes: [UInt8]) -> InlineArray<4, UInt8> {
        [bytes[0], bytes[1], bytes[2], bytes[3]]
    }
}
