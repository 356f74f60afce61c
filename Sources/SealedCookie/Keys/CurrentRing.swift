// The ring that holds now, where rings follow one another in a running server. FORMAT §9.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// What became of a ring that is followed, or replaced in a running server.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum KeyRingEvent: Sendable, CustomStringConvertible {
    /// This ring holds from now on.
    case changed(KeyRing)
    /// The new ring cannot be used: the one before holds on. Told once for each new reason.
    case failed(KeyRingError)
    /// The new ring does not have these revoked ids, or an earlier end of sessions; both hold on all the same. It is an
    /// older copy, or lines were deleted. Told once.
    case revocationsKept(Set<KeyID>, notBefore: Date?)
    /// All keys are pending, and this one seals before its time: a clock is wrong, or the ring is new.
    case sealsEarly(KeyID)
    /// A session names a key that the ring does not have: if the ring's source may have it, ask now. From
    /// `SharedKeyRing`, at most once a second.
    case unknownKey(KeyID)

    public var description: String {
        switch self {
        case .changed(let ring): return "key ring changed: \(ring)"
        case .failed(let error): return "\(error); the ring read before is used"
        case .revocationsKept(let ids, let notBefore):
            let revoked = ids.sorted().map { "\($0)" }.joined(separator: ", ")
            let end = notBefore.map { "not-before \(Timestamp.text($0))" }
            let kept = [ids.isEmpty ? nil : "revoked \(revoked)", end].compactMap { $0 }.joined(
                separator: "; ")
            return "the new key ring lacks what goes on to hold: \(kept)"
        case .sealsEarly(let id): return "no key of the ring is active: \(id) seals before its time"
        case .unknownKey(let id): return "a session names the key \(id), which the ring does not have"
        }
    }
}

/// The ring that holds now, for every thread that asks.
///
/// What it revokes and ends goes on to be revoked and to have ended, whatever ring comes next.
final class CurrentRing: Sendable {
    private struct State: Sendable {
        var ring: KeyRing
        /// Counts the changes of what is above.
        var version = 0
        var failure: KeyRingError?
        /// What was told last of revocations that the newest ring does not have.
        var kept: Revocations?
        /// Numbers of the rings whose reading began, of the newest that holds, and of the last that forgot revocations.
        var begun = 0
        var taken = 0
        var forgot = 0
        var events: [KeyRingEvent] = []
        /// The process of the thread that tells the events.
        var teller: Int?
    }

    private struct Revocations: Equatable, Sendable {
        let ids: Set<KeyID>
        let notBefore: Date?
    }

    private let state: Guarded<State>
    private let onEvent: @Sendable (KeyRingEvent) -> Void

    init(_ ring: KeyRing, onEvent: @escaping @Sendable (KeyRingEvent) -> Void) {
        state = Guarded(State(ring: ring))
        self.onEvent = onEvent
    }

    var ring: KeyRing { state.withLock { $0.ring } }
    var failure: KeyRingError? { state.withLock { $0.failure } }

    /// The number of a new ring that is now being read, in the order of which they hold.
    func begin() -> Int {
        state.withLock {
            $0.begun += 1
            return $0.begun
        }
    }

    /// Has a new ring hold.
    ///
    /// - Parameters:
    ///   - number: of `begin`. Of a ring that a newer one has overtaken only what it revokes and ends holds.
    ///   - isSettled: false: it may be half written. What it adds, revokes or ends holds at once; what it lacks stays.
    ///   - forgets: whether what the ring before revoked and ended holds only if this one says it too.
    ///   - fault: what is to be told although the ring can be used.
    /// - Returns: whether all of it holds; nil: it was overtaken.
    @discardableResult
    func take(
        _ new: KeyRing, _ number: Int, isSettled: Bool, forgets: Bool = false, fault: KeyRingError? = nil
    ) -> Bool? {
        while true {
            let before = state.withLock { $0 }
            let (ring, failure) = (before.ring, before.failure)
            guard number > before.taken else {
                return takeRevocations(of: new, number)
            }
            let whole = forgets ? new : new.stricter(with: ring)
            // Two keys of one id, one in 16 million: the one that is there stays until the new ring has settled.
            let next = isSettled ? whole : (try? ring.union(new)) ?? ring.stricter(with: new)
            var events: [KeyRingEvent] = []
            let isNews = next.entries != ring.entries
            if isNews || failure != nil && failure != fault { events.append(.changed(next)) }
            var kept = before.kept
            if isSettled {
                let ids = whole.revoked.subtracting(new.revoked)
                let notBefore = whole.notBefore == new.notBefore ? nil : whole.notBefore
                kept = ids.isEmpty && notBefore == nil ? nil : Revocations(ids: ids, notBefore: notBefore)
                if let kept, kept != before.kept {
                    events.append(.revocationsKept(ids, notBefore: notBefore))
                }
            }
            if isNews { events += Self.earlySealing(next) }
            if let fault, fault != failure { events.append(.failed(fault)) }
            let isCurrent = state.withLock { state in
                guard state.version == before.version else { return false }
                (state.taken, state.version) = (number, before.version + 1)
                if forgets { state.forgot = number }
                // The one before is freed with `before`, after the lock.
                if isNews { state.ring = next }
                (state.failure, state.kept) = (fault, kept)
                state.events += events
                return true
            }
            guard isCurrent else { continue }
            tell()
            return next.entries == whole.entries
        }
    }

    private func takeRevocations(of new: KeyRing, _ number: Int) -> Bool? {
        while true {
            let before = state.withLock { $0 }
            let next = before.ring.stricter(with: new)
            guard number > before.forgot, next.entries != before.ring.entries else { return nil }
            let isCurrent = state.withLock { state in
                guard state.version == before.version else { return false }
                state.version += 1
                state.ring = next
                state.events.append(.changed(next))
                return true
            }
            guard isCurrent else { continue }
            tell()
            return nil
        }
    }

    /// The ring before holds on, for this reason.
    func fail(_ error: KeyRingError, _ number: Int) {
        let isTaken = state.withLock { state in
            guard number > state.taken else { return false }
            state.taken = number
            state.version += 1
            if state.failure != error { state.events.append(.failed(error)) }
            state.failure = error
            return true
        }
        if isTaken { tell() }
    }

    func tell(_ event: KeyRingEvent) {
        state.withLock { $0.events.append(event) }
        tell()
    }

    /// What there is to say of the ring with which a server begins.
    func tellOfBeginning(fault: KeyRingError?) {
        let events = Self.earlySealing(ring) + (fault.map { [.failed($0)] } ?? [])
        state.withLock {
            $0.failure = fault
            $0.events += events
        }
        tell()
    }

    private static func earlySealing(_ ring: KeyRing) -> [KeyRingEvent] {
        let now = Date.now
        guard ring.activeKey(at: now) == nil, let key = ring.sealingKey(at: now) else { return [] }
        return [.sealsEarly(key.id)]
    }

    /// Tells what there is, in its order: by one thread at a time, and under no lock, for it is the application's code.
    private func tell() {
        let process = ForkLock.process
        while true {
            let event = state.withLock { state -> KeyRingEvent? in
                guard state.teller != process else { return nil }
                guard !state.events.isEmpty else { return nil }
                state.teller = process
                return state.events.removeFirst()
            }
            guard let event else { return }
            onEvent(event)
            state.withLock { $0.teller = nil }
        }
    }
}
