// What a token shows to anyone, without a key.

/// The readable outside of a token. Nothing of it is authenticated: anybody can write such a text.
public struct TokenInspection: Equatable, Sendable {
    /// 0x48 for version 1.
    public let version: UInt8
    /// The key that is said to have sealed it.
    public let keyID: KeyID
    /// Characters of the token's text.
    public let characterCount: Int
    /// Bytes of the sealed box: header, ciphertext and tag.
    public let byteCount: Int
    /// Bytes of what is encrypted in it.
    public let payloadByteCount: Int

    /// Reads a token's outside.
    ///
    /// - Parameter token: the token's text, without a cookie's name.
    /// - Throws: the `OpenError` cases that need no key: not base64url, too short, unknown version, or
    ///   more than 64 KiB of text.
    public init(_ token: some StringProtocol) throws(OpenError) {
        let text = Array(token.utf8)
        let box = try Token.box(in: text.span, limit: 65_536)
        version = SealedBox.version
        keyID = box.keyID
        characterCount = text.count
        byteCount = box.bytes.count
        payloadByteCount = box.bytes.count - SealedBox.headerCount - XAESKey.tagLength
    }
}
