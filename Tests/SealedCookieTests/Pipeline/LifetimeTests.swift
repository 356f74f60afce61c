// When a session ends, and when it is sealed again for that.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct LifetimeTests {
    @Test func `a session ends at the earlier of its two lifetimes`() throws {
        let ring = try sampleRing(1)
        let sealer = try loginSealer(ring, lifetime: .init(absolute: .days(14), idle: .hours(12)))
        var opened = try sealer.open(value: sealer.seal(login, at: noon).token, at: noon)
        #expect(opened.expiresAt == noon + 12 * 3600)
        // Used every eleven hours, it lives on until its absolute end, to the second.
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

    @Test func `a session's own lifetime takes the place of the policy's, longer or shorter`() throws {
        let sealer = try loginSealer(sampleRing(1))
        for (span, seconds) in [(SessionLifetime.Span.days(90), 7_776_000.0), (.minutes(5), 300)] {
            let sealed = try sealer.seal(login, lifetime: span, at: noon)
            #expect(sealed.expiresAt == noon + seconds)
            let opened = try sealer.open(value: sealed.token, at: noon + seconds - 1)
            #expect(opened.lifetime == span)
            // Sealing again keeps it.
            let again = try sealer.open(value: sealer.reseal(opened, at: noon + 10).token, at: noon + 11)
            #expect(again.lifetime == span && again.expiresAt == noon + seconds)
            #expect(throws: OpenError.expired(noon + seconds)) {
                try sealer.open(value: sealed.token, at: noon + seconds)
            }
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
        // Sealed again it is still the session of then.
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
        // Nor where another sealer's policy is a shorter one.
        let shorter = try loginSealer(sampleRing(1), lifetime: .init(absolute: .minutes(10)))
        #expect(throws: SealError.expired(noon + 600)) { try shorter.reseal(opened, at: noon + 600) }
    }

    /// What was sealed with a stolen key must not move to one that the thief never had.
    @Test func `a session whose key was revoked since it was opened is not sealed again`() throws {
        let folder = try ToolFolder()
        let file = try KeyRingFile(folder.ring, lookingEvery: .zero)
        let sealer = try CookieSealer<Login>(keys: file, lifetime: .init(absolute: .days(14)))
        let opened = try sealer.open(value: sealer.seal(login).token)
        try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in
            try ring.rotated(from: noon, at: noon).ring.revoking(opened.keyID)
        }
        let error = #expect(throws: SealError.self) { try sealer.reseal(opened) }
        #expect(error == .revokedKey(opened.keyID) && error?.isSessionOver == true)
        #expect(!SealError.noActiveKey.isSessionOver && SealError.endedBefore(noon).isSessionOver)
        // Nor where the key was removed: what it sealed would not open either.
        let other = try CookieSealer<Login>(keys: sampleRing(2), lifetime: .init(absolute: .days(14)))
        #expect(throws: SealError.revokedKey(opened.keyID)) { try other.reseal(opened) }
    }
}
