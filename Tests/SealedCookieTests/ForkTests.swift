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
}
