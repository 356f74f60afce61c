// Spare contexts for concurrent use: taken out, used alone, given back.
import Glibc
import Synchronization

/// A few spare values of a kind that is costly to make and that one thread may use at a time.
///
/// No lock is held while a value is in use, so code that runs with one may itself need another.
@safe final class Pool<Element: ~Copyable & Sendable>: @unchecked Sendable {
    // @unchecked: the slots stand where they are from init to deinit, and each has its lock.
    private let slots: UnsafeMutablePointer<Mutex<Element?>>
    /// A power of two.
    private static var slotCount: Int { 8 }

    init() {
        unsafe slots = .allocate(capacity: Self.slotCount)
        for index in 0..<Self.slotCount { unsafe (slots + index).initialize(to: Mutex(nil)) }
    }

    deinit {
        unsafe slots.deinitialize(count: Self.slotCount)
        unsafe slots.deallocate()
    }

    /// Where this thread looks first, so that threads seldom meet at one slot.
    private var home: Int {
        // glibc's pthread_t is the address of the thread's descriptor: its low bits are equal.
        let spread = UInt(pthread_self()) &* 0x9E37_79B9_7F4A_7C15
        return Int(spread >> 61)
    }

    /// A spare value, or nil: then the caller makes one.
    func take() -> Element? {
        let home = home
        for offset in 0..<Self.slotCount {
            // Sound: the mask keeps the index below slotCount.
            let taken = unsafe slots[(home + offset) & (Self.slotCount - 1)].withLockIfAvailable { spare in
                spare.take()
            }
            if let found = taken, let element = found { return element }
        }
        return nil
    }

    /// Keeps `element` for the next `take`, or drops it where the nearest slots are full.
    func give(_ element: consuming Element) {
        let home = home
        var rest: Element? = consume element
        for offset in 0..<Self.slotCount {
            let kept: Void? = unsafe slots[(home + offset) & (Self.slotCount - 1)].withLockIfAvailable {
                spare in
                if spare == nil { spare = rest.take() }
            }
            if kept != nil, rest == nil { return }
        }
    }
}
