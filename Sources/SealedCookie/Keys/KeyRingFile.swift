// A ring file that is read again when it changes, without a thread of its own. FORMAT §9.
import Synchronization

/// A key ring in a file, kept up to date while a server runs.
///
///     let keys = try KeyRingFile("/etc/shop/session.keys") { log.warning("\($0)") }
///     let sessions = try CookieSealer<Session>(keys: keys, lifetime: .init(absolute: .days(14)))
///
/// Reading ``ring`` polls the file, at most once in an interval. One thread polls, and waits if the file system
/// hangs; the others continue. Each poll follows symbolic links again, so it notices a file that is swapped by its
/// link, as Kubernetes does. On a network file system, it notices a change when the system's attribute cache does: on
/// NFS within a minute, unless mounted otherwise.
///
/// What a changed file adds, revokes and ends takes effect at once. Keys that it lacks are dropped when it has not
/// changed for two seconds, because it may be half written. Revoked IDs stay revoked and ended sessions stay ended,
/// whatever the file contains later. If the file cannot be read, is not a ring, or is empty, nothing changes: the
/// last good ring stays in use.
///
/// Mount the folder, never the file alone. A file that is mounted by itself stays the same file even after another
/// replaces it. ``failure`` reports this from the start (``KeyRingError/Problem/detached``). A file from systemd's
/// LoadCredential is a copy made at the start, and does not change either.
public final class KeyRingFile: Sendable {
    /// What is known about the file.
    private struct Sight: Sendable {
        /// The file's attributes, and when they were first seen. That time is on the monotonic clock, because clocks
        /// of file servers may be ahead or behind.
        var identity: FileIdentity?
        var since: Int64 = 0
        /// Its attributes when all of it had been read and could no longer change without a trace.
        var read: FileIdentity?
        /// The process of the thread that polls.
        var poller: Int?
    }

    /// The file's path.
    public let path: String
    private let interval: Int64
    private let clock: @Sendable () -> Int64
    private let identify: @Sendable (String) -> FileIdentity?
    private let isMounted: @Sendable (String) -> Bool
    private let current: CurrentRing
    private let sight: Guarded<Sight>
    /// The time of the next poll on the monotonic clock, in nanoseconds.
    private let nextLook: Atomic<Int64>
    private let nextLookForUnknownKey: Atomic<Int64>

    private static let unknownKeyInterval: Int64 = 1_000_000_000
    /// A file whose attributes have not changed for this long has settled. Some ticks of the clock are added as a
    /// margin.
    private static let settlingTime = FileIdentity.longestTick + 100_000_000

    /// Reads a ring file and follows it from then on.
    ///
    /// - Parameters:
    ///   - path: The file's path, which is resolved again at each poll.
    ///   - interval: The least time between two polls. A session with an unknown key causes an earlier poll, at most
    ///     once a second.
    ///   - onEvent: Called for every change and failure, one at a time and in order, on a thread that found one. It
    ///     must be quick.
    /// - Throws: ``KeyRingError``: what is wrong with the file, or that it has no key. There is then no ring to
    ///   continue with.
    public convenience init(
        _ path: String, pollInterval interval: Duration = .seconds(30),
        onEvent: @escaping @Sendable (KeyRingEvent) -> Void = { _ in }
    ) throws(KeyRingError) {
        try self.init(path, pollInterval: interval, clock: coarseMonotonicTime, onEvent: onEvent)
    }

    /// - Parameters:
    ///   - clock: Nanoseconds that never go back.
    ///   - identify: The file's attributes; nil if they cannot be read.
    ///   - isMounted: Whether it is mounted by itself.
    init(
        _ path: String, pollInterval interval: Duration, clock: @escaping @Sendable () -> Int64,
        onEvent: @escaping @Sendable (KeyRingEvent) -> Void = { _ in },
        identify: @escaping @Sendable (String) -> FileIdentity? = { try? FileIdentity($0) },
        isMounted: @escaping @Sendable (String) -> Bool = { OpenFile.isMountedByItself($0) }
    ) throws(KeyRingError) {
        self.path = path
        self.interval = max(interval, .zero).nanoseconds
        self.clock = clock
        self.identify = identify
        self.isMounted = isMounted
        // Before the file is read, so that the next poll sees what changes in between.
        let identity = identify(path)
        let now = clock()
        current = CurrentRing(try KeyRing(contentsOf: path), onEvent: onEvent)
        sight = Guarded(Sight(identity: identity, since: now))
        nextLook = Atomic(now.addingClamped(self.interval))
        nextLookForUnknownKey = Atomic(now)
        current.tellOfBeginning(fault: identity.flatMap(fault))
    }

    /// The current ring.
    public var ring: KeyRing {
        pollIfDue(nextLook, interval)
        return current.ring
    }

    /// What was wrong with the file at the last poll; nil if nothing was.
    public var failure: KeyRingError? { current.failure }

    /// The ring for a key ID that the ring did not have. Polls the file at once, but at most once a second, whatever
    /// cookies come in. Other threads may have polled meanwhile.
    func ringForUnknownKey() -> KeyRing {
        pollIfDue(nextLookForUnknownKey, Self.unknownKeyInterval)
        return current.ring
    }

    /// Reads the file now, for example on SIGHUP, and uses it as it is: it must not be half written.
    ///
    /// Call it from a `DispatchSource` for the signal, never in a signal handler: the thread that was interrupted may
    /// hold a lock.
    ///
    /// - Parameter forgettingRevocations: Whether earlier revocations and ends stay in force only if the file repeats
    ///   them. Use it for a revocation that was a mistake.
    /// - Throws: ``KeyRingError``: what is wrong with the file. The previous ring then stays in use.
    public func reload(forgettingRevocations: Bool = false) throws(KeyRingError) {
        read(at: clock(), isAsked: true, forgets: forgettingRevocations)
        if let failure { throw failure }
    }

    private func pollIfDue(_ time: borrowing Atomic<Int64>, _ interval: Int64) {
        let now = clock()
        let due = time.load(ordering: .relaxed)
        guard now >= due else { return }
        let next = now.addingClamped(interval)
        // One of the threads that arrive now polls; the others continue with the current ring.
        if time.compareExchange(expected: due, desired: next, ordering: .relaxed).exchanged { poll(at: now) }
    }

    /// Reads the file if it has changed, unless another thread is doing so, which may be waiting for a file system
    /// that hangs.
    private func poll(at now: Int64) {
        let process = ForkLock.process
        let isMine = sight.withLock { sight in
            guard sight.poller != process else { return false }
            sight.poller = process
            return true
        }
        guard isMine else { return }
        read(at: now, isAsked: false, forgets: false)
        sight.withLock { $0.poller = nil }
    }

    /// - Parameter now: A time before the file's attributes are read.
    private func read(at now: Int64, isAsked: Bool, forgets: Bool) {
        let number = current.begin()
        // Before the file is read, so that the next poll sees what changes in between.
        let identity = identify(path)
        let known = sight.withLock { sight in
            (
                isSame: identity != nil && sight.identity == identity, since: sight.since,
                isRead: sight.read == identity
            )
        }
        let isSettled = known.isSame && now - known.since >= Self.settlingTime
        if !known.isSame {
            // After reading the attributes, which may have blocked.
            let since = clock()
            sight.withLock { ($0.identity, $0.since) = (identity, since) }
        }
        guard isAsked || !(known.isSame && known.isRead) else { return }
        do throws(KeyRingError) {
            let ring = try KeyRing(contentsOf: path, requiringKey: false)
            guard !ring.isEmpty else { throw KeyRingError(source: path, line: nil, problem: .noLines) }
            // A file that changed while it was read may have been read in part.
            let isWhole = isSettled && identify(path) == identity
            let isTaken = current.take(
                ring, number, isSettled: isAsked || isWhole, forgets: forgets, fault: identity.flatMap(fault))
            guard let isTaken else { return }
            sight.withLock { $0.read = isWhole ? identity : nil }
            if !isTaken { hastenNextPoll() }
        } catch {
            sight.withLock { $0.read = nil }
            current.fail(error, number)
        }
    }

    private func fault(_ identity: FileIdentity) -> KeyRingError? {
        // A replaced file that has another name keeps a link, so the link count alone does not tell.
        identity.isDetached || isMounted(path)
            ? KeyRingError(source: path, line: nil, problem: .detached) : nil
    }

    /// Otherwise keys that must be dropped when the file has settled would stay for a whole interval.
    private func hastenNextPoll() {
        let soon = clock().addingClamped(Self.settlingTime)
        if nextLook.load(ordering: .relaxed) > soon { nextLook.store(soon, ordering: .relaxed) }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        let (whole, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : whole.addingClamped(components.attoseconds / 1_000_000_000)
    }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
