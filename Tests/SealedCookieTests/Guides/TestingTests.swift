// Testing.md: an application's tests, and development on plain http.
import Foundation
import SealedCookie
import Synchronization
import Testing

/// The application under test: it counts a visitor's visits, and has a page for those who are signed in.
private struct Shop {
    struct Session: Codable, Equatable, Sendable {
        var userID: Int?
        var visits = 0
    }

    let sessions: CookieSealer<Session>
    /// The time by which sessions are sealed and opened. Tests bring their own.
    var now: @Sendable () -> Date = { .now }

    func visit(_ cookies: [String]) throws -> (text: String, lines: [String]) {
        let now = now()
        var found: OpenedSession<Session>?
        do {
            found = try sessions.open(cookieHeaders: cookies, at: now)
        } catch {
            if error.isLibraryFailure { throw error }  // The cookie may be good: write none over it.
            print("no session: \(error)")
        }
        guard var opened = found else {
            let sealed = try sessions.seal(Session(visits: 1), cookieHeaders: cookies, at: now)
            return ("Visit 1", sealed.headerValues)
        }
        opened.session.visits += 1
        return ("Visit \(opened.session.visits)", try sessions.reseal(opened, at: now).headerValues)
    }

    func orders(_ cookies: [String]) throws -> String {
        let opened = sessions.open(
            cookieHeaders: cookies, at: now(), onRefusal: { print("no session: \($0)") })
        return opened?.session.userID.map { "The orders of \($0)" } ?? "401 Unauthorized"
    }
}

@Suite struct TestingAnApplicationTests {
    private typealias Session = Shop.Session
    private static let lifetime = SessionLifetime(absolute: .days(14), idle: .hours(12))

    @Test func `a client is signed in in one line`() throws {
        let shop = Shop(sessions: try CookieSealer(keys: .forTesting(), lifetime: Self.lifetime))
        let signedIn = try shop.sessions.seal(Session(userID: 42)).cookieHeader
        #expect(try shop.orders([signedIn]) == "The orders of 42")
        #expect(try shop.orders([]) == "401 Unauthorized")
    }

    @Test func `what a page wrote is read back`() throws {
        let shop = Shop(sessions: try CookieSealer(keys: .forTesting(), lifetime: Self.lifetime))
        let signedIn = try shop.sessions.seal(Session(userID: 42)).cookieHeader
        let answer = try shop.visit([signedIn])
        // A Set-Cookie line up to the first ";" is what a browser sends back.
        let cookie = try #require(answer.lines.first).prefix { $0 != ";" }
        let session = try shop.sessions.open(cookieHeader: String(cookie))?.session
        #expect(session == Session(userID: 42, visits: 1))
    }

    /// A clock that stands still until a test moves it.
    final class TestClock: Sendable {
        private let time = Mutex(Date(timeIntervalSince1970: 1_800_000_000))
        var now: Date { time.withLock { $0 } }
        func advance(hours: Double) { time.withLock { $0 += hours * 3600 } }
    }

    @Test func `time passes without waiting`() throws {
        let clock = TestClock()
        let shop = Shop(
            sessions: try CookieSealer(
                keys: .forTesting(), lifetime: .init(absolute: .days(14), idle: .hours(12))),
            now: { clock.now })
        var browser = TestBrowser()
        for (hours, text) in [(0, "Visit 1"), (11, "Visit 2"), (11, "Visit 3"), (12, "Visit 1")] {
            clock.advance(hours: Double(hours))
            let answer = try shop.visit(browser.cookies)
            browser.take(answer.lines)
            #expect(answer.text == text)
        }
    }

    @Test func `a rotation is tested with a ring in memory`() throws {
        let ring = try SharedKeyRing(KeyRing.forTesting())
        let shop = Shop(sessions: try CookieSealer(keys: ring, lifetime: Self.lifetime))
        let signedIn = try shop.sessions.seal(Session(userID: 42)).cookieHeader
        let rotated = try shop.sessions.keys.rotated(activeFrom: .now - 60)
        try ring.replace(with: rotated.ring)
        #expect(try shop.orders([signedIn]) == "The orders of 42")
        let opened = try #require(try shop.sessions.open(cookieHeader: signedIn))
        #expect(opened.needsResealing && opened.keyID != rotated.added.id)
        #expect(try shop.sessions.open(value: shop.sessions.reseal(opened).token).keyID == rotated.added.id)
        try ring.replace(with: rotated.ring.revoking(opened.keyID))
        #expect(try shop.orders([signedIn]) == "401 Unauthorized")
    }
}

@Suite struct DevelopmentTests {
    private typealias Session = Shop.Session

    /// For https; while developing, for plain http too, with any browser or client.
    private func sealer(keys: some KeyRingSource, isDevelopment: Bool) throws -> CookieSealer<Session> {
        try CookieSealer(
            isDevelopment ? "session" : "__Host-session", keys: keys, lifetime: .init(absolute: .days(14)),
            attributes: isDevelopment ? .plainHTTP : .init())
    }

    /// Three visits by a client that drops `Secure` cookies on plain http, as Safari does for http://localhost.
    private func visits(isDevelopment: Bool) throws -> [String] {
        let shop = Shop(sessions: try sealer(keys: .forTesting(), isDevelopment: isDevelopment))
        var browser = TestBrowser(isOnPlainHTTP: true)
        return try (0..<3).map { _ in
            let answer = try shop.visit(browser.cookies)
            browser.take(answer.lines)
            return answer.text
        }
    }

    @Test func `on plain http a client that drops Secure cookies keeps its session in development alone`()
        throws
    {
        #expect(try visits(isDevelopment: true) == ["Visit 1", "Visit 2", "Visit 3"])
        #expect(try visits(isDevelopment: false) == ["Visit 1", "Visit 1", "Visit 1"])
    }

    @Test func `a cookie of development is none in production, on the same ring too`() throws {
        let ring = try KeyRing.forTesting()
        let (development, production) = (
            try sealer(keys: ring, isDevelopment: true), try sealer(keys: ring, isDevelopment: false)
        )
        let sealed = try development.seal(Session(userID: 42))
        let line = try #require(sealed.headerValues.first)
        #expect(line.hasPrefix("session=") && !line.contains("Secure") && line.contains("HttpOnly"))
        #expect(try production.open(cookieHeader: sealed.cookieHeader) == nil)
        #expect(throws: OpenError.notAuthentic) {
            try production.open(cookieHeader: "__Host-\(sealed.cookieHeader)")
        }
        let https = try #require(try production.seal(Session(userID: 42)).headerValues.first)
        #expect(https.hasPrefix("__Host-session=") && https.contains("; Secure"))
    }
}
