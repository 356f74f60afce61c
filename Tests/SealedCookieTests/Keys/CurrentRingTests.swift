// The ring that threads share: whole values, in order, and none leaked.
import Foundation
import Synchronization
import Testing

@testable import SealedCookie

@Suite struct CurrentRingTests {
    private final class Counted: Sendable {
        static let living = Atomic<Int>(0)
        let number: Int
        init(_ number: Int) {
            self.number = number
            Self.living.add(1, ordering: .relaxed)
        }
        deinit { Self.living.subtract(1, ordering: .relaxed) }
    }

    @Test func `readers see whole values in order while a writer replaces them, and none is left over`() {
        var guarded: Guarded<Counted>? = Guarded(Counted(0))
        if let guarded {
            let done = DispatchGroup()
            for _ in 0..<3 {
                // Threads, not tasks: three tasks that never wait could keep a fourth from starting.
                done.enter()
                Thread.detachNewThread {
                    var last = 0
                    var isOrdered = true
                    while last < 20_000 {
                        let number = guarded.withLock { $0 }.number
                        isOrdered = isOrdered && number >= last
                        last = number
                    }
                    #expect(isOrdered)
                    done.leave()
                }
            }
            for number in 1...20_000 {
                let new = Counted(number)
                _ = guarded.withLock { exchange(&$0, with: new) }
                if number % 1000 == 0 { usleep(500) }
            }
            done.wait()
        }
        #expect(Counted.living.load(ordering: .relaxed) == 1)
        guarded = nil
        // The threads release it when they end.
        for _ in 0..<5000 where Counted.living.load(ordering: .relaxed) != 0 { usleep(1000) }
        #expect(Counted.living.load(ordering: .relaxed) == 0)
    }

    /// A reader that is stopped at any point blocks nothing forever.
    @Test func `a replaced ring's keys go at once, whoever reads meanwhile`() throws {
        let keys = try SharedKeyRing(sampleRing(1))
        let isOver = Atomic<Bool>(false)
        let done = DispatchGroup()
        for _ in 0..<3 {
            done.enter()
            Thread.detachNewThread {
                while !isOver.load(ordering: .relaxed) { _ = keys.ring.keys.count }
                done.leave()
            }
        }
        var gone: [Weak] = []
        for number in 0..<200 {
            gone.append(Weak(key: keys.ring.keys.first?.material))
            try keys.replace(with: sampleRing(UInt8(number % 2 + 1)).revoking(KeyID(1, 0, UInt8(number))))
        }
        isOver.store(true, ordering: .relaxed)
        done.wait()
        #expect(gone.allSatisfy { $0.key == nil })
    }

    private struct Weak {
        weak var key: WorkingKey?
    }
}
