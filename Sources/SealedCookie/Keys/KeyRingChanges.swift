// The changes of a ring in the course of its life. Every change returns a new ring. FORMAT §9.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension KeyRing {
    /// Adds a new key.
    ///
    /// - Parameters:
    ///   - activeFrom: The time from which the new key seals, rounded up to whole seconds. Choose it later than every
    ///     server's next reading of the ring, so that all of them can open with the key before any of them seals with
    ///     it.
    ///   - now: The time of the change.
    /// - Returns: The changed ring, and the new key.
    /// - Throws: ``KeyRingError``: `.notATime` outside the years 1583 to 9999; `.libraryFailed` without randomness.
    public func rotated(
        activeFrom: Date, at now: Date = .now
    ) throws(KeyRingError) -> (ring: KeyRing, added: SealingKey) {
        while true {
            let key = try SealingKey.generate(activeFrom: activeFrom)
            // One key in 16 million has the ID of another.
            guard self.key(withID: key.id) == nil, !revoked.contains(key.id) else { continue }
            return (try adding(key, at: now), key)
        }
    }

    /// Adds a key that was made elsewhere.
    ///
    /// As with ``rotated(activeFrom:at:)``, every server should have the ring before the key's `activeFrom`. A key
    /// that the ring already has gets the later time.
    ///
    /// - Parameters:
    ///   - key: The key, for example from ``SealingKey/init(importing:activeFrom:)``.
    ///   - now: The time of the change.
    /// - Returns: The changed ring.
    /// - Throws: ``KeyRingError``: `.revokedKey` if the ring revokes the key's ID; `.idCollision` if it has another
    ///   key with that ID. In either case, import another key. `.notATime` if `now` is outside the years 1583 to 9999.
    public func adding(_ key: SealingKey, at now: Date = .now) throws(KeyRingError) -> KeyRing {
        guard !revoked.contains(key.id) else {
            throw KeyRingError(source: "keys", line: nil, problem: .revokedKey(key.id))
        }
        return try union(KeyRing([key])).noting(theEndOfSealingIn: [self], at: now)
    }

    /// Revokes the key `id`. It is removed, and no ring that is merged with this one brings it back.
    ///
    /// Tokens that the key sealed no longer open.
    ///
    /// - Parameter id: The key's ID. The ring need not have the key.
    /// - Returns: The changed ring.
    /// - Throws: ``KeyRingError`` in no known case: the changed ring is as valid as this one.
    public func revoking(_ id: KeyID) throws(KeyRingError) -> KeyRing {
        try KeyRing(keys, revoked: revoked.union([id]), notBefore: notBefore)
    }

    /// Adds a new key that seals at once, and revokes all others, including pending ones: for a ring that was stolen,
    /// and for a new ring.
    ///
    /// Both happen in one change. Between a rotation and a revocation, servers would open what the thief sealed, and
    /// seal it again under the new key. A key that was pruned earlier is not among those revoked, so never merge an
    /// older copy of the ring.
    ///
    /// - Parameter now: The time of the change. The key seals from a minute earlier, so that a server whose clock is
    ///   behind by the allowed amount (FORMAT §10) has a key too.
    /// - Returns: The changed ring, and the new key.
    /// - Throws: ``KeyRingError``: `.libraryFailed` without randomness; `.notATime` outside the years 1583 to 9999.
    public func replacingAllKeys(at now: Date = .now) throws(KeyRingError) -> (
        ring: KeyRing, added: SealingKey
    ) {
        let (rotated, added) = try rotated(activeFrom: now - Double(KeyRing.clockSkew), at: now)
        return (
            try KeyRing(rotated.keys, revoked: revoked.union(keys.map(\.id)), notBefore: notBefore), added
        )
    }

    /// Ends every session that began before a time.
    ///
    /// - Parameter time: The first time at which a session may have begun, rounded up to whole seconds. A time before
    ///   the ring's own `notBefore` changes nothing.
    /// - Returns: The changed ring.
    /// - Throws: ``KeyRingError``: `.notATime` outside the years 1583 to 9999.
    public func endingSessions(createdBefore time: Date) throws(KeyRingError) -> KeyRing {
        try KeyRing(keys, revoked: revoked, notBefore: max(notBefore ?? time, time))
    }

    /// Removes the keys that no live session can need.
    ///
    /// A key is needed for `lifetime` after the next key began to seal, or after its own `sealedUntil` if that is
    /// later, and another hour for servers that read the ring late. The active key and pending keys are always kept.
    /// If all keys are pending, all are kept.
    ///
    /// - Parameters:
    ///   - lifetime: The longest that any session lives, including those with their own lifetime.
    ///   - now: The time of the change.
    /// - Returns: The changed ring.
    /// - Throws: ``KeyRingError``: `.notATime` if `now` is outside the years 1583 to 9999.
    public func pruned(lifetime: Duration, at now: Date = .now) throws(KeyRingError) -> KeyRing {
        // A key compares with what is no number as if its time were over.
        _ = try KeyRingError.time(now, source: "keys")
        let needed = neededUntil(lifetime: lifetime, at: now)
        return try KeyRing(
            keys.filter { key in needed[key.id].map { now < $0 } ?? true }, revoked: revoked,
            notBefore: notBefore)
    }

    /// The time until which a session may need each key. From then on, ``pruned(lifetime:at:)`` removes the key.
    ///
    /// - Parameters:
    ///   - lifetime: The longest that any session lives, including those with their own lifetime.
    ///   - now: The time that decides which key is active.
    /// - Returns: The time for each key that no longer seals. The active key and pending keys are left out, since
    ///   their times are not known yet. If no key is active, the result is empty.
    public func neededUntil(lifetime: Duration, at now: Date = .now) -> [KeyID: Date] {
        let span = Double(lifetime.components.seconds) + Self.readingDelay
        return ends(at: now).compactMapValues { $0.map { $0 + span } }
    }

    /// The time at which each key before the active one ceased to seal. Nil: a time that the ring does not say.
    private func ends(at now: Date) -> [KeyID: Date?] {
        guard let active = activeKey(at: now), let position = keys.firstIndex(where: { $0.id == active.id })
        else { return [:] }
        var times: [KeyID: Date?] = [:]
        for index in keys.indices.prefix(position) {
            times[keys[index].id] = .some(later(keys[index + 1].activeFrom, keys[index].sealedUntil))
        }
        return times
    }

    /// The seconds within which every server has read a changed ring.
    private static let readingDelay = 3600.0

    /// Merges two rings into one. If they disagree, the stricter wins: a revocation over a key, the later time for
    /// the start of a key and for `notBefore`.
    ///
    /// The order does not matter, nor does merging a ring again. A key may have sealed for longer than the new ring's
    /// times say: until now, or until another ring's next key began. Its `sealedUntil` then tells this to
    /// ``pruned(lifetime:at:)``.
    ///
    /// - Parameters:
    ///   - other: The other ring, such as another server's.
    ///   - now: The time of the change.
    /// - Returns: The merged ring.
    /// - Throws: ``KeyRingError``: `.idCollision` if the rings have different keys with the same ID; `.notATime` if `now`
    ///   is outside the years 1583 to 9999.
    public func merged(with other: KeyRing, at now: Date = .now) throws(KeyRingError) -> KeyRing {
        try union(other).noting(theEndOfSealingIn: [self, other], at: now)
    }

    /// This ring, with every key shown to have sealed for as long as it did in `before`. If another key has come
    /// between a key and its successor, `sealedUntil` says how long that was.
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
            // Still unknown: the key is kept for good, as before.
            if isUnknown, seeming == nil { continue }
            let end = later(ends[keys[index].id], isUnknown ? time : nil)
            guard let end, later(seeming, end) != seeming else { continue }
            keys[index].sealedUntil = end
        }
        return try KeyRing(keys, revoked: revoked, notBefore: notBefore)
    }

    /// The ring with the lines of both rings.
    func union(_ other: KeyRing) throws(KeyRingError) -> KeyRing {
        try KeyRing(
            keys + other.keys, revoked: revoked.union(other.revoked),
            notBefore: later(notBefore, other.notBefore))
    }
}
