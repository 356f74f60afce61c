// What is done to a ring in the course of its life. Every change gives a new ring. FORMAT §9.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension KeyRing {
    /// The ring with a new key that seals from `from` on.
    ///
    /// - Parameter from: later than every server's next reading of the ring, so that all of them can
    ///   open with the key before any of them seals with it. Not in the past: `pruned` takes it for the
    ///   time at which the key before ceased to seal.
    public func rotated(from: Date) throws(KeyRingError) -> (ring: KeyRing, added: SealingKey) {
        while true {
            let key = try SealingKey.generate(activeFrom: from)
            // One in 16 million is the id of another key.
            guard self.key(key.id) == nil, !revoked.contains(key.id) else { continue }
            return (try KeyRing(keys + [key], revoked: revoked, notBefore: notBefore), key)
        }
    }

    /// The ring without the key `id`, which no ring that this one is merged with brings back.
    ///
    /// What the key sealed opens no longer. The id need not be the ring's own.
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
    /// - Parameter now: the key seals from a minute before on, so that a server whose clock is behind by as
    ///   much as servers' may be (FORMAT §10) is not without one.
    public func replacingAllKeys(at now: Date = .now) throws(KeyRingError) -> (
        ring: KeyRing, added: SealingKey
    ) {
        let (rotated, added) = try rotated(from: now - Double(SessionTimes.clockSkew))
        return (
            try KeyRing(rotated.keys, revoked: revoked.union(keys.map(\.id)), notBefore: notBefore), added
        )
    }

    /// The ring that ends every session begun before `time`. An earlier end than the ring's own
    /// changes nothing.
    public func endingSessions(createdBefore time: Date) throws(KeyRingError) -> KeyRing {
        try KeyRing(keys, revoked: revoked, notBefore: max(notBefore ?? time, time))
    }

    /// The ring without the keys that no session can need that has not ended.
    ///
    /// A key is needed for `lifetime` after the next one began to seal, and an hour, for servers that
    /// read the ring late. The active key and pending ones are always kept.
    ///
    /// - Parameter lifetime: the longest that any session lives, own lifetimes included.
    public func pruned(lifetime: Duration, at now: Date = .now) throws(KeyRingError) -> KeyRing {
        guard let active = activeKey(at: now), let position = keys.firstIndex(where: { $0.id == active.id })
        else { return self }
        let span = Double(lifetime.components.seconds) + Self.readingDelay
        let kept = keys.indices.filter { index in
            guard index < position, let succeeded = keys[index + 1].activeFrom else { return true }
            return now.timeIntervalSince(succeeded) < span
        }
        return try KeyRing(kept.map { keys[$0] }, revoked: revoked, notBefore: notBefore)
    }

    /// Seconds within which every server has read a changed ring.
    private static let readingDelay = 3600.0

    /// Both rings in one. Where they disagree the stricter holds: revoked before a key, the later
    /// time for when a key begins to seal and for `notBefore`.
    ///
    /// The order does not matter, nor how often a ring is merged in.
    ///
    /// - Throws: `.idCollision` where the rings have different keys of one id.
    public func merged(with other: KeyRing) throws(KeyRingError) -> KeyRing {
        try KeyRing(
            keys + other.keys, revoked: revoked.union(other.revoked),
            notBefore: [notBefore, other.notBefore].compactMap { $0 }.max())
    }
}

extension KeyRing {
    /// Whether something of `other` is gone that changes of a ring add and do not take away, or a key.
    func isStepBack(from other: KeyRing) -> Bool {
        !revoked.isSuperset(of: other.revoked)
            || (notBefore ?? .distantPast) < (other.notBefore ?? .distantPast)
            || other.keys.contains { key($0.id) == nil && !revoked.contains($0.id) }
    }
}
