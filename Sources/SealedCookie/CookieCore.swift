// A cookie sealer without its session's type: puts tokens into cookies, and finds them in a request's header. FORMAT
// §11.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The part of a `CookieSealer` that does not depend on its session's type. A class, so that a sealer is one
/// reference.
@usableFromInline
final class CookieCore: Sendable {
    let form: CookieForm
    @usableFromInline let tokens: TokenCore
    /// The cores that open the former forms' tokens, in the order of `form.formers`.
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
    ///   - endsWithBrowser: Nil means as the cookie's attributes say.
    ///   - cutOff: The time before which its user's sessions have ended; nil if none.
    ///   - header: The request's header; nil if not known. The new session's time is later than that of the request's
    ///     session.
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

    /// Seals that this request's session was signed out.
    ///
    /// - Parameter header: The request's header; nil if not known.
    func sealEnded(replacing header: String?, at now: Date) throws(SealError) -> SealedSession {
        let stale = header.map { parts(in: $0).all } ?? form.ownParts
        return SealedSession(
            sealed: try tokens.sealEnded(
                noEarlierThan: earliestSealing(on: header, at: now), at: now), form: form,
            stale: stale)
    }

    /// - Parameters:
    ///   - parts: The session's parts that its request had; nil if not known.
    ///   - adopts: Whether the session may come from another cookie.
    ///   - item: Encodes it. It is not called for a session that must not be sealed again.
    @usableFromInline
    func reseal(
        _ session: SessionMetadata, parts: PartSet?, adopts: Bool = false, at now: Date,
        _ item: () throws(SealError) -> CBORItem
    ) throws(SealError) -> SealedSession {
        // Another cookie's parts have other names. But if this sealer opened a former cookie, the request's parts are
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

    /// The cookies that remove the session and its parts, as far as they fit into a response.
    ///
    /// - Parameter header: The request's header; nil if not known.
    func removalCookies(header: String?, beside sealed: SealedSession?) -> [SetCookie] {
        form.removalCookies(
            parts(in: header ?? "").all, beside: sealed?.cookies ?? [], limit: sealed?.form.limits.response)
    }

    /// The cookies that sign a visitor out. A removal would leave any other cookie of the name in the browser, which
    /// would become the session. So if the request had more than one value, a cookie is written that says "signed
    /// out" (FORMAT §11.2).
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

    /// The session's parts in a request, and those that an older session has left. `all` also includes the parts that
    /// this sealer's splitting may have written for other paths or domains than this request's. A value that is a
    /// token by itself, or the first cookie of one, under a key of the ring is excluded: it belongs to another
    /// sealer, whose cookie has such a name.
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
