// A sealer for one type of sessions: what an application uses. `CookieCore` does what is the same for all types.
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
/// Make one for each cookie and share it: it is Sendable, and may be used from any number of threads. A type's own `encode(to:)`
/// and `init(from:)` must use the coder that they are given, and all that they get from it, on the thread that called them,
/// and no longer than until they return. An encoder that is kept longer throws; a decoder may be read.
public struct CookieSealer<Session: Codable & Sendable>: Sendable {
    /// The cookie's name.
    public var name: String { core.form.name }
    /// What its sessions are for, which tokens are bound to; empty: no purpose of their own.
    public var purpose: String { core.tokens.context.identity.purpose }
    /// The ring that opens and seals now; for a followed file, the current one.
    public var keys: KeyRing { core.tokens.keys.ring }
    /// How long sessions live.
    public var lifetime: SessionLifetime { core.tokens.lifetime }
    /// Whether and with which dictionaries it compresses.
    public var compression: SessionCompression { core.tokens.compression }
    /// What its `Set-Cookie` lines say beside name and value.
    public var attributes: SetCookie.Attributes { core.form.attributes }
    /// The largest cookie that it writes.
    public var limits: CookieLimits { core.form.limits }
    /// Into how many cookies a session may go.
    public var splitting: CookieSplitting { core.form.splitting }
    /// Bytes of the largest session that is sealed, as CBOR and uncompressed.
    public var itemLimit: Int { core.tokens.itemLimit }
    // What is generic here is inlinable, so that an application has it made for its own type: looking up
    // generic types at run time would cost more than the cryptography.
    @usableFromInline let core: CookieCore

    /// Creates a sealer.
    ///
    /// - Parameters:
    ///   - name: the cookie's name, which is authenticated: a cookie copied under another name does not open.
    ///   - keys: the ring whose keys open, and one of which seals: a `KeyRing`, or a `KeyRingFile` or `SharedKeyRing`, with
    ///     which a rotation needs no restart.
    ///   - lifetime: the policy by which sessions end.
    ///   - purpose: a text that is authenticated with the name, for cookies of one name that must not be taken for one
    ///     another, such as two applications' on one ring. A token sealed for another purpose does not open.
    ///   - attributes: what the `Set-Cookie` lines say beside name and value.
    ///   - limits: the largest cookie to write, in bytes.
    ///   - splitting: the cookies that a session may take which one does not hold.
    ///   - formerly: forms that the cookie had before and that browsers may still have, four at most, the latest first.
    ///     Their removal takes its room of `limits.response`.
    ///   - compression: the dictionaries to compress with, or none.
    ///   - paddingBlock: bytes, 2 to 4096, to a multiple of which payloads are padded, to blur how long a
    ///     session is; 0 for none.
    ///   - itemLimit: bytes of the largest session that is sealed, as CBOR before compression, 1 to 65,536. It
    ///     bounds what a visitor can make sealing and opening cost, as does how many values a session may
    ///     have: 4,096, or a quarter of `itemLimit` if that is more. An entry of a map is one value, so is a byte
    ///     string, and a map, an array and a secret are two. Nil: 16,384, or as many as the cookies
    ///     hold uncompressed if that is more. Opening takes up to 65,536 (FORMAT §7) whatever it is, and any number of
    ///     values, so it may differ between servers and change at any time: a session beyond a lowered one still
    ///     opens, and is not sealed again: it ends when its cookie does. The same holds for lowered `limits`.
    ///   - userInfo: entries of `encoder.userInfo` and `decoder.userInfo` for the session's types. An entry of
    ///     the library's own is there besides.
    /// - Throws: `SealerConfigurationError` for a name, attributes or limits with which browsers would
    ///   drop the cookie, a splitting that is not 1 to 9 or would pass `limits.response`, dictionaries of one name, and a
    ///   `paddingBlock` or `itemLimit` out of its range.
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

    /// For `FirstUse`, which the others wait for.
    init(core: CookieCore) { self.core = core }

    // MARK: Sealing

    /// Seals a session that begins now.
    ///
    /// - Parameters:
    ///   - session: the session, as the request leaves it.
    ///   - ownLifetime: this session's own lifetime, which takes the place of the policy's whole, for example for
    ///     "remember me": neither the policy's `absolute` nor its `idle` holds. The policy's `ceiling` does; a
    ///     `ceiling` that is set here counts for nothing. It stays when the session is sealed again (FORMAT §10).
    ///   - endsWithBrowser: whether the cookie is written without `Max-Age`, so that the browser drops it when it
    ///     closes. Nil: as `attributes` says. It stays when the session is sealed again. What a browser restores with its
    ///     windows, and a copy, open all the same until the session ends.
    ///   - cutOff: the time before which this user's sessions have ended, which `OpenedSession.began(before:)` is asked for;
    ///     nil: none. The session begins at it, rounded up to whole seconds, where that is up to 60 s ahead (FORMAT §10).
    ///   - header: the request's `Cookie` header; nil: not known. With it, the session's `sealedAt` is at least a second
    ///     after the request's, if need be up to 60 s ahead: so the new one decides where the browser keeps both (FORMAT §11.2).
    ///     And parts of an older session (`name.1` to `name.8`) are removed too that `splitting` no longer allows, and
    ///     another sealer's cookies of such a name are left alone.
    ///   - now: the time at which the session begins, 1970 to 2106.
    /// - Throws: `.tooLarge` with a report over the cookie limit; `.noActiveKey`; `.notEncodable`; `.endedBefore` with a
    ///   cut-off further ahead; `.itemTooLarge` for more than `itemLimit` or too many values: `sizeReport(for:)` then says what is large.
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
    /// - Parameter headers: the request's `Cookie` headers; empty: it has none. All else is as with one header.
    @inlinable
    public func seal(
        _ session: Session, lifetime ownLifetime: SessionLifetime? = nil, endsWithBrowser: Bool? = nil,
        cutOff: Date? = nil, cookieHeaders headers: some Collection<String>, at now: Date = .now
    ) throws(SealError) -> SealedSession {
        try seal(
            session, lifetime: ownLifetime, endsWithBrowser: endsWithBrowser, cutOff: cutOff,
            cookieHeader: headers.joined(separator: "; "), at: now)
    }

    /// Seals a session again, perhaps changed, with its age: its absolute lifetime does not begin anew.
    ///
    /// After signing in, seal a new session instead; this prevents fixation.
    ///
    /// Cookies of the request that an older, longer session has left (`name.1` to `name.8`) are removed with
    /// it. Where the session was opened by its value alone the request is not known: then all parts are removed
    /// that this sealer's splitting could have written.
    ///
    /// - Parameters:
    ///   - opened: the session as it was opened, with its `session` changed or not.
    ///   - now: the time of this sealing.
    /// - Throws: as `seal` does, and `.expired`, `.endedBefore` or `.revokedKey` where the session is over
    ///   since it was opened; `.anotherCookie` where it was opened from a cookie of another name or purpose.
    @inlinable
    public func reseal(
        _ opened: OpenedSession<Session>, at now: Date = .now
    ) throws(SealError) -> SealedSession {
        try core.reseal(opened.metadata, parts: opened.parts, at: now) { () throws(SealError) in
            try item(opened.session)
        }
    }

    /// Makes a session of another cookie or purpose one of this sealer's: for moving sessions to a new name.
    ///
    /// When it began, its own lifetime if it has one, and whether it ends with the browser, stay; beside that this
    /// sealer's policy holds. Send the other sealer's `removalCookies(cookieHeader:beside:)` too, or the browser keeps
    /// both cookies. Adopt nothing that was sealed for less than a session of this sealer's is good for, such as a token that resets a password.
    ///
    /// - Parameters:
    ///   - opened: the session as the other sealer opened it.
    ///   - now: the time of this sealing.
    /// - Throws: as `reseal` does, but `.anotherCookie`. `.expired` also where it is over under this sealer's policy.
    ///   `.foreignKey` where this sealer's ring has not the key of the other's: let one ring hold both for the time.
    @inlinable
    public func adopt(
        _ opened: OpenedSession<Session>, at now: Date = .now
    ) throws(SealError) -> SealedSession {
        try core.reseal(opened.metadata, parts: opened.parts, adopts: true, at: now) { () throws(SealError) in
            try item(opened.session)
        }
    }

    /// Makes a session of another type one of this sealer's: `session` takes its place.
    ///
    /// - Parameters:
    ///   - opened: the session as the other sealer opened it, whose age and own lifetime stay.
    ///   - session: the value of this sealer's type that it becomes.
    ///   - now: the time of this sealing.
    /// - Throws: as `adopt(_:at:)` does.
    @inlinable
    public func adopt<Other>(
        _ opened: OpenedSession<Other>, as session: Session, at now: Date = .now
    ) throws(SealError) -> SealedSession {
        try core.reseal(opened.metadata, parts: opened.parts, adopts: true, at: now) { () throws(SealError) in
            try item(session)
        }
    }

    /// What `session`'s cookie would cost, also where it is too large for one or over `itemLimit`.
    ///
    /// - Parameters:
    ///   - session: the session to measure; nothing is sealed.
    ///   - ownLifetime: its own lifetime, as in `seal`, which takes some bytes.
    ///   - now: the time at which it would begin.
    /// - Throws: `.notEncodable`; `.itemTooLarge` for more than 65,536 bytes; `.timeOutOfRange`; `.libraryFailed`.
    public func sizeReport(
        for session: Session, lifetime ownLifetime: SessionLifetime? = nil, at now: Date = .now
    ) throws(SealError) -> SizeReport {
        let item = try item(session, limit: CBORLimits.itemBytes)
        guard let times = SessionTimes(beginningAt: now, lifetime: ownLifetime) else { throw .timeOutOfRange }
        return try core.tokens.sizeReport(SessionPayload(times: times, item: item))
    }

    /// What an opened session's cookie costs as it was sealed, with its age and its own lifetime.
    ///
    /// - Parameter opened: the session as it was opened, with its `session` changed or not.
    /// - Throws: as `sizeReport(for:lifetime:at:)` does.
    public func sizeReport(for opened: OpenedSession<Session>) throws(SealError) -> SizeReport {
        try core.tokens.sizeReport(
            SessionPayload(
                times: opened.metadata.times, item: item(opened.session, limit: CBORLimits.itemBytes)))
    }

    /// The cookies that sign a visitor out.
    ///
    /// They make the browser forget the session. Where the request had more than one value for the cookie, as when its `Domain`
    /// was changed, one that is removed would leave the other to be the session. So a cookie that opens as none
    /// (`OpenError.signedOut`) takes its place, of 63 characters unless padded, for as long as any session may live: the
    /// lifetime's `ceiling`, 400 days at most. FORMAT §11.2.
    ///
    /// The token itself stays valid for whoever copied it, until it expires.
    ///
    /// - Parameters:
    ///   - header: the request's `Cookie` header; nil: it had none.
    ///   - now: the time of signing out.
    /// - Returns: the `Set-Cookie` headers to add to the response.
    /// - Throws: `.noActiveKey`, `.endedBefore`, `.timeOutOfRange`, `.libraryFailed`; `.tooLarge` where a `paddingBlock` leaves no
    ///   room: only where a cookie has to be sealed. The visitor is then still signed in; answer 503, or send `removalCookies`.
    public func signOutCookies(
        cookieHeader header: String?, at now: Date = .now
    ) throws(SealError) -> [SetCookie] {
        try core.signOutCookies(header: header, at: now)
    }

    /// The cookies that sign a visitor out, for a request with any number of `Cookie` headers.
    ///
    /// - Parameters:
    ///   - headers: the request's `Cookie` headers; empty: it had none.
    ///   - now: the time of signing out.
    public func signOutCookies(
        cookieHeaders headers: some Collection<String>, at now: Date = .now
    ) throws(SealError) -> [SetCookie] {
        try signOutCookies(cookieHeader: headers.joined(separator: "; "), at: now)
    }

    /// The cookies that make the browser forget the cookie of this sealer, whatever else it has: for moving to another
    /// sealer with `adopt`. For signing out, `signOutCookies` looks at the request too.
    ///
    /// - Parameters:
    ///   - header: the request's `Cookie` header; nil: not known. With it, parts are removed too that `splitting` no
    ///     longer allows, and another sealer's cookies of such a name are left alone.
    ///   - sealed: another sealer's session that goes with the same response, as after `adopt`. `CookieLimits.response` is
    ///     then for both, and what has no room is not removed: parts, and without room for itself the cookie, which ends
    ///     by its `Max-Age`. Nor is a cookie that this session writes.
    /// - Returns: the `Set-Cookie` headers to add to the response, the session's own cookie last.
    public func removalCookies(cookieHeader header: String? = nil, beside sealed: SealedSession? = nil)
        -> [SetCookie]
    {
        core.removalCookies(header: header, beside: sealed)
    }

    /// The cookies that make the browser forget the cookie, for a request with any number of `Cookie` headers.
    ///
    /// - Parameters:
    ///   - headers: the request's `Cookie` headers; empty: it has none.
    ///   - sealed: as with one header.
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
    /// Where the header has the cookie more than once, as when a sibling domain set one of its name, the latest authentic of
    /// the first 4 values decides: it is the session, or why there is none (FORMAT §11.2). Only where none is authentic are
    /// `formerly` and its names looked at.
    ///
    /// - Parameters:
    ///   - header: the request's `Cookie` header as it came, not percent-decoded; nil: it has none.
    ///   - now: the time by which the session is judged.
    /// - Returns: nil where the header, or the cookie in it, is missing.
    /// - Throws: why the cookie is no session, for the log; to the visitor it is the same as nil.
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

    /// Opens the session in a request's `Cookie` header, for handlers that want a session or none: a cookie that is no
    /// session is told to `onRefusal`, and is never an error of the request.
    ///
    ///     let opened = sessions.open(cookieHeader: request["Cookie"]) { log.info("no session: \($0)") }
    ///
    /// - Parameters:
    ///   - header: the request's `Cookie` header; nil: it has none.
    ///   - now: the time by which the session is judged.
    ///   - onRefusal: called with why the cookie is no session, at most once and before this returns: for the log and
    ///     for metrics (`OpenError.code`).
    ///
    ///     After `.libraryFailed` the cookie may be good: answer 503, and write no session over it.
    /// - Returns: nil where the header or the cookie in it is missing, and where it is refused. Of a split session whose
    ///   first cookie the browser has dropped nothing is known: nil too, without a call.
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
    ///   - headers: the request's `Cookie` headers as they came; empty: it has none.
    ///   - now: the time by which the session is judged.
    /// - Returns: nil where the cookie is missing.
    /// - Throws: why the cookie is no session.
    @inlinable
    public func open(
        cookieHeaders headers: some Collection<String>, at now: Date = .now
    ) throws(OpenError) -> OpenedSession<Session>? {
        // RFC 9113 §8.2.3: joined as here, they are the one header that they were.
        try open(cookieHeader: headers.count > 1 ? headers.joined(separator: "; ") : headers.first, at: now)
    }

    /// Opens the session in a request with any number of `Cookie` headers, and tells `onRefusal` of a cookie that is no
    /// session, as `open(cookieHeader:at:onRefusal:)` does.
    ///
    /// - Parameters:
    ///   - headers: the request's `Cookie` headers as they came; empty: it has none.
    ///   - now: the time by which the session is judged.
    ///   - onRefusal: called with why the cookie is no session, at most once and before this returns.
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

    /// Opens the session in a cookie's value, for frameworks that have parsed the header.
    ///
    /// One that is split spans several cookies, and which of several values decides only the header can say: use
    /// `open(cookieHeader:)` wherever it is at hand. Former forms are not looked at.
    ///
    /// - Parameters:
    ///   - value: the cookie's value, without its name and as it came.
    ///   - now: the time by which the session is judged.
    /// - Throws: why it is no session.
    @inlinable
    public func open(value: String, at now: Date = .now) throws(OpenError) -> OpenedSession<Session> {
        var session: Session?
        let metadata = try core.open(value: value.utf8.span, checksItem: Self.checksItem, at: now) {
            memory throws(OpenError) in
            session = try self.session(in: &memory)
        }
        // There is one value, which is taken or refused.
        guard let session = session.take() else { throw .notAuthentic }
        return OpenedSession(session: session, metadata, parts: nil)
    }

    /// Opens the session in a part of a longer text, such as a substring.
    ///
    /// - Parameters:
    ///   - value: the cookie's value, without its name and as it came.
    ///   - now: the time by which the session is judged.
    /// - Throws: why it is no session.
    @inlinable
    public func open(
        value: some StringProtocol, at now: Date = .now
    ) throws(OpenError) -> OpenedSession<Session> {
        try open(value: String(value), at: now)
    }

    /// Opens the session in a cookie's value, and tells `onRefusal` of one that is no session, as
    /// `open(cookieHeader:at:onRefusal:)` does.
    ///
    /// - Parameters:
    ///   - value: the cookie's value, without its name and as it came.
    ///   - now: the time by which the session is judged.
    ///   - onRefusal: called with why it is no session, at most once and before this returns.
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

    /// Encoded sessions are handed on as they are.
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
