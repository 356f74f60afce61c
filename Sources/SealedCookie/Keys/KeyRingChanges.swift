// What is done to a ring in the course of its life. Every change gives a new ring. FORMAT §9.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension KeyRing {
    /// The ring with a new key.
    ///
    /// - Parameters:
    ///   - activeFrom: the time from which the new key seals, rounded up to whole seconds: later than every server's next
    ///     reading of the ring, so that all of them can open with the key before any of them seals with it.
    ///   - now: the time of the change.
    /// - Throws: `KeyRingError`: `.notATime` outside of the years 1583 to 9999; `.libraryFailed` without randomness.
    public func rotated(
        activeFrom: Date, at now: Date = .now
    ) throws(KeyRingError) -> (ring: KeyRing, added: SealingKey) {
        while true {
            let key = try SealingKey.generate(activeFrom: activeFrom)
            // One in 16 million is the id of another key.
            guard self.key(withID: key.id) == nil, !revoked.contains(key.id) else { continue }
            return (try adding(key, at: now), key)
        }
    }

    /// The ring with a key that was made elsewhere.
    ///
    /// As with `rotated`, every server should have the ring before the key's `activeFrom`. A key that the ring has
    /// already gets the later time.
    ///
    /// - Parameters:
    ///   - key: the key, such as one of `SealingKey.init(importing:activeFrom:)`.
    ///   - now: the time of the change.
    /// - Throws: `KeyRingError`: `.revokedKey` where the ring revokes the key's id; `.idCollision` where it has another
    ///   key of that id. Import another key then.
    public func adding(_ key: SealingKey, at now: Date = .now) throws(KeyRingError) -> KeyRing {
        guard !revoked.contains(key.id) else {
            throw KeyRingError(source: "keys", line: nil, problem: .revokedKey(key.id))
        }
        return try union(KeyRing([key])).noting(theEndOfSealingIn: [self], at: now)
    }

    /// The ring without the key `id`, which no ring that this one is merged with brings back.
    ///
    /// What the key sealed opens no longer.
    ///
    /// - Parameter id: the key's id, which need not be one of this ring's.
    public func revoking(_ id: KeyID) throws(KeyRingError) -> KeyRing {
        try KeyRing(keys, revoked: revoked.union([id]), notBefore: notBefore)
    }

    /// The ring with a new key that seals at once, and every other, pending ones too, revoked: for a ring that
    /// was stolen, and for one that is begun.
    ///
    /// One change. Between a rotation and a revocation servers would open what the thief sealed, and seal it
    /// again under the new key. A key that was pruned before is not among those revoked: merge no older copy
    /// of the ring in.
    ///
    /// - Parameter now: the time of the change. The key seals from a minute before on, so that a server whose clock is
    ///   behind by as much as servers' may be (FORMAT §10) is not without one.
    public func replacingAllKeys(at now: Date = .now) throws(KeyRingError) -> (
        ring: KeyRing, added: SealingKey
    ) {
        let (rotated, added) = try rotated(activeFrom: now - Double(KeyRing.clockSkew), at: now)
        return (
            try KeyRing(rotated.keys, revoked: revoked.union(keys.map(\.id)), notBefore: notBefore), added
        )
    }

    /// The ring that ends every session begun before a time.
    ///
    /// - Parameter time: the first at which a session may have begun, rounded up to whole seconds. One before the ring's
    ///   own `notBefore` changes nothing.
    public func endingSessions(createdBefore time: Date) throws(KeyRingError) -> KeyRing {
        try KeyRing(keys, revoked: revoked, notBefore: max(notBefore ?? time, time))
    }

    /// The ring without the keys that no session can need that has not ended.
    ///
    /// A key is needed for `lifetime` after the next one began to seal, or after its `sealedUntil` where that is
    /// later, and an hour, for servers that read the ring late. The active key and pending ones are always kept; where
    /// all are pending, every key is.
    ///
    /// - Parameters:
    ///   - lifetime: the longest that any session lives, own lifetimes included.
    ///   - now: the time of the change.
    public func pruned(lifetime: Duration, at now: Date = .now) throws(KeyRingError) -> KeyRing {
        let needed = neededUntil(lifetime: lifetime, at: now)
        return try KeyRing(
            keys.filter { key in needed[key.id].map { now < $0 } ?? true }, revoked: revoked,
            notBefore: notBefore)
    }

    /// Until when a session may need a key: `pruned` removes it from then on.
    ///
    /// - Parameters:
    ///   - lifetime: the longest that any session lives, own lifetimes included.
    ///   - now: the time that decides which key is active.
    /// - Returns: the time for each key that no longer seals. Not the active key and pending ones, for which nobody
    ///   knows it yet; where no key is active, none.
    public func neededUntil(lifetime: Duration, at now: Date = .now) -> [KeyID: Date] {
        let span = Double(lifetime.components.seconds) + Self.readingDelay
        return ends(at: now).compactMapValues { $0.map { $0 + span } }
    }

    /// When each key ceased to seal that was active before the one that is. Nil: some time that the ring does not say.
    private func ends(at now: Date) -> [KeyID: Date?] {
        guard let active = activeKey(at: now), let position = keys.firstIndex(where: { $0.id == active.id })
        else { return [:] }
        var times: [KeyID: Date?] = [:]
        for index in keys.indices.prefix(position) {
            times[keys[index].id] = .some(later(keys[index + 1].activeFrom, keys[index].sealedUntil))
        }
        return times
    }

    /// Seconds within which every server has read a changed ring.
    private static let readingDelay = 3600.0

    /// Both rings in one. Where they disagree the stricter holds: revoked before a key, the later
    /// time for when a key begins to seal and for `notBefore`.
    ///
    /// The order does not matter, nor how often a ring is merged in. Where a key sealed for longer than the new ring's
    /// times tell, until now or until another ring's next key began, its `sealedUntil` says so to `pruned`.
    ///
    /// - Parameters:
    ///   - other: the other ring, such as another server's.
    ///   - now: the time of the change.
    /// - Throws: `.idCollision` where the rings have different keys of one id.
    public func merged(with other: KeyRing, at now: Date = .now) throws(KeyRingError) -> KeyRing {
        try union(other).noting(theEndOfSealingIn: [self, other], at: now)
    }

    /// This ring, in which every key seems to have sealed for as long as it did in `before`: where another key has come
    /// between it and the one that followed it, `sealedUntil` says how long that was.
    private func noting(theEndOfSealingIn before: [KeyRing], at now: Date) throws(KeyRingError) -> KeyRing {
        let time = try KeyRingError.time(now, source: "keys")
        let active = activeKey(at: now)?.id
        var ends: [KeyID: Date] = [:]
        var unknown: Set<KeyID> = []
        for ring in before {
            for (id, end) in ring.ends(at: now) {
                ends[id] = later(ends[id], end)
                if end == nil { unknown.insert(id) }
            }
            if let id = ring.activeKey(at: now)?.id { ends[id] = later(ends[id], time) }
        }
        var keys = keys
        for index in keys.indices where keys[index].id != active {
            let next = index + 1 < keys.count ? keys[index + 1].activeFrom : nil
            let seeming = later(next, keys[index].sealedUntil)
            let isUnknown = unknown.contains(keys[index].id)
            // Still not said: the key is kept for good, as before.
            if isUnknown, seeming == nil { continue }
            let end = later(ends[keys[index].id], isUnknown ? time : nil)
            guard let end, later(seeming, end) != seeming else { continue }
            keys[index].sealedUntil = end
        }
        return try KeyRing(keys, revoked: revoked, notBefore: notBefore)
    }

    /// The ring of both rings' lines.
    func union(_ other: KeyRing) throws(KeyRingError) -> KeyRing {
        try KeyRing(
            keys + other.keys, revoked: revoked.union(other.revoked),
            notBefore: later(notBefore, other.notBefore))
    }
}
