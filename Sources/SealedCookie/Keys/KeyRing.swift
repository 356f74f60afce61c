// All keys that a server knows, and which of them seals at a given time. FORMAT §9.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The keys of a site: every one opens, and the newest whose time has come seals.
///
/// State comes from the clock alone. A key whose time is still to come is pending: all servers can
/// open with it before any of them seals with it.
public struct KeyRing: Sendable {
    /// One reference: rings are passed along with every request.
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

    /// Seconds that another server's clock may run ahead of ours.
    static let clockSkew: Int64 = 60

    static let empty = KeyRing(Contents(keys: [], revoked: [], notBefore: nil))

    private init(_ contents: Contents) {
        self.contents = contents
    }

    /// By the time from which they seal, oldest first.
    public var keys: [SealingKey] { contents.keys }
    /// Ids that are refused for good, even where another ring still has the key.
    public var revoked: Set<KeyID> { contents.revoked }
    /// Sessions that began before this time have ended.
    public var notBefore: Date? { contents.notBefore }

    /// A ring of these keys.
    ///
    /// - Parameters:
    ///   - keys: the keys, in any order; one whose id is among `revoked` is left out.
    ///   - revoked: ids of keys that are refused for good.
    ///   - notBefore: the time before which no session may have begun, rounded up to whole seconds; nil: any.
    /// - Throws: `.idCollision` where two different keys share an id; `.notATime` for a time outside of
    ///   the years 1583 to 9999.
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
            // One key twice, as in a union of rings: the later time, when both files' servers have it.
            kept[position] = kept[position].joined(with: key)
        }
        contents = Contents(
            keys: kept.sorted(by: Self.precedes), revoked: revoked,
            notBefore: try KeyRingError.time(notBefore, source: source))
    }

    /// This ring, with what `other` revokes and ends revoked and ended as well.
    func stricter(with other: KeyRing) -> KeyRing {
        let revoked = revoked.union(other.revoked)
        return KeyRing(
            Contents(
                keys: keys.filter { !revoked.contains($0.id) }, revoked: revoked,
                notBefore: later(notBefore, other.notBefore)))
    }

    /// A total order, the same on every server: by time, then by id.
    private static func precedes(_ a: SealingKey, _ b: SealingKey) -> Bool {
        let (aTime, bTime) = (a.activeFrom ?? .distantPast, b.activeFrom ?? .distantPast)
        return aTime == bTime ? a.id < b.id : aTime < bTime
    }

    /// The newest key whose time has come; nil: all are pending, or there is none.
    ///
    /// - Parameter now: the time that decides.
    public func activeKey(at now: Date = .now) -> SealingKey? {
        activeIndex(at: now).map { keys[$0] }
    }

    /// The key that seals at `now`: the active one; where all are pending, the one whose time comes first, for a
    /// server whose clock is behind. Nil: the ring has no key.
    ///
    /// - Parameter now: the time that decides.
    public func sealingKey(at now: Date = .now) -> SealingKey? {
        sealingIndex(at: now).map { keys[$0] }
    }

    /// Whether the ring says nothing: no key, no revoked id, no end of sessions.
    public var isEmpty: Bool { keys.isEmpty && revoked.isEmpty && notBefore == nil }

    /// The one key of an id; nil: the ring has none.
    ///
    /// - Parameter id: the key's id, as tokens name it.
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

    /// Whether another key seals now than this one, which stands before it. By their order: a key that is pending here
    /// seals elsewhere already, where a clock is ahead.
    func hasLaterKey(than index: Int, at now: Date) -> Bool {
        sealingIndex(at: now).map { $0 > index } ?? false
    }

    /// When a session begins that is sealed now: now, or `notBefore` or a cut-off where this clock is behind the one that
    /// set it. A session that begins after all were ended has not ended.
    ///
    /// - Parameter cutOff: whole seconds; nil: there is none.
    func beginning(at now: Date, cutOff: Date? = nil) -> Date {
        guard let earliest = later(notBefore, cutOff), earliest > now,
            earliest.timeIntervalSince(now) <= Double(Self.clockSkew)
        else {
            return now
        }
        return earliest
    }

    /// The index of the key whose time comes first; of equal times, the greatest id.
    private var earliestIndex: Int? {
        let keys = keys.span
        guard keys.count > 0 else { return nil }
        return keys.indices.last { keys[$0].activeFrom == keys[0].activeFrom }
    }

    /// The index in `keys` of the one key of this id.
    func index(of id: KeyID) -> Int? {
        let keys = keys.span
        return keys.indices.first { keys[$0].id == id }
    }
}

extension KeyRing: CustomStringConvertible, CustomDebugStringConvertible {
    /// Ids and times, never a secret.
    public var description: String {
        "KeyRing(\(keys.map(\.description).joined(separator: ", ")))"
    }
    public var debugDescription: String { description }
}
