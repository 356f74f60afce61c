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
    public let name: String
    /// The keys that open, and the one that seals; those of a file as they are now.
    public var keys: KeyRing { source.ring }
    /// How long sessions live.
    public let lifetime: SessionLifetime
    public let attributes: SetCookie.Attributes
    public let limits: CookieLimits
    private let source: KeySource
    private let paddingBlock: Int
    private let nameBytes: [UInt8]
    private let context: TokenContext

    /// - Parameters:
    ///   - name: a cookie copied under another name does not open.
    ///   - purpose: tells cookies of one name apart that must not stand for one another, for example
    ///     of two applications on one ring. A token sealed for another purpose does not open.
    ///   - paddingBlock: pads payloads to a multiple of this many bytes, to blur how long a session
    ///     is; 0 for none, 4096 at most.
    /// - Throws: `CookieConfigurationError` for a name, attributes or limits with which browsers would
    ///   drop the cookie.
    public init(
        _ name: String = "__Host-session", keys: KeyRing, lifetime: SessionLifetime, purpose: String = "",
        attributes: SetCookie.Attributes = .init(), limits: CookieLimits = .rfc6265bis, paddingBlock: Int = 0
    ) throws(CookieConfigurationError) {
        try self.init(
            name, .ring(keys), lifetime, purpose: purpose, attributes: attributes, limits: limits,
            paddingBlock: paddingBlock)
    }

    /// As with a ring, but follows the changes of its file: rotation needs no restart.
    public init(
        _ name: String = "__Host-session", keys: KeyRingFile, lifetime: SessionLifetime, purpose: String = "",
        attributes: SetCookie.Attributes = .init(), limits: CookieLimits = .rfc6265bis, paddingBlock: Int = 0
    ) throws(CookieConfigurationError) {
        try self.init(
            name, .file(keys), lifetime, purpose: purpose, attributes: attributes, limits: limits,
            paddingBlock: paddingBlock)
    }

    private init(
        _ name: String, _ source: KeySource, _ lifetime: SessionLifetime, purpose: String,
        attributes: SetCookie.Attributes, limits: CookieLimits, paddingBlock: Int
    ) throws(CookieConfigurationError) {
        guard SetCookie.isName(name) else { throw .invalidName(name) }
        guard limits.nameAndValue >= CookieLimits.minimumNameAndValue, limits.attributeValue >= 1 else {
            throw .invalidLimits
        }
        guard
            name.utf8.count + Token.textCount(payloadByteCount: CompressedPayload.minimumCount)
                <= limits.nameAndValue
        else {
            throw .nameTooLong(byteCount: name.utf8.count, limit: limits.nameAndValue)
        }
        guard paddingBlock == 0 || (2...4096).contains(paddingBlock) else {
            throw .invalidPadding(paddingBlock)
        }
        try attributes.check(name: name, limits: limits)
        self.name = name
        self.source = source
        self.lifetime = lifetime
        self.attributes = attributes
        self.limits = limits
        self.paddingBlock = paddingBlock
        nameBytes = Array(name.utf8)
        context = TokenContext(name: name, purpose: purpose)
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
        return try seal(session, times: times, ring, at: now)
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
        return try seal(opened.session, times: times, source.ring, at: now)
    }

    private func seal(
        _ session: Session, times: SessionTimes, _ ring: KeyRing, at now: Date
    ) throws(SealError) -> SealedSession {
        guard let key = ring.activeKey(at: now) else { throw .noActiveKey }
        let payload = SessionPayload(times: times, item: try item(session))
        let compressed = try compress(payload)
        let cookieBytes = nameBytes.count + Token.textCount(payloadByteCount: compressed.range.count)
        // Before the cryptography: what is too large is not worth sealing.
        guard cookieBytes <= limits.nameAndValue else { throw .tooLarge(report(payload, compressed)) }
        let token = try SealError.unlessItFails { () throws(NativeFailure) in
            Token(try SealedBox(sealing: compressed, using: key, authenticating: context))
        }
        let end = times.end(under: lifetime)
        let maxAge = Int(end.timeIntervalSince1970 - now.timeIntervalSince1970.rounded(.down))
        return SealedSession(
            cookies: [
                SetCookie(
                    name: name, value: token.text, attributes: attributes,
                    maxAge: attributes.endsWithBrowser ? nil : maxAge)
            ],
            expiresAt: end, cookieBytes: cookieBytes, room: limits.nameAndValue - cookieBytes)
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
    public func removal() -> [SetCookie] {
        [SetCookie(name: name, value: "", attributes: attributes, maxAge: 0)]
    }

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
                compressing: payload, block: paddingBlock, headroom: SealedBox.headerCount,
                tailroom: XAESKey.tagLength)
        }
    }

    private func report(_ payload: SessionPayload<CBORItem>, _ compressed: CompressedPayload) -> SizeReport {
        SizeReport(
            item: payload.item, payloadBytes: compressed.range.count, nameBytes: nameBytes.count,
            limit: limits.nameAndValue)
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
        guard let header else { return nil }
        return try open(cookieHeaders: CollectionOfOne(header), at: now)
    }

    /// Opens the session in a request with any number of `Cookie` headers, as HTTP/2 allows.
    public func open(
        cookieHeaders headers: some Collection<String>, at now: Date = .now
    ) throws(OpenError) -> OpenedSession<Session>? {
        var refusal: OpenError?
        var candidates = CookieHeader.candidateLimit
        for header in headers {
            var header = header
            header.makeContiguousUTF8()
            let text = header.utf8.span
            for value in CookieHeader.values(of: nameBytes, in: text).prefix(candidates) {
                candidates -= 1
                do throws(OpenError) {
                    return try open(text.extracting(value), at: now)
                } catch {
                    // The reason that says most: one from behind the tag, else the first.
                    if refusal.map({ !$0.isAuthentic }) ?? true, error.isAuthentic || refusal == nil {
                        refusal = error
                    }
                }
            }
        }
        if let refusal { throw refusal }
        return nil
    }

    /// Opens the session in a cookie's value, for frameworks that have parsed the header.
    ///
    /// - Throws: why it is no session.
    public func open(value: some StringProtocol, at now: Date = .now) throws(OpenError) -> OpenedSession<
        Session
    > {
        var text = String(value)
        text.makeContiguousUTF8()
        return try open(text.utf8.span, at: now)
    }

    private func open(_ text: Span<UInt8>, at now: Date) throws(OpenError) -> OpenedSession<Session> {
        let box = try Token.box(in: text, limit: limits.nameAndValue - nameBytes.count)
        let id = box.keyID
        let (found, ring) = source.key(id)
        guard let key = found else {
            throw ring.revoked.contains(id) ? .revokedKey(id) : .unknownKey(id)
        }
        let payload = try box.opened(using: key, authenticating: context).payload()
        // Only now: a date that is not authenticated is an attacker's.
        let times = payload.times
        guard !times.isInFuture(at: now) else { throw .inFuture(times.sealedAt) }
        let end = times.end(under: lifetime)
        guard now < end else { throw .expired(end) }
        if let notBefore = ring.notBefore, times.createdAt < notBefore { throw .endedBefore(notBefore) }
        return OpenedSession(
            session: try session(payload.item), createdAt: times.createdAt, sealedAt: times.sealedAt,
            expiresAt: end, keyID: id, needsResealing: needsResealing(times, id, ring, at: now), times: times)
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
