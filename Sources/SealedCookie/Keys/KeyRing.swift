// All keys that a server knows, and the choice of the one that seals at a given time. FORMAT §9.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The keys of a site. Every key opens, and the newest whose time has come seals.
///
/// The clock alone decides. A key whose time is still to come is pending: all servers can open with it before any of
/// them seals with it.
public struct KeyRing: Sendable {
    /// A class, because rings are passed along with every request: one reference.
    private final class Contents: Sendable {
        let keys: [SealingKey]
        let revoked: Set<KeyID>
        let notBefore: Date?

        init(keys: [SealingKey], revoked: Set<KeyID>, notBefore: Date?) {
            self.keys = keys
            self.revoked = revoked
            self.notBefore = notBefore
        }
    }

    private let contents: Contents

    /// The number of seconds that another server's clock may be ahead of ours.
    static let clockSkew: Int64 = 60

    static let empty = KeyRing(Contents(keys: [], revoked: [], notBefore: nil))

    private init(_ contents: Contents) {
        self.contents = contents
    }

    /// The keys, ordered by the time from which they seal, oldest first.
    public var keys: [SealingKey] { contents.keys }
    /// IDs that are refused for good, even if another ring still has the key.
    public var revoked: Set<KeyID> { contents.revoked }
    /// Sessions that began before this time have ended.
    public var notBefore: Date? { contents.notBefore }

    /// Creates a ring of these keys.
    ///
    /// - Parameters:
    ///   - keys: The keys, in any order. A key whose ID is in `revoked` is left out.
    ///   - revoked: IDs of keys that are refused for good.
    ///   - notBefore: The time before which no session may have begun, rounded up to whole seconds. Nil means any
    ///     time.
    /// - Throws: ``KeyRingError``: `.idCollision` if two different keys have the same ID; `.notATime` for a time
    ///   outside the years 1583 to 9999.
    public init(_ keys: [SealingKey], revoked: Set<KeyID> = [], notBefore: Date? = nil) throws(KeyRingError) {
        try self.init(keys, revoked: revoked, notBefore: notBefore, source: "keys")
    }

    init(
        _ keys: [SealingKey], revoked: Set<KeyID>, notBefore: Date?, source: String
    ) throws(KeyRingError) {
        var kept: [SealingKey] = []
        var positions: [KeyID: Int] = [:]
        for key in keys where !revoked.contains(key.id) {
            guard let position = positions[key.id] else {
                positions[key.id] = kept.count
                kept.append(key)
                continue
            }
            guard kept[position].holdsSameKey(as: key) else {
                throw KeyRingError(source: source, line: nil, problem: .idCollision(key.id))
            }
            // The same key twice, as in a union of rings. The later time is the one by which both files' servers have
            // it.
            kept[position] = kept[position].joined(with: key)
        }
        contents = Contents(
            keys: kept.sorted(by: Self.precedes), revoked: revoked,
            notBefore: try KeyRingError.time(notBefore, source: source))
    }

    /// This ring, with everything that `other` revokes and ends revoked and ended as well.
    func stricter(with other: KeyRing) -> KeyRing {
        let revoked = revoked.union(other.revoked)
        return KeyRing(
            Contents(
                keys: keys.filter { !revoked.contains($0.id) }, revoked: revoked,
                notBefore: later(notBefore, other.notBefore)))
    }

    /// A total order, the same on every server: by time, then by ID.
    private static func precedes(_ a: SealingKey, _ b: SealingKey) -> Bool {
        let (aTime, bTime) = (a.activeFrom ?? .distantPast, b.activeFrom ?? .distantPast)
        return aTime == bTime ? a.id < b.id : aTime < bTime
    }

    /// The newest key whose time has come. Nil: all keys are pending, or there are none.
    ///
    /// - Parameter now: The time that decides.
    /// - Returns: The key, or nil.
    public func activeKey(at now: Date = .now) -> SealingKey? {
        activeIndex(at: now).map { keys[$0] }
    }

    /// The key that seals at `now`: the active one. If all keys are pending, it is the one whose time comes first,
    /// for a server whose clock is behind. Nil: the ring has no key.
    ///
    /// - Parameter now: The time that decides.
    /// - Returns: The key, or nil.
    public func sealingKey(at now: Date = .now) -> SealingKey? {
        sealingIndex(at: now).map { keys[$0] }
    }

    /// Whether the ring is empty: no key, no revoked ID, no `not-before`.
    public var isEmpty: Bool { keys.isEmpty && revoked.isEmpty && notBefore == nil }

    /// The key with an ID; nil if the ring has none.
    ///
    /// - Parameter id: The key's ID, as tokens name it.
    /// - Returns: The key, or nil.
    public func key(withID id: KeyID) -> SealingKey? {
        index(of: id).map { keys[$0] }
    }

    private func activeIndex(at now: Date) -> Int? {
        let keys = keys.span
        return keys.indices.last { keys[$0].isActive(at: now) }
    }

    /// The index in `keys` of the key that seals at `now`.
    func sealingIndex(at now: Date) -> Int? {
        activeIndex(at: now) ?? earliestIndex
    }

    /// Whether a later key than the one at `index` seals now. Keys are compared by their order: a key that is pending
    /// here already seals on another server whose clock is ahead.
    func hasLaterKey(than index: Int, at now: Date) -> Bool {
        sealingIndex(at: now).map { $0 > index } ?? false
    }

    /// The time at which a session begins that is sealed now: now, or `notBefore` or a cut-off if this clock is
    /// behind the one that set it. A session that begins after all sessions were ended has not ended.
    ///
    /// - Parameter cutOff: Whole seconds; nil if there is none.
    func beginning(at now: Date, cutOff: Date? = nil) -> Date {
        guard let earliest = later(notBefore, cutOff), earliest > now,
            earliest.timeIntervalSince(now) <= Double(Self.clockSkew)
        else {
            return now
        }
        return earliest
    }

    /// The index of the key whose time comes first. Of equal times, the greatest ID wins.
    private var earliestIndex: Int? {
        let keys = keys.span
        guard keys.count > 0 else { return nil }
        return keys.indices.last { keys[$0].activeFrom == keys[0].activeFrom }
    }

    /// The index in `keys` of the key with this ID.
    func index(of id: KeyID) -> Int? {
        let keys = keys.span
        return keys.indices.first { keys[$0].id == id }
    }
}

extension KeyRing: CustomStringConvertible, CustomDebugStringConvertible {
    /// IDs and times, but never a secret.
    public var description: String {
        "KeyRing(\(keys.map(\.description).joined(separator: ", ")))"
    }
    /// IDs and times, but never a secret.
    public var debugDescription: String { description }
}
