// The sealer for one session type: what an application uses. `CookieCore` does the work that is the same for all
// types.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Seals sessions into one cookie of a site and opens them again.
///
///     let keys = try KeyRing(contentsOf: "/etc/shop/session.keys")
///     let sessions = try CookieSealer<Session>(keys: keys, lifetime: .init(absolute: .days(14)))
///
/// Create one sealer for each cookie and share it: a sealer is `Sendable`, and any number of threads may use it.
///
/// A type's own `encode(to:)` and `init(from:)` must use the coder that they get, and everything they get from it, on
/// the thread that called them, and only until they return. An encoder that is kept longer throws. A decoder may be
/// read.
public struct CookieSealer<Session: Codable & Sendable>: Sendable {
    /// The cookie's name.
    public var name: String { core.form.name }
    /// The purpose of its sessions, which tokens are bound to. Empty means no particular purpose.
    public var purpose: String { core.tokens.context.identity.purpose }
    /// The ring that opens and seals now. For a followed file, this is the current ring.
    public var keys: KeyRing { core.tokens.keys.ring }
    /// How long sessions live.
    public var lifetime: SessionLifetime { core.tokens.lifetime }
    /// Whether sessions are compressed, and with which dictionaries.
    public var compression: SessionCompression { core.tokens.compression }
    /// The attributes of its `Set-Cookie` lines, which follow name and value.
    public var attributes: SetCookie.Attributes { core.form.attributes }
    /// The largest cookie that it writes.
    public var limits: CookieLimits { core.form.limits }
    /// How many cookies a session may span.
    public var splitting: CookieSplitting { core.form.splitting }
    /// The size in bytes of the largest session that it seals, as CBOR and uncompressed.
    public var itemLimit: Int { core.tokens.itemLimit }
    // Generic code here is inlinable, so that an application gets it specialized for its own type. Looking up generic
    // types at run time would cost 6 to 21 % more instructions.
    @usableFromInline let core: CookieCore

    /// Creates a sealer.
    ///
    /// - Parameters:
    ///   - name: The cookie's name. It is authenticated: a cookie copied under another name does not open.
    ///   - keys: The ring whose keys open, and one of which seals. This is a ``KeyRing``, or a ``KeyRingFile`` or
    ///     ``SharedKeyRing``, with which a rotation needs no restart.
    ///   - lifetime: The policy that decides when sessions end.
    ///   - purpose: A text that is authenticated with the name. It separates cookies of one name that must not be
    ///     confused, such as those of two applications with one ring. A token sealed for another purpose does not
    ///     open.
    ///   - attributes: The attributes of the `Set-Cookie` lines.
    ///   - limits: The largest cookie to write, in bytes.
    ///   - splitting: How many cookies a session may span that one cookie cannot hold.
    ///   - formerly: Forms that the cookie had before and that browsers may still have: at most four, the latest
    ///     first. Removing them takes up part of `limits.response`.
    ///   - compression: The dictionaries to compress with, or none.
    ///   - paddingBlock: A number of bytes, 2 to 4096. Payloads are padded to a multiple of it, to blur how long a
    ///     session is. 0 means no padding.
    ///   - itemLimit: The size in bytes of the largest session that is sealed, as CBOR before compression, 1 to
    ///     65,536. Nil means 16,384, or as many as the cookies hold uncompressed if that is more.
    ///
    ///     The limit bounds what a visitor can make sealing and opening cost. So does the number of values in a session: 4,096, or a quarter of `itemLimit` if that is more. A map entry counts as one value, and so does a byte string. A map, an array and a secret count as two.
    ///
    ///     Opening accepts up to 65,536 bytes (FORMAT §7) and any number of values, whatever the limit. So the limit may differ between servers and change at any time. A session over a lowered limit still opens but is not sealed again: it ends when its cookie does. The same holds for lowered `limits`.
    ///   - userInfo: Entries of `encoder.userInfo` and `decoder.userInfo` for the session's types. The library adds
    ///     an entry of its own.
    /// - Throws: ``SealerConfigurationError`` if browsers would drop the cookie because of its name, attributes or limits. Also
    ///   if `splitting` is not 1 to 9 or would exceed `limits.response`, if two dictionaries have the same name, and if
    ///   `paddingBlock` or `itemLimit` is out of range.
    public init(
        _ name: String = "__Host-session", keys: some KeyRingSource, lifetime: SessionLifetime,
        purpose: String = "",
        attributes: SetCookie.Attributes = .init(), limits: CookieLimits = .rfc6265bis,
        splitting: CookieSplitting = .never, formerly: [FormerCookie] = [],
        compression: SessionCompression = .standard, paddingBlock: Int = 0, itemLimit: Int? = nil,
        userInfo: [CodingUserInfoKey: any Sendable] = [:]
    ) throws(SealerConfigurationError) {
        let form = try CookieForm(
            name: name, attributes: attributes, limits: limits, splitting: splitting,
            formers: FormerCookie.forms(formerly, limits: limits))
        core = try CookieCore(
            form, formers: formerly, purpose: purpose, keys: keys.keySource, lifetime: lifetime,
            compression: compression, paddingBlock: paddingBlock, itemLimit: itemLimit, userInfo: userInfo)
        _ = FirstUse.isOver
    }

    /// For `FirstUse`, which every other initializer waits for.
    init(core: CookieCore) { self.core = core }

    // MARK: Sealing

    /// Seals a session that begins now.
    ///
    /// - Parameters:
    ///   - session: The session, as the request leaves it.
    ///   - ownLifetime: A lifetime for this session alone, for example for "remember me". It replaces the policy as a
    ///     whole: neither the policy's `absolute` nor its `idle` applies. The policy's `ceiling` does apply, and a
    ///     `ceiling` set here is ignored. The session keeps this lifetime when it is sealed again (FORMAT §10).
    ///   - endsWithBrowser: Whether the cookie is written without `Max-Age`, so that the browser drops it on closing.
    ///     Nil means as `attributes` says. The session keeps this when it is sealed again. A copy still opens until
    ///     the session ends, and so does a cookie that the browser restores with its windows.
    ///   - cutOff: The time before which this user's sessions have ended, the same one that you pass to
    ///     ``OpenedSession/began(before:)``. Nil means none. If the cut-off, rounded up to whole seconds, is up to 60
    ///     s ahead, the session begins at it (FORMAT §10).
    ///   - header: The request's `Cookie` header; nil if it is not known. With it, the session's `sealedAt` is at
    ///     least a second after that of the request's session, if need be up to 60 s ahead. So the new session
    ///     decides if the browser keeps both (FORMAT §11.2). Also, parts of an older session (`name.1` to `name.8`)
    ///     are removed even if `splitting` no longer allows them, and another sealer's cookies with such names are
    ///     left alone.
    ///   - now: The time at which the session begins, 1970 to 2106.
    /// - Returns: The sealed session, whose `headerValues` go into the response.
    /// - Throws: `.tooLarge` with a report if the cookie limit is exceeded; `.noActiveKey`; `.notEncodable`;
    ///   `.endedBefore` if the cut-off or the ring's `not-before` is further ahead; `.timeOutOfRange` outside the years
    ///   1970 to 2106; `.libraryFailed`; `.itemTooLarge` for more than `itemLimit` bytes or too many values, and ``sizeReport(for:lifetime:at:)`` then shows what is large.
    @inlinable
    public func seal(
        _ session: Session, lifetime ownLifetime: SessionLifetime? = nil, endsWithBrowser: Bool? = nil,
        cutOff: Date? = nil, cookieHeader header: String? = nil, at now: Date = .now
    ) throws(SealError) -> SealedSession {
        try core.seal(
            item(session), lifetime: ownLifetime, endsWithBrowser: endsWithBrowser, cutOff: cutOff,
            replacing: header, at: now)
    }

    /// Seals a session that begins now, for a request with any number of `Cookie` headers.
    ///
    /// - Parameters:
    ///   - session: The session, as the request leaves it.
    ///   - ownLifetime: A lifetime for this session alone, as with one header.
    ///   - endsWithBrowser: Whether the browser drops the cookie on closing, as with one header.
    ///   - cutOff: The time before which this user's sessions have ended; nil means none.
    ///   - headers: The request's `Cookie` headers; empty if it has none.
    ///   - now: The time at which the session begins, 1970 to 2106.
    /// - Returns: The sealed session, whose `headerValues` go into the response.
    /// - Throws: The errors of ``seal(_:lifetime:endsWithBrowser:cutOff:cookieHeader:at:)``.
    @inlinable
    public func seal(
        _ session: Session, lifetime ownLifetime: SessionLifetime? = nil, endsWithBrowser: Bool? = nil,
        cutOff: Date? = nil, cookieHeaders headers: some Collection<String>, at now: Date = .now
    ) throws(SealError) -> SealedSession {
        try seal(
            session, lifetime: ownLifetime, endsWithBrowser: endsWithBrowser, cutOff: cutOff,
            cookieHeader: headers.joined(separator: "; "), at: now)
    }

    /// Seals a session again, changed or not, and keeps its age: its absolute lifetime does not start over.
    ///
    /// After sign-in, seal a new session instead; this prevents fixation.
    ///
    /// Cookies that an older, longer session has left in the request (`name.1` to `name.8`) are removed too. If the
    /// session was opened by its value alone, the request is not known. All parts that this sealer's splitting could
    /// have written are then removed.
    ///
    /// - Parameters:
    ///   - opened: The session as it was opened, with its `session` changed or not.
    ///   - now: The time of this sealing.
    /// - Returns: The sealed session, whose `headerValues` go into the response.
    /// - Throws: The errors of ``seal(_:lifetime:endsWithBrowser:cutOff:cookieHeader:at:)``; `.expired`,
    ///   `.endedBefore` or `.revokedKey` if the session has ended since it was opened; `.anotherCookie` if it was
    ///   opened from a cookie of another name or purpose.
    @inlinable
    public func reseal(
        _ opened: OpenedSession<Session>, at now: Date = .now
    ) throws(SealError) -> SealedSession {
        try core.reseal(opened.metadata, parts: opened.parts, at: now) { () throws(SealError) in
            try item(opened.session)
        }
    }

    /// Turns a session of another cookie or purpose into one of this sealer's, for moving sessions to a new name.
    ///
    /// The session keeps when it began, its own lifetime if it has one, and whether it ends with the browser.
    /// Otherwise this sealer's policy applies. Also send the other sealer's ``removalCookies(cookieHeader:beside:)``,
    /// or the browser keeps both cookies.
    ///
    /// Adopt only what is worth as much as a session of this sealer: never a token such as one that resets a
    /// password.
    ///
    /// - Parameters:
    ///   - opened: The session as the other sealer opened it.
    ///   - now: The time of this sealing.
    /// - Returns: The sealed session, whose `headerValues` go into the response.
    /// - Throws: The errors of ``reseal(_:at:)`` except `.anotherCookie`; `.expired` also if the session is over
    ///   under this sealer's policy; `.foreignKey` if this sealer's ring lacks the other's key, so keep both keys in
    ///   one ring during the move.
    @inlinable
    public func adopt(
        _ opened: OpenedSession<Session>, at now: Date = .now
    ) throws(SealError) -> SealedSession {
        try core.reseal(opened.metadata, parts: opened.parts, adopts: true, at: now) { () throws(SealError) in
            try item(opened.session)
        }
    }

    /// Turns a session of another type into one of this sealer's: `session` replaces its value.
    ///
    /// - Parameters:
    ///   - opened: The session as the other sealer opened it. Its age and its own lifetime are kept.
    ///   - session: The new value, of this sealer's type.
    ///   - now: The time of this sealing.
    /// - Returns: The sealed session, whose `headerValues` go into the response.
    /// - Throws: The errors of ``adopt(_:at:)``.
    @inlinable
    public func adopt<Other>(
        _ opened: OpenedSession<Other>, as session: Session, at now: Date = .now
    ) throws(SealError) -> SealedSession {
        try core.reseal(opened.metadata, parts: opened.parts, adopts: true, at: now) { () throws(SealError) in
            try item(session)
        }
    }

    /// Measures what `session`'s cookie would cost, even if it is too large for one or over `itemLimit`.
    ///
    /// - Parameters:
    ///   - session: The session to measure. Nothing is sealed.
    ///   - ownLifetime: Its own lifetime, as in ``seal(_:lifetime:endsWithBrowser:cutOff:cookieHeader:at:)``, which
    ///     takes some bytes.
    ///   - now: The time at which it would begin.
    /// - Returns: The sizes, in bytes and characters.
    /// - Throws: `.notEncodable`; `.itemTooLarge` for more than 65,536 bytes; `.timeOutOfRange`; `.libraryFailed`.
    public func sizeReport(
        for session: Session, lifetime ownLifetime: SessionLifetime? = nil, at now: Date = .now
    ) throws(SealError) -> SizeReport {
        let item = try item(session, limit: CBORLimits.itemBytes)
        guard let times = SessionTimes(beginningAt: now, lifetime: ownLifetime) else { throw .timeOutOfRange }
        return try core.tokens.sizeReport(SessionPayload(times: times, item: item))
    }

    /// Measures what an opened session's cookie costs as it was sealed, with its age and its own lifetime.
    ///
    /// - Parameter opened: The session as it was opened, with its `session` changed or not.
    /// - Returns: The sizes, in bytes and characters.
    /// - Throws: The errors of ``sizeReport(for:lifetime:at:)``.
    public func sizeReport(for opened: OpenedSession<Session>) throws(SealError) -> SizeReport {
        try core.tokens.sizeReport(
            SessionPayload(
                times: opened.metadata.times, item: item(opened.session, limit: CBORLimits.itemBytes)))
    }

    /// The cookies that sign a visitor out.
    ///
    /// They make the browser forget the session. A request may have several values for the cookie, for example after
    /// its `Domain` was changed. Removing one would then leave another to become the session. So a cookie replaces it
    /// that opens as no session (``OpenError/signedOut(_:)``). It has 63 characters unless padded, and lasts as long
    /// as any session may live: the lifetime's `ceiling`, at most 400 days (FORMAT §11.2).
    ///
    /// The token itself stays valid until it expires, for anyone who copied it.
    ///
    /// - Parameters:
    ///   - header: The request's `Cookie` header; nil if it had none.
    ///   - now: The time of signing out.
    /// - Returns: The `Set-Cookie` headers to add to the response.
    /// - Throws: Only if a cookie has to be sealed: `.noActiveKey`, `.endedBefore`, `.timeOutOfRange`,
    ///   `.libraryFailed`, and `.tooLarge` if a `paddingBlock` leaves no room. The visitor is then still signed in:
    ///   answer 503, or send ``removalCookies(cookieHeader:beside:)``.
    public func signOutCookies(
        cookieHeader header: String?, at now: Date = .now
    ) throws(SealError) -> [SetCookie] {
        try core.signOutCookies(header: header, at: now)
    }

    /// The cookies that sign a visitor out, for a request with any number of `Cookie` headers.
    ///
    /// - Parameters:
    ///   - headers: The request's `Cookie` headers; empty if it had none.
    ///   - now: The time of signing out.
    /// - Returns: The `Set-Cookie` headers to add to the response.
    /// - Throws: The errors of ``signOutCookies(cookieHeader:at:)``.
    public func signOutCookies(
        cookieHeaders headers: some Collection<String>, at now: Date = .now
    ) throws(SealError) -> [SetCookie] {
        try signOutCookies(cookieHeader: headers.joined(separator: "; "), at: now)
    }

    /// The cookies that make the browser forget this sealer's cookie, whatever else it has: for moving to another
    /// sealer with `adopt`. To sign a visitor out, use ``signOutCookies(cookieHeader:at:)``, which also considers the
    /// request.
    ///
    /// - Parameters:
    ///   - header: The request's `Cookie` header; nil if it is not known. With it, parts are removed even if
    ///     `splitting` no longer allows them, and another sealer's cookies with such names are left alone.
    ///   - sealed: Another sealer's session that goes out with the same response, as after `adopt`. Both then share
    ///     ``CookieLimits/response``, and what does not fit is not removed. That may be parts, or the cookie itself,
    ///     which then ends by its `Max-Age`. A cookie that this session writes is not removed either.
    /// - Returns: The `Set-Cookie` headers to add to the response, the session's own cookie last.
    public func removalCookies(cookieHeader header: String? = nil, beside sealed: SealedSession? = nil)
        -> [SetCookie]
    {
        core.removalCookies(header: header, beside: sealed)
    }

    /// The cookies that make the browser forget the cookie, for a request with any number of `Cookie` headers.
    ///
    /// - Parameters:
    ///   - headers: The request's `Cookie` headers; empty if it has none.
    ///   - sealed: Another sealer's session, as with one header.
    /// - Returns: The `Set-Cookie` headers to add to the response, the session's own cookie last.
    public func removalCookies(
        cookieHeaders headers: some Collection<String>, beside sealed: SealedSession? = nil
    ) -> [SetCookie] {
        removalCookies(cookieHeader: headers.joined(separator: "; "), beside: sealed)
    }

    @inlinable
    func item(_ session: Session) throws(SealError) -> CBORItem {
        try item(session, limit: core.tokens.itemLimit)
    }

    @inlinable
    func item(_ session: Session, limit: Int) throws(SealError) -> CBORItem {
        if Session.self == EncodedSession.self, let encoded = session as? EncodedSession {
            return try encoded.item(limit: limit)
        }
        return try core.tokens.item(session, limit: limit)
    }

    // MARK: Opening

    /// Opens the session in a request's `Cookie` header.
    ///
    /// The header may contain the cookie more than once, for example if a sibling domain set one of its name. Then
    /// the latest authentic of the first 4 values decides: it is the session, or the reason why there is none (FORMAT
    /// §11.2). Only if no value is authentic are `formerly` and its names tried.
    ///
    /// - Parameters:
    ///   - header: The request's `Cookie` header as received, not percent-decoded; nil if it has none.
    ///   - now: The time against which the session is judged.
    /// - Returns: The session, or nil if the header, or the cookie in it, is missing.
    /// - Throws: ``OpenError``, the reason why the cookie is no session. It is for the log: to the visitor it is the
    ///   same as nil. Only after ``OpenError/isLibraryFailure`` is the answer 503.
    @inlinable
    public func open(
        cookieHeader header: String?, at now: Date = .now
    ) throws(OpenError) -> OpenedSession<Session>? {
        guard let header else { return nil }
        var session: Session?
        let opened = try core.open(header: header.utf8.span, checksItem: Self.checksItem, at: now) {
            memory throws(OpenError) in
            session = try self.session(in: &memory)
        }
        guard let (metadata, parts) = opened, let session = session.take() else { return nil }
        return OpenedSession(session: session, metadata, parts: parts)
    }

    /// Opens the session in a request's `Cookie` header, for handlers that want a session or none. If a cookie is no
    /// session, `onRefusal` is called; the request never fails because of it.
    ///
    ///     let opened = sessions.open(cookieHeader: request["Cookie"]) { log.info("no session: \($0)") }
    ///
    /// - Parameters:
    ///   - header: The request's `Cookie` header; nil if it has none.
    ///   - now: The time against which the session is judged.
    ///   - onRefusal: Called with the reason why the cookie is no session, at most once and before this returns: for
    ///     the log and for metrics (``OpenError/code``).
    ///
    ///     After ``OpenError/libraryFailed(operation:)`` the cookie may be good: answer 503, and write no session over it.
    /// - Returns: The session, or nil if the header or the cookie in it is missing, and if it is refused. If the
    ///   browser has dropped the first cookie of a split session, the session is not seen at all: the result is nil,
    ///   without a call.
    @inlinable
    public func open(
        cookieHeader header: String?, at now: Date = .now, onRefusal: (OpenError) -> Void
    ) -> OpenedSession<Session>? {
        do {
            return try open(cookieHeader: header, at: now)
        } catch {
            onRefusal(error)
            return nil
        }
    }

    /// Opens the session in a request with any number of `Cookie` headers, as HTTP/2 allows.
    ///
    /// - Parameters:
    ///   - headers: The request's `Cookie` headers as received; empty if it has none.
    ///   - now: The time against which the session is judged.
    /// - Returns: The session, or nil if the cookie is missing.
    /// - Throws: ``OpenError``, the reason why the cookie is no session.
    @inlinable
    public func open(
        cookieHeaders headers: some Collection<String>, at now: Date = .now
    ) throws(OpenError) -> OpenedSession<Session>? {
        // RFC 9113 §8.2.3: joining with "; " restores the one header.
        try open(cookieHeader: headers.count > 1 ? headers.joined(separator: "; ") : headers.first, at: now)
    }

    /// Opens the session in a request with any number of `Cookie` headers, and calls `onRefusal` for a cookie that is
    /// no session, as ``open(cookieHeader:at:onRefusal:)`` does.
    ///
    /// - Parameters:
    ///   - headers: The request's `Cookie` headers as received; empty if it has none.
    ///   - now: The time against which the session is judged.
    ///   - onRefusal: Called with the reason why the cookie is no session, at most once and before this returns.
    /// - Returns: The session, or nil.
    @inlinable
    public func open(
        cookieHeaders headers: some Collection<String>, at now: Date = .now, onRefusal: (OpenError) -> Void
    ) -> OpenedSession<Session>? {
        do {
            return try open(cookieHeaders: headers, at: now)
        } catch {
            onRefusal(error)
            return nil
        }
    }

    /// Opens the session in a cookie's value, for frameworks that have already parsed the header.
    ///
    /// A split session spans several cookies, and only the header tells which of several values decides. So use
    /// ``open(cookieHeader:at:)`` wherever you have the header. Former forms are not tried.
    ///
    /// - Parameters:
    ///   - value: The cookie's value, without its name and as received.
    ///   - now: The time against which the session is judged.
    /// - Returns: The session.
    /// - Throws: ``OpenError``, the reason why it is no session.
    @inlinable
    public func open(value: String, at now: Date = .now) throws(OpenError) -> OpenedSession<Session> {
        var session: Session?
        let metadata = try core.open(value: value.utf8.span, checksItem: Self.checksItem, at: now) {
            memory throws(OpenError) in
            session = try self.session(in: &memory)
        }
        // There is one value, which is either accepted or refused.
        guard let session = session.take() else { throw .notAuthentic }
        return OpenedSession(session: session, metadata, parts: nil)
    }

    /// Opens the session in a cookie's value that is part of a longer text, such as a substring.
    ///
    /// - Parameters:
    ///   - value: The cookie's value, without its name and as received.
    ///   - now: The time against which the session is judged.
    /// - Returns: The session.
    /// - Throws: ``OpenError``, the reason why it is no session.
    @inlinable
    public func open(
        value: some StringProtocol, at now: Date = .now
    ) throws(OpenError) -> OpenedSession<Session> {
        try open(value: String(value), at: now)
    }

    /// Opens the session in a cookie's value, and calls `onRefusal` if it is no session, as
    /// ``open(cookieHeader:at:onRefusal:)`` does.
    ///
    /// - Parameters:
    ///   - value: The cookie's value, without its name and as received.
    ///   - now: The time against which the session is judged.
    ///   - onRefusal: Called with the reason why it is no session, at most once and before this returns.
    /// - Returns: The session, or nil.
    @inlinable
    public func open(
        value: some StringProtocol, at now: Date = .now, onRefusal: (OpenError) -> Void
    ) -> OpenedSession<Session>? {
        do {
            return try open(value: String(value), at: now)
        } catch {
            onRefusal(error)
            return nil
        }
    }

    /// An encoded session is used unchanged.
    @inlinable
    static var checksItem: Bool { Session.self != EncodedSession.self }

    @inlinable
    func session(in memory: inout WorkingMemory) throws(OpenError) -> Session {
        guard Session.self == EncodedSession.self else {
            return try core.tokens.session(Session.self, in: &memory)
        }
        guard let session = try EncodedSession(takenFrom: &memory) as? Session else {
            throw .sessionMismatch(codingPath: [], reason: "an encoded session was expected")
        }
        return session
    }
}
