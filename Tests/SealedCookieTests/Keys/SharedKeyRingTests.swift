// A ring that the application replaces while the server runs.
import Foundation
import Synchronization
import Testing

@testable import SealedCookie

@Suite struct SharedKeyRingTests {
    private final class Log: Sendable {
        private let log = Mutex<[KeyRingEvent]>([])
        var events: [KeyRingEvent] { log.withLock { $0 } }
        func add(_ event: KeyRingEvent) { log.withLock { $0.append(event) } }
    }

    private let log = Log()

    private func sealer(_ keys: SharedKeyRing) throws -> CookieSealer<Login> {
        try CookieSealer(keys: keys, lifetime: .init(absolute: .days(14)))
    }

    @Test func `a ring that the application puts there holds at once, for every sealer`() throws {
        let keys = try SharedKeyRing(sampleRing(1)) { [log] in log.add($0) }
        let sealers = try [sealer(keys), sealer(keys)]
        let token = try sealers[0].seal(login, at: noon).token
        let next = try sampleRing(1).adding(sampleKey(2, from: noon), at: noon)
        try keys.replace(with: next)
        for sealer in sealers {
            let opened = try sealer.open(value: token, at: noon)
            #expect(try opened.needsResealing && opened.keyID == sampleKey(1).id)
            let again = try sealer.reseal(opened, at: noon)
            #expect(try sealer.open(value: again.token, at: noon).keyID == sampleKey(2).id)
            #expect(sealer.keys.entries == next.entries)
        }
        // A key that it lacks is dropped at once: the application's ring is complete.
        try keys.replace(with: KeyRing([sampleKey(2, from: noon)]))
        #expect(throws: OpenError.unknownKey(try sampleKey(1).id)) {
            try sealers[0].open(value: token, at: noon)
        }
        #expect(log.events.count { if case .changed = $0 { true } else { false } } == 2)
        // The same ring again is not news.
        try keys.replace(with: KeyRing([sampleKey(2, from: noon)]))
        #expect(log.events.count { if case .changed = $0 { true } else { false } } == 2)
    }

    @Test func `a server does not begin with a shared ring that has no key, and goes on with one`() throws {
        #expect(throws: KeyRingError(source: "keys", line: nil, problem: .noKeys)) {
            try SharedKeyRing(KeyRing([]))
        }
        let id = try sampleKey(1).id
        #expect(throws: KeyRingError.self) { try SharedKeyRing(KeyRing([], revoked: [id])) }
        let keys = try SharedKeyRing(sampleRing(1)) { [log] in log.add($0) }
        let sealer = try sealer(keys)
        let token = try sealer.seal(login, at: noon).token
        // An empty ring changes nothing, and is reported once.
        for _ in 0..<2 {
            #expect(throws: KeyRingError(source: "keys", line: nil, problem: .noLines)) {
                try keys.replace(with: KeyRing([]))
            }
        }
        #expect(keys.failure?.problem == .noLines && log.events.count == 1)
        #expect(try sealer.open(value: token, at: noon).session == login)
        // Revoking the only key is a change.
        try keys.replace(with: KeyRing([], revoked: [id]))
        #expect(keys.failure == nil)
        #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
        #expect(throws: SealError.noActiveKey) { try sealer.seal(login, at: noon) }
    }

    @Test func `what was revoked and ended stays so, but for a call that says so`() throws {
        let keys = try SharedKeyRing(sampleRing(1, 2)) { [log] in log.add($0) }
        let sealer = try sealer(keys)
        let (id, stale) = (try sampleKey(2).id, try sampleRing(1, 2))
        let token = try loginSealer(sampleRing(2)).seal(login, at: noon).token
        try keys.replace(with: stale.revoking(id).endingSessions(createdBefore: noon - 60))
        for _ in 0..<3 {
            try keys.replace(with: stale)
            #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
            #expect(
                keys.ring.revoked == [id] && keys.ring.notBefore == noon - 60
                    && keys.ring.key(withID: id) == nil)
        }
        #expect(
            log.events.count {
                if case .revocationsKept([id], notBefore: noon - 60) = $0 { true } else { false }
            } == 1)
        // An earlier end does not replace the later one.
        try keys.replace(with: stale.endingSessions(createdBefore: noon - 120))
        #expect(keys.ring.notBefore == noon - 60)
        try keys.replace(with: stale, forgettingRevocations: true)
        #expect(try sealer.open(value: token, at: noon).session == login)
        #expect(keys.ring.revoked.isEmpty && keys.ring.notBefore == nil)
    }

    @Test func `a source that fails is told once, and is over with the next ring`() throws {
        let keys = try SharedKeyRing(sampleRing(1)) { [log] in log.add($0) }
        let failure = KeyRingError(source: "vault", line: nil, problem: .unreadable("503"))
        for _ in 0..<3 { keys.reportFailure(failure) }
        #expect(keys.failure == failure && log.events.count == 1)
        try keys.replace(with: sampleRing(1))
        #expect(keys.failure == nil && log.events.count == 2 && keys.ring.keys.count == 1)
    }

    @Test func `an unknown key is told once a second at most, and found when the ring has come`() throws {
        final class Clock: Sendable { let now = Atomic<Int64>(5) }
        let clock = Clock()
        let keys = try SharedKeyRing(
            sampleRing(1), clock: { clock.now.load(ordering: .relaxed) }, onEvent: { [log] in log.add($0) })
        let sealer = try sealer(keys)
        let token = try loginSealer(sampleRing(2)).seal(login, at: noon).token
        let id = try sampleKey(2).id
        func told() -> Int { log.events.count { if case .unknownKey(id) = $0 { true } else { false } } }
        for _ in 0..<10 {
            #expect(throws: OpenError.unknownKey(id)) { try sealer.open(value: token, at: noon) }
        }
        #expect(told() == 1)
        clock.now.add(999_999_999, ordering: .relaxed)
        #expect(throws: OpenError.unknownKey(id)) { try sealer.open(value: token, at: noon) }
        #expect(told() == 1)
        clock.now.add(1, ordering: .relaxed)
        #expect(throws: OpenError.unknownKey(id)) { try sealer.open(value: token, at: noon) }
        #expect(told() == 2)
        try keys.replace(with: sampleRing(1, 2))
        #expect(try sealer.open(value: token, at: noon).session == login)
    }

    /// What an application may do if it loads its ring while the request waits.
    @Test func `a ring that comes while an unknown key is told is used for that very session`() throws {
        final class Box: Sendable { let keys = Mutex<SharedKeyRing?>(nil) }
        let box = Box()
        let keys = try SharedKeyRing(sampleRing(1)) { event in
            guard case .unknownKey = event else { return }
            try? box.keys.withLock { $0 }?.replace(with: sampleRing(1, 2))
        }
        box.keys.withLock { $0 = keys }
        defer { box.keys.withLock { $0 = nil } }
        let token = try loginSealer(sampleRing(2)).seal(login, at: noon).token
        #expect(try sealer(keys).open(value: token, at: noon).session == login)
    }

    @Test func `threads that replace and threads that open meet no half ring, and the last one holds`() throws
    {
        let keys = try SharedKeyRing(sampleRing(1))
        let sealer = try sealer(keys)
        let token = try sealer.seal(login, at: noon).token
        let done = DispatchGroup()
        for thread in 0..<4 {
            done.enter()
            Thread.detachNewThread {
                for number in 0..<100 {
                    do {
                        if thread < 2 {
                            try keys.replace(
                                with: sampleRing(1).revoking(KeyID(2, UInt8(thread), UInt8(number))))
                        } else {
                            #expect(try sealer.open(value: token, at: noon).session == login)
                        }
                    } catch {
                        Issue.record(error)
                    }
                }
                done.leave()
            }
        }
        done.wait()
        // No revocation of either is lost, even if one ring overtakes the other.
        #expect(keys.ring.revoked.count == 200)
    }

    @Test
    func `of a ring that was overtaken what it revokes and ends holds, unless that was forgotten since`()
        throws
    {
        let current = try CurrentRing(sampleRing(1)) { _ in }
        let ids = (1...3).map { KeyID(3, 0, UInt8($0)) }
        let (first, second) = (current.begin(), current.begin())
        #expect(current.take(try sampleRing(1, 2).revoking(ids[0]), second, isSettled: true) == true)
        #expect(
            current.take(
                try sampleRing(1).revoking(ids[1]).endingSessions(createdBefore: noon), first, isSettled: true
            ) == nil)
        #expect(
            current.ring.keys.count == 2 && current.ring.revoked == [ids[0], ids[1]]
                && current.ring.notBefore == noon)
        let (third, fourth) = (current.begin(), current.begin())
        #expect(current.take(try sampleRing(1), fourth, isSettled: true, forgets: true) == true)
        #expect(current.take(try sampleRing(1).revoking(ids[2]), third, isSettled: true) == nil)
        #expect(current.ring.revoked.isEmpty && current.ring.notBefore == nil)
    }
}
