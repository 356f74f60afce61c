// Tokens for what is not a cookie: a link's parameter, a form's field, a header. FORMAT §5.3.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Seals values into texts that a link, a form or a header carries, and opens them again.
///
///     let resets = try TokenSealer<PasswordReset>(
///         purpose: "password-reset", keys: keys, lifetime: .init(absolute: .hours(1)))
///     let link = "https://example.com/reset?token=\(try resets.seal(PasswordReset(user: 42)).text)"
///
/// A token's text is letters, digits, `-` and `_`: no URL needs to escape it. It opens for the same purpose alone, and
/// never as a cookie's, nor does a cookie's open as one. Whoever has it can use it until it ends, as often as they like. For
/// what may happen once, keep the texts of the tokens that were used until they end: each token has one spelling.
///
/// Make one for each purpose and share it: it is Sendable, and may be used from any number of threads.
public struct TokenSealer<Value: Codable & Sendable>: Sendable {
    /// What its tokens are for.
    public var purpose: String { core.context.identity.purpose }
    /// The ring that opens and seals now; for a followed file, the current one.
    public var keys: KeyRing { core.keys.ring }
    /// How long tokens are good for.
    public var lifetime: SessionLifetime { core.lifetime }
    /// Characters of the longest token that is sealed or opened.
    public var tokenLimit: Int { core.carrier.tokenLimit }
    @usableFromInline let core: TokenCore

    /// Creates a sealer.
    ///
    /// - Parameters:
    ///   - purpose: a text that is authenticated with each token, at least a character. A token of another purpose does
    ///     not open.
    ///   - keys: the ring whose keys open, and one of which seals: a `KeyRing`, or a `KeyRingFile` or `SharedKeyRing`, with
    ///     which a rotation needs no restart. It may be that of the cookies.
    ///   - lifetime: the policy by which tokens end. Its idle time counts from the sealing, as the absolute one does.
    ///   - tokenLimit: characters of the longest token, 63 to 1,048,576. 2,000 unless set: what any URL has room for.
    ///   - compression: the dictionaries to compress with, or none.
    ///   - paddingBlock: bytes, 2 to 4096, to a multiple of which payloads are padded, to blur how long a value is; 0 for
    ///     none.
    ///   - itemLimit: bytes of the largest value that is sealed, as CBOR before compression, 1 to 65,536; nil: 16,384.
    ///   - userInfo: entries of `encoder.userInfo` and `decoder.userInfo` for the value's types.
    /// - Throws: `SealerConfigurationError` for an empty purpose, dictionaries of one name, and a `tokenLimit`,
    ///   `paddingBlock` or `itemLimit` out of its range.
    public init(
        purpose: String, keys: some KeyRingSource, lifetime: SessionLifetime, tokenLimit: Int = 2000,
        compression: SessionCompression = .standard, paddingBlock: Int = 0, itemLimit: Int? = nil,
        userInfo: [CodingUserInfoKey: any Sendable] = [:]
    ) throws(SealerConfigurationError) {
        // Without either, tokens of all sealers on a ring would open for one another.
        guard !purpose.isEmpty else { throw .emptyPurpose }
        let limits = CookieForm.smallestToken...CookieForm.mostRoom
        guard limits.contains(tokenLimit) else { throw .invalidTokenLimit(tokenLimit) }
        core = try TokenCore(
            context: TokenContext(name: "", purpose: purpose), keys: keys.keySource, lifetime: lifetime,
            compression: compression, paddingBlock: paddingBlock, itemLimit: itemLimit, userInfo: userInfo,
            carrier: TokenCore.Carrier(tokenLimit: tokenLimit, longestKept: .max) { item, size, itemLimit in
                SizeReport(
                    item: item, payloadByteCount: size.payloadByteCount, sealedByteCount: size.boxByteCount,
                    tokenLength: size.characters, tokenLimit: tokenLimit, itemLimit: itemLimit)
            })
        _ = FirstUse.isOver
    }

    /// Seals a value.
    ///
    /// - Parameters:
    ///   - value: the value.
    ///   - ownLifetime: a lifetime for this token in the policy's place; the policy's ceiling holds. Nil: the policy.
    ///   - cutOff: the time before which this user's tokens have ended, which `OpenedToken.began(before:)` is asked for; nil:
    ///     none. The token begins at it, rounded up to whole seconds, where that is up to 60 s ahead.
    ///   - now: the time of the sealing.
    /// - Throws: `.tooLarge` with a report over `tokenLimit`; `.noActiveKey`; `.notEncodable`; `.itemTooLarge`;
    ///   `.endedBefore` with a cut-off further ahead.
    @inlinable
    public func seal(
        _ value: Value, lifetime ownLifetime: SessionLifetime? = nil, cutOff: Date? = nil, at now: Date = .now
    ) throws(SealError) -> SealedToken {
        try core.seal(
            core.item(value, limit: core.itemLimit), lifetime: ownLifetime, cutOff: cutOff, at: now)
    }

    /// Opens a token.
    ///
    /// - Parameters:
    ///   - text: the token as it came, without escapes.
    ///   - now: the time by which it is judged.
    /// - Throws: why it is none of this sealer's, or has ended.
    @inlinable
    public func open(_ text: String, at now: Date = .now) throws(OpenError) -> OpenedToken<Value> {
        var value: Value?
        let metadata = try core.open(text.utf8.span, at: now) { memory throws(OpenError) in
            value = try core.session(Value.self, in: &memory)
        }
        guard let value = value.take() else { throw .notAuthentic }
        return OpenedToken(value: value, metadata)
    }

    /// Opens a token in a part of a longer text, such as a substring.
    @inlinable
    public func open(_ text: some StringProtocol, at now: Date = .now) throws(OpenError) -> OpenedToken<Value>
    {
        try open(String(text), at: now)
    }

    /// What `value`'s token would cost, also where it is too long.
    ///
    /// - Throws: `.notEncodable`; `.itemTooLarge` for more than 65,536 bytes.
    public func sizeReport(for value: Value, at now: Date = .now) throws(SealError) -> SizeReport {
        let item = try core.item(value, limit: CBORLimits.itemBytes)
        guard let times = SessionTimes(beginningAt: now, lifetime: nil) else { throw .timeOutOfRange }
        return try core.sizeReport(SessionPayload(times: times, item: item))
    }
}
