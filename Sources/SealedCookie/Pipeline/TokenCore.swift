// What a sealer has, whatever carries its tokens. Sealing.swift and Opening.swift say what it does.
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
    /// Payloads are padded to a multiple of this many bytes; 0: they are not.
    let paddingBlock: Int
    /// Bytes of an item that is sealed. Not of one that is opened, which another sealer may have sealed.
    @usableFromInline let itemLimit: Int
    let carrier: Carrier
    /// Where its tokens are of a former form of a cookie: what took its place.
    let successor: Successor?

    /// What took the place of a former form of a cookie, under which no session may get longer (FORMAT §11.3).
    struct Successor: Sendable {
        let lifetime: SessionLifetime
        /// The last time at which a server sealed the former form; nil: some still do.
        let sealedUntil: Date?

        func isTooLate(_ times: SessionTimes) -> Bool {
            sealedUntil.map { times.sealedAt > $0 + Double(KeyRing.clockSkew) } ?? false
        }
    }

    /// What the core knows of what carries its tokens.
    struct Carrier: Sendable {
        /// Characters of the longest token that it takes.
        let tokenLimit: Int
        /// Seconds that it keeps a token at the most.
        let longestKept: Int
        /// What a token of this size costs it.
        let report: @Sendable (_ item: CBORItem, _ size: TokenSize, _ itemLimit: Int) -> SizeReport
    }

    /// Sessions that fit into a cookie have 3 KB, and where they compress as well as any, some 10.
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

/// Bytes of a token, stage by stage.
struct TokenSize: Sendable {
    let payloadByteCount: Int
    /// The payload with header and tag.
    var boxByteCount: Int { SealedBox.headerCount + payloadByteCount + XAESKey.tagLength }
    /// The token's text.
    var characters: Int { Base64URL.encodedCount(boxByteCount) }
}
