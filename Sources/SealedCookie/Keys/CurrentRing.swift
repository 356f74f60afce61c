// The current ring, if a running server replaces one ring by another. FORMAT §9.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// An event of a ring that is followed, or replaced in a running server.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum KeyRingEvent: Sendable, CustomStringConvertible {
    /// This ring is used from now on.
    case changed(KeyRing)
    /// The new ring cannot be used, so the previous one stays in use. Reported once for each new reason.
    case failed(KeyRingError)
    /// The new ring lacks these revoked IDs, or has an earlier `not-before`. Both stay in force. The ring is an older
    /// copy, or lines were deleted. Reported once.
    case revocationsKept(Set<KeyID>, notBefore: Date?)
    /// All keys are pending, and this one seals before its time: a clock is wrong, or the ring is new.
    case sealsEarly(KeyID)
    /// A session names a key that the ring does not have. If the ring's source may have it, ask the source now.
    /// ``SharedKeyRing`` reports this at most once a second.
    case unknownKey(KeyID)

    /// The event in words, without a secret.
    public var description: String {
        switch self {
        case .changed(let ring): return "key ring changed: \(ring)"
        case .failed(let error): return "\(error); the previous ring stays in use"
        case .revocationsKept(let ids, let notBefore):
            let revoked = ids.sorted().map { "\($0)" }.joined(separator: ", ")
            let end = notBefore.map { "not-before \(Timestamp.text($0))" }
            let kept = [ids.isEmpty ? nil : "revoked \(revoked)", end].compactMap { $0 }.joined(
                separator: "; ")
            return "the new key ring lacks entries that stay in force: \(kept)"
        case .sealsEarly(let id): return "no key of the ring is active: \(id) seals before its time"
        case .unknownKey(let id): return "a session names the key \(id), which the ring does not have"
        }
    }
}

/// The current ring, shared by all threads.
///
/// Whatever it has revoked or ended stays revoked or ended, whatever ring comes next.
final class CurrentRing: Sendable {
    private struct State: Sendable {
        var ring: KeyRing
        /// Counts the changes of the properties above.
        var version = 0
        var failure: KeyRingError?
        /// The last reported revocations that the newest ring lacks.
        var kept: Revocations?
        /// The numbers of the latest ring whose reading began, of the newest ring in use, and of the last that forgot
        /// revocations.
        var begun = 0
        var taken = 0
        var forgot = 0
        var events: [KeyRingEvent] = []
        /// The process of the thread that reports the events.
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

    /// The number of a new ring that is about to be read. Numbers decide which ring wins.
    func begin() -> Int {
        state.withLock {
            $0.begun += 1
            return $0.begun
        }
    }

    /// Puts a new ring into use.
    ///
    /// - Parameters:
    ///   - number: The number from `begin`. If a newer ring has overtaken this one, only its revocations and its
    ///     `not-before` take effect.
    ///   - isSettled: False if the ring may be half written. What it adds, revokes or ends takes effect at once; what
    ///     it lacks stays.
    ///   - forgets: Whether earlier revocations and ends stay in force only if this ring repeats them.
    ///   - fault: A problem to report although the ring can be used.
    /// - Returns: Whether the whole ring took effect; nil if it was overtaken.
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
            // Two keys with one ID happen once in 16 million. The existing key stays until the new ring has settled.
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
                // The previous ring is freed with `before`, after the lock.
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

    /// Keeps the previous ring, for this reason.
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

    /// Reports what there is to say about the ring with which a server starts.
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

    /// Reports the pending events in order. Only one thread does so at a time, and without a lock, because it calls
    /// the application's code.
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
