// A value that many threads read and few replace, in a process that may fork.
import SealedCookieLibc
import Synchronization

/// A value under a lock.
///
/// All such values of a process are under one lock, and `fork` takes it first: a child never finds it held by a thread
/// that only its parent has. That is why it must be held for a few instructions only: nothing is read, freed or called
/// back under it.
@safe final class Guarded<Value: Sendable>: @unchecked Sendable {
    // @unchecked: `value` is used under the lock alone.
    private let value: UnsafeMutablePointer<Value>

    init(_ value: Value) {
        unsafe self.value = .allocate(capacity: 1)
        unsafe self.value.initialize(to: value)
        ForkLock.prepare()
    }

    deinit {
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
    }

    /// - Parameter body: must not call back, and must hand out what it replaces, to be freed afterwards.
    @inline(__always)
    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        ForkLock.lock()
        defer { ForkLock.unlock() }
        // Sound: nobody else has the lock, and the value lives as long as this object.
        return unsafe body(&value.pointee)
    }
}

/// The lock of all shared values, and how many forks lie between this process and the first.
enum ForkLock {
    // Sound: made once, never freed, and used by way of pthread's functions alone.
    nonisolated(unsafe) private static let mutex: UnsafeMutablePointer<pthread_mutex_t> = {
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        return unsafe mutex
    }()
    private static let forks = Atomic<Int>(0)
    private static let isRegistered =
        pthread_atfork(
            { ForkLock.lock() }, { ForkLock.unlock() },
            {
                // What a thread of the parent had begun, nobody ends here.
                ForkLock.forks.add(1, ordering: .relaxed)
                ForkLock.unlock()
            }) == 0

    /// Told apart by it: what a thread has begun that this process has, and what one that only its parent has.
    static var process: Int { forks.load(ordering: .relaxed) }

    static func prepare() {
        holding { _ = (process, isRegistered) }
    }

    /// Runs `body` while no other thread forks.
    static func holding<Result>(_ body: () -> Result) -> Result {
        lock()
        defer { unlock() }
        return body()
    }

    @inline(__always)
    static func lock() { unsafe pthread_mutex_lock(mutex) }

    @inline(__always)
    static func unlock() { unsafe pthread_mutex_unlock(mutex) }
}
