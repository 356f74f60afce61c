// Sealing again: when it happens, and when not.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ResealingTests: ResealingSuite {
    // MARK: When

    /// Whether a session that one sealer sealed at noon needs to be sealed again by another.
    private func needs(
        after seconds: Double, of written: SessionLifetime, under policy: SessionLifetime? = nil,
        own: SessionLifetime? = nil, endsWithBrowser: Bool = false
    ) throws -> Bool {
        let sealed = try sealer(
            lifetime: written, attributes: SetCookie.Attributes(endsWithBrowser: endsWithBrowser)
        ).seal(session(9), lifetime: own, at: noon + 0.5)
        // The session says whether it ends with the browser; the sealer that opens it does not.
        return try sealer(
            lifetime: policy ?? written, attributes: SetCookie.Attributes(endsWithBrowser: !endsWithBrowser)
        ).open(value: sealed.token, at: noon + seconds).needsResealing
    }

    @Test func `a cookie that the browser drops after 400 days is written again after 40`() throws {
        let day = 86_400.0
        for policy in [
            SessionLifetime(absolute: .days(1000)), .init(absolute: .days(401)), .init(absolute: .days(400)),
            .init(absolute: .days(1000), idle: .days(500)), .init(absolute: .seconds(.max)),
            .init(absolute: .days(1000), ceiling: .days(900)),
            .init(absolute: .seconds(.max), ceiling: .seconds(.max)),
        ] {
            #expect(try !needs(after: 40 * day - 0.001, of: policy))
            #expect(try needs(after: 40 * day, of: policy))
        }
        // A session's own lifetime counts instead of the policy's.
        let two = SessionLifetime(absolute: .days(2))
        let (ten, short) = (
            SessionLifetime(absolute: .days(3650)), SessionLifetime(absolute: .seconds(6000))
        )
        #expect(try !needs(after: 40 * day - 1, of: two, own: ten))
        #expect(try needs(after: 40 * day, of: two, own: ten))
        #expect(try needs(after: 600, of: .init(absolute: .days(1000)), own: short))
        #expect(try !needs(after: 599, of: .init(absolute: .days(1000)), own: short))
        // Neither the policy's idle time nor its lifetime counts in addition, but its ceiling does.
        let idle = SessionLifetime(absolute: .days(2), idle: .hours(1))
        #expect(try !needs(after: 40 * day - 1, of: idle, own: ten))
        let own = SessionLifetime(absolute: .days(90), idle: .days(20))
        #expect(try !needs(after: 2 * day - 1, of: idle, own: own))
        #expect(try needs(after: 2 * day, of: idle, own: own))
        let low = SessionLifetime(absolute: .days(2), ceiling: .days(30))
        #expect(try !needs(after: 3 * day - 1, of: low, own: ten))
        #expect(try needs(after: 3 * day, of: low, own: ten))
        // Sealed again, a session of a thousand days stays in the browser until its end.
        let sealer = try sealer(lifetime: .init(absolute: .days(1000), ceiling: .days(1000)))
        var sealed = try sealer.seal(session(9), at: noon)
        var (now, inBrowser) = (noon, noon)
        while now < noon + 999 * day {
            inBrowser = now + Double(try #require(sealed.cookies[0].maxAge))
            now += 41 * day
            guard now < noon + 1000 * day else { break }
            #expect(now < inBrowser)
            let opened = try sealer.open(value: sealed.token, at: now)
            #expect(opened.needsResealing)
            sealed = try sealer.reseal(opened, at: now)
        }
        #expect(inBrowser == noon + 1000 * day)
    }

    @Test func `a cookie that was written under a shorter policy is written again while the browser has it`()
        throws
    {
        let hour = 3600.0
        let (day, ten) = (SessionLifetime(absolute: .days(1)), SessionLifetime(absolute: .hours(239)))
        #expect(try needs(after: 24 * hour - 1, of: day, under: ten))
        #expect(try !needs(after: 24 * hour - 1, of: day, under: .init(absolute: .days(11))))
        #expect(try needs(after: 12 * hour, of: day, under: .init(absolute: .days(5))))
        #expect(
            try needs(
                after: hour, of: .init(absolute: .days(10), idle: .hours(2)),
                under: .init(absolute: .days(10), idle: .hours(10))))
    }

    /// The policy under which a token was written is not known. The sealer's own policy decides, with at most ten
    /// writes.
    @Test func `a session is written again ten times in its life at most, and never on every request`() throws
    {
        for policy in [
            SessionLifetime(absolute: .days(14)), .init(absolute: .days(14), idle: .days(14)),
            .init(absolute: .days(14), idle: .days(400)), .init(absolute: .hours(1)),
        ] {
            let sealer = try sealer(lifetime: policy, splitting: 9)
            var sealed = try sealer.seal(session(9), at: noon)
            let step = Double(policy.absolute.seconds) / 1000
            var writes = 0
            for request in 1..<1000 {
                let now = noon + Double(request) * step
                // Parts that a sibling domain keeps planting.
                let opened = try #require(
                    try sealer.open(
                        cookieHeader: header(sealed.cookies) + "; session.5=x; session.8=y", at: now))
                guard opened.needsResealing else { continue }
                writes += 1
                sealed = try sealer.reseal(opened, at: now)
                #expect(removed(sealed.cookies) == ["session.5", "session.8"])
            }
            #expect((9...10).contains(writes))
        }
    }

    @Test func `what ends with the browser is written again for its idle time alone`() throws {
        let long = SessionLifetime(absolute: .days(1000), ceiling: .days(1000))
        #expect(try !needs(after: 86_400 * 999, of: long, endsWithBrowser: true))
        let own = SessionLifetime(absolute: .days(90), idle: .days(30))
        let short = SessionLifetime(absolute: .days(14), idle: .hours(12))
        #expect(try !needs(after: 86_400 * 3 - 1, of: short, own: own, endsWithBrowser: true))
        #expect(try needs(after: 86_400 * 3, of: short, own: own, endsWithBrowser: true))
        let endless = SessionLifetime(absolute: .days(90))
        #expect(try !needs(after: 86_400 * 89, of: short, own: endless, endsWithBrowser: true))
        let idle = SessionLifetime(absolute: .hours(1), idle: .hours(20))
        #expect(try !needs(after: 3599, of: idle, endsWithBrowser: true))
        #expect(
            try needs(after: 7200, of: .init(absolute: .days(1), idle: .hours(20)), endsWithBrowser: true))
        // Not to remove parts: anyone on a sibling domain could keep planting them.
        let sealer = try sealer(lifetime: long, attributes: .init(endsWithBrowser: true))
        let value = try sealer.seal(session(9), at: noon).token
        func needsWith(_ more: String, _ seconds: Double) throws -> Bool {
            try #require(try sealer.open(cookieHeader: "session=\(value)\(more)", at: noon + seconds))
                .needsResealing
        }
        for planted in ["", "; session.1=x", "; session.5=x; session.8=2.", "; session.9=x"] {
            #expect(try !needsWith(planted, 86_400 * 40) && !needsWith(planted, 86_400 * 999))
        }
    }

    @Test func `in a short span too a session is written again ten times at most, and once a second`() throws
    {
        for seconds in 1...25 {
            for policy in [
                SessionLifetime(absolute: .seconds(seconds)),
                .init(absolute: .days(1), idle: .seconds(seconds)),
            ] {
                let sealer = try sealer(lifetime: policy)
                var (writes, value) = (0, try sealer.seal(session(9), at: noon + 0.95).token)
                for request in 1..<(seconds * 100) {
                    let now = noon + 0.95 + Double(request) / 100
                    guard now < noon + Double(seconds) else { break }
                    let opened = try sealer.open(value: value, at: now)
                    guard opened.needsResealing else { continue }
                    #expect(now.timeIntervalSince(opened.sealedAt) >= 1)
                    writes += 1
                    value = try sealer.reseal(opened, at: now).token
                }
                #expect(writes <= min(10, seconds - 1), "\(seconds) s")
            }
        }
    }

    @Test func `another dictionary is no reason to write before a tenth of the time is over`() throws {
        struct User: Codable, Sendable, Equatable {
            var userName = "ada", roles = ["member", "admin"], shop = "basket"
        }
        let own = try CompressionDictionary(Array("userName roles member admin shop basket".utf8))
        func sealer(
            _ compression: SessionCompression, _ endsWithBrowser: Bool, idle: SessionLifetime.Span? = nil
        )
            throws -> CookieSealer<User>
        {
            try CookieSealer(
                "session", keys: sampleRing(1), lifetime: .init(absolute: .days(10), idle: idle),
                attributes: .init(endsWithBrowser: endsWithBrowser), compression: compression)
        }
        let day = 86_400.0
        for endsWithBrowser in [false, true] {
            let new = try sealer(.dictionaries([own]), endsWithBrowser)
            let old = try sealer(.dictionaries([own, .standard]), endsWithBrowser)
            for (writer, reader) in [(new, old), (old, new)] {
                let value = try writer.seal(User(), at: noon).token
                #expect(try !reader.open(value: value, at: noon + day - 1).needsResealing)
                #expect(try reader.open(value: value, at: noon + day).needsResealing)
                #expect(try writer.open(value: value, at: noon + day).needsResealing != endsWithBrowser)
            }
            // A fleet with both, in the middle of a change.
            var (value, writes) = (try new.seal(User(), at: noon).token, 0)
            for request in 1..<1000 {
                let (now, server) = (noon + Double(request) * 863, request % 2 == 0 ? new : old)
                let opened = try server.open(value: value, at: now)
                guard opened.needsResealing else { continue }
                writes += 1
                value = try server.reseal(opened, at: now).token
            }
            #expect((1...10).contains(writes))
        }
        let idle = try sealer(.dictionaries([own]), true, idle: .hours(10))
        let value = try sealer(.standard, true).seal(User(), at: noon).token
        #expect(try !idle.open(value: value, at: noon + 3599).needsResealing)
        #expect(try idle.open(value: value, at: noon + 3600).needsResealing)
    }

    @Test func `a session that must not be sealed again is not encoded`() throws {
        struct Counted: Codable, Sendable {
            nonisolated(unsafe) static var asked = 0  // This test's alone, on one thread.
            init() {}
            init(from decoder: any Decoder) throws {}
            func encode(to encoder: any Encoder) throws { unsafe Self.asked += 1 }
        }
        let sealer = try sealer(Counted.self)
        let opened = try sealer.open(value: sealer.seal(Counted(), at: noon).token, at: noon)
        let before = unsafe Counted.asked
        let none = try KeyRing([sampleKey(1)], revoked: [sampleKey(1).id])
        let ended = try KeyRing([sampleKey(1)], notBefore: noon + 1)
        let cases: [(CookieSealer<Counted>, Date)] = [
            (sealer, noon.addingTimeInterval(86_400 * 15)), (sealer, Date(timeIntervalSince1970: -9)),
            (try self.sealer(Counted.self, name: "other"), noon),
            (try self.sealer(Counted.self, keys: none), noon),
            (try self.sealer(Counted.self, keys: ended), noon.addingTimeInterval(2)),
        ]
        for (other, now) in cases {
            #expect(throws: SealError.self) { try other.reseal(opened, at: now) }
            #expect(unsafe Counted.asked == before)
        }
        _ = try sealer.reseal(opened, at: noon)
        #expect(unsafe Counted.asked == before + 1)
    }

    @Test func `a key that is pending here is no reason to seal again with an older one`() throws {
        let (old, next) = (try sampleKey(1), try sampleKey(2, from: noon + 30))
        let ring = try KeyRing([old, next])
        // Another server's clock is 31 s ahead.
        let sealed = try sealer(keys: ring).seal(session(9), at: noon + 31)
        let opened = try sealer(keys: ring).open(value: sealed.token, at: noon)
        #expect(opened.keyID == next.id && !opened.needsResealing)
        // If the session has changed, it is sealed with the key that seals here.
        let again = try sealer(keys: ring).reseal(opened, at: noon)
        #expect(try sealer(keys: ring).open(value: again.token, at: noon).keyID == old.id)
        #expect(try sealer(keys: ring).open(value: again.token, at: noon + 30).needsResealing)
        #expect(try !sealer(keys: ring).open(value: sealed.token, at: noon + 30).needsResealing)
    }

    @Test func `a session is sealed again with the ring of a followed file as it is then`() throws {
        let folder = try ToolFolder()
        let file = try KeyRingFile(folder.ring, pollInterval: .zero)
        let sealer = try CookieSealer<Data>("session", keys: file, lifetime: .init(absolute: .days(14)))
        let began = Date.now
        let opened = try sealer.open(value: sealer.seal(session(9), at: began).token, at: began)
        let same = try sealer.open(value: sealer.reseal(opened, at: began + 1).token, at: began + 1)
        #expect(same.keyID == opened.keyID && same.session == session(9) && !same.needsResealing)
        #expect(same.createdAt == opened.createdAt)
        let ring = try KeyRing.update(at: folder.ring) { (ring) throws(KeyRingError) in
            try ring.rotated(activeFrom: began - 3600).ring
        }
        let later = try sealer.open(value: sealer.reseal(opened, at: began + 2).token, at: began + 2)
        #expect(later.keyID == ring.activeKey(at: began)?.id && later.keyID != opened.keyID)
        #expect(later.createdAt == opened.createdAt && later.session == session(9))
        #expect(try sealer.open(value: sealer.seal(session(9)).token).keyID == later.keyID)
        let other = try CookieSealer<Data>("other", keys: file, lifetime: .init(absolute: .days(14)))
        #expect(try other.open(value: other.adopt(later).token).keyID == later.keyID)
    }

    // MARK: Parts

    @Test func `text that no sealer may write is not sealed again, whoever sealed it`() throws {
        let sealer = try sealer(EncodedSession.self)
        let marks = Array(String(repeating: "\u{300}\u{316}", count: 150).utf8)
        let text: [UInt8] = [0x79, UInt8(marks.count >> 8), UInt8(marks.count & 0xFF)] + marks
        let token = try sealer.core.seal(
            CBORItem(bytes: text, byteStrings: []), lifetime: nil, endsWithBrowser: nil, cutOff: nil,
            replacing: nil, at: noon
        ).cookies[0].value
        let opened = try sealer.open(value: token, at: noon)
        let error = #expect(throws: SealError.self) { try sealer.reseal(opened, at: noon) }
        #expect("\(try #require(error))".contains("256 combining marks"))
        // Next to a byte string that is put back, it does not open.
        let pair: [UInt8] = [0x82, 0x41, 0x07] + text
        let other = try sealer.core.seal(
            CBORItem(bytes: pair, byteStrings: [2..<3]), lifetime: nil, endsWithBrowser: nil, cutOff: nil,
            replacing: nil, at: noon
        ).cookies[0].value
        #expect(throws: OpenError.self) { try sealer.open(value: other, at: noon) }
    }
}
