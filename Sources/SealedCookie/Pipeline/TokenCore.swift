// The state of a sealer, whatever carries its tokens. Sealing.swift and Opening.swift contain its methods.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Turns items into tokens and back, for any carrier.
@usableFromInline
final class TokenCore: Sendable {
    let context: TokenContext
    let keys: KeySource
    let lifetime: SessionLifetime
    let compression: SessionCompression
    @usableFromInline let userInfo: [CodingUserInfoKey: any Sendable]
    /// Payloads are padded to a multiple of this many bytes; 0 means no padding.
    let paddingBlock: Int
    /// The bytes of the largest item that is sealed. It does not limit opening, since another sealer may have sealed
    /// the token.
    @usableFromInline let itemLimit: Int
    let carrier: Carrier
    /// If its tokens are of a former form of a cookie: the form that replaced it.
    let successor: Successor?

    /// The form that replaced a former form of a cookie. Under it, no session may live longer (FORMAT §11.3).
    struct Successor: Sendable {
        let lifetime: SessionLifetime
        /// The last time at which a server sealed the former form; nil if some still do.
        let sealedUntil: Date?

        func isTooLate(_ times: SessionTimes) -> Bool {
            sealedUntil.map { times.sealedAt > $0 + Double(KeyRing.clockSkew) } ?? false
        }
    }

    /// What the core knows about the carrier of its tokens.
    struct Carrier: Sendable {
        /// The length in characters of the longest token that it accepts.
        let tokenLimit: Int
        /// The most seconds for which it keeps a token.
        let longestKept: Int
        /// What a token of this size costs it.
        let report: @Sendable (_ item: CBORItem, _ size: TokenSize, _ itemLimit: Int) -> SizeReport
    }

    /// A session that fits into a cookie has 3 KB uncompressed, and about 10 if it compresses very well.
    private static let usualItemLimit = 16_384

    init(
        context: consuming TokenContext, keys: KeySource, lifetime: SessionLifetime,
        compression: SessionCompression,
        paddingBlock: Int, itemLimit: Int?, userInfo: [CodingUserInfoKey: any Sendable], carrier: Carrier,
        successor: Successor? = nil
    ) throws(SealerConfigurationError) {
        let most = CBORLimits.itemBytes
        if let itemLimit, !(1...most).contains(itemLimit) { throw .invalidItemLimit(itemLimit) }
        guard paddingBlock == 0 || (2...4096).contains(paddingBlock) else {
            throw .invalidPadding(paddingBlock)
        }
        guard !compression.hasAmbiguousNames else { throw .ambiguousDictionaries }
        self.context = context
        self.keys = keys
        self.lifetime = lifetime
        self.compression = compression
        self.userInfo = userInfo
        self.paddingBlock = paddingBlock
        self.itemLimit =
            itemLimit ?? max(Self.usualItemLimit, min(carrier.tokenLimit / 4 * 3, most))
        self.carrier = carrier
        self.successor = successor
    }
}

/// The sizes of a token in bytes, stage by stage.
struct TokenSize: Sendable {
    let payloadByteCount: Int
    /// The payload with header and tag.
    var boxByteCount: Int { SealedBox.headerCount + payloadByteCount + XAESKey.tagLength }
    /// The token's text.
    var characters: Int { Base64URL.encodedCount(boxByteCount) }
}
