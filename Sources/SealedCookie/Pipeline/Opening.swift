// Turns a token into a session, check by check in the order of FORMAT §5.2. Each check throws its own refusal:
//
// - too long, not base64url, too short, unknown version: `Token.check`, and `Token.box` if the key is in the ring
// - revoked key, unknown key: `TokenCore.key(of:)`
// - not authentic: `SealedBox.opened`
// - malformed payload, unknown dictionary: `CompressedPayload.decompressed`, then `checkItem`
// - in the future, expired, ended: `checkTimes`
// - too many cookies, missing part: `CookieCore`; a session of another type: `session(_:in:)`
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension TokenCore {
    /// Opens a token of at most the length that the carrier accepts.
    @usableFromInline
    func open(_ text: Span<UInt8>, at now: Date, _ take: Taking) throws(OpenError) -> SessionMetadata {
        try open(text, limit: carrier.tokenLimit, checksItem: true, at: now, take)
    }

    /// Takes the session out of the memory that contains its item.
    @usableFromInline
    typealias Taking = (inout WorkingMemory) throws(OpenError) -> Void

    /// Opens the token in `text`: the twelve checks.
    ///
    /// - Parameters:
    ///   - limit: The length in characters of the longest token.
    ///   - checksItem: Whether to check the item against FORMAT §7.
    ///   - take: Called for a session that passes these checks, before its memory is reused. What it throws is a
    ///     refusal too, such as a session of another type, or an `EncodedSession` whose byte strings lack contents.
    func open(
        _ text: Span<UInt8>, limit: Int, checksItem: Bool, at now: Date, _ take: Taking
    ) throws(OpenError) -> SessionMetadata {
        let (ring, index) = try key(of: text, limit: limit)
        let id = ring.keys[index].id
        return try ring.keys.withUncounted(\.material, at: index) { (key) throws(OpenError) in
            try key.withWorkspace { (workspace) throws(OpenError) in
                let payload = try decrypt(text, limit: limit, using: &workspace)
                let (times, dictionary) = try payload.decompressed(compression, in: &workspace.memory)
                if checksItem { try checkItem(in: &workspace.memory) }
                let end = try checkTimes(times, ring.notBefore, at: now)
                try take(&workspace.memory)
                return SessionMetadata(
                    identity: context.identity, times: times, end: end, keyID: id,
                    needsResealing: successor != nil || ring.hasLaterKey(than: index, at: now)
                        || isWorn(times, isOutdated: compression.isOutdated(dictionary), at: now))
            }
        }
    }

    /// Checks 1 to 7, and the time at which the token was sealed; nil if that cannot be read.
    func times(of text: Span<UInt8>, limit: Int) throws(OpenError) -> SessionTimes? {
        let (ring, index) = try key(of: text, limit: limit)
        return try ring.keys.withUncounted(\.material, at: index) { (key) throws(OpenError) in
            try key.withWorkspace { (workspace) throws(OpenError) in
                var payload = try decrypt(text, limit: limit, using: &workspace)
                let times = payload.times
                workspace.memory.give(exchange(&payload.bytes, with: []))
                return times
            }
        }
    }

    /// Checks 1 to 6, which need no cryptography. Returns the ring that has the token's key, and the key's index.
    ///
    /// The key is looked up first, and nothing is decoded, since most garbage names no key. If there is none,
    /// `Token.check` finds the first failure in the order of the checks. If there is one, `decrypt` does.
    private func key(of text: Span<UInt8>, limit: Int) throws(OpenError) -> (KeyRing, index: Int) {
        let ring = keys.ring
        let id = Token.keyID(in: text, limit: limit)
        if let id, let index = ring.index(of: id) { return (ring, index) }
        try Token.check(text, limit: limit)
        guard let id else { throw .notBase64URL }
        guard !ring.revoked.contains(id) else { throw .revokedKey(id) }
        guard let later = keys.ringForUnknownKey(id) else { throw .unknownKey(id) }
        guard let index = later.index(of: id) else {
            throw later.revoked.contains(id) ? .revokedKey(id) : .unknownKey(id)
        }
        return (later, index)
    }

    /// Checks 1 to 4 and 7. Returns the authentic payload.
    private func decrypt(
        _ text: Span<UInt8>, limit: Int, using workspace: inout Workspace
    ) throws(OpenError) -> CompressedPayload {
        try Token.box(
            in: text, limit: limit, reusing: workspace.memory.takeBytes(), tailroom: context.count
        ).opened(using: &workspace.ciphers, authenticating: context)
    }

    /// The last part of check 8. `CompressedPayload.decompressed` does the rest.
    private func checkItem(in memory: inout WorkingMemory) throws(OpenError) {
        do throws(CBORFailure) {
            try memory.checkItem()
        } catch {
            throw .malformedPayload(PayloadFailure.item(error).words)
        }
    }

    /// Checks 9 to 12. They come last because unauthenticated dates are controlled by the attacker. A signed-out
    /// token stays signed out whatever the policy is, and no lifetime gives it an end.
    ///
    /// - Returns: The session's end.
    private func checkTimes(
        _ times: SessionTimes, _ notBefore: Date?, at now: Date
    ) throws(OpenError) -> Date {
        guard !times.isInFuture(at: now) else { throw .inFuture(times.sealedAt) }
        guard !times.marks.contains(.ended) else { throw .signedOut(times.sealedAt) }
        var end = times.end(under: lifetime)
        if let successor {
            end = min(end, times.end(under: successor.lifetime))
            guard !successor.isTooLate(times) else { throw .formerCookie(times.sealedAt) }
        }
        guard now < end else { throw .expired(end) }
        if let notBefore, times.createdAt < notBefore { throw .endedBefore(notBefore) }
        return end
    }

    /// The session in a checked item.
    @usableFromInline
    func session<Session: Decodable>(
        _ type: Session.Type, in memory: inout WorkingMemory
    ) throws(OpenError) -> Session {
        do {
            return try memory.decode(type, userInfo: userInfo)
        } catch {
            throw OpenError(decoding: error)
        }
    }

    /// Whether a tenth of the time is over for which a token of this session is good: the shortest of its idle time,
    /// its lifetime and the time for which its carrier keeps it.
    ///
    /// No token says how long the browser keeps its copy. Under an earlier, shorter policy, that copy got a shorter
    /// `Max-Age`. So the decision uses today's policy, with at most ten writes in a lifetime, and does not wait until
    /// the copy is known to end before the session.
    ///
    /// A cookie that the browser keeps until it closes needs no new time, except to move to the dictionary that seals
    /// now. That move does not happen sooner: dictionaries have no order, and two servers with different lists would
    /// rewrite each other's cookies at every request.
    private func isWorn(_ times: SessionTimes, isOutdated: Bool, at now: Date) -> Bool {
        var span = times.idle(under: lifetime)
        if !times.marks.contains(.endsWithBrowser) || isOutdated {
            let kept = min(times.absolute(under: lifetime), carrier.longestKept)
            span = min(span ?? kept, kept)
        }
        guard let span else { return false }
        // Whole seconds, like `sealedAt`: otherwise there would be more than ten writes in a short span.
        return now.timeIntervalSince(times.sealedAt) >= Double((span + 9) / 10)
    }
}

/// What a token says about its session, apart from the session itself.
@usableFromInline
struct SessionMetadata: Sendable {
    /// The name and purpose with which it was opened.
    let identity: TokenIdentity
    let times: SessionTimes
    let end: Date
    let keyID: KeyID
    let needsResealing: Bool
}
