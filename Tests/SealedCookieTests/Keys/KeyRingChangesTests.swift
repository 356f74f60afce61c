// Changes of rings, merges, and a fleet that lives through both.
import Foundation
import Testing

@testable import SealedCookie

/// The contents of the ring's file.
private func text(_ ring: KeyRing) throws -> String {
    String(decoding: try ring.fileContents().copied, as: UTF8.self)
}

@Suite struct KeyRingChangesTests {
    @Test func `a rotation adds a key that seals from its time on`() throws {
        let ring = try sampleRing(1)
        let (rotated, added) = try ring.rotated(activeFrom: noon + 3600.2, at: noon)
        #expect(rotated.keys.map(\.id) == [try sampleKey(1).id, added.id])
        #expect(added.activeFrom == noon + 3601)
        #expect(rotated.activeKey(at: noon + 3600)?.id == (try sampleKey(1).id))
        #expect(rotated.activeKey(at: noon + 3601)?.id == added.id)
        #expect(try KeyRing(parsing: text(rotated)).keys.map(\.id) == rotated.keys.map(\.id))
    }

    @Test func `a time that a ring cannot write is refused`() throws {
        for time in [Date.distantFuture + 1e12, .distantPast, Date(timeIntervalSince1970: 1e300)] {
            #expect(throws: KeyRingError(source: "new key", line: nil, problem: .notATime)) {
                try SealingKey.generate(activeFrom: time)
            }
            #expect(throws: KeyRingError(source: "keys", line: nil, problem: .notATime)) {
                try KeyRing([], notBefore: time)
            }
        }
        // Nothing is removed by a clock that shows no time.
        let ring = try KeyRing([sampleKey(1), sampleKey(2, from: noon)])
        for time in [Date(timeIntervalSince1970: .nan), Date(timeIntervalSince1970: .infinity)] {
            #expect(throws: KeyRingError(source: "keys", line: nil, problem: .notATime)) {
                try ring.pruned(lifetime: .seconds(86_400), at: time)
            }
            #expect(throws: KeyRingError(source: "keys", line: nil, problem: .notATime)) {
                try ring.merged(with: ring, at: time)
            }
        }
    }

    @Test func `a revoked key is gone, and no merge brings it back`() throws {
        let ring = try sampleRing(1, 2)
        let id = try sampleKey(2).id
        let revoked = try ring.revoking(id)
        #expect(revoked.keys.map(\.id) == [try sampleKey(1).id] && revoked.revoked == [id])
        #expect(try !text(revoked).contains("key \(id)"))
        #expect(try revoked.merged(with: ring).key(withID: id) == nil)
        #expect(try ring.merged(with: revoked).key(withID: id) == nil)
    }

    @Test func `replacing all keys revokes every one, and the new one seals at once`() throws {
        let old = try KeyRing([sampleKey(1), sampleKey(2, from: noon), sampleKey(3, from: noon + 3600)])
        let before = try old.revoking(sampleKey(4).id).endingSessions(createdBefore: noon - 86_400)
        let tokens = try [sampleKey(1), sampleKey(2), sampleKey(3)].map { key in
            (key.id, try loginSealer(KeyRing([key])).seal(login, at: noon).token)
        }
        let (ring, added) = try before.replacingAllKeys(at: noon + 0.5)
        #expect(ring.keys.map(\.id) == [added.id] && !before.keys.contains { $0.id == added.id })
        #expect(ring.revoked == Set(try (1...4).map { try sampleKey($0).id }))
        #expect(ring.notBefore == before.notBefore)
        #expect(try !text(before.replacingAllKeys(at: noon).ring).contains("key \(sampleKey(1).id)"))
        // Even with a clock that is behind by the allowed amount.
        #expect(added.activeFrom == noon - 59 && ring.activeKey(at: noon - 59)?.id == added.id)
        let sealer = try loginSealer(ring)
        for (id, token) in tokens {
            #expect(throws: OpenError.revokedKey(id)) { try sealer.open(value: token, at: noon) }
        }
        let token = try sealer.seal(login, at: noon).token
        #expect(try sealer.open(value: token, at: noon).keyID == added.id)
        // No backup brings one back, in whatever order.
        for merged in [
            try ring.merged(with: before), try before.merged(with: ring), try ring.merged(with: old),
        ] {
            #expect(try text(merged) == text(ring))
        }
        // A server accepts it at once: it is not a step back.
        #expect(try KeyRing([]).replacingAllKeys(at: noon).ring.keys.count == 1)
    }

    @Test func `ending sessions never goes back`() throws {
        let ring = try sampleRing(1).endingSessions(createdBefore: noon)
        #expect(ring.notBefore == noon)
        #expect(try ring.endingSessions(createdBefore: noon - 10).notBefore == noon)
        #expect(try ring.endingSessions(createdBefore: noon + 0.5).notBefore == noon + 1)
    }

    @Test func `pruning keeps what a session may still need`() throws {
        let day = 86_400.0
        let ring = try KeyRing([
            sampleKey(1), sampleKey(2, from: noon), sampleKey(3, from: noon + 10 * day),
            sampleKey(4, from: noon + 30 * day),
        ])
        func kept(_ now: Date) throws -> [KeyID] {
            try ring.pruned(lifetime: .seconds(14 * day), at: now).keys.map(\.id)
        }
        let ids = ring.keys.map(\.id)
        // Key 1 was succeeded at noon: it is needed for 14 days and an hour.
        #expect(try kept(noon) == ids)
        #expect(try kept(noon + 14 * day + 3599) == ids)
        #expect(try kept(noon + 14 * day + 3600) == Array(ids[1...]))
        #expect(try kept(noon + 24 * day + 3600) == Array(ids[2...]))
        // Key 3 is active, key 4 pending.
        #expect(try kept(noon + 29 * day) == Array(ids[2...]))
        #expect(try kept(noon + 1000 * day) == Array(ids[3...]))
        // With no active key, nothing is known.
        let pending = try KeyRing([sampleKey(1, from: noon), sampleKey(2, from: noon + 1)])
        #expect(try pending.pruned(lifetime: .seconds(1), at: noon - 1).keys.count == 2)
    }

    @Test func `pruning keeps a key for as long as its until says`() throws {
        let day = 86_400.0
        var first = try sampleKey(1)
        first.sealedUntil = noon + 10 * day
        let ring = try KeyRing([first, sampleKey(2, from: noon)])
        func count(_ now: Date) throws -> Int {
            try ring.pruned(lifetime: .seconds(14 * day), at: now).keys.count
        }
        #expect(try count(noon + 24 * day + 3599) == 2)
        #expect(try count(noon + 24 * day + 3600) == 1)
        // A time earlier than the next key's says nothing.
        first.sealedUntil = noon - 10 * day
        let other = try KeyRing([first, sampleKey(2, from: noon)])
        #expect(try other.pruned(lifetime: .seconds(14 * day), at: noon + 14 * day + 3599).keys.count == 2)
        // If the next key has no time, this is all that is known.
        first.sealedUntil = noon
        let equals = try KeyRing([first, sampleKey(2)])
        let older = try #require(equals.keys.first)
        #expect(
            try equals.pruned(lifetime: .seconds(1), at: noon + 4000).keys.count
                == (older.id == first.id ? 1 : 2))
    }

    @Test func `a merge says until when the key sealed that is active no longer`() throws {
        let day = 86_400.0
        let now = noon + 100 * day
        // Both seal until the merge: one key for a long time, the other since yesterday.
        let (a, b) = (try KeyRing([sampleKey(1, from: noon)]), try KeyRing([sampleKey(2, from: noon + day)]))
        let token = try loginSealer(a).seal(login, at: now - 60).token
        for merged in [try a.merged(with: b, at: now + 0.5), try b.merged(with: a, at: now + 0.5)] {
            #expect(try merged.key(withID: sampleKey(1).id)?.sealedUntil == now + 1)
            #expect(try merged.key(withID: sampleKey(2).id)?.sealedUntil == nil)
            #expect(try text(merged).contains("until=\(Timestamp.text(now + 1)) sck1_"))
            // A minute, a day and 14 days later: the session is not lost.
            let pruned = try merged.pruned(lifetime: .seconds(14 * day), at: now + 60)
            #expect(try loginSealer(pruned).open(value: token, at: now + 60).session == login)
            #expect(
                try KeyRing(parsing: text(merged)).pruned(lifetime: .seconds(14 * day), at: now + 14 * day)
                    .keys.count == 2)
            #expect(
                try merged.pruned(lifetime: .seconds(14 * day), at: now + 14 * day + 3602).keys.count == 1)
        }
        // The later of two merges; a merge that ends no key's sealing writes nothing.
        let merged = try a.merged(with: b, at: now)
        #expect(try merged.merged(with: a, at: now + 50).keys[0].sealedUntil == now + 50)
        #expect(try merged.merged(with: a, at: now - 50).keys[0].sealedUntil == now)
        #expect(try a.merged(with: a, at: now).keys[0].sealedUntil == nil)
        #expect(
            try merged.merged(with: KeyRing([], revoked: [KeyID(0, 0, 1)]), at: now + 9).entries.count == 4)
        // A revoked key needs no such time.
        #expect(try a.merged(with: b.revoking(sampleKey(1).id), at: now).keys.count == 1)
    }

    @Test func `a key that seals from the past on ends the sealing of the one before now`() throws {
        let day = 86_400.0
        let ring = try KeyRing([sampleKey(1, from: noon)])
        let now = noon + 100 * day
        let rotated = try ring.rotated(activeFrom: noon + day, at: now).ring
        #expect(rotated.keys[0].sealedUntil == now)
        #expect(try rotated.pruned(lifetime: .seconds(14 * day), at: now + 60).keys.count == 2)
        let added = try ring.adding(sampleKey(2, from: noon + day), at: now)
        #expect(added.keys[0].sealedUntil == now)
        #expect(try ring.rotated(activeFrom: now + 1, at: now).ring.keys[0].sealedUntil == nil)
        #expect(try ring.rotated(activeFrom: now, at: now).ring.keys[0].sealedUntil == nil)
        // A key that is added has not sealed yet, even if it is not the active one.
        for from in [noon - day, noon] {
            let key = try sampleKey(2, from: from)
            #expect(
                try KeyRing([sampleKey(1, from: noon)]).adding(key, at: now).key(withID: key.id)?.sealedUntil
                    == nil)
        }
        for _ in 0..<20 {
            #expect(try sampleRing(1, 2, 3).replacingAllKeys(at: noon).ring.keys[0].sealedUntil == nil)
        }
        // The key's own time moved on: it no longer seals until then, but it has sealed.
        let moved = try KeyRing([sampleKey(1), sampleKey(2)]).adding(sampleKey(2, from: now + day), at: now)
        #expect(
            moved.key(withID: try sampleKey(2).id)?.sealedUntil
                == (try sampleKey(2).id > sampleKey(1).id ? now : nil)
        )
    }

    @Test func `a merge does not shorten how long a key sealed that ceased before`() throws {
        let (minute, day) = (60.0, 86_400.0)
        let lifetime = Duration.seconds(14 * day)
        let now = noon + 19 * day
        let (a, b) = (try KeyRing([sampleKey(1, from: noon)]), try KeyRing([sampleKey(2, from: noon + day)]))
        let token = try loginSealer(a).seal(login, at: now - minute).token
        let rotated = try a.rotated(activeFrom: now, at: now).ring
        for merged in [
            try rotated.merged(with: b, at: now + minute), try b.merged(with: rotated, at: now + minute),
        ] {
            let pruned = try merged.pruned(lifetime: lifetime, at: now + 2 * minute)
            #expect(try loginSealer(pruned).open(value: token, at: now + 2 * minute).session == login)
            // As long as without the merge, and no longer; the other key sealed until the merge.
            #expect(try merged.key(withID: sampleKey(1).id)?.sealedUntil == now)
            #expect(try merged.key(withID: sampleKey(2).id)?.sealedUntil == now + minute)
            #expect(
                try merged.pruned(lifetime: lifetime, at: now + 14 * day + 3599).key(withID: sampleKey(1).id)
                    != nil)
            #expect(
                try merged.pruned(lifetime: lifetime, at: now + 14 * day + 3600).key(withID: sampleKey(1).id)
                    == nil)
            // Nor by another merge, with a ring whose key began in between.
            let again = try merged.merged(with: KeyRing([sampleKey(3, from: noon + minute)]), at: now + day)
            #expect(try again.key(withID: sampleKey(1).id)?.sealedUntil == now)
        }
        // Nor by a key that is added between them, nor by another time of the one in between.
        #expect(
            try rotated.adding(sampleKey(2, from: noon + day), at: now + minute).keys[0].sealedUntil == now)
        let three = try KeyRing([
            sampleKey(1, from: noon), sampleKey(2, from: noon + 9 * day), sampleKey(3, from: noon + 18 * day),
        ])
        #expect(
            try three.merged(with: KeyRing([sampleKey(4, from: noon + day)]), at: now).keys[0].sealedUntil
                == noon + 9 * day)
        let moved = try three.adding(sampleKey(1, from: noon + 10 * day), at: now)
        #expect(moved.keys.map(\.id) == (try [2, 1, 3].map { try sampleKey($0).id }))
        #expect(moved.keys.map(\.sealedUntil) == [noon + 18 * day, nil, nil])
        // An earlier entry stays if it is later.
        var first = try sampleKey(1, from: noon)
        first.sealedUntil = noon + 15 * day
        let written = try KeyRing([first, sampleKey(3, from: noon + 9 * day)])
        #expect(try written.merged(with: b, at: now).keys[0].sealedUntil == noon + 15 * day)
        // For a key that has not begun, there is nothing to say.
        let pending = try KeyRing([sampleKey(1, from: now + day), sampleKey(2, from: now + 3 * day)])
        #expect(
            try pending.merged(with: KeyRing([sampleKey(3, from: now + 2 * day)]), at: now).keys.allSatisfy {
                $0.sealedUntil == nil
            })
    }

    @Test func `a key of whose end a ring says nothing is not needed for less long for a change`() throws {
        let now = noon + 100 * 86_400
        let ids = try [sampleKey(1).id, sampleKey(2).id].sorted()
        let keys = try [sampleKey(1), sampleKey(2)].sorted { $0.id < $1.id }
        let ring = try KeyRing(keys)
        #expect(ring.neededUntil(lifetime: .seconds(1), at: now).isEmpty)
        let seeds: [UInt8] = try sampleKey(1).id == ids[0] ? [1, 2] : [2, 1]
        let changed = try ring.adding(sampleKey(seeds[1], from: noon), at: now)
        #expect(changed.keys[0].id == ids[0] && changed.keys[0].sealedUntil == now)
    }

    /// The rings of a site that has several, with operators who make every possible change.
    @Test(arguments: 0..<8) func `whatever is done to rings, pruning takes no key that a session may need`(
        seed: UInt64
    ) throws {
        var random = SplitMix(state: seed)
        func pick<Element>(_ elements: [Element]) -> Element {
            elements[Int(random.next() % UInt64(elements.count))]
        }
        let (hour, day) = (3600.0, 86_400.0)
        let lifetime = 14 * day
        /// A ring, and the time at which each of its keys last sealed.
        struct Site {
            var ring: KeyRing
            var sealed: [KeyID: Date] = [:]
        }
        // Some keys are in several rings, starting at different times.
        let pool = try (UInt8(0)..<6).map { try sampleKey($0) }
        func newKey(_ from: Date) throws -> SealingKey {
            guard random.next() % 4 != 0 else { return try pick(pool).sealing(from: from) }
            let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
            return try SealingKey(importing: bytes.span, activeFrom: from)
        }
        var (pruned, needed, written) = (0, 0, 0)
        for _ in 0..<60 {
            var now = noon
            var sites: [Site] = []
            for _ in 0..<3 {
                now += Double(random.next() % 400_000)
                sites.append(Site(ring: try KeyRing([newKey(now + pick([0, -60, 600, -5 * day]))])))
            }
            for _ in 0..<20 {
                let span = pick([60, hour, day, 3 * day, 10 * day])
                for index in sites.indices {
                    for time in [now, now + span / 2, now + span - 1] {
                        if let id = sites[index].ring.sealingKey(at: time)?.id {
                            sites[index].sealed[id] = time
                        }
                    }
                }
                now += span
                let (here, other) = pick([(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)])
                let ring = sites[here].ring
                switch random.next() % 10 {
                case 0: sites[here].ring = try ring.adding(newKey(now + pick([hour, 3 * day])), at: now)
                case 1: sites[here].ring = try ring.adding(newKey(now), at: now)
                case 2:
                    sites[here].ring = try ring.adding(
                        newKey(now - pick([1, day, 5 * day, 20 * day])), at: now)
                case 3...5:
                    sites[here].ring = try ring.merged(with: sites[other].ring, at: now)
                    sites[here].sealed.merge(sites[other].sealed) { max($0, $1) }
                case 6:
                    guard let id = ring.keys.randomElement(using: &random)?.id, random.next() % 2 == 0,
                        !pool.contains(where: { $0.id == id })
                    else { break }
                    sites[here].ring = try ring.revoking(id)
                case 7: sites[here].ring = try ring.endingSessions(createdBefore: now - lifetime)
                default: sites[here].ring = try ring.pruned(lifetime: .seconds(lifetime), at: now)
                }
                // The file's contents are all that is known about it.
                sites[here].ring = try KeyRing(parsing: text(sites[here].ring), requiringKey: false)
                pruned += ring.keys.count { sites[here].ring.key(withID: $0.id) == nil }
                written += sites[here].ring.keys.count { $0.sealedUntil != nil }
                for site in sites {
                    let left = try site.ring.pruned(lifetime: .seconds(lifetime), at: now)
                    for key in site.ring.keys {
                        guard let sealed = site.sealed[key.id], sealed + lifetime > now else { continue }
                        needed += 1
                        #expect(
                            left.key(withID: key.id) != nil,
                            "\(key) sealed at \(Timestamp.text(sealed)), at \(Timestamp.text(now)) of \(site.ring)"
                        )
                    }
                }
            }
        }
        #expect(pruned > 50 && needed > 1000 && written > 100)
    }

    @Test func `merging is commutative, associative and idempotent`() throws {
        var random = SplitMix(state: 5)
        func ring() throws -> KeyRing {
            let keys = try (0..<random.next() % 6).map { _ in
                try sampleKey(
                    UInt8(random.next() % 8),
                    from: random.next() & 1 == 0 ? nil : noon + Double(random.next() % 5) * 3600)
            }
            let revoked = try (0..<random.next() % 3).map { _ in try sampleKey(UInt8(random.next() % 8)).id }
            let notBefore = random.next() & 1 == 0 ? nil : noon + Double(random.next() % 5)
            return try KeyRing(keys, revoked: Set(revoked), notBefore: notBefore)
        }
        for _ in 0..<300 {
            let (a, b, c) = (try ring(), try ring(), try ring())
            let ab = try a.union(b)
            #expect(try text(ab) == text(b.union(a)))
            #expect(try text(ab.union(c)) == text(a.union(b.union(c))))
            // A merge keeps track of when keys ceased to be active; the order does not matter for that either.
            let merged = try a.merged(with: b, at: noon + 7200)
            #expect(try text(merged) == text(b.merged(with: a, at: noon + 7200)))
            #expect(try text(merged.merged(with: b, at: noon + 7200)) == text(merged))
            #expect(merged.keys.map(\.id) == ab.keys.map(\.id) && merged.revoked == ab.revoked)
            #expect(try text(a.merged(with: a)) == text(a))
            #expect(try text(ab.union(b)) == text(ab))
            // The union of the files is the same ring.
            #expect(try text(KeyRing(parsing: text(a) + text(b), requiringKey: false)) == text(ab))
            #expect(a.revoked.union(b.revoked) == ab.revoked)
            #expect(ab.keys.allSatisfy { !ab.revoked.contains($0.id) })
            #expect(
                Set(a.keys.map(\.id)).union(b.keys.map(\.id)).subtracting(ab.revoked)
                    == Set(ab.keys.map(\.id)))
        }
    }

    @Test func `a session that begins after all were ended has not ended, though this clock is behind`()
        throws
    {
        let ring = try sampleRing(1).endingSessions(createdBefore: noon)
        let sealer = try loginSealer(ring)
        for behind in [0.0, 1, 59.5, 60] {
            let sealed = try sealer.seal(login, at: noon - behind)
            let opened = try sealer.open(value: sealed.token, at: noon - behind)
            #expect(opened.createdAt == noon && opened.session == login)
        }
        // A clock that is further behind is wrong: it seals nothing that would be refused.
        #expect(throws: SealError.endedBefore(noon)) { try sealer.seal(login, at: noon - 61) }
        // What was sealed before has ended.
        let early = try loginSealer(sampleRing(1)).seal(login, at: noon - 1)
        #expect(throws: OpenError.endedBefore(noon)) { try sealer.open(value: early.token, at: noon) }
    }

    // MARK: A fleet

    /// A server of the simulation: its own clock, its own copy of the ring.
    private struct Server {
        let sealer: CookieSealer<Int>
        let file: KeyRingFile
        let skew: TimeInterval
        var nextReading: TimeInterval
    }

    private struct Issued {
        let token: String
        let number: Int
        let keyID: KeyID
        let created: Date
        let end: Date
    }

    @Test func `a fleet rotates, revokes and ends sessions, and no session is lost or lives on`() throws {
        let folder = try ToolFolder()
        let path = folder.ring
        var random = SplitMix(state: 6)
        func chance(_ n: UInt64) -> Bool { random.next() % n == 0 }
        let lifetime = 6 * 3600.0
        // A clock that is right, and four within a minute of each other.
        var fleet = try [0, -30, 30, 12, -21].map { skew in
            let file = try KeyRingFile(path, pollInterval: .seconds(1_000_000))
            return Server(
                sealer: try CookieSealer<Int>(keys: file, lifetime: .init(absolute: .hours(6))), file: file,
                skew: skew, nextReading: Double(random.next() % 1800))
        }
        var sessions: [Issued] = []
        var (rotations, opened, dead, ended, revocations, pruned) = (0, 0, 0, 0, 0, 0)
        var number = 0
        let start = noon
        for step in 0..<(20 * 180) {
            let now = start + Double(step) * 60
            // The operator's machine, whose clock is right.
            if step % 180 == 90 {
                try KeyRing.update(at: path) { (ring) throws(KeyRingError) in
                    try ring.rotated(activeFrom: now + 3600, at: now).ring
                }
                rotations += 1
            }
            if step % 180 == 100 {
                let before = try KeyRing(contentsOf: path).keys.count
                pruned +=
                    before
                    - (try KeyRing.update(at: path) { (ring) throws(KeyRingError) in
                        try ring.pruned(lifetime: .seconds(lifetime), at: now)
                    }).keys.count
            }
            if chance(700) {
                // Any key, provided that another one is active then.
                let ring = try KeyRing(contentsOf: path)
                let victim = ring.keys[Int(random.next() % UInt64(ring.keys.count))].id
                let rest = try ring.revoking(victim)
                if rest.activeKey(at: now - 3600) != nil {
                    try KeyRing.update(at: path) { (ring) throws(KeyRingError) in try ring.revoking(victim) }
                    revocations += 1
                }
            }
            if chance(900) {
                try KeyRing.update(at: path) { (ring) throws(KeyRingError) in
                    try ring.endingSessions(createdBefore: now)
                }
                ended += 1
            }
            for index in fleet.indices where Double(step) * 60 >= fleet[index].nextReading {
                try fleet[index].file.reload()
                // Within half an hour each.
                fleet[index].nextReading = Double(step) * 60 + Double(random.next() % 1800)
            }
            let sealing = fleet[Int(random.next() % 5)]
            number += 1
            let sealed = try sealing.sealer.seal(number, at: now + sealing.skew)
            let token = sealed.token
            let made = try sealing.sealer.open(value: token, at: now + sealing.skew)
            sessions.append(
                Issued(
                    token: token, number: number, keyID: made.keyID, created: made.createdAt,
                    end: made.createdAt + lifetime))
            sessions.removeAll { $0.end < now - 3600 }
            for _ in 0..<4 {
                let server = fleet[Int(random.next() % 5)]
                let clock = now + server.skew
                let session = sessions[Int(random.next() % UInt64(sessions.count))]
                let ring = server.file.ring
                let isOver =
                    session.end <= clock || ring.revoked.contains(session.keyID)
                    || ring.notBefore.map { session.created < $0 } ?? false
                // Everything must open except what this server's ring and clock end, whoever sealed it.
                if isOver {
                    #expect(throws: OpenError.self) {
                        try server.sealer.open(value: session.token, at: clock)
                    }
                    dead += 1
                } else {
                    #expect(try server.sealer.open(value: session.token, at: clock).session == session.number)
                    opened += 1
                }
            }
        }
        #expect(rotations == 20 && revocations >= 2 && ended >= 2 && pruned >= 8)
        #expect(opened > 8000 && dead > 500)
    }
}
