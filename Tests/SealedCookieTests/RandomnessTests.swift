// Nonces: never the same twice, not even on both sides of a fork.
import Foundation
import Glibc
import Testing

@testable import SealedCookie

@Suite struct RandomnessTests {
    @Test func `draws of any size differ and fill their range alone`() throws {
        var buffer = RandomBuffer()
        for count in [1, 20, 32, 4088, 4089, 10_000] {
            var bytes = [UInt8](repeating: 0, count: count + 2)
            try buffer.fill(&bytes, in: 1..<count + 1)
            #expect(bytes.first == 0 && bytes.last == 0)
            var again = bytes
            try buffer.fill(&again, in: 1..<count + 1)
            #expect(count == 1 || again != bytes)
        }
    }

    @Test func `a thousand draws across page ends are all different`() throws {
        var buffer = RandomBuffer()
        var seen: Set<[UInt8]> = []
        for _ in 0..<1000 {
            var bytes = [UInt8](repeating: 0, count: 20)
            try buffer.fill(&bytes, in: 0..<20)
            seen.insert(bytes)
        }
        #expect(seen.count == 1000)
    }

    @Test func `nonces of a page differ if only one of the two sources is random`() throws {
        let (random, constant) = (
            (0..<4080).map { _ in UInt8.random(in: 0...255) }, [UInt8](repeating: 0x5A, count: 4080)
        )
        for (page, more) in [(random, constant), (constant, random)] {
            var mixed = page
            var span = mixed.mutableSpan
            RandomBuffer.mix(more.span.extracting(first: 256), into: &span)
            let nonces = Set((0..<204).map { Array(mixed[$0 * 20..<$0 * 20 + 20]) })
            #expect(nonces.count == 204)
        }
    }

    /// The child writes its nonces to a pipe; none may be one of the parent's. In a process of its own, for a child
    /// would find locks of the runtime taken that other tests' threads held.
    @Test func `parent and child never share a nonce`() async {
        await #expect(processExitsWith: .success) {
            let count = 100
            var ends: [Int32] = [0, 0]
            try #require(unsafe pipe(&ends) == 0)
            // A buffer that is drawn and partly used, for the child to find a copy of.
            var buffer = RandomBuffer()
            var first = [UInt8](repeating: 0, count: 20)
            try buffer.fill(&first, in: 0..<20)
            let child = fork()
            if child == 0 {
                var nonces = [UInt8](repeating: 0, count: count * 20)
                for draw in 0..<count {
                    if (try? buffer.fill(&nonces, in: draw * 20..<draw * 20 + 20)) == nil { _exit(2) }
                }
                let written = unsafe write(ends[1], nonces, nonces.count)
                _exit(written == nonces.count ? 0 : 3)
            }
            try #require(child > 0)
            close(ends[1])
            var parents: Set<[UInt8]> = [first]
            for _ in 0..<count {
                var nonce = [UInt8](repeating: 0, count: 20)
                try buffer.fill(&nonce, in: 0..<20)
                parents.insert(nonce)
            }
            var received: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                let got = unsafe read(ends[0], &chunk, chunk.count)
                guard got > 0 else { break }
                received += chunk[..<got]
            }
            close(ends[0])
            var status: Int32 = 0
            #expect(unsafe waitpid(child, &status, 0) == child && status == 0)
            try #require(received.count == count * 20)
            let children = Set((0..<count).map { Array(received[$0 * 20..<$0 * 20 + 20]) })
            #expect(parents.count == count + 1 && children.count == count)
            // Counts, so that a failure prints no thousands of bytes.
            #expect(parents.intersection(children).count == 0)
            #expect(!children.contains(Array(repeating: 0, count: 20)))
        }
    }
}
