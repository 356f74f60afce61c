// A value that many threads read and few replace, in a process that may fork.
import SealedCookieLibc
import Synchronization

/// A value under a lock.
///
/// All such values of a process share one lock, and `fork` takes it first. So a child never finds it held by a thread
/// that only its parent has. That is why it must be held for only a few instructions: nothing is read, freed or
/// called back under it.
@safe final class Guarded<Value: Sendable>: @unchecked Sendable {
    // @unchecked: `value` is used only under the lock.
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

    /// - Parameter body: Must not call back, and must return what it replaces, to be freed afterwards.
    @inline(__always)
    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        ForkLock.lock()
        defer { ForkLock.unlock() }
        // Sound: no one else has the lock, and the value lives as long as this object.
        return unsafe body(&value.pointee)
    }
}

/// The lock of all shared values, and the number of forks between this process and the first.
enum ForkLock {
    // Sound: created once, never freed, and used only through pthread's functions.
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
                // Whatever another thread of the parent had begun is never finished here.
                ForkLock.forks.add(1, ordering: .relaxed)
                ForkLock.unlock()
            }) == 0

    /// A number that tells work of this process's threads from work of a thread that only its parent has.
    static var process: Int { forks.load(ordering: .relaxed) }

    static func prepare() {
        holding { _ = (process, isRegistered) }
    }

    /// Runs `body` while no other thread forks.
    static func holding<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }

    @inline(__always)
    static func lock() { unsafe pthread_mutex_lock(mutex) }

    @inline(__always)
    static func unlock() { unsafe pthread_mutex_unlock(mutex) }
}
