// A ring file that is followed: changes, swaps, half-written rings, and a ring's text.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct KeyRingFileTests: KeyRingFileSuite {
    let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
    }

    let clock = TestClock()

    @Test func `a change is seen, and told once`() throws {
        let log = EventLog()
        let file = try follow(folder.ring, log)
        #expect(file.ring.keys.count == 1)
        let id = try rotate(folder.ring)
        tick()
        #expect(file.ring.key(withID: id) != nil)
        tick()
        #expect(file.ring.keys.count == 2)
        #expect(log.events.count == 1)
        guard case .changed(let ring)? = log.events.first else { return #expect(Bool(false)) }
        #expect(ring.keys.count == 2 && file.failure == nil)
    }

    @Test func `not before the interval is over`() throws {
        let file = try KeyRingFile(folder.ring, pollInterval: .seconds(30), clock: clock.now)
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
        // The system's reason becomes part of it.
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
        try KeyRing.update(at: folder.ring) { (ring) throws(KeyRingError) in
            try ring.revoking(KeyID(0, 0xAB, 0xCD)).endingSessions(createdBefore: noon)
        }
        let text = try String(contentsOfFile: folder.ring, encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let file = try follow(folder.ring, log)
        // Written in place, line by line: whatever is there, the previous ring stays in use.
        for count in 0..<lines.count - 1 {
            _ = try folder.write("session.keys", lines.prefix(count).map { "\($0)\n" }.joined())
            tick()
            #expect(
                file.ring.keys.last?.id == id && file.ring.revoked.count == 1 && file.ring.notBefore == noon)
        }
        // A file that stays so for two seconds is intentional. Revocations and ends stay in force, and that is
        // reported.
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
        // Only a call that asks for it takes it back.
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
            #expect(log.events.count == 1 && "\(log.events)".contains("is empty"))
        }
    }

    @Test func `revoking the only key is a revocation`() throws {
        let log = EventLog()
        let file = try follow(folder.ring, log)
        let sealer = try CookieSealer<Int>(keys: file, lifetime: .init(absolute: .days(14)))
        let token = try sealer.seal(7, at: noon).token
        let id = try #require(file.ring.keys.first?.id)
        try KeyRing.update(at: folder.ring) { (ring) throws(KeyRingError) in try ring.revoking(id) }
        tick()
        #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
        #expect(throws: SealError.noActiveKey) { try sealer.seal(7, at: noon) }
        #expect(file.ring.keys.isEmpty && file.failure == nil && log.events.count == 1)
        // And a copy of an earlier ring never undoes it.
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
        try KeyRing.update(at: folder.ring) { (ring) throws(KeyRingError) in
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
        let file = try KeyRingFile(folder.ring, pollInterval: .seconds(3600), clock: clock.now)
        let sealer = try CookieSealer<Login>(keys: file, lifetime: .init(absolute: .days(14)))
        let token = try loginSealer(sampleRing(9)).seal(login, at: noon).token
        let id = try sampleKey(9).id
        try KeyRing.update(at: folder.ring) { (ring) throws(KeyRingError) in try ring.revoking(id) }
        tick()
        #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
    }

    // MARK: Events

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
        try KeyRing.update(at: folder.ring) { (ring) throws(KeyRingError) in
            try ring.rotated(activeFrom: noon, at: noon).ring.revoking(KeyID(0, 0, 1)).endingSessions(
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
        try KeyRing.update(at: folder.ring) { (ring) throws(KeyRingError) in try ring.revoking(key.id) }
        #expect(throws: KeyRingError(source: folder.ring, line: nil, problem: .revokedKey(key.id))) {
            try KeyRing.update(at: folder.ring) { (ring) throws(KeyRingError) in try ring.adding(key) }
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
}
