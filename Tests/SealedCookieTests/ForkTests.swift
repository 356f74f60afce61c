// Processes that fork while their threads seal and open.
import Foundation
import Synchronization
import Testing

@testable import SealedCookie

@Suite struct ForkTests {
    /// Each child is a process in which nothing was ever sealed. It creates its sealer, starts threads that seal
    /// their first session, and forks meanwhile.
    @Test func `a child of a fork in the first moments seals and opens`() async {
        await #expect(processExitsWith: .success) {
            let ring = try KeyRing([SealingKey.generate()])
            var hung = 0
            for round in 0..<40 {
                let server = fork()
                if server == 0 {
                    guard
                        let sealer = try? CookieSealer<[String]>(
                            keys: ring, lifetime: .init(absolute: .days(1)))
                    else { _exit(2) }
                    let session = ["Zoë", "member"]
                    let use: @Sendable () -> Bool = {
                        (try? sealer.open(value: sealer.seal(session).token).session) == session
                    }
                    let gate = Atomic<Bool>(false)
                    for _ in 0..<3 {
                        Thread.detachNewThread {
                            while !gate.load(ordering: .acquiring) {}
                            while use() {}
                        }
                    }
                    usleep(2000)
                    gate.store(true, ordering: .releasing)
                    var failed: Int32 = 0
                    for moment in 0..<4 {
                        usleep(UInt32(round * 7 + moment * 50))
                        let child = fork()
                        if child == 0 { _exit(use() ? 0 : 3) }
                        if !hasSucceeded(child) { failed += 1 }
                    }
                    _exit(failed)
                }
                if !hasSucceeded(server, within: 60) { hung += 1 }
            }
            #expect(hung == 0, "\(hung) of 40 servers have children that hang")
        }
    }

    /// Forks while two threads run `work`, and counts the children in which `use` does not succeed in time. Under
    /// AddressSanitizer each fork takes long, so there are fewer.
    private static func failures(
        ofForks count: Int, while work: @escaping @Sendable () -> Void, using use: () -> Bool
    ) -> Int {
        for _ in 0..<2 {
            Thread.detachNewThread { while true { work() } }
        }
        var failed = 0
        let start = ContinuousClock.now
        for _ in 0..<count where failed < 3 && start.duration(to: .now) < .seconds(20) {
            usleep(500)
            let child = fork()
            if child == 0 { _exit(use() ? 0 : 3) }
            if !hasSucceeded(child, within: 20) { failed += 1 }
        }
        return failed
    }

    /// Foundation's formatters have a lock.
    @Test func `a child of a fork reads a ring's times while its parent's threads format theirs`() async {
        await #expect(processExitsWith: .success) {
            let ring = try KeyRing([SealingKey.generate(activeFrom: noon)]).endingSessions(
                createdBefore: noon)
            let text = try ring.withText { bytes in String(copying: try UTF8Span(validating: bytes)) }
            let sealer = try CookieSealer<String>(
                keys: ring, lifetime: .init(absolute: .days(1)), attributes: .init(writesExpires: true))
            let failed = Self.failures(
                ofForks: 600,
                while: {
                    _ = Date.now.formatted(.iso8601)
                    _ = try? Date("2026-08-03T00:00:00Z", strategy: .iso8601)
                },
                using: {
                    guard let read = try? KeyRing(parsing: text), read.entries == ring.entries,
                        let sealed = try? sealer.seal("in use", at: noon)
                    else { return false }
                    let removals = sealer.removalCookies().map { "\($0)" }
                    return !sealed.headerValues.isEmpty && !removals.isEmpty
                })
            #expect(failed == 0, "\(failed) children hang")
        }
    }

    /// OpenSSL takes locks to look up an algorithm and to draw random bytes.
    @Test func `a child of a fork makes and uses a key while its parent's threads make theirs`() async {
        await #expect(processExitsWith: .success) {
            let makesAndUses: @Sendable () -> Bool = {
                guard let ring = try? KeyRing([SealingKey.generate()]),
                    let sealer = try? CookieSealer<String>(keys: ring, lifetime: .init(absolute: .days(1))),
                    let dictionary = try? CompressionDictionary(Array("abc".utf8)),
                    let token = try? sealer.seal("in use").token
                else { return false }
                return (try? sealer.open(value: token).session) == "in use" && dictionary.bytes.count == 3
            }
            #expect(makesAndUses())
            let failed = Self.failures(ofForks: 600, while: { _ = makesAndUses() }, using: makesAndUses)
            #expect(failed == 0, "\(failed) children hang")
        }
    }

    /// A child has all open files of its parent, and so the lock on a ring.
    @Test func `a child that was forked during a change of a ring holds up no other change`() async {
        await #expect(processExitsWith: .success) {
            let path = "\(FileManager.default.temporaryDirectory.path)/\(UUID()).keys"
            try KeyRing([SealingKey.generate()]).create(at: path)
            defer { unsafe unlink(path) }
            let isWaiting = Atomic<Bool>(false)
            let waiter = Task.detached {
                while !isWaiting.load(ordering: .acquiring) { usleep(1000) }
                try KeyRing.update(at: path) { (ring) throws(KeyRingError) in
                    try ring.rotated(activeFrom: noon).ring
                }
            }
            var child: pid_t = 0
            try KeyRing.update(at: path) { (ring) throws(KeyRingError) in
                isWaiting.store(true, ordering: .releasing)
                usleep(200_000)
                child = fork()
                if child == 0 {
                    sleep(40)
                    _exit(0)
                }
                return try ring.rotated(activeFrom: noon).ring
            }
            let rest = ContinuousClock.now
            try await waiter.value
            #expect(rest.duration(to: .now) < .seconds(20))
            #expect(try KeyRing(contentsOf: path).keys.count == 3)
            kill(child, SIGKILL)
        }
    }
}
