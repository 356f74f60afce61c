import Foundation
import SealedCookie
import Synchronization
import Testing

@testable import nio_minimal

@Suite struct VisitorSessionTests {
    private let ring: SharedKeyRing
    private let sealer: CookieSealer<Session>
    private let lines = Lines()

    private final class Lines: Sendable {
        private let texts = Mutex<[String]>([])
        func add(_ text: String) { texts.withLock { $0.append(text) } }
        var all: [String] { texts.withLock { $0 } }
    }

    init() throws {
        ring = try SharedKeyRing(KeyRing.forTesting())
        sealer = try CookieSealer(keys: ring, lifetime: .init(absolute: .days(14)))
    }

    private func session(_ cookies: String..., by other: CookieSealer<Session>? = nil) -> VisitorSession<
        Session
    > {
        let lines = lines
        return VisitorSession(other ?? sealer, cookies: cookies) { lines.add($0) }
    }

    /// The session in what a response sets.
    private func opened(_ headers: VisitorSession<Session>.Headers?) throws -> OpenedSession<Session> {
        let cookies = try #require(headers?.cookies)
        let pairs = cookies.filter { !$0.contains("Max-Age=0;") }.map { String($0.prefix { $0 != ";" }) }
        return try #require(try sealer.open(cookieHeaders: pairs))
    }

    @Test func `where nobody looks, nothing is opened and nothing is said to caches`() throws {
        #expect(try session("__Host-session=x").finish(cacheControl: "public") == nil)
        #expect(lines.all == [])
    }

    @Test func `it is opened once, and reading writes no cookie`() throws {
        let session = session("__Host-session=x")
        for _ in 0..<3 { #expect(try session.withValue { $0 == nil }) }
        #expect(lines.all.count == 1 && lines.all[0].hasPrefix("no session: "))
        #expect(try session.finish(cacheControl: nil)?.cookies == [])
        let good = try self.session(sealer.seal(Session(visits: 3)).cookieHeader)
        #expect(try good.withValue { $0?.visits } == 3)
        #expect(try good.finish(cacheControl: nil)?.cookies == [])
    }

    @Test(arguments: [
        (nil, "private"), ("public, max-age=600", "private, max-age=600"), ("no-store", "private, no-store"),
        ("Public", "private"), ("max-age=5,private", "private, max-age=5"),
    ])
    func `what was looked at is private, and other directives stay`(before: String?, after: String) throws {
        let session = session()
        _ = try session.withValue { $0 }
        #expect(try session.finish(cacheControl: before)?.cacheControl == after)
    }

    @Test func `a change is written, and keeps the session's age`() throws {
        let began = Date.now - 3600
        let session = try session(sealer.seal(Session(visits: 3), at: began).cookieHeader)
        try session.withValue { $0?.visits += 1 }
        let again = try opened(session.finish(cacheControl: nil))
        #expect(again.session.visits == 4 && abs(again.createdAt.timeIntervalSince(began)) < 1)
    }

    @Test func `a session that is begun is new, with a lifetime of its own`() throws {
        let session = try session(sealer.seal(Session(visits: 3), at: .now - 3600).cookieHeader)
        session.begin(Session(visits: 9), lifetime: .init(absolute: .days(90)), endsWithBrowser: true)
        #expect(try session.withValue { $0?.visits } == 9)
        let again = try opened(session.finish(cacheControl: nil))
        #expect(again.session.visits == 9 && again.createdAt.timeIntervalSinceNow > -5)
        #expect(again.lifetime?.absolute == .days(90) && again.endsWithBrowser)
        #expect(lines.all == [])
    }

    @Test func `where there was none, a value makes one`() throws {
        let session = session()
        try session.withValue { $0 = Session(visits: 1) }
        #expect(try opened(session.finish(cacheControl: nil)).session.visits == 1)
    }

    @Test func `signing out removes the cookie, also one that is no session`() throws {
        let good = try sealer.seal(Session()).cookieHeader
        let first = session(good)
        try first.withValue { $0 = nil }
        let (second, third) = (session(good), session("__Host-session=x"))
        second.begin(nil)
        third.begin(nil)
        for session in [first, second, third] {
            let cookies = try #require(try session.finish(cacheControl: nil)?.cookies)
            #expect(
                cookies.count == 1 && cookies[0].hasPrefix("__Host-session=; ")
                    && cookies[0].contains("Max-Age=0"))
        }
    }

    @Test func `after a sign-out a value is a new session`() throws {
        let session = try session(sealer.seal(Session(visits: 3), at: .now - 3600).cookieHeader)
        try session.withValue { $0 = nil }
        try session.withValue { $0 = Session() }
        #expect(try opened(session.finish(cacheControl: nil)).createdAt.timeIntervalSinceNow > -5)
    }

    @Test func `one that is due is written unchanged`() throws {
        let due = try session(sealer.seal(Session(visits: 3), at: .now - 2 * 86_400).cookieHeader)
        _ = try due.withValue { $0 }
        #expect(try opened(due.finish(cacheControl: nil)).session.visits == 3)
    }

    @Test func `housekeeping that fails is logged, and a change that cannot be kept is an error`() throws {
        let small = try CookieSealer<Session>(keys: ring, lifetime: sealer.lifetime, itemLimit: 5)
        let cookie = try sealer.seal(Session(visits: 3), at: .now - 2 * 86_400).cookieHeader
        let due = session(cookie, by: small)
        _ = try due.withValue { $0 }
        #expect(try due.finish(cacheControl: nil)?.cookies == [])
        #expect(lines.all.count == 1 && lines.all[0].hasPrefix("session not written: "))
        let changed = session(cookie, by: small)
        try changed.withValue { $0?.visits += 1 }
        #expect {
            try changed.finish(cacheControl: nil)
        } throws: {
            ($0 as? SealError)?.isTooLarge == true && statusCode(for: $0) == 500
        }
    }

    @Test func `a session that has ended meanwhile is no error`() throws {
        let session = try session(sealer.seal(Session(visits: 3)).cookieHeader)
        try session.withValue { $0?.visits += 1 }
        try ring.replace(with: sealer.keys.replacingAllKeys().ring)
        #expect(try session.finish(cacheControl: nil)?.cookies == [])
        #expect(lines.all.count == 1 && lines.all[0].hasPrefix("session not written: "))
    }

    @Test func `tasks of one request lose no change`() async throws {
        let session = try session(sealer.seal(Session()).cookieHeader)
        await withTaskGroup { group in
            for _ in 0..<200 { group.addTask { _ = try? session.withValue { $0?.visits += 1 } } }
        }
        #expect(try opened(session.finish(cacheControl: nil)).session.visits == 200)
    }

    @Test func `what throws has changed nothing, a sign-out neither`() throws {
        struct Odd: Error {}
        let cookie = try sealer.seal(Session(visits: 3)).cookieHeader
        for change in [{ $0 = nil }, { $0?.visits = 99 }] as [(inout Session?) -> Void] {
            let session = session(cookie)
            #expect(throws: Odd.self) {
                try session.withValue {
                    change(&$0)
                    throw Odd()
                }
            }
            #expect(try session.withValue { $0?.visits } == 3)
            #expect(try session.finish(cacheControl: nil)?.cookies == [])
        }
    }

    @Test func `what begins after a sign-out has nothing of what began before it`() throws {
        let session = session()
        session.begin(Session(visits: 1), lifetime: .init(absolute: .days(90)), endsWithBrowser: true)
        try session.withValue { $0 = nil }
        try session.withValue { $0 = Session(visits: 2) }
        let written = try opened(session.finish(cacheControl: nil))
        #expect(written.session.visits == 2 && written.lifetime == nil && !written.endsWithBrowser)
    }

    @Test func `a log may ask for the session`() throws {
        let asked = Mutex<VisitorSession<Session>?>(nil)
        let session = VisitorSession(sealer, cookies: ["__Host-session=x"]) { [lines] text in
            let session = asked.withLock { $0 }
            lines.add("\(text) \((try? session?.withValue { $0 == nil }) ?? false)")
        }
        asked.withLock { $0 = session }
        try session.withValue { $0 = Session() }
        _ = try session.finish(cacheControl: nil)
        session.begin(nil)
        #expect(
            lines.all.count >= 2 && lines.all.allSatisfy { $0.hasSuffix(" true") || $0.hasSuffix(" false") })
    }

    @Test func `what comes after the headers is logged`() throws {
        let session = try session(sealer.seal(Session()).cookieHeader)
        _ = try session.finish(cacheControl: nil)
        try session.withValue { $0?.visits += 1 }
        session.begin(Session())
        #expect(lines.all.count == 2 && lines.all.allSatisfy { $0.hasSuffix("after the response's headers") })
    }

    @Test func `only a library's failure is answered with 503`() {
        #expect(statusCode(for: OpenError.libraryFailed(operation: "x")) == 503)
        #expect(statusCode(for: SealError.libraryFailed(operation: "x")) == 503)
        #expect(
            statusCode(for: OpenError.notAuthentic) == 500 && statusCode(for: SealError.noActiveKey) == 500)
        #expect(statusCode(for: CancellationError()) == 500)
    }
}

@Suite struct CrossSiteTests {
    @Test(
        arguments: [
            ("same-origin", "https://evil.example", "shop.example", false),
            ("none", nil, "shop.example", false),
            ("cross-site", "https://shop.example", "shop.example", true),
            ("same-site", nil, "shop.example", true),
            ("", nil, "shop.example", true), (nil, nil, "shop.example", false),
            (nil, "https://shop.example", "shop.example", false),
            (nil, "https://Shop.Example:8443", "shop.example:8443", false),
            (nil, "https://evil.example", "shop.example", true),
            (nil, "https://shop.example.evil", "shop.example", true),
            (nil, "https://shop.example:444", "shop.example", true), (nil, "null", "null", true),
            (nil, "https://shop.example", nil, true),
        ] as [(String?, String?, String?, Bool)])
    func `a request of another site's page is told from others`(
        site: String?, origin: String?, host: String?, isElsewhere: Bool
    ) {
        #expect(isFromAnotherSite(fetchSite: site, origin: origin, host: host) == isElsewhere)
    }
}

@Suite struct BearerTests {
    @Test func `a token opens in its header alone, whole and once`() throws {
        let keys = try KeyRing.forTesting()
        let tokens = try TokenSealer<Guest>(purpose: "app", keys: keys, lifetime: .init(absolute: .hours(1)))
        let others = try TokenSealer<Guest>(
            purpose: "other", keys: keys, lifetime: .init(absolute: .hours(1)))
        let guest = Guest()
        let text = try tokens.seal(guest).text
        func id(_ authorization: String...) throws -> UUID? {
            try bearer(authorization, tokens, log: { _ in })?.value.id
        }
        #expect(try id("Bearer \(text)") == guest.id && id("bearer \(text)") == guest.id)
        #expect(try id() == nil && id(text) == nil && id("Basic \(text)") == nil && id("Bearer") == nil)
        #expect(try id("Bearer \(text)", "Bearer \(text)") == nil && id("Bearer  \(text)") == nil)
        #expect(try id("Bearer \(text)x") == nil && id("Bearer \(others.seal(guest).text)") == nil)
        let old = try tokens.seal(guest, at: .now - 3601).text
        #expect(try id("Bearer \(old)") == nil)
        let sessions = try CookieSealer<Guest>(keys: keys, lifetime: .init(absolute: .hours(1)))
        #expect(try id("Bearer \(sessions.seal(guest).token)") == nil)
    }
}
