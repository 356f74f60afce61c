// What anyone can read in a token without a key.

/// The readable outside of a token. Nothing in it is authenticated: anyone can write such a text.
public struct TokenInspection: Equatable, Sendable {
    /// The version byte: 0x48 for version 1.
    public let version: UInt8
    /// The ID of the key that the token names.
    public let keyID: KeyID
    /// The length of the token's text in characters.
    public let characterCount: Int
    /// The bytes of the sealed box: header, ciphertext and tag.
    public let byteCount: Int
    /// The bytes of its encrypted contents.
    public let payloadByteCount: Int

    /// Reads a token's outside.
    ///
    /// - Parameter token: The token's text, without a cookie's name.
    /// - Throws: The cases of ``OpenError`` that need no key: not base64url, too short, unknown version, or more than
    ///   1 MiB of text, which no sealer's limit allows.
    public init(_ token: some StringProtocol) throws(OpenError) {
        let text = Array(token.utf8)
        let box = try Token.box(in: text.span, limit: 1 << 20)
        version = SealedBox.version
        keyID = box.keyID
        characterCount = text.count
        byteCount = box.bytes.count
        payloadByteCount = box.bytes.count - SealedBox.headerCount - XAESKey.tagLength
    }
}
