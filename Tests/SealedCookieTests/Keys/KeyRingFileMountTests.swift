// A followed ring file with another machine's clock or mount.
import Foundation
import Synchronization
import Testing

@testable import SealedCookie

@Suite struct KeyRingFileMountTests: KeyRingFileSuite {
    let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
    }

    let clock = TestClock()

    @Test func `a revocation holds at once, whatever the file server's clock says`() throws {
        // As if this machine's clock were an hour behind: at each poll, the file has only just changed.
        let file = try KeyRingFile(
            folder.ring, pollInterval: .milliseconds(1), clock: clock.now,
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
        try KeyRing.update(at: folder.ring) { (_) throws(KeyRingError) in
            try KeyRing([SealingKey.generate()], revoked: [id])
        }
        tick()
        #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
        // The key that it only lacks is dropped two seconds after this state was first seen, on the monotonic clock.
        #expect(both.key(withID: other) != nil && file.ring.key(withID: other) != nil && file.failure == nil)
        clock.advance(by: .milliseconds(2099))
        #expect(file.ring.key(withID: other) != nil)
        tick()
        #expect(file.ring.key(withID: other) == nil && file.ring.keys.count == 1 && file.ring.revoked == [id])
    }

    @Test func `a file that may change without a trace is read again until it has settled`() throws {
        // A file system whose clock ticks every two seconds: all attributes stay the same.
        let identity = try FileIdentity(folder.ring)
        let file = try KeyRingFile(
            folder.ring, pollInterval: .milliseconds(1), clock: clock.now, identify: { _ in identity })
        var count = 1
        for span in [1, 1000, 1098, 1] {
            _ = try rotate(folder.ring, from: noon + Double(count))
            count += 1
            clock.advance(by: .milliseconds(span))
            #expect(file.ring.keys.count == count, "after \(span)")
        }
        // By then this state has been seen for long enough, and a change now changes the attributes.
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
            path, pollInterval: .milliseconds(1), clock: clock.now,
            identify: {
                let identity = try? FileIdentity($0)
                // Between the poll and the reading, another process begins to write.
                meddler.act.withLock { $0.take() }?()
                return identity
            })
        tick()
        #expect(file.ring.keys.count == 2)
        clock.advance(by: .seconds(3))
        meddler.act.withLock { $0 = { try? Data(whole.utf8).write(to: URL(filePath: path)) } }
        #expect(file.ring.key(withID: id) != nil)
        tick()
        #expect(file.ring.key(withID: id) != nil)
        clock.advance(by: .seconds(3))
        #expect(file.ring.key(withID: id) == nil)
    }

    @Test func `a file that lost its name where it is not seen is told, and read on`() throws {
        let (log, clock) = (EventLog(), clock)
        let isDetached = Atomic<Bool>(false)
        let file = try KeyRingFile(
            folder.ring, pollInterval: .milliseconds(1), clock: clock.now, onEvent: { log.add($0) },
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
        // The file system may not count links: its contents are read anyway.
        let id = try rotate(folder.ring)
        tick()
        #expect(file.ring.key(withID: id) != nil && file.failure?.problem == .detached)
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
            folder.ring, pollInterval: .milliseconds(1), clock: clock.now, onEvent: { log.add($0) },
            isMounted: { _ in isMounted.load(ordering: .relaxed) })
        #expect(file.failure?.problem == .detached && log.events.count == 1)
        #expect("\(log.events)".contains("mounted by itself"))
        // What is written to it is read anyway, and the problem is not reported again.
        let id = try rotate(folder.ring)
        tick()
        #expect(file.ring.key(withID: id) != nil && file.failure?.problem == .detached)
        isMounted.store(false, ordering: .relaxed)
        _ = try rotate(folder.ring)
        tick()
        #expect(file.ring.keys.count == 3 && file.failure == nil)
        // A file in its folder is not one.
        #expect(!OpenFile.isMountedByItself(folder.ring) && !OpenFile.isMountedByItself(folder.file("none")))
    }

    /// The real thing: a file that is open here under /proc, as with a mount, and replaced under its name.
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
}
