// A token into a session, check by check as FORMAT §5.2 has them. A refusal is thrown where its check is made:
//
// - too long, not base64url, too short, unknown version: `Token.check`, and `Token.box` where the key is there
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
    /// Opens a token of what the carrier takes at the most.
    @usableFromInline
    func open(_ text: Span<UInt8>, at now: Date, _ take: Taking) throws(OpenError) -> SessionMetadata {
        try open(text, limit: carrier.tokenLimit, checksItem: true, at: now, take)
    }

    /// Takes the session out of the memory that its item was left in.
    @usableFromInline
    typealias Taking = (inout WorkingMemory) throws(OpenError) -> Void

    /// Opens the token in `text`: the twelve checks.
    ///
    /// - Parameters:
    ///   - limit: characters of the longest token.
    ///   - checksItem: whether the item is to be checked as FORMAT §7 has it.
    ///   - take: called for a session that is none of these refusals, before any other can use its memory. What it throws
    ///     is a refusal too, such as a session of another type, or an `EncodedSession` whose byte strings lack contents.
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

    /// Checks 1 to 7, and when the token was sealed; nil where that cannot be read.
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

    /// Checks 1 to 6, which need no cryptography: the ring that has the key that the token names, and its index.
    ///
    /// The key is looked for first and nothing is decoded, since most garbage names none. `Token.check` then finds what
    /// comes first in the order of the checks; where the key is there, `decrypt` does.
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

    /// Checks 1 to 4 and 7. The payload, which is authentic.
    private func decrypt(
        _ text: Span<UInt8>, limit: Int, using workspace: inout Workspace
    ) throws(OpenError) -> CompressedPayload {
        try Token.box(
            in: text, limit: limit, reusing: workspace.memory.takeBytes(), tailroom: context.count
        ).opened(using: &workspace.ciphers, authenticating: context)
    }

    /// The last of check 8, whose others `CompressedPayload.decompressed` makes.
    private func checkItem(in memory: inout WorkingMemory) throws(OpenError) {
        do throws(CBORFailure) {
            try memory.checkItem()
        } catch {
            throw .malformedPayload(PayloadFailure.item(error).words)
        }
    }

    /// Checks 9 to 12. Only now: a date that is not authenticated is an attacker's. What was signed out is so whatever
    /// the policy is, and has no end that a lifetime could say.
    ///
    /// - Returns: the session's end.
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

    /// Whether a tenth of the time is over for which a token of this session is good: the least of its idle
    /// time, its lifetime and what its carrier keeps it for.
    ///
    /// How long the browser keeps its copy is in no token. Under a shorter policy than today's it got a
    /// shorter `Max-Age`; so it is written again by today's time, ten times in a lifetime at most, and not only
    /// where it is known to end before the session does. What a browser keeps until it closes needs no other
    /// time, but to move to the dictionary that seals: no sooner, for dictionaries have no order, and two servers
    /// with two lists would write what the other wrote at every request.
    private func isWorn(_ times: SessionTimes, isOutdated: Bool, at now: Date) -> Bool {
        var span = times.idle(under: lifetime)
        if !times.marks.contains(.endsWithBrowser) || isOutdated {
            let kept = min(times.absolute(under: lifetime), carrier.longestKept)
            span = min(span ?? kept, kept)
        }
        guard let span else { return false }
        // Whole seconds, as `sealedAt` is: else there would be more than ten writes in a short span.
        return now.timeIntervalSince(times.sealedAt) >= Double((span + 9) / 10)
    }
}

/// What a token says of its session beside the session itself.
@usableFromInline
struct SessionMetadata: Sendable {
    /// The name and purpose that it was opened with.
    let identity: TokenIdentity
    let times: SessionTimes
    let end: Date
    let keyID: KeyID
    let needsResealing: Bool
}
