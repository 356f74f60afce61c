// When a ring file is read: at each poll, for an unknown key, and by which of several threads.
import Foundation
import Synchronization
import Testing

@testable import SealedCookie

@Suite struct KeyRingFileReadingTests: KeyRingFileSuite {
    let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
    }

    let clock = TestClock()

    /// In a separate process: other tests' threads may be inside Swift's runtime, whose locks a child would find
    /// taken.
    @Test func `a child of a fork reads its ring again, whatever threads the parent had`() async {
        await #expect(processExitsWith: .success) {
            let folder = try ToolFolder()
            let path = folder.ring
            let file = try KeyRingFile(path, pollInterval: .zero)
            let stop = Atomic<Bool>(false)
            let started = Atomic<Int>(0)
            for _ in 0..<2 {
                Thread.detachNewThread {
                    _ = file.ring.keys.count
                    started.add(1, ordering: .relaxed)
                    while !stop.load(ordering: .relaxed) { _ = file.ring.keys.count }
                }
            }
            defer { stop.store(true, ordering: .relaxed) }
            while started.load(ordering: .relaxed) < 2 { usleep(1000) }
            for number in 0..<40 {
                try KeyRing.update(at: path) { (ring) throws(KeyRingError) in
                    try ring.revoking(KeyID(0, 1, UInt8(number)))
                }
                let child = fork()
                if child == 0 {
                    _exit((try? file.reload()) != nil && file.ring.revoked.count == number + 1 ? 0 : 1)
                }
                #expect(hasSucceeded(child, within: 60), "child \(number)")
            }
        }
    }

    @Test func `what is reloaded holds at once, keys that it lacks too`() throws {
        let path = try folder.write("reloaded.keys", text(sampleRing(1, 2)))
        let file = try follow(path)
        _ = try folder.write("reloaded.keys", text(sampleRing(2)))
        try file.reload()
        #expect(try file.ring.keys.map(\.id) == [sampleKey(2).id])
    }

    @Test func `a file that cannot be looked at is read at each poll`() throws {
        let path = try folder.write("unseen.keys", text(sampleRing(1)))
        let file = try KeyRingFile(
            path, pollInterval: .milliseconds(1), clock: clock.now, identify: { _ in nil })
        for seed in UInt8(2)...4 {
            tick()
            _ = file.ring
            let ring = try KeyRing(sampleRing(1).keys + [sampleKey(seed)])
            _ = try folder.write("unseen.keys", text(ring))
            tick()
            #expect(try file.ring.key(withID: sampleKey(seed).id) != nil)
        }
    }

    @Test func `a file that could not be read is read again, though it looks the same`() throws {
        let log = EventLog()
        let path = try folder.write("same.keys", text(sampleRing(1)))
        let identity = try FileIdentity(path)
        let file = try KeyRingFile(
            path, pollInterval: .milliseconds(1), clock: clock.now, onEvent: { log.add($0) },
            identify: { _ in identity })
        tick()
        _ = file.ring
        clock.advance(by: .seconds(3))
        _ = file.ring
        _ = try folder.write("same.keys", "no ring")
        tick()
        _ = file.ring
        #expect(file.failure == nil)
        #expect(throws: KeyRingError.self) { try file.reload() }
        _ = try folder.write("same.keys", text(sampleRing(1)))
        #expect(file.failure != nil)
        tick()
        _ = file.ring
        #expect(file.failure == nil)
    }

    /// A file system that hangs for three seconds: no one knows when in that time the file got its contents.
    @Test func `a file has settled when it has looked the same for two seconds after the first look`() throws
    {
        let path = try folder.write("slow.keys", text(sampleRing(1, 2)))
        let isSlow = Atomic<Bool>(false)
        let file = try KeyRingFile(
            path, pollInterval: .milliseconds(1), clock: clock.now,
            identify: { [clock] path in
                let identity = try? FileIdentity(path)
                if isSlow.exchange(false, ordering: .relaxed) { clock.advance(by: .seconds(3)) }
                return identity
            })
        _ = try folder.write("slow.keys", text(sampleRing(2)))
        isSlow.store(true, ordering: .relaxed)
        tick()
        #expect(file.ring.keys.count == 2)
        tick()
        #expect(file.ring.keys.count == 2)
        clock.advance(by: .seconds(3))
        #expect(file.ring.keys.count == 1)
    }

    @Test func `a server does not begin with a ring that holds no key`() throws {
        for text in ["", "# a comment\n\n", "revoked 0123ab\n"] {
            let path = try folder.write("empty.keys", text)
            let error = #expect(throws: KeyRingError.self) { _ = try follow(path) }
            #expect(error?.problem == .noKeys)
        }
    }

    @Test func `a broken or missing file changes nothing, and is told`() throws {
        let log = EventLog()
        let file = try follow(folder.ring, log)
        let good = try Data(contentsOf: URL(filePath: folder.ring))
        let ids = file.ring.keys.map(\.id)
        _ = try folder.write("session.keys", "key 5f3a9c sck1_x\n")
        let failure = KeyRingError(source: folder.ring, line: 1, problem: .notAKey)
        for _ in 0..<3 {
            tick()
            #expect(file.ring.keys.map(\.id) == ids)
            #expect(file.failure == failure)
        }
        #expect(throws: failure) { try file.reload() }
        try FileManager.default.removeItem(atPath: folder.ring)
        tick()
        #expect(file.ring.keys.map(\.id) == ids)
        #expect(file.failure?.problem == .unreadable("No such file or directory"))
        try good.write(to: URL(filePath: folder.ring))
        tick()
        #expect(file.ring.keys.map(\.id) == ids)
        #expect(file.failure == nil)
        // Each new reason once, and once that it has passed.
        let told = log.events.map { "\($0)".contains("previous ring stays in use") }
        #expect(told == [true, true, false])
        #expect(!log.events.contains { "\($0)".contains("sck1") })
        #expect(throws: KeyRingError.self) { try KeyRingFile(folder.file("none")) }
    }

    @Test func `an unknown key is looked for at once, but once a second at the most`() throws {
        let path = folder.ring
        let file = try KeyRingFile(path, pollInterval: .seconds(3600), clock: clock.now)
        let here = try CookieSealer<Int>(keys: file, lifetime: .init(absolute: .days(1)))
        _ = try rotate(path, from: noon)
        func tokenOfNow() throws -> String {
            try CookieSealer<Int>(keys: KeyRing(contentsOf: path), lifetime: .init(absolute: .days(1))).seal(
                7
            ).token
        }
        let first = try tokenOfNow()
        tick()
        #expect(try here.open(value: first).session == 7)
        // Within the same second: no poll, and refused.
        _ = try rotate(path, from: noon + 1)
        let second = try tokenOfNow()
        clock.advance(by: .milliseconds(999))
        for _ in 0..<100 {
            #expect(throws: OpenError.self) { try here.open(value: second) }
        }
        tick()
        #expect(try here.open(value: second).session == 7)
    }

    @Test func `an unknown key is found that another request has read the file for meanwhile`() throws {
        /// What another request does each time this one reads the clock.
        final class Other: Sendable {
            let act = Mutex<@Sendable () throws -> Void>({})
        }
        let (path, clock, other) = (folder.ring, clock.now, Other())
        let file = try KeyRingFile(path, pollInterval: .seconds(3600)) {
            try? other.act.withLock { $0 }()
            return clock()
        }
        let sealer = try CookieSealer<Int>(keys: file, lifetime: .init(absolute: .days(1)))
        #expect(throws: OpenError.self) {
            try sealer.open(value: loginSealer(sampleRing(9)).seal(login).token)
        }
        // From here on this second's poll is taken, so this request may not poll.
        _ = try rotate(path)
        let token = try CookieSealer<Int>(
            keys: KeyRing(contentsOf: path), lifetime: .init(absolute: .days(1))
        ).seal(7).token
        #expect(throws: OpenError.self) { try sealer.open(value: token) }
        let calls = Counter()
        // The file's clock refers to it, and it refers to the file.
        defer { other.act.withLock { $0 = {} } }
        other.act.withLock { act in
            // First it asks for the ring, and does not find the key.
            act = { if calls.next() == 2 { try file.reload() } }
        }
        #expect(try sealer.open(value: token).session == 7)
        #expect(calls.value > 2)
    }

    private final class Counter: Sendable {
        private let count = Atomic(0)
        var value: Int { count.load(ordering: .sequentiallyConsistent) }
        @discardableResult func next() -> Int { count.add(1, ordering: .sequentiallyConsistent).newValue }
    }

    @Test func `one request waits where the file system hangs, and no other`() throws {
        final class System: Sendable {
            let hangs = Atomic<Bool>(false)
            let waiting = Atomic<Int>(0)
        }
        let (system, clock, finished) = (System(), clock, Counter())
        let file = try KeyRingFile(
            folder.ring, pollInterval: .milliseconds(1), clock: clock.now,
            identify: {
                system.waiting.add(1, ordering: .relaxed)
                while system.hangs.load(ordering: .relaxed) { usleep(1000) }
                system.waiting.subtract(1, ordering: .relaxed)
                return try? FileIdentity($0)
            })
        system.hangs.store(true, ordering: .relaxed)
        for _ in 0..<4 {
            Thread.detachNewThread {
                for _ in 0..<5 {
                    clock.advance(by: .milliseconds(1))
                    _ = (file.ring, file.failure)
                }
                finished.next()
            }
        }
        let deadline = ContinuousClock.now + .seconds(20)
        while finished.value < 3, ContinuousClock.now < deadline { usleep(1000) }
        usleep(50_000)
        #expect(finished.value == 3 && system.waiting.load(ordering: .relaxed) == 1)
        // The file system is back: the waiting thread continues, and changes made meanwhile are found.
        let id = try rotate(folder.ring)
        system.hangs.store(false, ordering: .relaxed)
        while finished.value < 4, ContinuousClock.now < deadline { usleep(1000) }
        tick()
        #expect(finished.value == 4 && file.failure == nil && file.ring.key(withID: id) != nil)
    }

    @Test func `a reading that began earlier does not undo one that began later`() throws {
        final class System: Sendable {
            let hangs = Atomic<Bool>(false)
            let isIn = Atomic<Bool>(false)
        }
        let (system, path, clock) = (System(), folder.ring, clock)
        let old = try Data(contentsOf: URL(filePath: path))
        let file = try KeyRingFile(
            path, pollInterval: .milliseconds(1), clock: clock.now,
            identify: {
                if system.hangs.load(ordering: .relaxed), !system.isIn.exchange(true, ordering: .relaxed) {
                    while system.hangs.load(ordering: .relaxed) { usleep(1000) }
                }
                return try? FileIdentity($0)
            })
        _ = try rotate(path)
        system.hangs.store(true, ordering: .relaxed)
        let finished = Counter()
        Thread.detachNewThread {
            clock.advance(by: .milliseconds(1))
            _ = file.ring
            finished.next()
        }
        while !system.isIn.load(ordering: .relaxed) { usleep(1000) }
        try file.reload()
        #expect(file.ring.keys.count == 2)
        // The waiting thread finds a broken file, which is older than the ring in use.
        try Data("x".utf8).write(to: URL(filePath: path))
        system.hangs.store(false, ordering: .relaxed)
        let deadline = ContinuousClock.now + .seconds(20)
        while finished.value < 1, ContinuousClock.now < deadline { usleep(1000) }
        #expect(finished.value == 1 && file.failure == nil && file.ring.keys.count == 2)
        try old.write(to: URL(filePath: path))
    }

    @Test func `keys that a ring lacks go soon after it has settled, not an interval later`() throws {
        _ = try rotate(folder.ring)
        let file = try KeyRingFile(folder.ring, pollInterval: .seconds(30), clock: clock.now)
        clock.advance(by: .seconds(30))
        try KeyRing.update(at: folder.ring) { (ring) throws(KeyRingError) in
            try ring.pruned(lifetime: .seconds(1))
        }
        #expect(file.ring.keys.count == 2)
        clock.advance(by: .milliseconds(2099))
        #expect(file.ring.keys.count == 2)
        tick()
        #expect(file.ring.keys.count == 1)
    }

    /// A session that does something while it is decoded.
    private struct Interruption: Codable {
        static let action = Mutex<(@Sendable () throws -> Void)?>(nil)

        init() {}
        init(from decoder: any Decoder) throws { try Self.action.withLock { $0 }?() }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        }
    }

    /// Its references are not counted there: the ring with which the opening began keeps the key alive.
    @Test func `a key lives as long as an opening with it, though its ring is replaced meanwhile`() throws {
        let file = try follow(folder.ring)
        let sealer = try CookieSealer<Interruption>(keys: file, lifetime: .init(absolute: .days(14)))
        let token = try sealer.seal(Interruption(), at: noon).token
        let id = try #require(file.ring.keys.first?.id)
        weak var key: WorkingKey?
        key = file.ring.keys.first?.material
        let replace: @Sendable () throws -> Void = { [path = folder.ring, clock, weak key] in
            try KeyRing.update(at: path) { (ring) throws(KeyRingError) in
                try ring.rotated(activeFrom: noon, at: noon).ring.revoking(id)
            }
            clock.advance(by: .milliseconds(1))
            #expect(file.ring.key(withID: id) == nil)
            #expect(key != nil)
        }
        Interruption.action.withLock { $0 = replace }
        #expect(try sealer.open(value: token, at: noon).keyID == id)
        #expect(key == nil)
        #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
    }
}
