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
    @usableFromInline let userInfo: [CodingUserInfoKey: any Sendable]
    private let paddingBlock: Int
    /// Bytes of an item that is sealed. Not of one that is opened, which another sealer may have sealed.
    @usableFromInline let largestItem: Int
    private let context: TokenContext

    /// Sessions that fit into a cookie have 3 KB, and where they compress as well as any, some 10.
    private static let usualLargestItem = 16_384

    init(
        _ form: CookieForm, _ source: KeySource, _ lifetime: SessionLifetime,
        _ compression: SessionCompression, paddingBlock: Int, largestItem: Int?,
        userInfo: [CodingUserInfoKey: any Sendable]
    ) throws(CookieConfigurationError) {
        let most = CBORLimits.itemBytes
        if let largestItem, !(1...most).contains(largestItem) { throw .invalidLargestItem(largestItem) }
        guard paddingBlock == 0 || (2...4096).contains(paddingBlock) else {
            throw .invalidPadding(paddingBlock)
        }
        guard !compression.hasAmbiguousNames else { throw .ambiguousDictionaries }
        self.form = form
        self.source = source
        self.lifetime = lifetime
        self.compression = compression
        self.userInfo = userInfo
        self.paddingBlock = paddingBlock
        self.largestItem = largestItem ?? max(Self.usualLargestItem, min(form.tokenLimit / 4 * 3, most))
        context = TokenContext(name: form.name, purpose: form.purpose)
    }

    // MARK: Sealing

    @usableFromInline
    func seal(
        _ item: consuming CBORItem, lifetime ownLifetime: SessionLifetime.Span?,
        replacing header: String? = nil,
        at now: Date
    ) throws(SealError) -> SealedSession {
        var stale = form.ownParts
        if let header {
            let text = header.utf8.span
            stale = parts(in: CookieHeader(text, name: form.nameBytes), text).all
        }
        if let ring = source.currentRing { return try seal(item, ownLifetime, ring, stale, at: now) }
        return try seal(item, ownLifetime, source.fixedRing, stale, at: now)
    }

    private func seal(
        _ item: consuming CBORItem, _ ownLifetime: SessionLifetime.Span?, _ ring: KeyRing, _ stale: PartSet,
        at now: Date
    ) throws(SealError) -> SealedSession {
        let beginning = Self.beginning(at: now, in: ring)
        guard let times = SessionTimes(beginningAt: beginning, lifetime: ownLifetime) else {
            throw .timeOutOfRange
        }
        let place = try Self.sealingPlace(in: ring, for: times, at: now)
        return try seal(SessionPayload(times: times, item: item), ring, place, stale: stale, at: now)
    }

    /// The key that seals a session of these times.
    private static func sealingPlace(
        in ring: KeyRing, for times: SessionTimes, at now: Date
    ) throws(SealError) -> Int {
        guard let place = ring.sealingPlace(at: now) else { throw .noActiveKey }
        if let notBefore = ring.notBefore, times.createdAt < notBefore { throw .endedBefore(notBefore) }
        return place
    }

    /// Now, or the ring's `notBefore` where this clock is behind the one that set it: a session that
    /// begins after all were ended has not ended.
    private static func beginning(at now: Date, in ring: KeyRing) -> Date {
        guard let notBefore = ring.notBefore, notBefore > now,
            notBefore.timeIntervalSince(now) <= Double(SessionTimes.clockSkew)
        else { return now }
        return notBefore
    }

    /// - Parameters:
    ///   - adopts: whether the session may be of another cookie.
    ///   - item: encodes it; not called for a session that must not be sealed again.
    @usableFromInline
    func reseal(
        _ about: AboutSession, adopts: Bool = false, at now: Date, _ item: () throws(SealError) -> CBORItem
    ) throws(SealError) -> SealedSession {
        // Else a session for ten minutes and one purpose would become one for two weeks and any other.
        guard adopts || form.hasContext(of: about.form) else {
            throw .anotherCookie(name: about.form.name, purpose: about.form.purpose)
        }
        guard let times = about.times.sealedAgain(at: now) else { throw .timeOutOfRange }
        // The end that it was opened with, too: its idle time does not begin anew once it is over.
        let end = min(about.end, times.end(under: lifetime))
        guard now < end else { throw .expired(end) }
        // Else a session sealed with a stolen key would move to one that the thief never had.
        let ring = source.ring
        guard ring.place(of: about.keyID) != nil else {
            // One that this ring may never have had is a fault of the set-up, which must not look like a session's end.
            throw adopts && !ring.revoked.contains(about.keyID)
                ? .foreignKey(about.keyID) : .revokedKey(about.keyID)
        }
        let place = try Self.sealingPlace(in: ring, for: times, at: now)
        // Another cookie's parts have other names.
        let stale = about.form.nameBytes == form.nameBytes ? about.seenParts : nil
        return try seal(
            SessionPayload(times: times, item: item()), ring, place, stale: stale ?? form.ownParts, at: now)
    }

    private func seal(
        _ payload: SessionPayload, _ ring: KeyRing, _ place: Int, stale: PartSet, at now: Date
    ) throws(SealError) -> SealedSession {
        let times = payload.times
        let id = ring.keys[place].id
        let token: Token = try ring.keys.withUncounted(\.material, at: place) { (key) throws(SealError) in
            try key.seal { (workspace) throws(SealError) in
                try self.token(payload, using: &workspace, of: id)
            }
        }
        let end = times.end(under: lifetime)
        return SealedSession(
            expiresAt: end, sealedToken: token, form: form,
            // Rounded up: the browser's copy ends no earlier than the session, and less than a second later.
            maxAge: form.attributes.endsWithBrowser
                ? nil : Int(end.timeIntervalSince1970 - now.timeIntervalSince1970.rounded(.down)),
            stale: stale, sealedAt: now)
    }

    /// The line of stages from a payload to a token.
    private func token(
        _ payload: SessionPayload, using workspace: inout Workspace, of id: KeyID
    ) throws(SealError) -> Token {
        let compressed: CompressedPayload
        do throws(NativeFailure) {
            compressed = try compress(payload, reusing: workspace.memory.takeBytes())
        } catch {
            throw .libraryFailed(operation: error.operation)
        }
        // Before the cryptography: what is too large is not worth sealing.
        let payloadCount = compressed.range.count
        guard Token.textCount(payloadByteCount: payloadCount) <= form.tokenLimit else {
            throw .tooLarge(
                SizeReport(
                    item: payload.item, payloadBytes: payloadCount, form: form, largestItem: largestItem))
        }
        do throws(NativeFailure) {
            let box = try SealedBox(
                sealing: compressed, using: &workspace.ciphers, of: id, authenticating: context)
            let token = Token(box)
            workspace.memory.give(box.takeBytes())
            return token
        } catch {
            throw .libraryFailed(operation: error.operation)
        }
    }

    func sizeReport(
        for item: CBORItem, lifetime ownLifetime: SessionLifetime.Span?, at now: Date
    ) throws(SealError) -> SizeReport {
        guard let times = SessionTimes(beginningAt: now, lifetime: ownLifetime) else { throw .timeOutOfRange }
        return try sizeReport(for: SessionPayload(times: times, item: item))
    }

    func sizeReport(for payload: SessionPayload) throws(SealError) -> SizeReport {
        do throws(NativeFailure) {
            return SizeReport(
                item: payload.item, payloadBytes: try compress(payload).range.count, form: form,
                largestItem: largestItem)
        } catch {
            throw .libraryFailed(operation: error.operation)
        }
    }

    private func compress(
        _ payload: SessionPayload, reusing bytes: consuming [UInt8] = []
    ) throws(NativeFailure) -> CompressedPayload {
        try CompressedPayload(
            compressing: payload, by: compression, block: paddingBlock, headroom: SealedBox.headerCount,
            tailroom: SealedBox.tailCount(authenticating: context), reusing: bytes)
    }

    // MARK: Opening

    /// Takes the session out of the memory that its item was left in.
    @usableFromInline
    typealias Taking = (inout WorkingMemory) throws(OpenError) -> Void

    /// Opens the session in a `Cookie` header: of the values that there are the first that `take` takes.
    ///
    /// - Parameter checksItem: whether the item is to be checked as FORMAT §7 has it.
    /// - Returns: nil where there is no value.
    @usableFromInline
    func open(
        header text: Span<UInt8>, checksItem: Bool, at now: Date, _ take: Taking
    ) throws(OpenError) -> AboutSession? {
        let cookie = CookieHeader(text, name: form.nameBytes)
        let seen = cookie.parts.isEmpty ? PartSet.none : parts(in: cookie, text).seen
        var refusal: OpenError?
        var attempts = 16
        for value in cookie.values {
            do throws(OpenError) {
                let first = text.extracting(value)
                guard let count = CookieSplitting.count(first) else {
                    return try open(first, limit: form.openRoom, seen, checksItem, at: now, take)
                }
                return try open(
                    first, of: count, cookie, seen, in: text, attempts: &attempts, checksItem, at: now, take)
            } catch {
                if error.saysMore(than: refusal) { refusal = error }
            }
        }
        if let refusal { throw refusal }
        return nil
    }

    /// Opens a split session: puts its parts together in each way there is, where a part stands more
    /// than once, but in no more than are left of 16 a request.
    private func open(
        _ first: Span<UInt8>, of count: Int, _ cookie: CookieHeader, _ seen: PartSet, in text: Span<UInt8>,
        attempts: inout Int, _ checksItem: Bool, at now: Date, _ take: Taking
    ) throws(OpenError) -> AboutSession {
        guard count <= form.splitting.cookieCount else {
            throw .tooManyParts(count, limit: form.splitting.cookieCount)
        }
        let parts = (1..<count).map(cookie.part)
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
            guard count <= form.openLimit else {
                if refusal == nil { refusal = .tooLong(byteCount: count) }
                continue
            }
            var token = (CookieSplitting.overhead..<first.count).map { first[$0] }
            for part in chosen { token += part.map { text[$0] } }
            do throws(OpenError) {
                return try open(token.span, limit: form.openLimit, seen, checksItem, at: now, take)
            } catch {
                if error.saysMore(than: refusal) { refusal = error }
            }
        }
        throw refusal ?? .notAuthentic
    }

    /// Opens the session in the text of a token.
    @usableFromInline
    func open(
        value text: Span<UInt8>, checksItem: Bool, at now: Date, _ take: Taking
    ) throws(OpenError) -> AboutSession {
        try open(text, limit: form.openRoom, nil, checksItem, at: now, take)
    }

    /// The session's parts in a request, and what an older one has left of them; with those that this sealer's
    /// splitting may have written elsewhere than where this request came from. What is a token by itself or the
    /// first cookie of one, under a key of the ring, is neither: it belongs to another sealer, whose cookie has such a name.
    private func parts(in cookie: CookieHeader, _ text: Span<UInt8>) -> (seen: PartSet, all: PartSet) {
        guard !cookie.parts.isEmpty else { return (.none, form.ownParts) }
        let ring = source.ring
        var (seen, others) = (PartSet.none, PartSet.none)
        for number in PartSet.numbers {
            let values = cookie.part(number)
            let isSeen = values.contains { value in
                var value = text.extracting(value)
                if CookieSplitting.count(value) != nil {
                    value = value.extracting(CookieSplitting.overhead...)
                }
                guard let id = Token.keyID(in: value, limit: .max) else { return true }
                return ring.place(of: id) == nil
            }
            if isSeen { seen.insert(number) } else if !values.isEmpty { others.insert(number) }
        }
        return (seen, form.ownParts.subtracting(others).union(seen))
    }

    /// The cookies that remove the session and its parts, as far as a response has room for them.
    ///
    /// - Parameter header: the request's; nil: not known.
    func removal(header: String?, beside sealed: SealedSession?) -> [SetCookie] {
        let text = (header ?? "").utf8.span
        return form.removal(
            parts(in: CookieHeader(text, name: form.nameBytes), text).all, beside: sealed?.cookies ?? [],
            limit: sealed?.form.limits.response)
    }

    /// - Parameter seen: parts in the request; nil: not known.
    private func open(
        _ text: Span<UInt8>, limit: Int, _ seen: PartSet?, _ checksItem: Bool, at now: Date,
        _ take: Taking
    ) throws(OpenError) -> AboutSession {
        if let ring = source.currentRing {
            try open(text, limit: limit, ring, seen, checksItem, at: now, take)
        } else {
            try open(text, limit: limit, source.fixedRing, seen, checksItem, at: now, take)
        }
    }

    private func open(
        _ text: Span<UInt8>, limit: Int, _ ring: KeyRing, _ seen: PartSet?, _ checksItem: Bool,
        at now: Date, _ take: Taking
    ) throws(OpenError) -> AboutSession {
        // The key first, and nothing decoded: most garbage names none.
        let id = Token.keyID(in: text, limit: limit)
        if let id, let place = ring.place(of: id) {
            return try open(text, limit: limit, ring, place, seen, checksItem, at: now, take)
        }
        try Token.check(text, limit: limit)
        guard let id else { throw .notBase64URL }
        guard !ring.revoked.contains(id) else { throw .revokedKey(id) }
        guard let later = source.ringForUnknownKey(id) else { throw .unknownKey(id) }
        guard let place = later.place(of: id) else {
            throw later.revoked.contains(id) ? .revokedKey(id) : .unknownKey(id)
        }
        return try open(text, limit: limit, later, place, seen, checksItem, at: now, take)
    }

    /// Opens a token with the key that it names, and has the session taken.
    private func open(
        _ text: Span<UInt8>, limit: Int, _ ring: KeyRing, _ place: Int, _ seen: PartSet?,
        _ checksItem: Bool, at now: Date, _ take: Taking
    ) throws(OpenError) -> AboutSession {
        let (id, notBefore) = (ring.keys[place].id, ring.notBefore)
        // By their order: a key that is pending here seals elsewhere already, where a clock is ahead.
        let hasLaterKey = ring.sealingPlace(at: now).map { $0 > place } ?? false
        return try ring.keys.withUncounted(\.material, at: place) { (key) throws(OpenError) in
            try key.open { (workspace) throws(OpenError) in
                let (times, dictionary) = try payload(of: text, limit: limit, using: &workspace)
                if checksItem { try workspace.memory.checkSession() }
                // Only now: a date that is not authenticated is an attacker's.
                guard !times.isInFuture(at: now) else { throw .inFuture(times.sealedAt) }
                let end = times.end(under: lifetime)
                guard now < end else { throw .expired(end) }
                if let notBefore, times.createdAt < notBefore { throw .endedBefore(notBefore) }
                let isOutdated = compression.isOutdated(dictionary)
                try take(&workspace.memory)
                return AboutSession(
                    form: form, times: times, end: end, keyID: id,
                    needsResealing: hasLaterKey || isWorn(times, isOutdated, at: now),
                    seenParts: seen)
            }
        }
    }

    /// The line of stages from a token to its payload, whose item is left in the workspace.
    @inline(__always)
    private func payload(
        of text: Span<UInt8>, limit: Int, using workspace: inout Workspace
    ) throws(OpenError) -> (times: SessionTimes, dictionary: CompressionDictionary.ID?) {
        try Token.box(
            in: text, limit: limit, reusing: workspace.memory.takeBytes(), tailroom: context.count
        ).opened(using: &workspace.ciphers, authenticating: context)
            .payload(compression, in: &workspace.memory)
    }

    /// Whether a tenth of the time is over for which a cookie of this session is good: the least of its idle
    /// time, its lifetime and the browsers' 400 days.
    ///
    /// How long the browser keeps its copy stands in no token. Under a shorter policy than today's it got a
    /// shorter `Max-Age`; so it is written again by today's time, ten times in a lifetime at most, and not only
    /// where it is known to end before the session does. What a browser keeps until it closes needs no other
    /// time, but to move to the dictionary that seals: no sooner, for dictionaries have no order, and two servers
    /// with two lists would write what the other wrote at every request.
    private func isWorn(_ times: SessionTimes, _ isOutdated: Bool, at now: Date) -> Bool {
        var span = lifetime.idle?.seconds
        if !form.attributes.endsWithBrowser || isOutdated {
            let kept = min(times.absolute(under: lifetime), SetCookie.maxAgeLimit)
            span = min(span ?? kept, kept)
        }
        guard let span else { return false }
        // Whole seconds, as `sealedAt` is: else there would be more than ten writes in a short span.
        return now.timeIntervalSince(times.sealedAt) >= Double((span + 9) / 10)
    }
}

/// What a token says of its session beside the session itself.
@usableFromInline
struct AboutSession: Sendable {
    /// The cookie that it came in.
    let form: CookieForm
    let times: SessionTimes
    let end: Date
    let keyID: KeyID
    let needsResealing: Bool
    /// Parts of a split session that the request had; nil: not known.
    let seenParts: PartSet?
}

extension WorkingKey {
    /// Runs `body` with a workspace that it has alone.
    @inline(__always)
    func seal<Result>(
        _ body: (inout Workspace) throws(SealError) -> Result
    ) throws(SealError) -> Result {
        try with(
            body, failure: { .libraryFailed(operation: $0.operation) },
            sparing: { if case .libraryFailed = $0 { false } else { true } })
    }

    /// Runs `body` with a workspace that it has alone.
    @inline(__always)
    func open<Result>(
        _ body: (inout Workspace) throws(OpenError) -> Result
    ) throws(OpenError) -> Result {
        try with(
            { (workspace) throws(OpenError) in
                do throws(OpenError) {
                    return try body(&workspace)
                } catch {
                    // Garbage leaves nothing behind: the next visitor takes the same memory, at most without
                    // an array.
                    if !error.isBeforeOpening { workspace.memory = WorkingMemory() }
                    throw error
                }
            }, failure: { .libraryFailed(operation: $0.operation) },
            sparing: { if case .libraryFailed = $0 { false } else { true } })
    }
}

extension WorkingMemory {
    fileprivate mutating func checkSession() throws(OpenError) {
        do throws(CBORFailure) {
            try checkBody()
        } catch {
            throw .malformedPayload(PayloadFailure.item(error).words)
        }
    }

    /// The session in a checked item.
    @usableFromInline
    mutating func session<Session: Decodable>(
        _ type: Session.Type, userInfo: [CodingUserInfoKey: any Sendable]
    ) throws(OpenError) -> Session {
        do {
            return try decode(type, userInfo: userInfo)
        } catch let error as DecodingError {
            throw OpenError(error)
        } catch {
            throw .sessionMismatch(codingPath: [], reason: "an error of type \(Swift.type(of: error))")
        }
    }

    /// The session as it came.
    @usableFromInline
    mutating func encodedSession() throws(OpenError) -> EncodedSession {
        let session = try EncodedSession(copying: &body)
        give(body.takeBytes())
        return session
    }
}
