// A ring that the application replaces while the server runs. FORMAT §9.
import Synchronization

/// A key ring from a secret manager, a database or another source, which the application replaces while its server
/// runs.
///
///     let keys = try SharedKeyRing(KeyRing(parsing: text)) { log.warning("\($0)") }
///     let sessions = try CookieSealer<Session>(keys: keys, lifetime: .init(absolute: .days(14)))
///     // whenever the secret manager has been asked again, here every 30 s:
///     try keys.replace(with: KeyRing(parsing: newText, requiringKey: false))
///
/// A new ring takes effect at once, for all sealers and any number of threads. Revoked IDs stay revoked and ended
/// sessions stay ended, whatever ring comes next: a stale copy undoes neither. An empty ring is refused.
public final class SharedKeyRing: Sendable {
    private let current: CurrentRing
    private let clock: @Sendable () -> Int64
    /// The time of the next report of an unknown key, on the monotonic clock, in nanoseconds.
    private let nextUnknownKey: Atomic<Int64>

    /// Starts with a ring.
    ///
    /// - Parameters:
    ///   - ring: The ring to use until another replaces it.
    ///   - onEvent: Called for every change and failure, one at a time and in order, on a thread that caused one. It
    ///     must be quick.
    /// - Throws: ``KeyRingError/Problem/noKeys`` for a ring without a key: a server cannot start with it.
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

    /// The current ring.
    public var ring: KeyRing { current.ring }

    /// The reason why the last ring could not be used; nil if it could.
    public var failure: KeyRingError? { current.failure }

    /// Replaces the ring.
    ///
    /// The new ring may have no key, if all are revoked. Then nothing opens or seals.
    ///
    /// - Parameters:
    ///   - ring: The new ring, complete.
    ///   - forgettingRevocations: Whether earlier revocations and ends stay in force only if this ring repeats them.
    ///     Use it for a revocation that was a mistake, and never let a program decide on it.
    /// - Throws: ``KeyRingError/Problem/noLines`` for an empty ring. The previous one stays in use.
    public func replace(with ring: KeyRing, forgettingRevocations: Bool = false) throws(KeyRingError) {
        let number = current.begin()
        guard !ring.isEmpty else {
            let error = KeyRingError(source: "keys", line: nil, problem: .noLines)
            current.fail(error, number)
            throw error
        }
        current.take(ring, number, isSettled: true, forgets: forgettingRevocations)
    }

    /// Reports that the source of rings failed, so that the previous ring stays in use.
    ///
    /// The report goes to the log and to ``failure``, as with a file that cannot be read.
    ///
    /// - Parameter error: What failed, in words that contain no secret.
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
