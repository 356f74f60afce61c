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

    private func text(_ ring: KeyRing) throws -> String {
        try ring.withText { text in String(decoding: text.indices.map { text[$0] }, as: UTF8.self) }
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
        guard case .changed(let ring)? = log.events.first else { return #expect(Bool(false)) }
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

    @Test func `a file looks the same only if all that can be seen of it is the same`() throws {
        let identity = try FileIdentity(folder.ring)
        #expect(try FileIdentity(folder.ring, at: 0) == identity)
        let fields: [WritableKeyPath<FileIdentity, Int64>] = [\.size, \.modified, \.changed]
        for field in fields {
            for change: Int64 in [-1, 1] {
                var other = identity
                other[keyPath: field] += change
                #expect(other != identity)
            }
        }
        for field in [\.device, \.inode] as [WritableKeyPath<FileIdentity, UInt64>] {
            var other = identity
            other[keyPath: field] += 1
            #expect(other != identity)
        }
        // What the system says of a file goes into it.
        var status = stat()
        try unsafe #require(stat(folder.ring, &status) == 0)
        #expect(identity.inode == UInt64(status.st_ino) && identity.device == UInt64(status.st_dev))
        #expect(identity.size == Int64(status.st_size) && !identity.isDetached)
        #expect(identity.changed % 1_000_000_000 == Int64(status.st_ctim.tv_nsec))
        #expect(identity.modified / 1_000_000_000 == Int64(status.st_mtim.tv_sec))
    }

    @Test func `what is beside a ring is fresh for two seconds, and not where a clock is further behind`()
        throws
    {
        let changed = try FileIdentity(folder.ring).changed
        for (age, isFresh) in [
            (-2_000_000_001, false), (-1_000_000_000, true), (0, true), (1_999_999_999, true),
            (2_000_000_000, false),
        ] as [(Int64, Bool)] {
            #expect(try FileIdentity(folder.ring, at: changed + age).isFresh == isFresh)
        }
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

    @Test func `of half a ring what it adds and revokes holds, and what it lacks stays until it has settled`()
        throws
    {
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
        // A file that is left so for two seconds is meant so. What was revoked and ended stays so, and that is told.
        let first = try #require(lines.firstIndex { $0.hasPrefix("key ") })
        _ = try folder.write("session.keys", "\(lines[0])\n\(lines[first])\n")
        tick()
        #expect(file.ring.keys.count == 2)
        clock.advance(by: .milliseconds(2099))
        #expect(file.ring.keys.count == 2)
        tick()
        #expect(file.ring.keys.count == 1 && file.ring.revoked.count == 1 && file.ring.notBefore == noon)
        #expect(file.failure == nil)
        let kept = log.events.compactMap { event -> Set<KeyID>? in
            guard case .revocationsKept(let ids, let notBefore) = event else { return nil }
            #expect(
                notBefore == noon && "\(event)".contains("revoked 00abcd; not-before 2026-08-03T00:00:00Z"))
            return ids
        }
        #expect(kept == [[KeyID(0, 0xAB, 0xCD)]])
        for _ in 0..<3 {
            tick()
            _ = file.ring
        }
        #expect(log.events.count { if case .revocationsKept = $0 { true } else { false } } == 1)
        // Only a call that says so takes it back.
        try file.reload()
        #expect(file.ring.revoked.count == 1 && file.ring.notBefore == noon)
        try file.reload(forgettingRevocations: true)
        #expect(file.ring.revoked.isEmpty && file.ring.notBefore == nil)
    }

    @Test func `a text without lines changes nothing, however long it stands, and is told`() throws {
        for text in ["", "\n", "# nothing\n", "# nothing\n# at all\n"] {
            let (log, folder) = (EventLog(), try ToolFolder())
            let file = try follow(folder.ring, log)
            let id = file.ring.keys.first?.id
            _ = try folder.write("session.keys", text)
            for _ in 0..<3 {
                clock.advance(by: .seconds(3))
                #expect(file.ring.keys.first?.id == id && file.failure?.problem == .noLines)
            }
            #expect(log.events.count == 1 && "\(log.events)".contains("says nothing"))
        }
    }

    @Test func `revoking the only key is a revocation`() throws {
        let log = EventLog()
        let file = try follow(folder.ring, log)
        let sealer = try CookieSealer<Int>(keys: file, lifetime: .init(absolute: .days(14)))
        let token = try sealer.seal(7, at: noon).token
        let id = try #require(file.ring.keys.first?.id)
        try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in try ring.revoking(id) }
        tick()
        #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
        #expect(throws: SealError.noActiveKey) { try sealer.seal(7, at: noon) }
        #expect(file.ring.keys.isEmpty && file.failure == nil && log.events.count == 1)
        // And a copy of the time before does not undo it, at no time.
        let next = try rotate(folder.ring)
        tick()
        #expect(try sealer.open(value: sealer.seal(7, at: noon).token, at: noon).keyID == next)
    }

    @Test func `a ring of revocations alone revokes, and takes the other keys away when it has settled`()
        throws
    {
        let other = try rotate(folder.ring)
        let file = try follow(folder.ring)
        let first = try #require(file.ring.keys.first { $0.id != other }?.id)
        _ = try folder.write("session.keys", "revoked \(first)\n")
        tick()
        #expect(file.ring.keys.map(\.id) == [other] && file.ring.revoked == [first])
        clock.advance(by: .milliseconds(2100))
        #expect(file.ring.keys.isEmpty && file.ring.revoked == [first] && file.failure == nil)
    }

    @Test func `a stale copy that comes back brings no revoked key back`() throws {
        let stale = try Data(contentsOf: URL(filePath: folder.ring))
        let file = try follow(folder.ring)
        let sealer = try CookieSealer<Int>(keys: file, lifetime: .init(absolute: .days(14)))
        let token = try sealer.seal(7, at: noon).token
        let id = try #require(file.ring.keys.first?.id)
        try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in
            try ring.replacingAllKeys(at: noon).ring.endingSessions(createdBefore: noon - 60)
        }
        tick()
        #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
        try stale.write(to: URL(filePath: folder.ring))
        for _ in 0..<3 {
            clock.advance(by: .seconds(3))
            #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
            #expect(file.ring.notBefore == noon - 60)
        }
        try file.reload()
        #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
    }

    @Test func `a re-read ring that revokes the unknown key tells it as revoked`() throws {
        let file = try KeyRingFile(folder.ring, lookingEvery: .seconds(3600), clock: clock.now)
        let sealer = try CookieSealer<Login>(keys: file, lifetime: .init(absolute: .days(14)))
        let token = try loginSealer(sampleRing(9)).seal(login, at: noon).token
        let id = try sampleKey(9).id
        try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in try ring.revoking(id) }
        tick()
        #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
    }

    // MARK: Clocks and mounts

    @Test func `a revocation holds at once, whatever the file server's clock says`() throws {
        // As where this machine's clock is an hour behind: however often one looks, the file has only just changed.
        let file = try KeyRingFile(
            folder.ring, lookingEvery: .milliseconds(1), clock: clock.now,
            identify: {
                guard let identity = try? FileIdentity($0) else { return nil }
                return try? FileIdentity($0, at: identity.changed)
            })
        let sealer = try CookieSealer<Int>(keys: file, lifetime: .init(absolute: .days(14)))
        let token = try sealer.seal(7, at: noon).token
        let id = try #require(file.ring.keys.first?.id)
        // A prune and a revocation in one: the ring lacks a key, and is stricter.
        let other = try rotate(folder.ring, from: noon - 3600)
        let both = try KeyRing(contentsOf: folder.ring)
        tick()
        #expect(file.ring.keys.count == 2)
        try KeyRing.update(folder.ring) { (_) throws(KeyRingError) in
            try KeyRing([SealingKey.generate()], revoked: [id])
        }
        tick()
        #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
        // The key that it only lacks goes two seconds after the file was first seen so, on the monotonic clock.
        #expect(both.key(other) != nil && file.ring.key(other) != nil && file.failure == nil)
        clock.advance(by: .milliseconds(2099))
        #expect(file.ring.key(other) != nil)
        tick()
        #expect(file.ring.key(other) == nil && file.ring.keys.count == 1 && file.ring.revoked == [id])
    }

    @Test func `a file that may change without a trace is read again until it has settled`() throws {
        // A file system whose clock ticks every two seconds: all figures stay.
        let identity = try FileIdentity(folder.ring)
        let file = try KeyRingFile(
            folder.ring, lookingEvery: .milliseconds(1), clock: clock.now, identify: { _ in identity })
        var count = 1
        for span in [1, 1000, 1098, 1] {
            _ = try rotate(folder.ring, from: noon + Double(count))
            count += 1
            clock.advance(by: .milliseconds(span))
            #expect(file.ring.keys.count == count, "after \(span)")
        }
        // Then it has been seen for long enough, and what changes now changes the figures.
        _ = try rotate(folder.ring, from: noon + 100)
        tick()
        #expect(file.ring.keys.count == count)
    }

    @Test func `what changes while it is read has not settled`() throws {
        final class Meddler: Sendable {
            let act = Mutex<(@Sendable () -> Void)?>(nil)
        }
        let (path, meddler) = (folder.ring, Meddler())
        let whole = try String(contentsOfFile: path, encoding: .utf8)
        let id = try rotate(path)
        let file = try KeyRingFile(
            path, lookingEvery: .milliseconds(1), clock: clock.now,
            identify: {
                let identity = try? FileIdentity($0)
                // Between the look and the reading another process begins to write.
                meddler.act.withLock { $0.take() }?()
                return identity
            })
        tick()
        #expect(file.ring.keys.count == 2)
        clock.advance(by: .seconds(3))
        meddler.act.withLock { $0 = { try? Data(whole.utf8).write(to: URL(filePath: path)) } }
        #expect(file.ring.key(id) != nil)
        tick()
        #expect(file.ring.key(id) != nil)
        clock.advance(by: .seconds(3))
        #expect(file.ring.key(id) == nil)
    }

    @Test func `a file that lost its name where it is not seen is told, and read on`() throws {
        let (log, clock) = (EventLog(), clock)
        let isDetached = Atomic<Bool>(false)
        let file = try KeyRingFile(
            folder.ring, lookingEvery: .milliseconds(1), clock: clock.now, onEvent: { log.add($0) },
            identify: { path in
                var identity = try? FileIdentity(path)
                if isDetached.load(ordering: .relaxed) {
                    identity?.isDetached = true
                    identity?.changed += 1
                }
                return identity
            })
        #expect(file.failure == nil)
        isDetached.store(true, ordering: .relaxed)
        for _ in 0..<3 {
            tick()
            #expect(file.ring.keys.count == 1 && file.failure?.problem == .detached)
        }
        #expect(log.events.count == 1 && "\(log.events)".contains("mount its folder"))
        #expect(throws: KeyRingError(source: folder.ring, line: nil, problem: .detached)) {
            try file.reload()
        }
        // It may be a file system that counts no links: what it says is heard.
        let id = try rotate(folder.ring)
        tick()
        #expect(file.ring.key(id) != nil && file.failure?.problem == .detached)
        isDetached.store(false, ordering: .relaxed)
        tick()
        _ = file.ring
        #expect(file.failure == nil)
    }

    @Test func `a file that is mounted by itself is told from the beginning, whatever other names it has`()
        throws
    {
        let log = EventLog()
        let isMounted = Atomic<Bool>(true)
        try FileManager.default.linkItem(atPath: folder.ring, toPath: folder.file("backup"))
        let file = try KeyRingFile(
            folder.ring, lookingEvery: .milliseconds(1), clock: clock.now, onEvent: { log.add($0) },
            isMounted: { _ in isMounted.load(ordering: .relaxed) })
        #expect(file.failure?.problem == .detached && log.events.count == 1)
        #expect("\(log.events)".contains("mounted by itself"))
        // What is written into it is heard all the same, and it is told no more.
        let id = try rotate(folder.ring)
        tick()
        #expect(file.ring.key(id) != nil && file.failure?.problem == .detached)
        isMounted.store(false, ordering: .relaxed)
        _ = try rotate(folder.ring)
        tick()
        #expect(file.ring.keys.count == 3 && file.failure == nil)
        // A file in its folder is none.
        #expect(!OpenFile.isMountedByItself(folder.ring) && !OpenFile.isMountedByItself(folder.file("none")))
    }

    /// The real thing: a file that is open here under /proc, as under a mount, and replaced under its name.
    @Test func `a mounted file that was replaced has no link left`() throws {
        let descriptor = unsafe open(folder.ring, O_RDONLY)
        defer { close(descriptor) }
        let path = "/proc/self/fd/\(descriptor)"
        let file = try follow(path)
        #expect(file.failure == nil)
        _ = try rotate(folder.ring)
        tick()
        #expect(file.ring.keys.count == 1 && file.failure?.problem == .detached)
    }

    @Test(.timeLimit(.minutes(1))) func `what is no regular file is refused at once, and nobody waits`()
        throws
    {
        let file = try follow(folder.ring)
        let sealer = try CookieSealer<Int>(keys: file, lifetime: .init(absolute: .days(1)))
        let (fifo, link) = (folder.file("fifo"), folder.file("link"))
        try unsafe #require(mkfifo(fifo, 0o600) == 0)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "fifo")
        for path in [fifo, link, "/dev/zero", "/dev/null"] {
            #expect(throws: KeyRingError(source: path, line: nil, problem: .unreadable("not a regular file")))
            {
                try KeyRing(contentsOf: path)
            }
            #expect(throws: KeyRingError.self) { try KeyRingFile(path) }
        }
        let token = try sealer.seal(7).token
        try unsafe #require(rename(fifo, folder.ring) == 0)
        for _ in 0..<3 {
            tick()
            #expect(try sealer.open(value: token).session == 7)
            #expect(file.failure?.problem == .unreadable("not a regular file"))
        }
    }

    // MARK: Events

    @Test func `events are told in their order, one at a time`() throws {
        final class Told: Sendable {
            let counts = Mutex<[Int]>([])
            let inside = Atomic<Int>(0)
        }
        let told = Told()
        let file = try KeyRingFile(folder.ring, lookingEvery: .zero, clock: clock.now) { event in
            guard case .changed(let ring) = event else { return }
            #expect(told.inside.add(1, ordering: .relaxed).newValue == 1)
            // Time for another thread to overtake.
            usleep(2000)
            told.counts.withLock { $0.append(ring.revoked.count) }
            told.inside.subtract(1, ordering: .relaxed)
        }
        let done = DispatchGroup()
        let isOver = Atomic<Bool>(false)
        for _ in 0..<3 {
            done.enter()
            Thread.detachNewThread {
                while !isOver.load(ordering: .relaxed) {
                    try? file.reload()
                    _ = file.ring
                }
                done.leave()
            }
        }
        for number in 0..<60 {
            try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in
                try ring.revoking(KeyID(0, 1, UInt8(number)))
            }
        }
        let deadline = ContinuousClock.now + .seconds(20)
        while told.counts.withLock({ $0.last }) != 60, ContinuousClock.now < deadline { usleep(1000) }
        isOver.store(true, ordering: .relaxed)
        done.wait()
        let counts = told.counts.withLock { $0 }
        #expect(counts.last == 60 && counts == counts.sorted())
    }

    @Test func `what is told may itself read the file again`() throws {
        final class Box: Sendable { let file = Mutex<KeyRingFile?>(nil) }
        let (box, log) = (Box(), EventLog())
        let file = try KeyRingFile(folder.ring, lookingEvery: .milliseconds(1), clock: clock.now) { event in
            log.add(event)
            try? box.file.withLock { $0 }?.reload()
        }
        box.file.withLock { $0 = file }
        defer { box.file.withLock { $0 = nil } }
        _ = try rotate(folder.ring)
        tick()
        #expect(file.ring.keys.count == 2 && log.events.count == 1)
    }

    @Test func `a ring whose keys are all pending is told, in the beginning and when it comes`() throws {
        let early = Date(timeIntervalSinceNow: 10_000)
        let text = { (ring: KeyRing) in String(decoding: try ring.fileContents().copied, as: UTF8.self) }
        let pending = try KeyRing([sampleKey(1, from: early + 50), sampleKey(2, from: early)])
        let path = try folder.write("pending.keys", text(pending))
        let log = EventLog()
        let file = try follow(path, log)
        let id = try sampleKey(2).id
        #expect(log.events.count == 1 && "\(log.events[0])".contains("\(id) seals before its time"))
        #expect(try loginSealer(file.ring).open(value: loginSealer(file.ring).seal(login).token).keyID == id)
        _ = try folder.write("pending.keys", text(sampleRing(1)))
        for _ in 0..<2 {
            clock.advance(by: .seconds(3))
            #expect(file.ring.keys.count < 3)
        }
        #expect(file.ring.activeKey()?.id == (try sampleKey(1).id))
        _ = try folder.write("pending.keys", text(pending))
        try file.reload()
        #expect(log.events.count { if case .sealsEarly(id) = $0 { true } else { false } } == 2)
    }

    /// In a process of its own: other tests' threads may be inside Swift's runtime, whose locks a child would find taken.
    @Test func `a child of a fork reads its ring again, whatever threads the parent had`() async {
        await #expect(processExitsWith: .success) {
            let folder = try ToolFolder()
            let path = folder.ring
            let file = try KeyRingFile(path, lookingEvery: .zero)
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
                try KeyRing.update(path) { (ring) throws(KeyRingError) in
                    try ring.revoking(KeyID(0, 1, UInt8(number)))
                }
                let child = fork()
                if child == 0 {
                    _exit((try? file.reload()) != nil && file.ring.revoked.count == number + 1 ? 0 : 1)
                }
                #expect(hasSucceeded(child, within: 8), "child \(number)")
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
            path, lookingEvery: .milliseconds(1), clock: clock.now, identify: { _ in nil })
        for seed in UInt8(2)...4 {
            tick()
            _ = file.ring
            let ring = try KeyRing(sampleRing(1).keys + [sampleKey(seed)])
            _ = try folder.write("unseen.keys", text(ring))
            tick()
            #expect(try file.ring.key(sampleKey(seed).id) != nil)
        }
    }

    @Test func `a file that could not be read is read again, though it looks the same`() throws {
        let log = EventLog()
        let path = try folder.write("same.keys", text(sampleRing(1)))
        let identity = try FileIdentity(path)
        let file = try KeyRingFile(
            path, lookingEvery: .milliseconds(1), clock: clock.now, onEvent: { log.add($0) },
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

    /// A file system that hangs for three seconds: nobody knows when in them the file became what it is.
    @Test func `a file has settled when it has looked the same for two seconds after the first look`() throws
    {
        let path = try folder.write("slow.keys", text(sampleRing(1, 2)))
        let isSlow = Atomic<Bool>(false)
        let file = try KeyRingFile(
            path, lookingEvery: .milliseconds(1), clock: clock.now,
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
            folder.ring, lookingEvery: .milliseconds(1), clock: clock.now,
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
        // The file system is back: the one that waited goes on, and what changed meanwhile is found.
        let id = try rotate(folder.ring)
        system.hangs.store(false, ordering: .relaxed)
        while finished.value < 4, ContinuousClock.now < deadline { usleep(1000) }
        tick()
        #expect(finished.value == 4 && file.failure == nil && file.ring.key(id) != nil)
    }

    @Test func `a reading that began earlier does not undo one that began later`() throws {
        final class System: Sendable {
            let hangs = Atomic<Bool>(false)
            let isIn = Atomic<Bool>(false)
        }
        let (system, path, clock) = (System(), folder.ring, clock)
        let old = try Data(contentsOf: URL(filePath: path))
        let file = try KeyRingFile(
            path, lookingEvery: .milliseconds(1), clock: clock.now,
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
        // What the one that waits finds is broken, and older news.
        try Data("x".utf8).write(to: URL(filePath: path))
        system.hangs.store(false, ordering: .relaxed)
        let deadline = ContinuousClock.now + .seconds(20)
        while finished.value < 1, ContinuousClock.now < deadline { usleep(1000) }
        #expect(finished.value == 1 && file.failure == nil && file.ring.keys.count == 2)
        try old.write(to: URL(filePath: path))
    }

    @Test func `keys that a ring lacks go soon after it has settled, not an interval later`() throws {
        _ = try rotate(folder.ring)
        let file = try KeyRingFile(folder.ring, lookingEvery: .seconds(30), clock: clock.now)
        clock.advance(by: .seconds(30))
        try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in
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

    @Test func `a ring's file that is cut off at a line's end has lost keys alone`() throws {
        try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in
            try ring.rotated(from: noon, at: noon).ring.revoking(KeyID(0, 0, 1)).endingSessions(
                createdBefore: noon)
        }
        let lines = try String(contentsOfFile: folder.ring, encoding: .utf8).split(separator: "\n")
        let start = try #require(lines.firstIndex { $0.hasPrefix("key ") })
        for count in start...lines.count {
            let cut = try KeyRing(
                parsing: lines.prefix(count).joined(separator: "\n") + "\n", requiringKey: false)
            #expect(
                cut.notBefore == noon && cut.revoked == [KeyID(0, 0, 1)] && cut.keys.count == count - start)
        }
    }

    @Test func `a change that cannot be made names the file`() throws {
        let key = try sampleKey(200)
        try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in try ring.revoking(key.id) }
        #expect(throws: KeyRingError(source: folder.ring, line: nil, problem: .revoked(key.id))) {
            try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in try ring.adding(key) }
        }
    }

    @Test func `comments stay, at the top, and a key that is commented out with them`() throws {
        let text = try String(contentsOfFile: folder.ring, encoding: .utf8)
        let path = try folder.write("comments.keys", "# ours\n\(text)  # key 5f3a9c sck1_old\n")
        let id = try rotate(path)
        let after = try String(contentsOfFile: path, encoding: .utf8)
        #expect(after.hasPrefix("# ours\n# sealed-cookie key ring\n  # key 5f3a9c sck1_old\nkey "))
        #expect(after.contains("key \(id) from=2026-08-03T00:00:00Z sck1_"))
    }

    // MARK: Values that threads share

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
                // Threads, not tasks: three tasks that never wait could keep a fourth from beginning.
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
        // The threads let go of it when they end.
        for _ in 0..<5000 where Counted.living.load(ordering: .relaxed) != 0 { usleep(1000) }
        #expect(Counted.living.load(ordering: .relaxed) == 0)
    }

    /// A reader that is stopped wherever it is holds nothing back for good.
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
