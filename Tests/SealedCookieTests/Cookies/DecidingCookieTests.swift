// Which of several cookies with a name decides: FORMAT §11.2. The vectors in cookies.json contain the rules; these
// tests contain what only this library has.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct DecidingCookieTests: ResealingSuite {
    /// The header with these tokens, in this order.
    private func header(_ sealed: SealedSession...) -> String {
        sealed.map { "session=\($0.token)" }.joined(separator: "; ")
    }

    @Test func `a latest session of another type is the request's, and an older one takes no place`() throws {
        let (numbers, texts) = (try sealer(Int.self), try sealer(String.self))
        let (older, later) = (try numbers.seal(7, at: noon - 5), try texts.seal("later", at: noon))
        for both in [header(older, later), header(later, older)] {
            #expect(try texts.open(cookieHeader: both, at: noon)?.session == "later")
            do {
                _ = try numbers.open(cookieHeader: both, at: noon)
                Issue.record("opened")
            } catch {
                #expect(error.code == "session-mismatch")
            }
        }
    }

    @Test func `a new session decides over all that the request had, by whatever clock those were sealed`()
        throws
    {
        let sealer = try sealer(Int.self)
        for ahead in [-100.0, -1, 0, 0.5, 1, 59] {
            let old = try sealer.seal(1, at: noon + ahead)
            let other = try sealer.seal(2, at: noon - 500)
            let new = try sealer.seal(3, cookieHeader: header(other, old), at: noon)
            for both in [header(old, other, new), header(other, old, new)] {
                #expect(try sealer.open(cookieHeader: both, at: noon)?.session == 3, "\(ahead)")
            }
            let opened = try #require(try sealer.open(cookieHeader: header(new), at: noon))
            // No further ahead than other servers accept as their clock's error.
            let begins = min(max(ahead.rounded(.down) + 1, 0), 60)
            #expect(opened.createdAt == noon && opened.sealedAt == noon + begins)
            // So a cut-off that ends everything that began before now ends it.
            #expect(opened.began(before: noon + 0.5))
            #expect(new.cookies[0].maxAge == 14 * 86_400)
        }
        // A token from a clock that is far off does not affect others.
        let wrong = try sealer.seal(1, at: noon + 61)
        let new = try sealer.seal(3, cookieHeader: header(wrong), at: noon)
        #expect(try sealer.open(value: new.token, at: noon).createdAt == noon)
        // Nor does one that is not authentic, has another name, or belongs to someone else.
        for strange in [
            "session=x", "session=\(try self.sealer(Int.self, name: "other").seal(1, at: noon + 50).token)",
            "",
        ] {
            let new = try sealer.seal(3, cookieHeader: strange, at: noon)
            #expect(try sealer.open(value: new.token, at: noon).createdAt == noon)
        }
        #expect(
            try sealer.open(
                value: sealer.seal(
                    3, cookieHeaders: ["a=b", header(try sealer.seal(1, at: noon + 50))], at: noon
                ).token,
                at: noon
            ).sealedAt == noon + 51)
    }

    @Test func `signing out leaves a sign-out where the request had two, and nothing where it had one`()
        throws
    {
        let sealer = try sealer(Int.self)
        let (one, two) = (try sealer.seal(1, at: noon - 9), try sealer.seal(2, at: noon + 30))
        #expect(try sealer.signOutCookies(cookieHeader: nil, at: noon).map(\.value) == [""])
        #expect(try sealer.signOutCookies(cookieHeader: header(one), at: noon).map(\.value) == [""])
        // A browser sends one cookie for each path and domain, so the same value twice is one.
        #expect(try sealer.signOutCookies(cookieHeader: header(one, one), at: noon).map(\.value) == [""])
        for cookies in [
            try sealer.signOutCookies(cookieHeader: header(one, two), at: noon),
            try sealer.signOutCookies(cookieHeaders: [header(one), header(two)], at: noon),
        ] {
            #expect(cookies.count == 1 && cookies[0].maxAge == 34_560_000)
            let left = "session=\(cookies[0].value)"
            for other in [one, two] {
                for both in ["\(left); \(header(other))", "\(header(other)); \(left)"] {
                    #expect(throws: OpenError.signedOut(noon + 31)) {
                        try sealer.open(cookieHeader: both, at: noon)
                    }
                }
            }
            // A user who signs in then is signed in, even in the same second and with a clock that is behind.
            for now in [noon + 31, noon - 28] {
                let next = try sealer.seal(3, cookieHeader: "\(left); \(header(two))", at: now)
                let all = "\(header(next)); \(left); \(header(two))"
                let opened = try #require(try sealer.open(cookieHeader: all, at: now))
                #expect(opened.session == 3 && opened.sealedAt == noon + 32)
            }
            // No further ahead than another server's clock may be behind this one's.
            let edge = try sealer.seal(3, cookieHeader: left, at: noon - 29)
            #expect(try sealer.open(value: edge.token, at: noon - 29).sealedAt == noon + 31)
        }
        let none = try CookieSealer<Int>("session", keys: KeyRing([]), lifetime: .init(absolute: .days(1)))
        #expect(throws: SealError.noActiveKey) {
            try none.signOutCookies(cookieHeader: header(one, two), at: noon)
        }
        #expect(try none.signOutCookies(cookieHeader: header(one), at: noon).count == 1)
    }

    @Test func `a session is sealed again no earlier than it was, so that it decides over itself`() throws {
        let sealer = try sealer(Int.self)
        let first = try sealer.seal(1, at: noon + 40)
        var opened = try #require(try sealer.open(cookieHeader: header(first), at: noon))
        opened.session = 2
        let second = try sealer.reseal(opened, at: noon)
        #expect(try sealer.open(value: second.token, at: noon).sealedAt == noon + 40)
        // After the previous one, as in a header whose paths differ.
        #expect(try sealer.open(cookieHeader: header(first, second), at: noon)?.session == 2)
        let aged = try sealer.reseal(opened, at: noon + 41)
        #expect(try sealer.open(cookieHeader: header(aged, first), at: noon + 41)?.sealedAt == noon + 41)
    }
}
