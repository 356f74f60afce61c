// A ring that the application replaces while the server runs. FORMAT §9.
import Synchronization

/// A key ring from a secret manager, a database or wherever else, which the application replaces while its server runs.
///
///     let keys = try SharedKeyRing(KeyRing(parsing: text)) { log.warning("\($0)") }
///     let sessions = try CookieSealer<Session>(keys: keys, lifetime: .init(absolute: .days(14)))
///     // whenever the secret manager has been asked again, here every 30 s:
///     try keys.replace(with: KeyRing(parsing: newText, requiringKey: false))
///
/// A new ring holds for all sealers at once, and for any number of threads. Ids that were revoked and sessions that were
/// ended stay so, whatever ring comes next: a stale copy undoes neither. A ring that says nothing is refused.
public final class SharedKeyRing: Sendable {
    private let current: CurrentRing
    private let clock: @Sendable () -> Int64
    /// On the monotonic clock, in nanoseconds.
    private let nextUnknownKey: Atomic<Int64>

    /// Begins with a ring.
    ///
    /// - Parameters:
    ///   - ring: the ring that holds until another replaces it.
    ///   - onEvent: called for every change and failure, one at a time and in their order, by a thread that caused
    ///     one; it must be quick.
    /// - Throws: `KeyRingError.noKeys` for a ring without a key: a server cannot begin with it.
    public convenience init(
        _ ring: KeyRing, onEvent: @escaping @Sendable (KeyRingEvent) -> Void = { _ in }
    ) throws(KeyRingError) {
        try self.init(ring, clock: coarseMonotonicTime, onEvent: onEvent)
    }

    init(
        _ ring: KeyRing, clock: @escaping @Sendable () -> Int64,
        onEvent: @escaping @Sendable (KeyRingEvent) -> Void = { _ in }
    ) throws(KeyRingError) {
        guard !ring.keys.isEmpty else { throw KeyRingError(source: "keys", line: nil, problem: .noKeys) }
        current = CurrentRing(ring, onEvent: onEvent)
        self.clock = clock
        nextUnknownKey = Atomic(clock())
        current.tellOfBeginning(fault: nil)
    }

    /// The ring that holds now.
    public var ring: KeyRing { current.ring }

    /// Why the last ring could not be used; nil: it could.
    public var failure: KeyRingError? { current.failure }

    /// Has another ring hold from now on.
    ///
    /// Without a key too, where all are revoked: nothing opens or seals then.
    ///
    /// - Parameters:
    ///   - ring: the new ring, whole.
    ///   - forgettingRevocations: whether what the ring before revoked and ended holds only if this one says it
    ///     too. For a revocation that was a mistake; never by a program's own decision.
    /// - Throws: `KeyRingError.noLines` for a ring that says nothing: the one before holds on.
    public func replace(with ring: KeyRing, forgettingRevocations: Bool = false) throws(KeyRingError) {
        let number = current.begin()
        guard !ring.isEmpty else {
            let error = KeyRingError(source: "keys", line: nil, problem: .noLines)
            current.fail(error, number)
            throw error
        }
        current.take(ring, number, isSettled: true, forgets: forgettingRevocations)
    }

    /// Tells that the source of rings failed: the ring before holds on.
    ///
    /// For the log and for whoever asks for `failure`, as with a file that cannot be read.
    ///
    /// - Parameter error: what failed, in words that hold no secret.
    public func reportFailure(_ error: KeyRingError) {
        current.fail(error, current.begin())
    }

    func ringForUnknownKey(_ id: KeyID) -> KeyRing {
        let now = clock()
        let due = nextUnknownKey.load(ordering: .relaxed)
        if now >= due,
            nextUnknownKey.compareExchange(expected: due, desired: now + 1_000_000_000, ordering: .relaxed)
                .exchanged
        {
            current.tell(.unknownKey(id))
        }
        return current.ring
    }
}
