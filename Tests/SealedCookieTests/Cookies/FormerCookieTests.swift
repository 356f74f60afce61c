// Cookies whose name, purpose or attributes have changed: FORMAT §11.3.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct FormerCookieTests: ResealingSuite {
    private let fortnight = SessionLifetime(absolute: .days(14))

    private func lines(_ cookies: [SetCookie]) -> [String] {
        cookies.map { cookie in
            var line = cookie.maxAge == 0 ? "-\(cookie.name)" : "+\(cookie.name)"
            if let domain = cookie.attributes.domain { line += " \(domain)" }
            if cookie.attributes.path != "/" { line += " \(cookie.attributes.path)" }
            return cookie.attributes.isPartitioned ? line + " partitioned" : line
        }
    }

    @Test func `a renamed cookie signs nobody out, and the former one is removed`() throws {
        let old = try sealer(name: "sid")
        let new = try CookieSealer<Data>(
            "session", keys: sampleRing(1), lifetime: fortnight,
            formerly: [FormerCookie("sid", lifetime: fortnight)])
        let cookie = try old.seal(session(9), at: noon).cookieHeader
        let opened = try #require(try new.open(cookieHeader: cookie, at: noon + 5))
        #expect(opened.session == session(9) && opened.createdAt == noon && opened.cookieName == "sid")
        #expect(opened.needsResealing)
        let sealed = try new.reseal(opened, at: noon + 5)
        #expect(lines(sealed.cookies) == ["-sid", "+session"])
        let again = try #require(try new.open(cookieHeader: sealed.cookieHeader, at: noon + 6))
        #expect(again.cookieName == "session" && again.createdAt == noon && !again.needsResealing)
        // Nor by a new session, or by signing out, and then with what is left of either.
        #expect(try lines(new.seal(session(1), at: noon).cookies) == ["-sid", "+session"])
        #expect(try lines(new.signOutCookies(cookieHeader: cookie, at: noon)) == ["-sid", "-session"])
        let both = "\(cookie); \(sealed.cookieHeader)"
        #expect(try lines(new.signOutCookies(cookieHeader: both, at: noon)) == ["-sid", "+session"])
        // A sealer that does not list it takes it for another sealer's.
        let stranger = try sealer(name: "session")
        #expect(throws: SealError.anotherCookie(name: "sid", purpose: "")) {
            try stranger.reseal(opened, at: noon + 5)
        }
        #expect(throws: SealError.anotherCookie(name: "session", purpose: "")) {
            try old.reseal(again, at: noon + 6)
        }
    }

    @Test
    func `parts that the request had of the present cookie go with a former one, and another sealer's stay`()
        throws
    {
        let new = try CookieSealer<Data>(
            "session", keys: sampleRing(1), lifetime: fortnight, splitting: .upTo(3),
            formerly: [FormerCookie("sid", lifetime: fortnight)])
        let old = try sealer(name: "sid").seal(session(9), at: noon)
        let other = try sealer(name: "session.1").seal(session(9), at: noon)
        let header = "\(old.cookieHeader); \(other.cookieHeader); session.7=x"
        let opened = try #require(try new.open(cookieHeader: header, at: noon))
        #expect(try lines(new.reseal(opened, at: noon).cookies) == ["-sid", "+session", "-session.7"])
        // The former sealer's own request does not tell about them: all that may exist are removed.
        let itself = try #require(try sealer(name: "sid").open(cookieHeader: header, at: noon))
        #expect(
            try lines(new.reseal(itself, at: noon).cookies) == [
                "-sid", "+session", "-session.1", "-session.2",
            ])
    }

    @Test func `a former cookie of a key that was withdrawn since is not sealed again`() throws {
        let shared = try SharedKeyRing(sampleRing(1, 2))
        let new = try CookieSealer<Data>(
            "session", keys: shared, lifetime: fortnight,
            formerly: [FormerCookie("sid", lifetime: fortnight)])
        let sealed = try sealer(name: "sid").seal(session(9), at: noon)
        let opened = try #require(try new.open(cookieHeader: sealed.cookieHeader, at: noon))
        try shared.replace(with: sampleRing(2))
        #expect(throws: SealError.revokedKey(opened.keyID)) { try new.reseal(opened, at: noon) }
        #expect(throws: OpenError.unknownKey(opened.keyID)) {
            try new.open(cookieHeader: sealed.cookieHeader, at: noon)
        }
    }

    @Test func `what the response writes is not removed, and the rest of a former form is, before it`() throws
    {
        func lines(
            _ attributes: SetCookie.Attributes, name: String = "s", splitting: CookieSplitting = .never,
            after formers: [(SetCookie.Attributes, String, CookieSplitting)]
        ) throws -> [String] {
            let sealer = try CookieSealer<Data>(
                name, keys: sampleRing(1), lifetime: fortnight, attributes: attributes, splitting: splitting,
                formerly: formers.map { FormerCookie($1, attributes: $0, splitting: $2, lifetime: fortnight) }
            )
            return try self.lines(sealer.seal(session(9), cookieHeader: "s.7=x", at: noon).cookies)
        }
        let domain = SetCookie.Attributes(domain: "example.com")
        let partitioned = SetCookie.Attributes(sameSite: .none, isPartitioned: true)
        #expect(
            try lines(domain, after: [(.init(), "s", .never)]) == [
                "-s", "+s example.com", "-s.7 example.com",
            ])
        #expect(
            try lines(.init(), after: [(domain, "s", .never)]) == ["-s example.com", "+s", "-s.7"])
        #expect(
            try lines(partitioned, after: [(.init(), "s", .never)]).prefix(2) == ["-s", "+s partitioned"])
        #expect(
            try lines(.init(path: "/a"), after: [(.init(), "s", .never)]).prefix(2) == ["-s", "+s /a"])
        // The same cookie to a browser: another case, a dot in front, other attributes, another purpose.
        for same in ["EXAMPLE.com", ".example.com", ".Example.Com"] {
            #expect(
                try lines(domain, after: [(.init(domain: same, sameSite: .strict), "s", .never)]) == [
                    "+s example.com", "-s.7 example.com",
                ])
        }
        // Parts, and a cookie of two forms once.
        #expect(
            try lines(
                .init(), splitting: .upTo(2), after: [(.init(), "s", .upTo(4)), (.init(), "s", .upTo(3))])
                == ["-s.1", "-s.2", "-s.3", "+s", "-s.7"])
        #expect(
            try lines(domain, after: [(.init(), "s", .upTo(2)), (.init(path: "/a"), "old", .never)])
                == ["-s", "-s.1", "-old /a", "+s example.com", "-s.7 example.com"])
        // In another case it is another name, and a part's name may be a cookie's.
        #expect(try lines(.init(), after: [(.init(), "S", .never)]) == ["-S", "+s", "-s.7"])
        #expect(try lines(.init(), name: "s.1", after: [(.init(), "s", .upTo(2))]) == ["-s", "+s.1"])
    }

    @Test func `removing a cookie beside another sealer's session does not remove that one`() throws {
        let old = try sealer(purpose: "old")
        let new = try sealer(purpose: "new")
        let opened = try old.open(value: old.seal(session(9), at: noon).token, at: noon)
        let sealed = try new.adopt(opened, at: noon)
        #expect(old.removalCookies(beside: sealed).isEmpty)
        #expect(lines(old.removalCookies()) == ["-session"])
    }

    @Test func `there is room for the removals, however long the session is`() throws {
        let attributes = SetCookie.Attributes(domain: String(repeating: "a", count: 60) + ".example.com")
        let formers = ["one", "two", "three", "four"].map {
            FormerCookie($0, attributes: attributes, splitting: .upTo(2), lifetime: fortnight)
        }
        var limits = CookieLimits.rfc6265bis
        limits.response = 4096
        let sealer = try CookieSealer<Data>(
            "session", keys: sampleRing(1), lifetime: fortnight, limits: limits, formerly: formers)
        let alone = try CookieSealer<Data>(
            "session", keys: sampleRing(1), lifetime: fortnight, limits: limits)
        let room = try sealer.seal(session(1), at: noon).tokenLimit
        #expect(try room < alone.seal(session(1), at: noon).tokenLimit - 8 * 100)
        var fits = 0
        for count in stride(from: 500, to: 3000, by: 1) {
            guard let sealed = try? sealer.seal(session(count), at: noon) else { break }
            fits = count
            #expect(sealed.cookies.count == 9)
        }
        let largest = try sealer.seal(session(fits), at: noon)
        let bytes = largest.headerValues.reduce(0) { $0 + $1.utf8.count + CookieLimits.headerOverhead }
        #expect((4090...4096).contains(bytes))
        limits.response = 1000
        #expect(throws: SealerConfigurationError.self) {
            try CookieSealer<Data>(
                "session", keys: sampleRing(1), lifetime: fortnight, limits: limits, formerly: formers)
        }
    }

    @Test func `a former form is one that a cookie can have, and there are four at most`() throws {
        func make(_ formers: [FormerCookie]) throws -> CookieSealer<Data> {
            try CookieSealer("session", keys: sampleRing(1), lifetime: fortnight, formerly: formers)
        }
        let five = (0..<5).map { FormerCookie("s\($0)", lifetime: fortnight) }
        #expect(try make(Array(five.prefix(4))).keys.keys.count == 1)
        #expect(throws: SealerConfigurationError.tooManyFormerCookies(5)) { try make(five) }
        #expect(throws: SealerConfigurationError.invalidName("a b")) {
            try make([FormerCookie("a b", lifetime: fortnight)])
        }
        #expect(throws: SealerConfigurationError.hostPrefixForbidsDomain) {
            try make([
                FormerCookie("__Host-s", attributes: .init(domain: "example.com"), lifetime: fortnight)
            ])
        }
        #expect(throws: SealerConfigurationError.invalidSplitting(10)) {
            try make([FormerCookie("s", splitting: .upTo(10), lifetime: fortnight)])
        }
    }

    @Test func `a former session ends by both policies, and the present one alone once it is sealed again`()
        throws
    {
        let new = try CookieSealer<Data>(
            "session", keys: sampleRing(1), lifetime: .init(absolute: .days(14), idle: .hours(2)),
            formerly: [FormerCookie("sid", lifetime: .init(absolute: .days(1)), sealedUntil: noon)])
        let old = try sealer(name: "sid", lifetime: .init(absolute: .days(1)))
        let cookie = try old.seal(session(9), at: noon).cookieHeader
        let opened = try #require(try new.open(cookieHeader: cookie, at: noon + 3600))
        #expect(opened.expiresAt == noon + 7200)
        #expect(throws: OpenError.expired(noon + 7200)) {
            try new.open(cookieHeader: cookie, at: noon + 7200)
        }
        // In its former form it has ended at that time, though the present policy would let it live.
        let late = try #require(try new.open(cookieHeader: cookie, at: noon + 7199))
        #expect(throws: SealError.expired(noon + 7200)) { try new.reseal(late, at: noon + 7200) }
        #expect(try new.reseal(late, at: noon + 7199).expiresAt == noon + 7199 + 7200)
        let later = try old.seal(session(9), at: noon + 61).cookieHeader
        #expect(throws: OpenError.formerCookie(noon + 61)) {
            try new.open(cookieHeader: later, at: noon + 61)
        }
    }
}
