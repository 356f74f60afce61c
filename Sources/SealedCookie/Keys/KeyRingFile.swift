// A ring file that is read again when it changes, without a thread of its own. FORMAT §9.
import Synchronization

/// A key ring in a file, kept up to date while a server runs.
///
///     let keys = try KeyRingFile("/etc/shop/session.keys") { log.warning("\($0)") }
///     let sessions = try CookieSealer<Session>(keys: keys, lifetime: .init(absolute: .days(14)))
///
/// Whoever asks for the ring looks at the file, at most once in an interval; the others go on without
/// a lock, also where the file system hangs and he waits for it. Symbolic links are followed anew each
/// time, so a file swapped by its link, as Kubernetes does, is seen. A file that cannot be read, is no
/// ring, or holds no key changes nothing: the last good ring holds. A ring that lacks keys, revoked ids or
/// the end of sessions that the one before had holds when its file has not changed for two seconds; it may
/// be half written. On a network file system a change is seen when the system's cache of attributes lets it
/// be, on NFS within a minute unless mounted otherwise.
///
/// In a program that forks, make it after the fork.
public final class KeyRingFile: Sendable {
    public enum Event: Sendable, CustomStringConvertible {
        /// The file has changed, and its ring holds from now on.
        case read(KeyRing)
        /// The file cannot be used: the ring before holds on. Told once for each new reason.
        case failed(KeyRingError)

        public var description: String {
            switch self {
            case .read(let ring): "key ring read again: \(ring)"
            case .failed(let error): "\(error); the ring read before is used"
            }
        }
    }

    private final class Snapshot: Sendable {
        let ring: KeyRing
        init(_ ring: KeyRing) { self.ring = ring }
    }

    public let path: String
    private let interval: Int64
    private let clock: @Sendable () -> Int64
    private let onEvent: @Sendable (Event) -> Void
    private let snapshot: Published<Snapshot>
    /// What the file looked like when it was last read. Whoever looks at the file holds it.
    private let lastIdentity: Mutex<FileIdentity?>
    private let lastFailure = Mutex<KeyRingError?>(nil)
    /// On the monotonic clock, in nanoseconds.
    private let nextLook: Atomic<Int64>
    private let nextLookForUnknownKey: Atomic<Int64>

    private static let unknownKeyInterval: Int64 = 1_000_000_000
    /// After which what has just changed is not fresh any longer, with some ticks of the clock to spare.
    private static let settlingTime = FileIdentity.longestTick + 100_000_000

    /// - Parameters:
    ///   - interval: how often to look at the file at the most.
    ///   - onEvent: told of every change and failure, on the thread that found it; it must be quick.
    /// - Throws: what is wrong with the file, or that it holds no key. There is no ring to go on with.
    public convenience init(
        _ path: String, lookingEvery interval: Duration = .seconds(30),
        onEvent: @escaping @Sendable (Event) -> Void = { _ in }
    ) throws(KeyRingError) {
        try self.init(path, lookingEvery: interval, clock: coarseMonotonicTime, onEvent: onEvent)
    }

    /// - Parameter clock: nanoseconds that never go back.
    init(
        _ path: String, lookingEvery interval: Duration, clock: @escaping @Sendable () -> Int64,
        onEvent: @escaping @Sendable (Event) -> Void = { _ in }
    ) throws(KeyRingError) {
        self.path = path
        self.interval = max(interval, .zero).nanoseconds
        self.clock = clock
        self.onEvent = onEvent
        // Before the file is read: what changes in between is seen at the next look.
        let identity = try? FileIdentity(path)
        let ring = try KeyRing(contentsOf: path)
        snapshot = Published(Snapshot(ring))
        lastIdentity = Mutex(identity?.isFresh == true ? nil : identity)
        let now = clock()
        nextLook = Atomic(now.addingClamped(self.interval))
        nextLookForUnknownKey = Atomic(now)
    }

    /// The ring that holds now.
    public var ring: KeyRing {
        lookIfDue(nextLook, interval)
        return snapshot.value.ring
    }

    /// Why the file could not be used at the last look; nil: it could.
    public var failure: KeyRingError? {
        lastFailure.withLock { $0 }
    }

    /// The ring for a key id that the ring did not have: looks at the file at once, but not more
    /// than once a second, whatever cookies come in. Others may have looked meanwhile.
    func ringForUnknownKey() -> KeyRing {
        lookIfDue(nextLookForUnknownKey, Self.unknownKeyInterval)
        return snapshot.value.ring
    }

    /// Reads the file now, for example on SIGHUP.
    ///
    /// - Throws: what is wrong with the file; the ring before holds on.
    public func reload() throws(KeyRingError) {
        look(always: true)
        if let failure { throw failure }
    }

    private func lookIfDue(_ time: borrowing Atomic<Int64>, _ interval: Int64) {
        let now = clock()
        let due = time.load(ordering: .relaxed)
        guard now >= due else { return }
        let next = now.addingClamped(interval)
        // One of those who come now looks; the others go on with the ring there is.
        if time.compareExchange(expected: due, desired: next, ordering: .relaxed).exchanged {
            look(always: false)
        }
    }

    private func look(always: Bool) {
        let event =
            always
            ? lastIdentity.withLock { news(&$0, always: true) }
            // Whoever finds another one at it does not wait: the file system may hang.
            : lastIdentity.withLockIfAvailable { news(&$0, always: false) } ?? nil
        // Not under the lock: it is the application's code.
        if let event { onEvent(event) }
    }

    /// Reads the file if it has changed, or `always`; nil: nothing is to be told.
    private func news(_ last: inout FileIdentity?, always: Bool) -> Event? {
        let identity = try? FileIdentity(path)
        guard always || identity == nil || last != identity else { return nil }
        do throws(KeyRingError) {
            let ring = try KeyRing(contentsOf: path, requiringKey: false)
            let current = snapshot.value.ring
            if ring.keys.isEmpty, !current.keys.isEmpty {
                throw KeyRingError(source: path, line: nil, problem: .noKeys)
            }
            // A file that is being written in place is a ring up to any line. What would be a step back
            // holds only when it has stood for a while.
            if !always, ring.isStepBack(from: current),
                identity?.isFresh ?? true || (try? FileIdentity(path)) != identity
            {
                last = nil
                hastenNextLook()
                return nil
            }
            let hadFailed = lastFailure.withLock { $0.take() } != nil
            let isNews = hadFailed || ring.entries != current.entries
            if isNews { snapshot.publish(Snapshot(ring)) }
            // One that has only just changed may change again without a trace: look again.
            last = identity?.isFresh == true ? nil : identity
            return isNews ? .read(ring) : nil
        } catch {
            last = nil
            let before = lastFailure.withLock { exchange(&$0, with: error) }
            return before != error ? .failed(error) : nil
        }
    }

    /// So that what is held off until it has stood for a while does not wait for a whole interval.
    private func hastenNextLook() {
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
