// Spare values for concurrent use: taken out, used exclusively, given back.
import SealedCookieLibc
import Synchronization

/// A few spare values of a kind that is costly to create and that one thread may use at a time.
///
/// Nothing is locked while a value is in use, so code that runs with one may itself need another.
@safe struct Pool<Element: ~Copyable>: ~Copyable, @unchecked Sendable {
    // @unchecked: a thread that swaps a value out of its slot has it exclusively until it puts it back. A value that
    // is or contains a reference must be the only one that does.
    private let slots: UnsafeMutablePointer<Slot>
    /// A power of two.
    private static var slotCount: Int { 8 }

    /// A spare value or nil. Each takes two cache lines, so that threads do not wait for their neighbours.
    @safe private struct Slot: ~Copyable {
        let spare = unsafe Atomic<UnsafeMutableRawPointer?>(nil)
        private let padding = InlineArray<15, UInt64>(repeating: 0)
    }

    init() {
        unsafe slots = .allocate(capacity: Self.slotCount)
        for index in 0..<Self.slotCount { unsafe (slots + index).initialize(to: Slot()) }
    }

    deinit {
        for index in 0..<Self.slotCount {
            if let spare = unsafe slots[index].spare.exchange(nil, ordering: .acquiring) {
                unsafe Self.destroy(spare)
            }
        }
        unsafe slots.deinitialize(count: Self.slotCount)
        unsafe slots.deallocate()
    }

    /// Runs `body` with a spare value, or with a new one if there is none.
    ///
    /// A value with which `body` failed is not used again.
    ///
    /// - Parameter spares: Whether the value is still reusable after this failure.
    @inline(__always)
    func with<Result, Failure: Error>(
        _ body: (inout Element) throws(Failure) -> Result, orNew make: () throws(Failure) -> Element,
        sparing spares: (Failure) -> Bool = { _ in false }
    ) throws(Failure) -> Result {
        let home = home
        // Sound: `take` and `make` both return a value that no one else has.
        let raw = if let spare = unsafe take(home) { unsafe spare } else { try unsafe Self.new(make) }
        let element = unsafe raw.assumingMemoryBound(to: Element.self)
        do throws(Failure) {
            let result = try unsafe body(&element.pointee)
            unsafe give(raw, home)
            return result
        } catch {
            if spares(error) { unsafe give(raw, home) } else { unsafe Self.destroy(raw) }
            throw error
        }
    }

    /// The first slot that this thread tries, so that threads rarely meet at one slot.
    private var home: Int { ThreadNumber.current & (Self.slotCount - 1) }

    private func take(_ home: Int) -> UnsafeMutableRawPointer? {
        for offset in 0..<Self.slotCount {
            // Sound: the mask keeps the index below slotCount.
            let slot = unsafe slots + ((home + offset) & (Self.slotCount - 1))
            // First a plain load: it costs less than a swap, and most of the other slots are empty.
            if unsafe slot.pointee.spare.load(ordering: .relaxed) != nil,
                let taken = unsafe slot.pointee.spare.exchange(nil, ordering: .acquiring)
            {
                return unsafe taken
            }
        }
        return nil
    }

    /// Keeps a value for the next `take`, or destroys it if all slots are full.
    private func give(_ spare: UnsafeMutableRawPointer, _ home: Int) {
        for offset in 0..<Self.slotCount {
            // Sound: as in `take`.
            let slot = unsafe slots + ((home + offset) & (Self.slotCount - 1))
            if unsafe slot.pointee.spare.compareExchange(
                expected: nil, desired: spare, ordering: .releasing
            ).exchanged {
                return
            }
        }
        unsafe Self.destroy(spare)
    }

    private static func new<Failure: Error>(
        _ make: () throws(Failure) -> Element
    ) throws(Failure) -> UnsafeMutableRawPointer {
        let element = UnsafeMutablePointer<Element>.allocate(capacity: 1)
        do throws(Failure) {
            unsafe element.initialize(to: try make())
        } catch {
            unsafe element.deallocate()
            throw error
        }
        return UnsafeMutableRawPointer(element)
    }

    private static func destroy(_ spare: UnsafeMutableRawPointer) {
        let element = unsafe spare.assumingMemoryBound(to: Element.self)
        unsafe element.deinitialize(count: 1)
        unsafe element.deallocate()
    }
}

/// Numbers threads in the order in which they first ask. With a hash of their addresses, two of them would meet more
/// often.
private enum ThreadNumber {
    private static let next = Atomic<Int>(1)
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        return unsafe pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    static var current: Int {
        // Without a key, all threads have number 0: slower, but just as sound.
        guard let key else { return 0 }
        if let number = unsafe pthread_getspecific(key) { return Int(bitPattern: number) }
        let number = next.add(1, ordering: .relaxed).oldValue
        unsafe pthread_setspecific(key, UnsafeRawPointer(bitPattern: number))
        return number
    }
}
