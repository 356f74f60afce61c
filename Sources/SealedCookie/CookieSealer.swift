// The way of a session into a cookie and back: one line of stages, walked in both directions.
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
/// Make one for each cookie and share it: it is Sendable, and may be used from any number of threads.
public struct CookieSealer<Session: Codable & Sendable>: Sendable {
    /// The cookie's name.
    public var name: String { form.name }
    /// The keys that open, and the one that seals; those of a file as they are now.
    public var keys: KeyRing { source.ring }
    /// How long sessions live.
    public let lifetime: SessionLifetime
    public let compression: SessionCompression
    public var attributes: SetCookie.Attributes { form.attributes }
    public var limits: CookieLimits { form.limits }
    public var splitting: CookieSplitting { form.splitting }
    private let source: KeySource
    private let form: CookieForm
    private let paddingBlock: Int
    private let context: TokenContext

    /// - Parameters:
    ///   - name: a cookie copied under another name does not open.
    ///   - purpose: tells cookies of one name apart that must not stand for one another, for example
    ///     of two applications on one ring. A token sealed for another purpose does not open.
    ///   - splitting: into how many cookies a session may go that one does not hold.
    ///   - compression: with which dictionary, if any.
    ///   - paddingBlock: pads payloads to a multiple of this many bytes, to blur how long a session
    ///     is; 0 for none, 4096 at most.
    /// - Throws: `CookieConfigurationError` for a name, attributes or limits with which browsers would
    ///   drop the cookie.
    public init(
        _ name: String = "__Host-session", keys: KeyRing, lifetime: SessionLifetime, purpose: String = "",
        attributes: SetCookie.Attributes = .init(), limits: CookieLimits = .rfc6265bis,
        splitting: CookieSplitting = .never, compression: SessionCompression = .standard,
        paddingBlock: Int = 0
    ) throws(CookieConfigurationError) {
        let form = try CookieForm(name: name, attributes: attributes, limits: limits, splitting: splitting)
        try self.init(form, .ring(keys), lifetime, purpose: purpose, compression, paddingBlock: paddingBlock)
    }

    /// As with a ring, but follows the changes of its file: rotation needs no restart.
    public init(
        _ name: String = "__Host-session", keys: KeyRingFile, lifetime: SessionLifetime, purpose: String = "",
        attributes: SetCookie.Attributes = .init(), limits: CookieLimits = .rfc6265bis,
        splitting: CookieSplitting = .never, compression: SessionCompression = .standard,
        paddingBlock: Int = 0
    ) throws(CookieConfigurationError) {
        let form = try CookieForm(name: name, attributes: attributes, limits: limits, splitting: splitting)
        try self.init(form, .file(keys), lifetime, purpose: purpose, compression, paddingBlock: paddingBlock)
    }

    private init(
        _ form: CookieForm, _ source: KeySource, _ lifetime: SessionLifetime, purpose: String,
        _ compression: SessionCompression, paddingBlock: Int
    ) throws(CookieConfigurationError) {
        guard paddingBlock == 0 || (2...4096).contains(paddingBlock) else {
            throw .invalidPadding(paddingBlock)
        }
        guard !compression.hasAmbiguousNames else { throw .ambiguousDictionaries }
        self.form = form
        self.compression = compression
        self.source = source
        self.lifetime = lifetime
        self.paddingBlock = paddingBlock
        context = TokenContext(name: form.name, purpose: purpose)
    }

    // MARK: Sealing

    /// Seals a session that begins now.
    ///
    /// - Parameter ownLifetime: this session's own absolute lifetime in place of the policy's, for
    ///   example for "remember me". The idle time holds as well.
    /// - Throws: `.tooLarge` with a report over the cookie limit; `.noActiveKey`; `.notEncodable`.
    public func seal(
        _ session: Session, lifetime ownLifetime: SessionLifetime.Span? = nil, at now: Date = .now
    ) throws(SealError) -> SealedSession {
        let ring = source.ring
        let beginning = Self.beginning(at: now, in: ring)
        guard let times = SessionTimes(beginningAt: beginning, lifetime: ownLifetime) else {
            throw .timeOutOfRange
        }
        return try seal(session, times, ring, stale: .all, at: now)
    }

    /// Now, or the ring's `notBefore` where this clock is behind the one that set it: a session that
    /// begins after all were ended has not ended.
    private static func beginning(at now: Date, in ring: KeyRing) -> Date {
        guard let notBefore = ring.notBefore, notBefore > now,
            notBefore.timeIntervalSince(now) <= Double(SessionTimes.clockSkew)
        else { return now }
        return notBefore
    }

    /// Seals a session again, perhaps changed, with its age: its absolute lifetime does not begin anew.
    ///
    /// After signing in, seal a new session instead, so that no older cookie shares its fate.
    public func reseal(
        _ opened: OpenedSession<Session>, at now: Date = .now
    ) throws(SealError) -> SealedSession {
        guard let times = opened.times.sealedAgain(at: now) else { throw .timeOutOfRange }
        let end = times.end(under: lifetime)
        guard now < end else { throw .expired(end) }
        return try seal(opened.session, times, source.ring, stale: opened.presentParts, at: now)
    }

    private func seal(
        _ session: Session, _ times: SessionTimes, _ ring: KeyRing, stale: PartSet, at now: Date
    ) throws(SealError) -> SealedSession {
        guard let key = ring.activeKey(at: now) else { throw .noActiveKey }
        if let notBefore = ring.notBefore, times.createdAt < notBefore { throw .endedBefore(notBefore) }
        let payload = SessionPayload(times: times, item: try item(session))
        let compressed = try compress(payload)
        // Before the cryptography: what is too large is not worth sealing.
        let tokenCount = Token.textCount(payloadByteCount: compressed.range.count)
        guard tokenCount <= form.tokenLimit else { throw .tooLarge(report(payload, compressed)) }
        let token = try SealError.unlessItFails { () throws(NativeFailure) in
            Token(try SealedBox(sealing: compressed, using: key, authenticating: context))
        }
        let end = times.end(under: lifetime)
        let maxAge = Int(end.timeIntervalSince1970 - now.timeIntervalSince1970.rounded(.down))
        return SealedSession(
            cookies: form.cookies(
                for: token.text, maxAge: attributes.endsWithBrowser ? nil : maxAge, stale: stale, now: now),
            expiresAt: end, tokenBytes: tokenCount, tokenLimit: form.tokenLimit)
    }

    /// What `session`'s cookie would cost, also where it is too large to be sealed.
    public func sizeReport(
        for session: Session, lifetime ownLifetime: SessionLifetime.Span? = nil, at now: Date = .now
    ) throws(SealError) -> SizeReport {
        guard let times = SessionTimes(beginningAt: now, lifetime: ownLifetime) else { throw .timeOutOfRange }
        let payload = SessionPayload(times: times, item: try item(session))
        return report(payload, try compress(payload))
    }

    /// What an opened session's cookie costs as it was sealed.
    package func sizeReport(for opened: OpenedSession<Session>) throws(SealError) -> SizeReport {
        let payload = SessionPayload(times: opened.times, item: try item(opened.session))
        return report(payload, try compress(payload))
    }

    /// The cookies that make the browser forget the session: for signing out.
    ///
    /// The token itself stays valid for whoever copied it, until it expires.
    public func removal() -> [SetCookie] { form.removal(now: .now) }

    private func item(_ session: Session) throws(SealError) -> CBORItem {
        if Session.self == EncodedSession.self, let encoded = session as? EncodedSession {
            return encoded.item
        }
        do {
            return try CBOREncoder.encode(session)
        } catch let failure as CBORFailure {
            throw .notEncodable(codingPath: failure.path.map(\.text), reason: failure.reason.description)
        } catch let EncodingError.invalidValue(_, context) {
            // Not the context's words: they may quote the value.
            throw .notEncodable(codingPath: context.codingPath.map(\.stringValue), reason: "an invalid value")
        } catch {
            throw .notEncodable(codingPath: [], reason: "an error of type \(type(of: error))")
        }
    }

    private func compress(_ payload: SessionPayload<CBORItem>) throws(SealError) -> CompressedPayload {
        try SealError.unlessItFails { () throws(NativeFailure) in
            try CompressedPayload(
                compressing: payload, by: compression, block: paddingBlock, headroom: SealedBox.headerCount,
                tailroom: XAESKey.tagLength)
        }
    }

    private func report(_ payload: SessionPayload<CBORItem>, _ compressed: CompressedPayload) -> SizeReport {
        SizeReport(item: payload.item, payloadBytes: compressed.range.count, form: form)
    }

    // MARK: Opening

    /// Opens the session in a request's `Cookie` header.
    ///
    /// Where the cookie stands more than once, as when a sibling domain set one of its name, each
    /// value is tried, at most 4; the first that opens is the session.
    ///
    /// - Returns: nil where the header, or the cookie in it, is missing.
    /// - Throws: why the cookie is no session, for the log; to the visitor it is the same as nil.
    public func open(
        cookieHeader header: String?, at now: Date = .now
    ) throws(OpenError) -> OpenedSession<Session>? {
        guard var header else { return nil }
        header.makeContiguousUTF8()
        let text = header.utf8.span
        let cookie = CookieHeader(text, name: form.nameBytes, partCount: splitting.cookieCount)
        var refusal: OpenError?
        var attempts = 16
        for value in cookie.values {
            do throws(OpenError) {
                let first = text.extracting(value)
                let count = CookieSplitting.count(first) ?? 1
                guard count > 1, splitting.cookieCount > 1 else {
                    return try open(first, limit: form.room, cookie, at: now)
                }
                return try open(first, of: count, cookie, in: text, attempts: &attempts, at: now)
            } catch {
                // The reason that says most: one from behind the tag, else the first.
                if refusal.map({ !$0.isAuthentic }) ?? true, error.isAuthentic || refusal == nil {
                    refusal = error
                }
            }
        }
        if let refusal { throw refusal }
        return nil
    }

    /// Opens the session in a request with any number of `Cookie` headers, as HTTP/2 allows.
    public func open(
        cookieHeaders headers: some Collection<String>, at now: Date = .now
    ) throws(OpenError) -> OpenedSession<Session>? {
        // RFC 9113 §8.2.3: joined as here, they are the one header that they were.
        try open(cookieHeader: headers.count > 1 ? headers.joined(separator: "; ") : headers.first, at: now)
    }

    /// Opens a split session: puts its parts together in each way there is, where a part stands more
    /// than once, but in no more than are left of 16 a request.
    private func open(
        _ first: Span<UInt8>, of count: Int, _ cookie: CookieHeader, in text: Span<UInt8>,
        attempts: inout Int, at now: Date
    ) throws(OpenError) -> OpenedSession<Session> {
        guard count <= splitting.cookieCount else {
            throw .tooManyParts(count, limit: splitting.cookieCount)
        }
        let parts = cookie.parts.prefix(count - 1)
        if let missing = parts.firstIndex(where: \.isEmpty) { throw .missingPart(missing + 1, of: count) }
        let combinations = min(parts.reduce(1) { $0 * $1.count }, attempts)
        attempts -= combinations
        var refusal = OpenError.notAuthentic
        for combination in 0..<combinations {
            var rest = combination
            let chosen = parts.map { candidates in
                defer { rest /= candidates.count }
                return candidates[rest % candidates.count]
            }
            guard chosen.reduce(first.count, { $0 + $1.count }) <= form.tokenLimit + CookieSplitting.overhead
            else { continue }
            var token = (CookieSplitting.overhead..<first.count).map { first[$0] }
            for part in chosen { token += part.map { text[$0] } }
            do throws(OpenError) {
                return try open(token.span, limit: form.tokenLimit, cookie, at: now)
            } catch {
                if combination == 0 || error.isAuthentic { refusal = error }
            }
        }
        throw refusal
    }

    /// Opens the session in a cookie's value, for frameworks that have parsed the header.
    ///
    /// - Throws: why it is no session.
    public func open(value: some StringProtocol, at now: Date = .now) throws(OpenError) -> OpenedSession<
        Session
    > {
        var text = String(value)
        text.makeContiguousUTF8()
        return try open(text.utf8.span, limit: form.room, nil, at: now)
    }

    /// - Parameter cookie: what else there was of it in the request.
    private func open(
        _ text: Span<UInt8>, limit: Int, _ cookie: CookieHeader?, at now: Date
    ) throws(OpenError) -> OpenedSession<Session> {
        let box = try Token.box(in: text, limit: limit)
        let id = box.keyID
        let (found, ring) = source.key(id)
        guard let key = found else {
            throw ring.revoked.contains(id) ? .revokedKey(id) : .unknownKey(id)
        }
        let payload = try box.opened(using: key, authenticating: context).payload(compression)
        // Only now: a date that is not authenticated is an attacker's.
        let times = payload.times
        guard !times.isInFuture(at: now) else { throw .inFuture(times.sealedAt) }
        let end = times.end(under: lifetime)
        guard now < end else { throw .expired(end) }
        if let notBefore = ring.notBefore, times.createdAt < notBefore { throw .endedBefore(notBefore) }
        let stale = cookie?.present ?? (splitting.cookieCount > 1 ? .all : .none)
        let isOutdated =
            payload.dictionary.map { $0 != compression.dictionary?.id } ?? false
            || cookie.map { $0.present.hasAny(from: form.cookieCount(tokenCount: text.count)) } ?? false
        return OpenedSession(
            session: try session(payload.item), createdAt: times.createdAt, sealedAt: times.sealedAt,
            expiresAt: end, keyID: id,
            needsResealing: isOutdated || needsResealing(times, id, ring, at: now), times: times,
            presentParts: stale)
    }

    private func needsResealing(
        _ times: SessionTimes, _ id: KeyID, _ ring: KeyRing, at now: Date
    ) -> Bool {
        if let active = ring.activeKey(at: now), active.id != id { return true }
        guard let idle = lifetime.idle else { return false }
        return now.timeIntervalSince(times.sealedAt) * 10 >= Double(idle.seconds)
    }

    private func session(_ index: CBORIndex) throws(OpenError) -> Session {
        if Session.self == EncodedSession.self, let encoded = EncodedSession(index) as? Session {
            return encoded
        }
        do {
            return try CBORDecoder.decode(Session.self, from: index)
        } catch let error as DecodingError {
            throw OpenError(error)
        } catch {
            throw .sessionMismatch(codingPath: [], expected: "an error of type \(type(of: error))")
        }
    }
}
