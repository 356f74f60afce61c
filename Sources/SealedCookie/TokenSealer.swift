// Tokens that travel outside cookies: in a link's parameter, a form field or a header. FORMAT §5.3.
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
/// A token's text consists of letters, digits, `-` and `_`, so no URL needs to escape it. It opens only for the same
/// purpose. It never opens as a cookie's token, nor does a cookie's token open as this one.
///
/// Anyone who has a token can use it until it ends, as often as they like. If something may happen only once,
/// remember the texts of used tokens until they end: each token has exactly one spelling.
///
/// Create one sealer for each purpose and share it: a sealer is `Sendable`, and any number of threads may use it.
public struct TokenSealer<Value: Codable & Sendable>: Sendable {
    /// The purpose of its tokens.
    public var purpose: String { core.context.identity.purpose }
    /// The ring that opens and seals now. For a followed file, this is the current ring.
    public var keys: KeyRing { core.keys.ring }
    /// How long tokens are valid.
    public var lifetime: SessionLifetime { core.lifetime }
    /// The length in characters of the longest token that it seals or opens.
    public var tokenLimit: Int { core.carrier.tokenLimit }
    @usableFromInline let core: TokenCore

    /// Creates a sealer.
    ///
    /// - Parameters:
    ///   - purpose: A text that is authenticated with each token; it must not be empty. A token of another purpose
    ///     does not open.
    ///   - keys: The ring whose keys open, and one of which seals. This is a ``KeyRing``, or a ``KeyRingFile`` or
    ///     ``SharedKeyRing``, with which a rotation needs no restart. It may be the cookies' ring.
    ///   - lifetime: The policy that decides when tokens end. Its idle time counts from the sealing, as the absolute
    ///     time does.
    ///   - tokenLimit: The length in characters of the longest token, 63 to 1,048,576. The default, 2,000, fits any
    ///     URL.
    ///   - compression: The dictionaries to compress with, or none.
    ///   - paddingBlock: A number of bytes, 2 to 4096. Payloads are padded to a multiple of it, to blur how long a
    ///     value is. 0 means no padding.
    ///   - itemLimit: The size in bytes of the largest value that is sealed, as CBOR before compression, 1 to 65,536.
    ///     Nil means 16,384.
    ///   - userInfo: Entries of `encoder.userInfo` and `decoder.userInfo` for the value's types.
    /// - Throws: ``SealerConfigurationError`` if the purpose is empty, if two dictionaries have the same name, and if
    ///   `tokenLimit`, `paddingBlock` or `itemLimit` is out of range.
    public init(
        purpose: String, keys: some KeyRingSource, lifetime: SessionLifetime, tokenLimit: Int = 2000,
        compression: SessionCompression = .standard, paddingBlock: Int = 0, itemLimit: Int? = nil,
        userInfo: [CodingUserInfoKey: any Sendable] = [:]
    ) throws(SealerConfigurationError) {
        // With neither a name nor a purpose, the tokens of all sealers on a ring would open for one another.
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
    ///   - value: The value.
    ///   - ownLifetime: A lifetime for this token, which replaces the policy; the policy's ceiling still applies. Nil
    ///     means the policy.
    ///   - cutOff: The time before which this user's tokens have ended, the same one that you pass to
    ///     ``OpenedToken/began(before:)``. Nil means none. If the cut-off, rounded up to whole seconds, is up to 60 s
    ///     ahead, the token begins at it.
    ///   - now: The time of the sealing.
    /// - Returns: The token, whose `text` goes into the link.
    /// - Throws: `.tooLarge` with a report if `tokenLimit` is exceeded; `.noActiveKey`; `.notEncodable`;
    ///   `.itemTooLarge`; `.endedBefore` if the cut-off or the ring's `not-before` is further ahead; `.timeOutOfRange`
    ///   outside the years 1970 to 2106; `.libraryFailed`.
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
    ///   - text: The token as received, without escapes.
    ///   - now: The time against which it is judged.
    /// - Returns: The value with the token's times and key.
    /// - Throws: ``OpenError``, the reason why it is not a token of this sealer, or has ended.
    @inlinable
    public func open(_ text: String, at now: Date = .now) throws(OpenError) -> OpenedToken<Value> {
        var value: Value?
        let metadata = try core.open(text.utf8.span, at: now) { memory throws(OpenError) in
            value = try core.session(Value.self, in: &memory)
        }
        guard let value = value.take() else { throw .notAuthentic }
        return OpenedToken(value: value, metadata)
    }

    /// Opens a token that is part of a longer text, such as a substring.
    ///
    /// - Parameters:
    ///   - text: The token as received, without escapes.
    ///   - now: The time against which it is judged.
    /// - Returns: The value with the token's times and key.
    /// - Throws: ``OpenError``, the reason why it is not a token of this sealer, or has ended.
    @inlinable
    public func open(_ text: some StringProtocol, at now: Date = .now) throws(OpenError) -> OpenedToken<Value>
    {
        try open(String(text), at: now)
    }

    /// Measures what `value`'s token would cost, even if it is too long.
    ///
    /// - Parameters:
    ///   - value: The value to measure. Nothing is sealed.
    ///   - now: The time of the sealing.
    /// - Returns: The sizes, in bytes and characters.
    /// - Throws: `.notEncodable`; `.itemTooLarge` for more than 65,536 bytes; `.timeOutOfRange`; `.libraryFailed`.
    public func sizeReport(for value: Value, at now: Date = .now) throws(SealError) -> SizeReport {
        let item = try core.item(value, limit: CBORLimits.itemBytes)
        guard let times = SessionTimes(beginningAt: now, lifetime: nil) else { throw .timeOutOfRange }
        return try core.sizeReport(SessionPayload(times: times, item: item))
    }
}
