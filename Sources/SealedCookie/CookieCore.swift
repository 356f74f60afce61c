// A cookie sealer without the type of its session: tokens into cookies, and out of a request's header. FORMAT §11.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// What a `CookieSealer` does whatever its session's type is. A class, so that a sealer is one reference.
@usableFromInline
final class CookieCore: Sendable {
    let form: CookieForm
    @usableFromInline let tokens: TokenCore
    /// What opens the former forms' tokens, in the order of `form.formers`.
    let formers: [TokenCore]

    init(
        _ form: CookieForm, formers: [FormerCookie] = [], purpose: String, keys: KeySource,
        lifetime: SessionLifetime,
        compression: SessionCompression, paddingBlock: Int, itemLimit: Int?,
        userInfo: [CodingUserInfoKey: any Sendable]
    ) throws(SealerConfigurationError) {
        self.form = form
        tokens = try TokenCore(
            context: TokenContext(name: form.name, purpose: purpose), keys: keys, lifetime: lifetime,
            compression: compression, paddingBlock: paddingBlock, itemLimit: itemLimit,
            userInfo: userInfo,
            carrier: TokenCore.Carrier(
                tokenLimit: form.tokenLimit, longestKept: SetCookie.maxAgeLimit
            ) { item, size, itemLimit in
                SizeReport(
                    item: item, payloadByteCount: size.payloadByteCount, sealedByteCount: size.boxByteCount,
                    tokenLength: size.characters, tokenLimit: form.tokenLimit, itemLimit: itemLimit,
                    form: form)
            })
        let own = tokens
        self.formers = try formers.map { (former) throws(SealerConfigurationError) in
            try former.core(beside: own)
        }
    }

    // MARK: Sealing

    /// - Parameters:
    ///   - endsWithBrowser: nil: as the cookie's attributes say.
    ///   - cutOff: the time before which its user's sessions have ended; nil: none.
    ///   - header: the request's; nil: not known. The session is sealed after the one of the request was.
    @usableFromInline
    func seal(
        _ item: consuming CBORItem, lifetime ownLifetime: SessionLifetime?, endsWithBrowser: Bool?,
        cutOff: Date?, replacing header: String?, at now: Date
    ) throws(SealError) -> SealedSession {
        let stale = header.map { parts(in: $0).all } ?? form.ownParts
        let marks: SessionMarks =
            endsWithBrowser ?? form.attributes.endsWithBrowser ? .endsWithBrowser : []
        return SealedSession(
            sealed: try tokens.seal(
                item, lifetime: ownLifetime, marks: marks, cutOff: cutOff,
                noEarlierThan: earliestSealing(on: header, at: now), at: now),
            form: form, stale: stale)
    }

    /// Seals that the session of this request was signed out.
    ///
    /// - Parameter header: the request's; nil: not known.
    func sealEnded(replacing header: String?, at now: Date) throws(SealError) -> SealedSession {
        let stale = header.map { parts(in: $0).all } ?? form.ownParts
        return SealedSession(
            sealed: try tokens.sealEnded(
                noEarlierThan: earliestSealing(on: header, at: now), at: now), form: form,
            stale: stale)
    }

    /// - Parameters:
    ///   - parts: those of the session's that its request had; nil: not known.
    ///   - adopts: whether the session may be of another cookie.
    ///   - item: encodes it; not called for a session that must not be sealed again.
    @usableFromInline
    func reseal(
        _ session: SessionMetadata, parts: PartSet?, adopts: Bool = false, at now: Date,
        _ item: () throws(SealError) -> CBORItem
    ) throws(SealError) -> SealedSession {
        // Another cookie's parts have other names. But of a request from which this sealer opened a former cookie, the parts are
        // those of the present one.
        let isOwn =
            session.identity.name.utf8.elementsEqual(form.nameBytes)
            || formers.contains { $0.context.identity === session.identity }
        return SealedSession(
            sealed: try tokens.reseal(
                session, adopts: adopts, formers: formers.map { $0.context.identity }, at: now, item),
            form: form,
            stale: isOwn ? parts ?? form.ownParts : form.ownParts)
    }

    // MARK: Opening

    /// Opens the session in a cookie's value.
    @usableFromInline
    func open(
        value text: Span<UInt8>, checksItem: Bool, at now: Date, _ take: TokenCore.Taking
    ) throws(OpenError) -> SessionMetadata {
        try tokens.open(text, limit: form.openRoom, checksItem: checksItem, at: now, take)
    }

    // MARK: Parts

    /// The cookies that remove the session and its parts, as far as a response has room for them.
    ///
    /// - Parameter header: the request's; nil: not known.
    func removalCookies(header: String?, beside sealed: SealedSession?) -> [SetCookie] {
        form.removalCookies(
            parts(in: header ?? "").all, beside: sealed?.cookies ?? [], limit: sealed?.form.limits.response)
    }

    /// The cookies that sign a visitor out. Removal leaves whatever else the browser has of the name to be the session from
    /// then on: so where the request had more than one value, the removal is a cookie that says so (FORMAT §11.2).
    func signOutCookies(header: String?, at now: Date) throws(SealError) -> [SetCookie] {
        guard let header, hasSeveralValues(header.utf8.span) else {
            return removalCookies(header: header, beside: nil)
        }
        return try sealEnded(replacing: header, at: now).cookies
    }

    private func parts(in header: String) -> (seen: PartSet, all: PartSet) {
        let text = header.utf8.span
        return parts(of: CookieHeader(text, name: form.nameBytes), text)
    }

    /// The session's parts in a request, and what an older one has left of them; with those that this sealer's
    /// splitting may have written elsewhere than where this request came from. What is a token by itself or the
    /// first cookie of one, under a key of the ring, is neither: it belongs to another sealer, whose cookie has such a name.
    func parts(of cookie: CookieHeader, _ text: Span<UInt8>) -> (seen: PartSet, all: PartSet) {
        guard !cookie.parts.isEmpty else { return (.none, form.ownParts) }
        let ring = tokens.keys.ring
        var (seen, others) = (PartSet.none, PartSet.none)
        for number in PartSet.numbers {
            let values = cookie.part(number)
            let isSeen = values.contains { value in
                var value = text.extracting(value)
                if CookieSplitting.count(value) != nil {
                    value = value.extracting(CookieSplitting.overhead...)
                }
                guard let id = Token.keyID(in: value, limit: .max) else { return true }
                return ring.index(of: id) == nil
            }
            if isSeen { seen.insert(number) } else if !values.isEmpty { others.insert(number) }
        }
        return (seen, form.ownParts.subtracting(others).union(seen))
    }
}
