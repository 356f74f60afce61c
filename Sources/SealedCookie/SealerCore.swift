// What a sealer does whatever its session's type is: the stages between an item and a cookie.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A `CookieSealer` without the type of its session. A class, so that a sealer is one reference.
@usableFromInline
final class SealerCore: Sendable {
    let form: CookieForm
    let source: KeySource
    let lifetime: SessionLifetime
    let compression: SessionCompression
    private let paddingBlock: Int
    private let context: TokenContext

    init(
        _ form: CookieForm, _ source: KeySource, _ lifetime: SessionLifetime, purpose: String,
        _ compression: SessionCompression, paddingBlock: Int
    ) throws(CookieConfigurationError) {
        guard paddingBlock == 0 || (2...4096).contains(paddingBlock) else {
            throw .invalidPadding(paddingBlock)
        }
        guard !compression.hasAmbiguousNames else { throw .ambiguousDictionaries }
        self.form = form
        self.source = source
        self.lifetime = lifetime
        self.compression = compression
        self.paddingBlock = paddingBlock
        context = TokenContext(name: form.name, purpose: purpose)
    }

    // MARK: Sealing

    @usableFromInline
    func seal(
        _ item: consuming CBORItem, lifetime ownLifetime: SessionLifetime.Span?, at now: Date
    ) throws(SealError) -> SealedSession {
        let ring = source.ring
        let beginning = Self.beginning(at: now, in: ring)
        guard let times = SessionTimes(beginningAt: beginning, lifetime: ownLifetime) else {
            throw .timeOutOfRange
        }
        return try seal(SessionPayload(times: times, item: item), ring, stale: .all, at: now)
    }

    /// Now, or the ring's `notBefore` where this clock is behind the one that set it: a session that
    /// begins after all were ended has not ended.
    private static func beginning(at now: Date, in ring: KeyRing) -> Date {
        guard let notBefore = ring.notBefore, notBefore > now,
            notBefore.timeIntervalSince(now) <= Double(SessionTimes.clockSkew)
        else { return now }
        return notBefore
    }

    @usableFromInline
    func reseal(
        _ item: consuming CBORItem, _ about: AboutSession, at now: Date
    ) throws(SealError) -> SealedSession {
        guard let times = about.times.sealedAgain(at: now) else { throw .timeOutOfRange }
        let end = times.end(under: lifetime)
        guard now < end else { throw .expired(end) }
        return try seal(
            SessionPayload(times: times, item: item), source.ring, stale: about.presentParts, at: now)
    }

    private func seal(
        _ payload: SessionPayload, _ ring: KeyRing, stale: PartSet, at now: Date
    ) throws(SealError) -> SealedSession {
        guard let key = ring.activeKey(at: now) else { throw .noActiveKey }
        let times = payload.times
        if let notBefore = ring.notBefore, times.createdAt < notBefore { throw .endedBefore(notBefore) }
        let compressed: CompressedPayload
        do throws(NativeFailure) {
            compressed = try compress(payload)
        } catch {
            throw .libraryFailed(operation: error.operation)
        }
        // Before the cryptography: what is too large is not worth sealing.
        let payloadCount = compressed.range.count
        guard Token.textCount(payloadByteCount: payloadCount) <= form.tokenLimit else {
            throw .tooLarge(SizeReport(item: payload.item, payloadBytes: payloadCount, form: form))
        }
        let token: Token
        do throws(NativeFailure) {
            token = Token(try SealedBox(sealing: consume compressed, using: key, authenticating: context))
        } catch {
            throw .libraryFailed(operation: error.operation)
        }
        let end = times.end(under: lifetime)
        return SealedSession(
            expiresAt: end, sealedToken: token, form: form,
            maxAge: form.attributes.endsWithBrowser
                ? nil : Int(end.timeIntervalSince1970 - now.timeIntervalSince1970.rounded(.down)),
            stale: stale, sealedAt: now)
    }

    func sizeReport(
        for item: CBORItem, lifetime ownLifetime: SessionLifetime.Span?, at now: Date
    ) throws(SealError) -> SizeReport {
        guard let times = SessionTimes(beginningAt: now, lifetime: ownLifetime) else { throw .timeOutOfRange }
        return try sizeReport(for: SessionPayload(times: times, item: item))
    }

    func sizeReport(for payload: SessionPayload) throws(SealError) -> SizeReport {
        do throws(NativeFailure) {
            return SizeReport(item: payload.item, payloadBytes: try compress(payload).range.count, form: form)
        } catch {
            throw .libraryFailed(operation: error.operation)
        }
    }

    private func compress(_ payload: SessionPayload) throws(NativeFailure) -> CompressedPayload {
        try CompressedPayload(
            compressing: payload, by: compression, block: paddingBlock, headroom: SealedBox.headerCount,
            tailroom: XAESKey.tagLength)
    }

    // MARK: Opening

    /// Takes the session out of the memory that its item was left in.
    @usableFromInline
    typealias Taking = (AboutSession, inout OpeningMemory) throws(OpenError) -> Void

    /// Opens the session in a `Cookie` header: of the values that there are the first that `take` takes.
    ///
    /// - Parameter checksItem: whether the item is to be checked as FORMAT §7 has it.
    @usableFromInline
    func open(
        header text: Span<UInt8>, checksItem: Bool, at now: Date, in memory: inout OpeningMemory,
        _ take: Taking
    ) throws(OpenError) {
        let cookie = CookieHeader(text, name: form.nameBytes, partCount: form.splitting.cookieCount)
        var refusal: OpenError?
        var attempts = 16
        for value in cookie.values {
            do throws(OpenError) {
                let first = text.extracting(value)
                let count = CookieSplitting.count(first) ?? 1
                guard count > 1, form.splitting.cookieCount > 1 else {
                    return try take(
                        open(first, limit: form.room, cookie, checksItem, at: now, in: &memory), &memory)
                }
                return try open(
                    first, of: count, cookie, in: text, attempts: &attempts, checksItem, at: now, in: &memory,
                    take)
            } catch {
                if error.saysMore(than: refusal) { refusal = error }
            }
        }
        if let refusal { throw refusal }
    }

    /// Opens a split session: puts its parts together in each way there is, where a part stands more
    /// than once, but in no more than are left of 16 a request.
    private func open(
        _ first: Span<UInt8>, of count: Int, _ cookie: CookieHeader, in text: Span<UInt8>,
        attempts: inout Int, _ checksItem: Bool, at now: Date, in memory: inout OpeningMemory, _ take: Taking
    ) throws(OpenError) {
        guard count <= form.splitting.cookieCount else {
            throw .tooManyParts(count, limit: form.splitting.cookieCount)
        }
        let parts = cookie.parts.prefix(count - 1)
        if let missing = parts.firstIndex(where: \.isEmpty) { throw .missingPart(missing + 1, of: count) }
        let combinations = min(parts.reduce(1) { $0 * $1.count }, attempts)
        attempts -= combinations
        var refusal: OpenError?
        for combination in 0..<combinations {
            var rest = combination
            let chosen = parts.map { candidates in
                defer { rest /= candidates.count }
                return candidates[rest % candidates.count]
            }
            let count = chosen.reduce(first.count - CookieSplitting.overhead) { $0 + $1.count }
            guard count <= form.tokenLimit else {
                if refusal == nil { refusal = .tooLong(byteCount: count) }
                continue
            }
            var token = (CookieSplitting.overhead..<first.count).map { first[$0] }
            for part in chosen { token += part.map { text[$0] } }
            do throws(OpenError) {
                return try take(
                    open(token.span, limit: form.tokenLimit, cookie, checksItem, at: now, in: &memory),
                    &memory)
            } catch {
                if error.saysMore(than: refusal) { refusal = error }
            }
        }
        throw refusal ?? .notAuthentic
    }

    /// Opens the session in the text of a token.
    @usableFromInline
    func open(
        value text: Span<UInt8>, checksItem: Bool, at now: Date, in memory: inout OpeningMemory
    ) throws(OpenError) -> AboutSession {
        try open(text, limit: form.room, nil, checksItem, at: now, in: &memory)
    }

    /// - Parameter cookie: what else there was of it in the request.
    private func open(
        _ text: Span<UInt8>, limit: Int, _ cookie: CookieHeader?, _ checksItem: Bool, at now: Date,
        in memory: inout OpeningMemory
    ) throws(OpenError) -> AboutSession {
        let ring = try ring(for: text, limit: limit)
        let box = try Token.box(in: text, limit: limit, reusing: memory.takeBytes())
        let id = box.keyID
        let (times, dictionary) = try box.opened(using: ring.openingKey(id), authenticating: context)
            .payload(compression, in: &memory)
        if checksItem { try memory.checkSession() }
        // Only now: a date that is not authenticated is an attacker's.
        guard !times.isInFuture(at: now) else { throw .inFuture(times.sealedAt) }
        let end = times.end(under: lifetime)
        guard now < end else { throw .expired(end) }
        if let notBefore = ring.notBefore, times.createdAt < notBefore { throw .endedBefore(notBefore) }
        let isOutdated =
            dictionary.map { $0 != compression.dictionary?.id } ?? false
            || cookie.map { $0.present.hasAny(from: form.cookieCount(tokenCount: text.count)) } ?? false
        return AboutSession(
            times: times, end: end, keyID: id,
            needsResealing: isOutdated || needsResealing(times, id, ring, at: now),
            presentParts: cookie?.present ?? (form.splitting.cookieCount > 1 ? .all : .none))
    }

    /// The ring with the key that a token names. Decodes nothing: most garbage names none.
    private func ring(for text: Span<UInt8>, limit: Int) throws(OpenError) -> KeyRing {
        let ring = source.ring
        let id = Token.keyID(in: text, limit: limit)
        if let id, ring.keys.contains(where: { $0.id == id }) { return ring }
        try Token.check(text, limit: limit)
        guard let id else { throw .notBase64URL }
        guard !ring.revoked.contains(id) else { throw .revokedKey(id) }
        guard let later = source.ringForUnknownKey() else { throw .unknownKey(id) }
        _ = try later.openingKey(id)
        return later
    }

    private func needsResealing(
        _ times: SessionTimes, _ id: KeyID, _ ring: KeyRing, at now: Date
    ) -> Bool {
        if let active = ring.activeKey(at: now), active.id != id { return true }
        guard let idle = lifetime.idle else { return false }
        return now.timeIntervalSince(times.sealedAt) * 10 >= Double(idle.seconds)
    }
}

/// What a token says of its session beside the session itself.
@usableFromInline
struct AboutSession: Sendable {
    let times: SessionTimes
    let end: Date
    let keyID: KeyID
    let needsResealing: Bool
    /// Parts of a split session that the browser has, or may have.
    let presentParts: PartSet
}

extension KeyRing {
    /// The one key for tokens of this id.
    fileprivate func openingKey(_ id: KeyID) throws(OpenError) -> SealingKey {
        for key in keys where key.id == id { return key }
        throw revoked.contains(id) ? .revokedKey(id) : .unknownKey(id)
    }
}

extension OpeningMemory {
    private static let pool = Pool<OpeningMemory>()

    /// Runs `body` with memory that it has alone.
    @usableFromInline
    static func with<Result>(
        _ body: (inout OpeningMemory) throws(OpenError) -> Result
    ) throws(OpenError) -> Result {
        try with(from: pool, body)
    }

    @inline(__always)
    static func with<Result>(
        from pool: borrowing Pool<OpeningMemory>,
        _ body: (inout OpeningMemory) throws(OpenError) -> Result
    ) throws(OpenError) -> Result {
        // Garbage leaves nothing behind: the next visitor takes the same memory, at most without an array.
        try pool.with(
            body, orNew: { () throws(OpenError) in OpeningMemory() }, sparing: { $0.isBeforeOpening })
    }

    fileprivate mutating func checkSession() throws(OpenError) {
        do throws(CBORFailure) {
            try checkBody()
        } catch {
            throw .malformedPayload(PayloadFailure.item(error).words)
        }
    }

    /// The session in a checked item.
    @usableFromInline
    mutating func session<Session: Decodable>(_ type: Session.Type) throws(OpenError) -> Session {
        do {
            return try decode(type)
        } catch let error as DecodingError {
            throw OpenError(error)
        } catch {
            throw .sessionMismatch(codingPath: [], expected: "an error of type \(Swift.type(of: error))")
        }
    }

    /// The session as it came.
    @usableFromInline
    mutating func encodedSession() throws(OpenError) -> EncodedSession {
        try EncodedSession(exchange(&body, with: .none))
    }
}
