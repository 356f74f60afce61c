// Spare values: what is kept, what is discarded, and that nothing is lost.
import Foundation
import Synchronization
import Testing

@testable import SealedCookie

/// Which values were created, and which of them are gone. For one thread.
private final class Ledger {
    private(set) var made = 0
    private(set) var gone: [Int] = []

    func make() -> Counted {
        made += 1
        return Counted(number: made, ledger: self)
    }
    func destroyed(_ number: Int) { gone.append(number) }
}

private struct Counted: ~Copyable {
    let number: Int
    let ledger: Ledger
    deinit { ledger.destroyed(number) }
}

private enum Failure: Error { case harmless, serious }

@Suite struct PoolTests {
    private let ledger = Ledger()

    /// The number of the value in use; `failure` is thrown while it is in use.
    private func use(_ pool: borrowing Pool<Counted>, failing failure: Failure? = nil) throws(Failure) -> Int
    {
        try pool.with(
            { value throws(Failure) in
                if let failure { throw failure }
                return value.number
            }, orNew: { () throws(Failure) in ledger.make() }, sparing: { $0 == .harmless })
    }

    /// Takes `count` values at once.
    private func useTogether(_ pool: borrowing Pool<Counted>, _ count: Int) {
        guard count > 0 else { return }
        pool.with({ _ in useTogether(pool, count - 1) }, orNew: { ledger.make() })
    }

    @Test func `a value is used again, and goes with its pool`() throws {
        do {
            let pool = Pool<Counted>()
            for _ in 0..<3 { #expect(try use(pool) == 1) }
            #expect(ledger.made == 1 && ledger.gone.isEmpty)
        }
        #expect(ledger.gone == [1])
    }

    @Test func `a value with which the work failed is destroyed, and another is made`() throws {
        do {
            let pool = Pool<Counted>()
            #expect(try use(pool) == 1)
            #expect(throws: Failure.serious) { try use(pool, failing: .serious) }
            #expect(ledger.gone == [1])
            #expect(try use(pool) == 2)
            // The first use of a value may fail as well.
            #expect(throws: Failure.serious) { try use(pool, failing: .serious) }
            #expect(throws: Failure.serious) { try use(pool, failing: .serious) }
            #expect(ledger.made == 3 && ledger.gone == [1, 2, 3])
        }
        #expect(ledger.gone == [1, 2, 3])
    }

    /// Returns whether another thread already has it.
    private final class Occupied: Sendable {
        let isTaken = Atomic<Bool>(false)
    }

    @Test func `no two threads have one value, however many take at once`() {
        final class Shared: Sendable {
            let pool = Pool<Occupied>()
            let meetings = Atomic<Int>(0)
        }
        let shared = Shared()
        let done = DispatchGroup()
        // Twice as many as there are slots, so that some start at the same one.
        for _ in 0..<16 {
            done.enter()
            Thread.detachNewThread {
                for number in 0..<20_000 {
                    shared.pool.with(
                        { value in
                            if value.isTaken.exchange(true, ordering: .relaxed) {
                                shared.meetings.add(1, ordering: .relaxed)
                            }
                            // Long enough for other threads to come, and sometimes for this one to be suspended.
                            if number % 64 == 0 { sched_yield() }
                            value.isTaken.store(false, ordering: .relaxed)
                        }, orNew: { Occupied() })
                }
                done.leave()
            }
        }
        done.wait()
        #expect(shared.meetings.load(ordering: .relaxed) == 0)
    }

    @Test func `a failure that spares its value keeps it`() throws {
        do {
            let pool = Pool<Counted>()
            #expect(throws: Failure.harmless) { try use(pool, failing: .harmless) }
            #expect(try use(pool) == 1)
            #expect(ledger.made == 1 && ledger.gone.isEmpty)
        }
        #expect(ledger.gone == [1])
    }

    @Test func `a value that cannot be made leaves the pool as it was`() throws {
        let pool = Pool<Counted>()
        #expect(throws: Failure.serious) {
            try pool.with(
                { (_) throws(Failure) in }, orNew: { () throws(Failure) -> Counted in throw .serious })
        }
        #expect(try use(pool) == 1)
    }

    @Test func `a full pool destroys what is given back, and its values go with it`() throws {
        do {
            let pool = Pool<Counted>()
            useTogether(pool, 11)
            // Eight are kept: those that were returned first, which are the last that were created.
            #expect(ledger.made == 11 && ledger.gone == [3, 2, 1])
            useTogether(pool, 8)
            #expect(ledger.made == 11 && ledger.gone.count == 3)
            useTogether(pool, 9)
            #expect(ledger.made == 12 && ledger.gone.count == 4)
        }
        #expect(ledger.gone.sorted() == Array(1...12))
    }

    @Test func `a workspace's memory outlasts garbage, and no other failure`() throws {
        /// Whether the memory with which `error` was thrown still exists.
        func isKept(after error: OpenError) throws -> Bool {
            let key = try sampleKey(1).material
            #expect(throws: error) {
                try key.withWorkspace { (workspace) throws(OpenError) in
                    workspace.memory.give(Array(repeating: 0, count: 100))
                    throw error
                }
            }
            return try key.withWorkspace { (workspace) throws(OpenError) in
                workspace.memory.takeBytes().capacity > 0
            }
        }
        let id = KeyID(1, 2, 3)
        for error in [
            OpenError.tooLong(byteCount: 5000), .tooManyCookies(3, limit: 2), .missingPart(1, of: 2),
            .notBase64URL, .tooShort(byteCount: 3), .unknownVersion(1), .unknownKey(id), .revokedKey(id),
            .notAuthentic,
        ] {
            #expect(try isKept(after: error), "\(error)")
        }
        for error in [
            OpenError.malformedPayload("why"), .unknownDictionary("why"), .inFuture(noon), .signedOut(noon),
            .expired(noon),
            .endedBefore(noon), .sessionMismatch(codingPath: [], reason: "what"),
            .libraryFailed(operation: "inflate"),
        ] {
            #expect(try !isKept(after: error), "\(error)")
        }
    }
}
