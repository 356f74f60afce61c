// A value that many threads read without a lock while one of them replaces it.
import Glibc
import Synchronization

/// The latest of a series of immutable objects.
@safe final class Published<Value: AnyObject & Sendable>: @unchecked Sendable {
    // @unchecked: `places` is set under `writer` only.
    private let places: Atomic<Unmanaged<Places<Value>>>
    private let writer = Mutex<Void>(())

    /// Nanoseconds after which a reader is given up.
    private static var patience: Int64 { 2_000_000_000 }

    init(_ value: Value) {
        unsafe places = Atomic(Unmanaged.passRetained(Places(value)))
    }

    deinit {
        unsafe places.load(ordering: .acquiring).release()
    }

    // Sound: what `places` has named is not released while this object lives.
    var value: Value {
        unsafe places.load(ordering: .acquiring)._withUnsafeGuaranteedRef { $0.value }
    }

    /// Afterwards only readers that took the old value before have it still.
    func publish(_ value: Value) {
        writer.withLock { _ in
            let done = unsafe places.load(ordering: .acquiring)._withUnsafeGuaranteedRef {
                $0.publish(value, within: Self.patience)
            }
            // A reader that never leaves is a thread that a fork has left behind, counted in: its places
            // are left to it, and with them the old value.
            if !done { unsafe places.store(Unmanaged.passRetained(Places(value)), ordering: .releasing) }
        }
    }
}

/// Two places for the latest object and the one before it.
///
/// A reader counts itself in at the latest place, makes sure that it still is the latest, takes a
/// reference, and counts itself out. A writer waits until no reader is counted in at the other place,
/// fills that, and then names it the latest. All of it in the one order that sequentially consistent
/// atomics have: a reader that counts itself in after the writer looked sees that its place is not the
/// latest, and leaves it alone.
@safe private final class Places<Value: AnyObject & Sendable>: @unchecked Sendable {
    // @unchecked: a place is written by one writer, and only while nobody reads it.
    private let places: UnsafeMutablePointer<Value>
    private let latest = Atomic<Int>(0)
    private let firstReaders = Atomic<Int>(0)
    private let secondReaders = Atomic<Int>(0)

    init(_ value: Value) {
        unsafe places = .allocate(capacity: 2)
        unsafe places.initialize(repeating: value, count: 2)
    }

    deinit {
        unsafe places.deinitialize(count: 2)
        unsafe places.deallocate()
    }

    var value: Value {
        while true {
            let place = latest.load(ordering: .sequentiallyConsistent)
            count(1, at: place)
            defer { count(-1, at: place) }
            guard latest.load(ordering: .sequentiallyConsistent) == place else { continue }
            return unsafe places[place]
        }
    }

    /// False where a reader did not leave in time.
    func publish(_ value: Value, within patience: Int64) -> Bool {
        // Both places in turn, so that the old value is released now: it may hold revoked keys.
        for _ in 0..<2 {
            let place = 1 - latest.load(ordering: .sequentiallyConsistent)
            let start = coarseMonotonicTime()
            // A reader stays for a few instructions, unless its thread is put to sleep there.
            while readers(at: place) != 0 {
                guard coarseMonotonicTime() - start < patience else { return false }
                sched_yield()
            }
            unsafe places[place] = value
            latest.store(place, ordering: .sequentiallyConsistent)
        }
        return true
    }

    private func count(_ change: Int, at place: Int) {
        if place == 0 {
            firstReaders.add(change, ordering: .sequentiallyConsistent)
        } else {
            secondReaders.add(change, ordering: .sequentiallyConsistent)
        }
    }

    private func readers(at place: Int) -> Int {
        place == 0
            ? firstReaders.load(ordering: .sequentiallyConsistent)
            : secondReaders.load(ordering: .sequentiallyConsistent)
    }
}
