// When a session ends, and when it is sealed again because of that.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct LifetimeTests {
    @Test func `a session ends at the earlier of its two lifetimes`() throws {
        let ring = try sampleRing(1)
        let sealer = try loginSealer(ring, lifetime: .init(absolute: .days(14), idle: .hours(12)))
        var opened = try sealer.open(value: sealer.seal(login, at: noon).token, at: noon)
        #expect(opened.expiresAt == noon + 12 * 3600)
        // Used every eleven hours, it lives until its absolute end, to the second.
        var now = noon
        while now < noon + 14 * 86_400 - 11 * 3600 {
            now += 11 * 3600
            let token = try sealer.reseal(opened, at: now).token
            opened = try sealer.open(value: token, at: now)
            #expect(opened.createdAt == noon && opened.sealedAt == now)
        }
        let end = noon + 14 * 86_400
        #expect(opened.expiresAt == end)
        let token = try sealer.reseal(opened, at: now).token
        #expect(try sealer.open(value: token, at: end - 1).session == login)
        #expect(throws: OpenError.expired(end)) { try sealer.open(value: token, at: end) }
        #expect(throws: SealError.expired(end)) { try sealer.reseal(opened, at: end) }
    }

    @Test func `an idle session ends`() throws {
        let sealer = try loginSealer(sampleRing(1), lifetime: .init(absolute: .days(14), idle: .hours(12)))
        let token = try sealer.seal(login, at: noon).token
        #expect(try sealer.open(value: token, at: noon + 12 * 3600 - 1).session == login)
        #expect(throws: OpenError.expired(noon + 12 * 3600)) {
            try sealer.open(value: token, at: noon + 12 * 3600)
        }
    }

    @Test func `a session's own lifetime takes the place of the policy's whole, longer or shorter`() throws {
        let policies = [
            SessionLifetime(absolute: .days(14)), .init(absolute: .days(14), idle: .hours(12)),
            .init(absolute: .minutes(1), idle: .seconds(1)),
        ]
        let day = 86_400.0
        for policy in policies {
            let sealer = try loginSealer(sampleRing(1), lifetime: policy)
            for (own, life) in [
                (SessionLifetime(absolute: .days(90)), 90 * day),
                (.init(absolute: .days(90), idle: .days(30)), 30 * day), (.init(absolute: .minutes(5)), 300),
                (.init(absolute: .hours(2), idle: .minutes(7)), 420),
                (.init(absolute: .days(2), idle: .days(3)), 2 * day),
            ] {
                let sealed = try sealer.seal(login, lifetime: own, at: noon)
                #expect(sealed.expiresAt == noon + life && sealed.cookies[0].maxAge == Int(life))
                let opened = try sealer.open(value: sealed.token, at: noon + life - 1)
                #expect(opened.lifetime == own && opened.expiresAt == noon + life)
                // Sealed again, it still has it: its idle time starts over, and its absolute end stays.
                let end = min(noon + life + 10, noon + Double(own.absolute.seconds))
                let again = try sealer.open(value: sealer.reseal(opened, at: noon + 10).token, at: noon + 11)
                #expect(again.lifetime == own && again.expiresAt == end)
                #expect(throws: OpenError.expired(noon + life)) {
                    try sealer.open(value: sealed.token, at: noon + life)
                }
                #expect(throws: SealError.expired(noon + life)) { try sealer.reseal(opened, at: noon + life) }
            }
            // Without one, the policy applies, and there is none to report.
            let opened = try sealer.open(value: sealer.seal(login, at: noon).token, at: noon)
            #expect(opened.lifetime == nil)
            #expect(opened.expiresAt == noon + Double((policy.idle ?? policy.absolute).seconds))
        }
    }

    @Test func `no session lives longer than the policy's ceiling, whatever its own lifetime`() throws {
        let day = 86_400.0
        #expect(SessionLifetime(absolute: .days(1)).ceiling == .days(400))
        for (policy, own, life) in [
            (SessionLifetime(absolute: .days(1)), SessionLifetime(absolute: .days(3650)), 400 * day),
            (.init(absolute: .days(1), ceiling: .days(3)), .init(absolute: .days(3650)), 3 * day),
            (.init(absolute: .days(1), ceiling: .days(5000)), .init(absolute: .days(3650)), 3650 * day),
            // If set outside the policy, it is ignored.
            (.init(absolute: .days(1)), .init(absolute: .days(390), ceiling: .days(2)), 390 * day),
            (.init(absolute: .days(1)), .init(absolute: .days(3650), ceiling: .days(3650)), 400 * day),
            (
                .init(absolute: .days(1), ceiling: .days(3)), .init(absolute: .days(9), idle: .days(2)),
                2 * day
            ),
            (
                .init(absolute: .days(9), ceiling: .days(3)), .init(absolute: .days(5), idle: .days(4)),
                3 * day
            ),
        ] {
            let sealer = try loginSealer(sampleRing(1), lifetime: policy)
            let sealed = try sealer.seal(login, lifetime: own, at: noon)
            #expect(sealed.expiresAt == noon + life)
            #expect(sealed.cookies[0].maxAge == Int(min(life, 400 * day)))
            let opened = try sealer.open(value: sealed.token, at: noon + life - 1)
            // Its own lifetime stays, in case the ceiling is raised.
            #expect(opened.lifetime == SessionLifetime(absolute: own.absolute, idle: own.idle))
            #expect(throws: OpenError.expired(noon + life)) {
                try sealer.open(value: sealed.token, at: noon + life)
            }
            #expect(throws: SealError.expired(noon + life)) { try sealer.reseal(opened, at: noon + life) }
        }
        // Nor does a session without its own lifetime.
        let long = try loginSealer(sampleRing(1), lifetime: .init(absolute: .days(1000)))
        #expect(try long.seal(login, at: noon).expiresAt == noon + 400 * day)
        let longer = SessionLifetime(absolute: .days(1000), ceiling: .days(1000))
        #expect(
            try loginSealer(sampleRing(1), lifetime: longer).seal(login, at: noon).expiresAt
                == noon + 1000 * day)
    }

    /// FORMAT §6: the visitor's choice belongs to the session, not to the sealer.
    @Test func `whether a session ends with the browser is its own, and stays when it is sealed again`()
        throws
    {
        for usual in [false, true] {
            for splitting in [CookieSplitting.never, .upTo(4)] {
                let sealer = try CookieSealer<Data>(
                    "session", keys: sampleRing(1), lifetime: .init(absolute: .days(14)),
                    attributes: .init(endsWithBrowser: usual, writesExpires: true), splitting: splitting)
                let session = Data((0..<(splitting == .never ? 9 : 9000)).map { UInt8($0 & 0xFF) })
                // The sealer of another server, whose default is the other.
                let other = try CookieSealer<Data>(
                    "session", keys: sampleRing(1), lifetime: .init(absolute: .days(14)),
                    attributes: .init(endsWithBrowser: !usual, writesExpires: true), splitting: splitting)
                for (said, ends) in [(nil, usual), (true, true), (false, false)] {
                    let sealed = try sealer.seal(session, endsWithBrowser: said, at: noon)
                    let header = sealed.cookies.filter { $0.maxAge != 0 }.map { "\($0.name)=\($0.value)" }
                        .joined(separator: "; ")
                    let opened = try #require(try other.open(cookieHeader: header, at: noon + 5))
                    #expect(opened.endsWithBrowser == ends && opened.session == session)
                    // Openers do not use it to judge a session.
                    #expect(opened.expiresAt == noon + 86_400 * 14)
                    for written in [sealed, try other.reseal(opened, at: noon + 9)] {
                        let parts = written.cookies.filter { $0.maxAge != 0 }
                        #expect(parts.count == (splitting == .never ? 1 : 3))
                        #expect(parts.allSatisfy { ($0.maxAge == nil) == ends })
                        #expect(parts.allSatisfy { $0.description.contains("Expires") != ends })
                    }
                }
            }
        }
    }

    @Test func `remember me, ticked and not, by one sealer`() throws {
        let sealer = try loginSealer(sampleRing(1), lifetime: .init(absolute: .days(14), idle: .hours(12)))
        let remembered = SessionLifetime(absolute: .days(90), idle: .days(30))
        let ticked = try sealer.seal(login, lifetime: remembered, endsWithBrowser: false, at: noon)
        let unticked = try sealer.seal(login, endsWithBrowser: true, at: noon)
        #expect(ticked.cookies[0].maxAge == 30 * 86_400 && unticked.cookies[0].maxAge == nil)
        let day = 86_400.0
        #expect(try sealer.open(value: ticked.token, at: noon + 30 * day - 1).session == login)
        #expect(throws: OpenError.expired(noon + day / 2)) {
            try sealer.open(value: unticked.token, at: noon + day / 2)
        }
    }

    @Test func `what was signed out opens as no session, whatever the policy and however old it is`() throws {
        for lifetime in [
            SessionLifetime(absolute: .days(14)), .init(absolute: .hours(1), idle: .minutes(1)),
            .init(absolute: .days(1), ceiling: .days(500)), .init(absolute: .days(1), ceiling: .days(20)),
        ] {
            let sealer = try CookieSealer<Login>(
                "session", keys: sampleRing(1), lifetime: lifetime,
                attributes: .init(endsWithBrowser: true), splitting: .upTo(3))
            let sealed = try sealer.core.sealEnded(replacing: "session.1=x; session.7=y", at: noon + 0.5)
            #expect(sealed.tokenLength == CookieForm.smallestToken)
            let ceiling = Double(lifetime.ceiling.seconds)
            #expect(sealed.expiresAt == noon + ceiling)
            // As long as any session may live; it does not end with the browser.
            #expect(sealed.cookies.map(\.name) == ["session", "session.1", "session.2", "session.7"])
            #expect(sealed.cookies[0].maxAge == min(Int(ceiling), 34_560_000))
            #expect(sealed.cookies.dropFirst().allSatisfy { $0.maxAge == 0 })
            for age: Double in [0, 60, 86_400 * 13, ceiling + 1] {
                #expect(throws: OpenError.signedOut(noon)) {
                    try sealer.open(value: sealed.token, at: noon + age)
                }
                #expect(throws: OpenError.signedOut(noon)) {
                    try sealer.open(cookieHeader: "session=\(sealed.token)", at: noon + age)
                }
            }
            // A clock that was ahead is reported as such, after the checks that concern only the token.
            #expect(throws: OpenError.inFuture(noon)) { try sealer.open(value: sealed.token, at: noon - 61) }
            let after = try CookieSealer<Login>(
                "session", keys: KeyRing([sampleKey(1)], notBefore: noon + 9), lifetime: lifetime)
            #expect(throws: OpenError.signedOut(noon)) { try after.open(value: sealed.token, at: noon + 20) }
            // Nor does it open as an `EncodedSession`, or as an optional.
            let raw = try CookieSealer<EncodedSession>("session", keys: sampleRing(1), lifetime: lifetime)
            #expect(throws: OpenError.signedOut(noon)) { try raw.open(value: sealed.token, at: noon) }
            let maybe = try CookieSealer<Login?>("session", keys: sampleRing(1), lifetime: lifetime)
            #expect(throws: OpenError.signedOut(noon)) { try maybe.open(value: sealed.token, at: noon) }
        }
        let none = try CookieSealer<Login>(keys: KeyRing([]), lifetime: .init(absolute: .days(1)))
        #expect(throws: SealError.noActiveKey) { try none.core.sealEnded(replacing: nil, at: .now) }
        let sealer = try loginSealer(sampleRing(1))
        #expect(throws: SealError.timeOutOfRange) {
            try sealer.core.sealEnded(replacing: nil, at: Date(timeIntervalSince1970: -1))
        }
    }

    @Test func `a shorter policy takes effect at once`() throws {
        let ring = try sampleRing(1)
        let token = try loginSealer(ring, lifetime: .init(absolute: .days(14))).seal(login, at: noon).token
        #expect(throws: OpenError.expired(noon + 3600)) {
            try loginSealer(ring, lifetime: .init(absolute: .hours(1))).open(value: token, at: noon + 7200)
        }
    }

    @Test func `another server's clock may be ahead by 60 seconds`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let token = try sealer.seal(login, at: noon).token
        #expect(try sealer.open(value: token, at: noon - 60).session == login)
        #expect(throws: OpenError.inFuture(noon)) { try sealer.open(value: token, at: noon - 61) }
    }

    @Test func `sealing again on a server whose clock is behind keeps the age at zero`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let opened = try sealer.open(value: sealer.seal(login, at: noon).token, at: noon - 30)
        let again = try sealer.open(value: sealer.reseal(opened, at: noon - 30).token, at: noon - 30)
        #expect(again.createdAt == noon && again.sealedAt == noon)
    }

    @Test func `not-before ends the sessions that began before it`() throws {
        let key = try sampleKey(1)
        let token = try loginSealer(KeyRing([key])).seal(login, at: noon).token
        let ended = try loginSealer(KeyRing([key], notBefore: noon + 1))
        #expect(throws: OpenError.endedBefore(noon + 1)) { try ended.open(value: token, at: noon + 10) }
        let spared = try loginSealer(KeyRing([key], notBefore: noon))
        let opened = try spared.open(value: token, at: noon + 10)
        // Sealed again, it is still the same session.
        let again = try spared.reseal(opened, at: noon + 20).token
        #expect(throws: OpenError.endedBefore(noon + 1)) { try ended.open(value: again, at: noon + 30) }
    }

    @Test func `times that a token cannot hold are refused`() throws {
        let sealer = try loginSealer(sampleRing(1))
        for seconds in [-1.0, 4_294_967_296, .infinity, -.infinity, .nan] {
            #expect(throws: SealError.timeOutOfRange) {
                try sealer.seal(login, at: Date(timeIntervalSince1970: seconds))
            }
        }
        let last = Date(timeIntervalSince1970: 4_294_967_295)
        #expect(try sealer.open(value: sealer.seal(login, at: last).token, at: last).createdAt == last)
        #expect(SessionLifetime.Span.days(.max).seconds == 4_294_967_295)
        #expect(SessionLifetime.Span.days(.min).seconds == 1)
    }

    @Test func `a rotated key and a tenth of the idle time are reasons to seal again`() throws {
        let old = try sampleKey(1)
        let next = try sampleKey(2, from: noon + 600)
        let sealer = try loginSealer(
            KeyRing([old, next]), lifetime: .init(absolute: .days(14), idle: .hours(12)))
        let token = try sealer.seal(login, at: noon).token
        #expect(try !sealer.open(value: token, at: noon + 599).needsResealing)
        let opened = try sealer.open(value: token, at: noon + 600)
        #expect(opened.needsResealing && opened.keyID == old.id)
        let again = try sealer.reseal(opened, at: noon + 600).token
        #expect(try !sealer.open(value: again, at: noon + 600).needsResealing)
        #expect(try !sealer.open(value: again, at: noon + 600 + 4319).needsResealing)
        #expect(try sealer.open(value: again, at: noon + 600 + 4320).needsResealing)
    }

    @Test func `a session that is over is not sealed again, however it was opened before`() throws {
        let sealer = try loginSealer(sampleRing(1), lifetime: .init(absolute: .days(365), idle: .hours(1)))
        let opened = try sealer.open(value: sealer.seal(login, at: noon).token, at: noon)
        let end = noon + 3600
        #expect(try sealer.reseal(opened, at: end - 1).expiresAt == end - 1 + 3600)
        #expect(throws: SealError.expired(end)) { try sealer.reseal(opened, at: end) }
        // Nor if another sealer's policy is shorter.
        let shorter = try loginSealer(sampleRing(1), lifetime: .init(absolute: .minutes(10)))
        #expect(throws: SealError.expired(noon + 600)) { try shorter.reseal(opened, at: noon + 600) }
    }

    /// A session sealed with a stolen key must not move to a key that the thief never had.
    @Test func `a session whose key was revoked since it was opened is not sealed again`() throws {
        let folder = try ToolFolder()
        let file = try KeyRingFile(folder.ring, pollInterval: .zero)
        let sealer = try CookieSealer<Login>(keys: file, lifetime: .init(absolute: .days(14)))
        let opened = try sealer.open(value: sealer.seal(login).token)
        try KeyRing.update(at: folder.ring) { (ring) throws(KeyRingError) in
            try ring.rotated(activeFrom: noon, at: noon).ring.revoking(opened.keyID)
        }
        let error = #expect(throws: SealError.self) { try sealer.reseal(opened) }
        #expect(error == .revokedKey(opened.keyID) && error?.isSessionOver == true)
        #expect(!SealError.noActiveKey.isSessionOver && SealError.endedBefore(noon).isSessionOver)
        // Nor if the key was removed: what it sealed would not open either.
        let other = try CookieSealer<Login>(keys: sampleRing(2), lifetime: .init(absolute: .days(14)))
        #expect(throws: SealError.revokedKey(opened.keyID)) { try other.reseal(opened) }
    }
}
