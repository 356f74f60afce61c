// A ring file that is followed: changes, swaps, broken files, unknown keys.
import Foundation
import Synchronization
import Testing

@testable import SealedCookie

/// What a ring file told.
private final class EventLog: Sendable {
    private let log = Mutex<[KeyRingFile.Event]>([])
    var events: [KeyRingFile.Event] { log.withLock { $0 } }
    func add(_ event: KeyRingFile.Event) { log.withLock { $0.append(event) } }
}

/// A monotonic clock that goes on when it is told to.
private final class TestClock: Sendable {
    private let nanoseconds = Atomic<Int64>(1_000_000)
    var now: @Sendable () -> Int64 {
        { self.nanoseconds.load(ordering: .relaxed) }
    }
    func advance(by span: Duration) {
        nanoseconds.add(
            span.components.seconds * 1_000_000_000 + span.components.attoseconds / 1_000_000_000,
            ordering: .relaxed)
    }
}

@Suite struct KeyRingFileTests {
    private let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
    }

    private func rotate(_ path: String, from: Date = noon) throws -> KeyID {
        var added: KeyID?
        try KeyRing.update(path) { (ring) throws(KeyRingError) in
            let (rotated, key) = try ring.rotated(from: from, at: from)
            added = key.id
            return rotated
        }
        return try #require(added)
    }

    private let clock = TestClock()

    /// Looks at the first access after each `tick`.
    private func follow(_ path: String, _ log: EventLog = EventLog()) throws -> KeyRingFile {
        try KeyRingFile(path, lookingEvery: .milliseconds(1), clock: clock.now) { log.add($0) }
    }

    private func tick() { clock.advance(by: .milliseconds(1)) }

    @Test func `a change is seen, and told once`() throws {
        let log = EventLog()
        let file = try follow(folder.ring, log)
        #expect(file.ring.keys.count == 1)
        let id = try rotate(folder.ring)
        tick()
        #expect(file.ring.key(id) != nil)
        tick()
        #expect(file.ring.keys.count == 2)
        #expect(log.events.count == 1)
        guard case .read(let ring)? = log.events.first else { return #expect(Bool(false)) }
        #expect(ring.keys.count == 2 && file.failure == nil)
    }

    @Test func `not before the interval is over`() throws {
        let file = try KeyRingFile(folder.ring, lookingEvery: .seconds(30), clock: clock.now)
        _ = try rotate(folder.ring)
        clock.advance(by: .milliseconds(29_999))
        #expect(file.ring.keys.count == 1)
        tick()
        #expect(file.ring.keys.count == 2)
        _ = try rotate(folder.ring)
        #expect(file.ring.keys.count == 2)
        try file.reload()
        #expect(file.ring.keys.count == 3)
    }

    @Test func `a change in place within one tick and of equal length is seen`() throws {
        _ = try rotate(folder.ring)
        let text = try String(contentsOfFile: folder.ring, encoding: .utf8)
        let path = try folder.write("in-place.keys", "")
        for second in 1..<20 {
            let later = text.replacing("00:00:00Z", with: "00:00:\(second + 10)Z")
            try Data(text.utf8).write(to: URL(filePath: path))
            let file = try follow(path)
            try Data(later.utf8).write(to: URL(filePath: path))
            tick()
            #expect(file.ring.keys.last?.activeFrom == noon + Double(second + 10))
        }
    }

    @Test func `a file is fresh for two seconds, and not for one and a bit`() throws {
        var status = stat()
        try unsafe #require(stat(folder.ring, &status) == 0)
        let changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
        for (age, isFresh) in [
            (-1_000_000_000, true), (0, true), (1_999_999_999, true), (2_000_000_000, false),
        ] as [(Int64, Bool)] {
            #expect(try FileIdentity(folder.ring, at: changed + age).isFresh == isFresh)
        }
        #expect(try FileIdentity(folder.ring, at: 0) == FileIdentity(folder.ring))
    }

    @Test func `a swapped link is seen, as Kubernetes swaps it`() throws {
        // ring -> ..data/ring, ..data -> ..2026_1; a new folder, then a new ..data by rename.
        let root = folder.path
        let manager = FileManager.default
        for name in ["..2026_1", "..2026_2"] {
            try manager.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
            try manager.copyItem(atPath: folder.ring, toPath: "\(root)/\(name)/ring")
            _ = try rotate(folder.ring)
        }
        try manager.createSymbolicLink(atPath: "\(root)/..data", withDestinationPath: "..2026_1")
        try manager.createSymbolicLink(atPath: "\(root)/ring", withDestinationPath: "..data/ring")
        let file = try follow("\(root)/ring")
        let first = file.ring.keys.map(\.id)
        try manager.createSymbolicLink(atPath: "\(root)/..data_tmp", withDestinationPath: "..2026_2")
        try unsafe #require(rename("\(root)/..data_tmp", "\(root)/..data") == 0)
        tick()
        #expect(file.ring.keys.map(\.id) == (try KeyRing(contentsOf: "\(root)/..2026_2/ring")).keys.map(\.id))
        #expect(file.ring.keys.map(\.id) != first)
    }

    @Test func `half a ring is not taken, and a step back when it has stood for a while`() throws {
        let log = EventLog()
        let id = try rotate(folder.ring)
        try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in
            try ring.revoking(KeyID(0, 0xAB, 0xCD)).endingSessions(createdBefore: noon)
        }
        let text = try String(contentsOfFile: folder.ring, encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let file = try follow(folder.ring, log)
        // Written in place, line by line: whatever is there, the ring before holds.
        for count in 0..<lines.count - 1 {
            _ = try folder.write("session.keys", lines.prefix(count).map { "\($0)\n" }.joined())
            tick()
            #expect(
                file.ring.keys.last?.id == id && file.ring.revoked.count == 1 && file.ring.notBefore == noon)
        }
        // A file that is left so for two seconds is meant so; one without keys never is.
        _ = try folder.write("session.keys", lines.prefix(3).map { "\($0)\n" }.joined())
        tick()
        #expect(file.ring.revoked.count == 1)
        sleep(3)
        tick()
        #expect(file.ring.keys.count == 2 && file.ring.revoked.isEmpty && file.failure == nil)
        _ = try folder.write("session.keys", "# nothing\n")
        sleep(3)
        tick()
        #expect(file.ring.keys.count == 2 && file.failure?.problem == .noKeys)
    }

    /// In a process of its own: other tests' threads may be inside Swift's runtime, whose locks a child would find taken.
    @Test func `a child of a fork reads its ring again, whatever threads the parent had`() async {
        await #expect(processExitsWith: .success) {
            let folder = try ToolFolder()
            let path = folder.ring
            let file = try KeyRingFile(path)
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
            for number in 0..<10 {
                try KeyRing.update(path) { (ring) throws(KeyRingError) in
                    try ring.revoking(KeyID(0, 1, UInt8(number)))
                }
                let child = fork()
                if child == 0 {
                    alarm(8)
                    _exit((try? file.reload()) != nil && file.ring.revoked.count == number + 1 ? 0 : 1)
                }
                var status: Int32 = 0
                _ = unsafe waitpid(child, &status, 0)
                #expect(status == 0, "child \(number): status \(status)")
            }
        }
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
        // Each new reason once, and that it is over.
        let told = log.events.map { "\($0)".contains("read before is used") }
        #expect(told == [true, true, false])
        #expect(!log.events.contains { "\($0)".contains("sck1") })
        #expect(throws: KeyRingError.self) { try KeyRingFile(folder.file("none")) }
    }

    @Test func `an unknown key is looked for at once, but once a second at the most`() throws {
        let path = folder.ring
        let file = try KeyRingFile(path, lookingEvery: .seconds(3600), clock: clock.now)
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
        // Within the same second: not looked for, and refused.
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
        /// What another request does each time that this one asks for the time.
        final class Other: Sendable {
            let act = Mutex<@Sendable () throws -> Void>({})
        }
        let (path, clock, other) = (folder.ring, clock.now, Other())
        let file = try KeyRingFile(path, lookingEvery: .seconds(3600)) {
            try? other.act.withLock { $0 }()
            return clock()
        }
        let sealer = try CookieSealer<Int>(keys: file, lifetime: .init(absolute: .days(1)))
        #expect(throws: OpenError.self) {
            try sealer.open(value: loginSealer(sampleRing(9)).seal(login).token)
        }
        // From here on this second's look is taken, and so it is not this request's to look.
        _ = try rotate(path)
        let token = try CookieSealer<Int>(
            keys: KeyRing(contentsOf: path), lifetime: .init(absolute: .days(1))
        ).seal(7).token
        #expect(throws: OpenError.self) { try sealer.open(value: token) }
        let calls = Counter()
        // The file's clock holds it, and it holds the file.
        defer { other.act.withLock { $0 = {} } }
        other.act.withLock { act in
            // First it asks for the ring, and does not find the key.
            act = { if calls.next() == 2 { try file.reload() } }
        }
        #expect(try sealer.open(value: token).session == 7)
        #expect(calls.next() == 3)
    }

    private final class Counter: Sendable {
        private let count = Atomic(0)
        var value: Int { count.load(ordering: .sequentiallyConsistent) }
        @discardableResult func next() -> Int { count.add(1, ordering: .sequentiallyConsistent).newValue }
    }

    /// A FIFO stands for a file system that hangs: opening it waits until somebody writes.
    @Test func `one request waits where the file system hangs, and no other`() throws {
        let (path, kept, fifo) = (folder.ring, folder.file("kept.keys"), folder.file("fifo"))
        let file = try follow(path)
        try unsafe #require(rename(path, kept) == 0 && mkfifo(fifo, 0o600) == 0)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "fifo")
        let (finished, clock) = (Counter(), clock)
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
        #expect(finished.value == 3)
        // The file system is back: the one that waited goes on, and finds the file at his next look.
        try unsafe #require(rename(kept, path) == 0)
        while finished.value < 4, ContinuousClock.now < deadline {
            close(unsafe open(fifo, O_RDWR | O_NONBLOCK))
            usleep(10_000)
        }
        #expect(finished.value == 4 && file.failure == nil && file.ring.keys.count == 1)
    }

    @Test func `a step back holds soon after it has stood for a while, not an interval later`() throws {
        _ = try rotate(folder.ring)
        let file = try KeyRingFile(folder.ring, lookingEvery: .seconds(30), clock: clock.now)
        clock.advance(by: .seconds(30))
        try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in
            try ring.pruned(lifetime: .seconds(1))
        }
        #expect(file.ring.keys.count == 2)
        sleep(3)
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

    /// Its references are not counted there: what holds the key is the ring that the opening began with.
    @Test func `a key lives as long as an opening with it, though its ring is replaced meanwhile`() throws {
        let file = try follow(folder.ring)
        let sealer = try CookieSealer<Interruption>(keys: file, lifetime: .init(absolute: .days(14)))
        let token = try sealer.seal(Interruption(), at: noon).token
        let id = try #require(file.ring.keys.first?.id)
        weak var key: WorkingKey?
        key = file.ring.keys.first?.material
        let replace: @Sendable () throws -> Void = { [path = folder.ring, clock, weak key] in
            try KeyRing.update(path) { (ring) throws(KeyRingError) in
                try ring.rotated(from: noon, at: noon).ring.revoking(id)
            }
            clock.advance(by: .milliseconds(1))
            #expect(file.ring.key(id) == nil)
            #expect(key != nil)
        }
        Interruption.action.withLock { $0 = replace }
        #expect(try sealer.open(value: token, at: noon).keyID == id)
        #expect(key == nil)
        #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
    }

    @Test func `a ring from the environment`() throws {
        unsafe setenv("SEALED_COOKIE_TEST_RING", try String(contentsOfFile: folder.ring, encoding: .utf8), 1)
        defer { unsafe unsetenv("SEALED_COOKIE_TEST_RING") }
        let ring = try KeyRing(environment: "SEALED_COOKIE_TEST_RING")
        #expect(ring.keys.map(\.id) == (try KeyRing(contentsOf: folder.ring)).keys.map(\.id))
        let missing = KeyRingError(
            source: "$SEALED_COOKIE_NONE", line: nil, problem: .unreadable("no such environment variable"))
        #expect(throws: missing) { try KeyRing(environment: "SEALED_COOKIE_NONE") }
    }

    @Test func `comments stay, at the top, and a key that is commented out with them`() throws {
        let text = try String(contentsOfFile: folder.ring, encoding: .utf8)
        let path = try folder.write("comments.keys", "# ours\n\(text)  # key 5f3a9c sck1_old\n")
        let id = try rotate(path)
        let after = try String(contentsOfFile: path, encoding: .utf8)
        #expect(after.hasPrefix("# ours\n# sealed-cookie key ring\n  # key 5f3a9c sck1_old\nkey "))
        #expect(after.contains("key \(id) from=2026-08-03T00:00:00Z sck1_"))
    }

    // MARK: Published

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
        var published: Published? = Published(Counted(0))
        if let published {
            let done = DispatchGroup()
            for _ in 0..<3 {
                // Threads, not tasks: three tasks that never wait could keep a fourth from beginning.
                done.enter()
                Thread.detachNewThread {
                    var last = 0
                    var isOrdered = true
                    while last < 20_000 {
                        let number = published.value.number
                        isOrdered = isOrdered && number >= last
                        last = number
                    }
                    #expect(isOrdered)
                    done.leave()
                }
            }
            for number in 1...20_000 {
                published.publish(Counted(number))
                if number % 1000 == 0 { usleep(500) }
            }
            done.wait()
        }
        #expect(Counted.living.load(ordering: .relaxed) == 1)
        published = nil
        // The threads let go of it when they end.
        for _ in 0..<5000 where Counted.living.load(ordering: .relaxed) != 0 { usleep(1000) }
        #expect(Counted.living.load(ordering: .relaxed) == 0)
    }
}
