// What a sealer does whatever its session's type is: the stages between an item and a cookie.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A `CookieSealer` without the type of its session. A class, so that a sealer is one reference.
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

    func seal(
        _ item: CBORItem, lifetime ownLifetime: SessionLifetime.Span?, at now: Date
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

    func reseal(
        _ item: CBORItem, _ times: SessionTimes, stale: PartSet, at now: Date
    ) throws(SealError) -> SealedSession {
        guard let times = times.sealedAgain(at: now) else { throw .timeOutOfRange }
        let end = times.end(under: lifetime)
        guard now < end else { throw .expired(end) }
        return try seal(SessionPayload(times: times, item: item), source.ring, stale: stale, at: now)
    }

    private func seal(
        _ payload: SessionPayload<CBORItem>, _ ring: KeyRing, stale: PartSet, at now: Date
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
        let tokenCount = Token.textCount(payloadByteCount: payloadCount)
        guard tokenCount <= form.tokenLimit else {
            throw .tooLarge(SizeReport(item: payload.item, payloadBytes: payloadCount, form: form))
        }
        let token: Token
        do throws(NativeFailure) {
            token = Token(try SealedBox(sealing: consume compressed, using: key, authenticating: context))
        } catch {
            throw .libraryFailed(operation: error.operation)
        }
        let end = times.end(under: lifetime)
        let maxAge = Int(end.timeIntervalSince1970 - now.timeIntervalSince1970.rounded(.down))
        return SealedSession(
            cookies: form.cookies(
                for: token.text, maxAge: form.attributes.endsWithBrowser ? nil : maxAge, stale: stale,
                now: now),
            expiresAt: end, tokenBytes: tokenCount, tokenLimit: form.tokenLimit)
    }

    func sizeReport(
        for item: CBORItem, lifetime ownLifetime: SessionLifetime.Span?, at now: Date
    ) throws(SealError) -> SizeReport {
        guard let times = SessionTimes(beginningAt: now, lifetime: ownLifetime) else { throw .timeOutOfRange }
        return try sizeReport(for: SessionPayload(times: times, item: item))
    }

    func sizeReport(for payload: SessionPayload<CBORItem>) throws(SealError) -> SizeReport {
        do throws(NativeFailure) {
            return SizeReport(item: payload.item, payloadBytes: try compress(payload).range.count, form: form)
        } catch {
            throw .libraryFailed(operation: error.operation)
        }
    }

    private func compress(_ payload: SessionPayload<CBORItem>) throws(NativeFailure) -> CompressedPayload {
        try CompressedPayload(
            compressing: payload, by: compression, block: paddingBlock, headroom: SealedBox.headerCount,
            tailroom: XAESKey.tagLength)
    }

    // MARK: Opening

    /// Opens the session in a `Cookie` header; nil: there is none.
    ///
    /// - Parameter checksItem: whether the item is to be checked as FORMAT §7 has it.
    func open(
        header text: Span<UInt8>, checksItem: Bool, at now: Date
    ) throws(OpenError) -> OpenedItem? {
        let cookie = CookieHeader(text, name: form.nameBytes, partCount: form.splitting.cookieCount)
        var refusal: OpenError?
        var attempts = 16
        for value in cookie.values {
            do throws(OpenError) {
                let first = text.extracting(value)
                let count = CookieSplitting.count(first) ?? 1
                guard count > 1, form.splitting.cookieCount > 1 else {
                    return try open(first, limit: form.room, cookie, checksItem: checksItem, at: now)
                }
                return try open(
                    first, of: count, cookie, in: text, attempts: &attempts, checksItem: checksItem, at: now)
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

    /// Opens a split session: puts its parts together in each way there is, where a part stands more
    /// than once, but in no more than are left of 16 a request.
    private func open(
        _ first: Span<UInt8>, of count: Int, _ cookie: CookieHeader, in text: Span<UInt8>,
        attempts: inout Int, checksItem: Bool, at now: Date
    ) throws(OpenError) -> OpenedItem {
        guard count <= form.splitting.cookieCount else {
            throw .tooManyParts(count, limit: form.splitting.cookieCount)
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
            let count = chosen.reduce(first.count - CookieSplitting.overhead) { $0 + $1.count }
            guard count <= form.tokenLimit else {
                if combination == 0 { refusal = .tooLong(byteCount: count) }
                continue
            }
            var token = (CookieSplitting.overhead..<first.count).map { first[$0] }
            for part in chosen { token += part.map { text[$0] } }
            do throws(OpenError) {
                return try open(
                    token.span, limit: form.tokenLimit, cookie, checksItem: checksItem, at: now)
            } catch {
                if combination == 0 || error.isAuthentic { refusal = error }
            }
        }
        throw refusal
    }

    /// Opens the session in the text of a token.
    func open(value text: Span<UInt8>, checksItem: Bool, at now: Date) throws(OpenError) -> OpenedItem {
        try open(text, limit: form.room, nil, checksItem: checksItem, at: now)
    }

    /// - Parameter cookie: what else there was of it in the request.
    private func open(
        _ text: Span<UInt8>, limit: Int, _ cookie: CookieHeader?, checksItem: Bool, at now: Date
    ) throws(OpenError) -> OpenedItem {
        let box = try Token.box(in: text, limit: limit)
        let id = box.keyID
        let (found, ring) = source.key(id)
        guard let key = found else {
            throw ring.revoked.contains(id) ? .revokedKey(id) : .unknownKey(id)
        }
        let payload = try box.opened(using: key, authenticating: context).payload(compression)
        let index = checksItem ? try payload.item.checked() : nil
        // Only now: a date that is not authenticated is an attacker's.
        let times = payload.times
        guard !times.isInFuture(at: now) else { throw .inFuture(times.sealedAt) }
        let end = times.end(under: lifetime)
        guard now < end else { throw .expired(end) }
        if let notBefore = ring.notBefore, times.createdAt < notBefore { throw .endedBefore(notBefore) }
        let isOutdated =
            payload.dictionary.map { $0 != compression.dictionary?.id } ?? false
            || cookie.map { $0.present.hasAny(from: form.cookieCount(tokenCount: text.count)) } ?? false
        return OpenedItem(
            body: payload.item, index: index, times: times, end: end, keyID: id,
            needsResealing: isOutdated || needsResealing(times, id, ring, at: now),
            presentParts: cookie?.present ?? (form.splitting.cookieCount > 1 ? .all : .none))
    }

    private func needsResealing(
        _ times: SessionTimes, _ id: KeyID, _ ring: KeyRing, at now: Date
    ) -> Bool {
        if let active = ring.activeKey(at: now), active.id != id { return true }
        guard let idle = lifetime.idle else { return false }
        return now.timeIntervalSince(times.sealedAt) * 10 >= Double(idle.seconds)
    }
}

/// An opened session before it becomes one of its type.
struct OpenedItem {
    let body: PayloadBody
    /// The checked item, where it was to be checked.
    let index: CBORIndex?
    let times: SessionTimes
    let end: Date
    let keyID: KeyID
    let needsResealing: Bool
    let presentParts: PartSet
}

extension PayloadBody {
    fileprivate func checked() throws(OpenError) -> CBORIndex {
        do throws(CBORFailure) {
            return try CBORIndex(parsing: self)
        } catch {
            throw .malformedPayload(PayloadFailure.item(error).words)
        }
    }
}
