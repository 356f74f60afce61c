// A ring file that is read again when it changes, without a thread of its own. FORMAT §9.
import Synchronization

/// A key ring in a file, kept up to date while a server runs.
///
///     let keys = try KeyRingFile("/etc/shop/session.keys") { log.warning("\($0)") }
///     let sessions = try CookieSealer<Session>(keys: keys, lifetime: .init(absolute: .days(14)))
///
/// Reading `ring` polls the file, at most once in an interval. One thread polls, and waits where the file system hangs;
/// the others go on. Symbolic links are followed anew each time, so a file swapped by its link, as Kubernetes does, is
/// seen. On a network file system a change is seen when the system's cache of attributes lets it be, on NFS within a
/// minute unless mounted otherwise.
///
/// What a changed file adds, revokes and ends holds at once. Keys that it lacks go when it has not changed for two seconds:
/// it may be half written. Ids that were revoked and sessions that were ended stay so, whatever is in the file later. A
/// file that cannot be read, is no ring, or says nothing changes nothing: the last good ring holds.
///
/// Mount the folder, never the file alone: a file that is mounted by itself stays the one that it was when another takes
/// its place. `failure` says so from the beginning (`.detached`). What systemd's LoadCredential gives is a copy of the start, and does not
/// change either.
public final class KeyRingFile: Sendable {
    /// What is known of the file.
    private struct Sight: Sendable {
        /// How the file looks, and when it was first seen so, on the monotonic clock: clocks of file servers may be
        /// ahead or behind.
        var identity: FileIdentity?
        var since: Int64 = 0
        /// How it looked when all of it was read and could not change any more without a trace.
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
    /// On the monotonic clock, in nanoseconds.
    private let nextLook: Atomic<Int64>
    private let nextLookForUnknownKey: Atomic<Int64>

    private static let unknownKeyInterval: Int64 = 1_000_000_000
    /// A file that has looked the same for this long has settled, with some ticks of the clock to spare.
    private static let settlingTime = FileIdentity.longestTick + 100_000_000

    /// Reads a ring file and follows it from then on.
    ///
    /// - Parameters:
    ///   - path: the file's path, which is resolved anew at each poll.
    ///   - interval: the least time between two polls. A session with an unknown key has the file polled earlier, at most
    ///     once a second.
    ///   - onEvent: called for every change and failure, one at a time and in their order, by a thread that found one; it
    ///     must be quick.
    /// - Throws: what is wrong with the file, or that it has no key. There is no ring to go on with.
    public convenience init(
        _ path: String, pollInterval interval: Duration = .seconds(30),
        onEvent: @escaping @Sendable (KeyRingEvent) -> Void = { _ in }
    ) throws(KeyRingError) {
        try self.init(path, pollInterval: interval, clock: coarseMonotonicTime, onEvent: onEvent)
    }

    /// - Parameters:
    ///   - clock: nanoseconds that never go back.
    ///   - identify: how a file looks; nil: it cannot be looked at.
    ///   - isMounted: whether it is mounted by itself.
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
        // Before the file is read: what changes in between is seen at the next poll.
        let identity = identify(path)
        let now = clock()
        current = CurrentRing(try KeyRing(contentsOf: path), onEvent: onEvent)
        sight = Guarded(Sight(identity: identity, since: now))
        nextLook = Atomic(now.addingClamped(self.interval))
        nextLookForUnknownKey = Atomic(now)
        current.tellOfBeginning(fault: identity.flatMap(fault))
    }

    /// The ring that holds now.
    public var ring: KeyRing {
        pollIfDue(nextLook, interval)
        return current.ring
    }

    /// What was wrong with the file at the last poll; nil: nothing.
    public var failure: KeyRingError? { current.failure }

    /// The ring for a key id that the ring did not have: polls the file at once, but not more
    /// than once a second, whatever cookies come in. Others may have polled meanwhile.
    func ringForUnknownKey() -> KeyRing {
        pollIfDue(nextLookForUnknownKey, Self.unknownKeyInterval)
        return current.ring
    }

    /// Reads the file now, for example on SIGHUP, and takes it as it is: it must not be half written.
    ///
    /// - Parameter forgettingRevocations: whether what was revoked and ended before holds only if the file says it too. For
    ///   a revocation that was a mistake.
    /// - Throws: what is wrong with the file; the ring before holds on.
    public func reload(forgettingRevocations: Bool = false) throws(KeyRingError) {
        read(at: clock(), isAsked: true, forgets: forgettingRevocations)
        if let failure { throw failure }
    }

    private func pollIfDue(_ time: borrowing Atomic<Int64>, _ interval: Int64) {
        let now = clock()
        let due = time.load(ordering: .relaxed)
        guard now >= due else { return }
        let next = now.addingClamped(interval)
        // One of those who come now polls; the others go on with the ring there is.
        if time.compareExchange(expected: due, desired: next, ordering: .relaxed).exchanged { poll(at: now) }
    }

    /// Reads the file if it has changed, unless another thread is at it, which may wait for a file system that hangs.
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

    /// - Parameter now: before the file is looked at.
    private func read(at now: Int64, isAsked: Bool, forgets: Bool) {
        let number = current.begin()
        // Before the file is read: what changes in between is seen at the next poll.
        let identity = identify(path)
        let known = sight.withLock { sight in
            (
                isSame: identity != nil && sight.identity == identity, since: sight.since,
                isRead: sight.read == identity
            )
        }
        let isSettled = known.isSame && now - known.since >= Self.settlingTime
        if !known.isSame {
            // After the look, which may have waited.
            let since = clock()
            sight.withLock { ($0.identity, $0.since) = (identity, since) }
        }
        guard isAsked || !(known.isSame && known.isRead) else { return }
        do throws(KeyRingError) {
            let ring = try KeyRing(contentsOf: path, requiringKey: false)
            guard !ring.isEmpty else { throw KeyRingError(source: path, line: nil, problem: .noLines) }
            // What changed while it was read may have been read by half.
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
        // A file that was replaced has a link left where it has another name: the count alone does not tell.
        identity.isDetached || isMounted(path)
            ? KeyRingError(source: path, line: nil, problem: .detached) : nil
    }

    /// So that keys that are to go when the file has settled do not stay for a whole interval.
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
