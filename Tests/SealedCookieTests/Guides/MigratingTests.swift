// Migrating.md: from sessions on the server, and from another library's cookie, without signing anybody out.
import Foundation
import SealedCookie
import Testing

/// Sessions of before go on in this library's cookie.
struct Migration<Session: Codable & Sendable> {
    let sessions: CookieSealer<Session>
    /// The session in the old cookie; nil: none, or none that is good.
    let read: (_ cookies: [String]) -> Session?
    /// Called once the session is in the new cookie's lines: ends what the server keeps of the old one.
    var moved: (_ cookies: [String]) -> Void = { _ in }
    /// The `Set-Cookie` lines that remove the old cookie: its name, `Path` and `Domain` as it was set.
    let removal: [String]
    /// False until every server runs this code: the old cookie is read, and stays.
    let isSwitched: Bool

    /// The session of a request, and the `Set-Cookie` lines for its response.
    func open(_ cookies: [String], at now: Date = .now) throws -> (session: Session?, lines: [String]) {
        do {
            if let opened = try sessions.open(cookieHeaders: cookies, at: now) { return (opened.session, []) }
        } catch {
            guard !error.isLibraryFailure else { throw error }  // answer 503
            // Not the old cookie either: it would bring back a session that is over or signed out.
            return (nil, [])
        }
        guard let session = read(cookies) else { return (nil, []) }
        guard isSwitched else { return (session, []) }
        let sealed = try sessions.seal(session, cookieHeaders: cookies, at: now)
        moved(cookies)
        return (session, sealed.headerValues + removal)
    }

    /// The `Set-Cookie` lines of a sign-in. `old` begins a session in the old cookie, as before.
    func signIn(_ session: Session, _ cookies: [String], at now: Date = .now, old: () -> [String]) throws
        -> [String]
    {
        guard isSwitched else {
            // Else the new cookie of the session before, which comes first, would go on.
            return old() + sessions.removalCookies(cookieHeaders: cookies).map(\.description)
        }
        return try sessions.seal(session, cookieHeaders: cookies, at: now).headerValues + removal
    }

    /// The `Set-Cookie` lines of a sign-out, which both cookies need.
    func signOut(_ cookies: [String], at now: Date = .now) throws -> [String] {
        try sessions.signOutCookies(cookieHeaders: cookies, at: now).map(\.description) + removal
    }
}

struct MigratedSession: Codable, Equatable, Sendable { var userID: Int }

/// Sessions that a server keeps.
final class SessionStore {
    struct Record {
        var userID: Int
        var endsAt: Date
    }
    var records: [String: Record] = [:]
}

@Suite struct MigratingFromTheServerTests {
    let sessions: CookieSealer<MigratedSession>
    let store = SessionStore()
    let start = Date(timeIntervalSince1970: 1_800_000_000)

    init() throws {
        sessions = try CookieSealer(keys: .forTesting(), lifetime: .init(absolute: .days(14)))
        store.records["c0ffee"] = .init(userID: 42, endsAt: start + 3600)
    }

    func migration(isSwitched: Bool = true, at now: Date) -> Migration<MigratedSession> {
        Migration(
            sessions: sessions,
            read: { cookies in
                guard let id = cookie("sid", in: cookies), let record = store.records[id], record.endsAt > now
                else { return nil }
                return MigratedSession(userID: record.userID)
            },
            moved: { cookies in
                guard let id = cookie("sid", in: cookies), let record = store.records[id] else { return }
                // A minute more, for what the browser has asked for with the old cookie meanwhile.
                store.records[id]?.endsAt = min(record.endsAt, now + 60)
            },
            removal: ["sid=; Path=/; Max-Age=0; HttpOnly"], isSwitched: isSwitched)
    }

    /// A server of before, which knows the old cookie alone.
    private func before(_ cookies: [String], at now: Date) -> MigratedSession? {
        cookie("sid", in: cookies).flatMap { store.records[$0] }.flatMap {
            $0.endsAt > now ? MigratedSession(userID: $0.userID) : nil
        }
    }

    @Test func `a session goes on in the new cookie, and its record ends`() throws {
        var browser = TestBrowser()
        browser.take(["sid=c0ffee; Path=/; HttpOnly"])
        let old = browser.cookies
        let first = try migration(at: start).open(old, at: start)
        browser.take(first.lines)
        #expect(first.session?.userID == 42 && Array(browser.jar.keys) == ["__Host-session"])
        #expect(try migration(at: start).open(browser.cookies, at: start).session?.userID == 42)
        #expect(try migration(at: start).open(browser.cookies, at: start).lines == [])
        // Beside the first request there was another.
        #expect(try migration(at: start + 59).open(old, at: start + 59).session?.userID == 42)
        #expect(try migration(at: start + 60).open(old, at: start + 60).session == nil)
        #expect(
            try migration(at: start + 86_400).open(browser.cookies, at: start + 86_400).session?.userID == 42)
    }

    @Test func `an old cookie that is not good begins no session`() throws {
        let migration = migration(at: start + 3600)
        for cookies in [[], ["sid=c0ffee"], ["sid=unknown"], ["sid="]] {
            let answer = try migration.open(cookies, at: start + 3600)
            #expect(answer.session == nil && answer.lines == [])
        }
    }

    @Test func `a new cookie that is over or signed out does not bring the old session back`() throws {
        let lifetime = SessionLifetime(absolute: .seconds(5))
        let over = try sessions.seal(MigratedSession(userID: 7), lifetime: lifetime, at: start - 60)
        let cookies = ["sid=c0ffee; \(over.cookieHeader)"]
        let answer = try migration(at: start).open(cookies, at: start)
        #expect(answer.session == nil && answer.lines == [])
        let both = ["\(over.cookieHeader); \(over.cookieHeader)x"]
        let signedOut = try #require(try sessions.signOutCookies(cookieHeaders: both, at: start).first)
        let left = ["sid=c0ffee; \(signedOut.name)=\(signedOut.value)"]
        #expect(try migration(at: start).open(left, at: start).session == nil)
    }

    @Test func `signing out removes both cookies`() throws {
        for isSwitched in [false, true] {
            var browser = TestBrowser()
            browser.take(["sid=c0ffee; Path=/; HttpOnly"])
            browser.take(try sessions.seal(MigratedSession(userID: 42), at: start).headerValues)
            let migration = migration(isSwitched: isSwitched, at: start)
            browser.take(try migration.signOut(browser.cookies, at: start))
            #expect(browser.jar == [:])
            #expect(try migration.open(browser.cookies, at: start).session == nil)
        }
    }

    @Test func `who signs in is the same visitor to all servers`() throws {
        for isSwitched in [false, true] {
            // Signed in as another by both kinds of servers before.
            var browser = TestBrowser()
            browser.take(["sid=c0ffee; Path=/; HttpOnly"])
            browser.take(try sessions.seal(MigratedSession(userID: 42), at: start).headerValues)
            let lines = try migration(isSwitched: isSwitched, at: start).signIn(
                MigratedSession(userID: 43), browser.cookies, at: start
            ) {
                store.records["beef"] = .init(userID: 43, endsAt: start + 3600)
                return ["sid=beef; Path=/; HttpOnly"]
            }
            browser.take(lines)
            #expect(browser.jar.count == 1)
            for other in [false, true] {
                let answer = try migration(isSwitched: other, at: start).open(browser.cookies, at: start)
                #expect(answer.session?.userID == 43)
            }
        }
    }

    @Test func `nobody is signed out while servers of two kinds answer`() throws {
        var browser = TestBrowser()
        browser.take(["sid=c0ffee; Path=/; HttpOnly"])
        // First beside servers of before: none writes the new cookie.
        for second in 0..<10 {
            let now = start + Double(second)
            #expect(before(browser.cookies, at: now)?.userID == 42)
            let answer = try migration(isSwitched: false, at: now).open(browser.cookies, at: now)
            #expect(answer.session?.userID == 42 && answer.lines == [])
        }
        // Then beside servers that read both.
        for second in 10..<90 {
            let now = start + Double(second)
            let answer = try migration(isSwitched: second % 2 == 0, at: now).open(browser.cookies, at: now)
            #expect(answer.session?.userID == 42, "\(second)")
            browser.take(answer.lines)
        }
        #expect(Array(browser.jar.keys) == ["__Host-session"])
        // A server of before would have found nobody.
        #expect(before(browser.cookies, at: start + 90) == nil)
    }
}

/// In the place of another library: `user=42`, a dot, and an HMAC-like tag. What its own function for opening does is its affair.
private enum OtherLibrary {
    static func seal(_ text: String) -> String { "\(text).\(tag(text))" }
    static func open(_ value: String) -> String? {
        guard let dot = value.lastIndex(of: "."),
            tag(String(value[..<dot])) == value[value.index(after: dot)...]
        else { return nil }
        return String(value[..<dot])
    }
    private static func tag(_ text: String) -> String {
        var sum: UInt64 = 0x5EED
        for byte in text.utf8 { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return String(sum, radix: 16)
    }
}

@Suite struct MigratingFromAnotherLibraryTests {
    let migration: Migration<MigratedSession>

    init() throws {
        migration = Migration(
            sessions: try CookieSealer(keys: .forTesting(), lifetime: .init(absolute: .days(14))),
            read: { cookies in
                cookie("session", in: cookies).flatMap(OtherLibrary.open).flatMap { Int($0) }
                    .map(MigratedSession.init)
            },
            removal: ["session=; Path=/; Domain=example.com; Max-Age=0; Secure; HttpOnly"],
            isSwitched: true)
    }

    @Test func `another library's cookie opens once, and goes on in the new one`() throws {
        var browser = TestBrowser()
        browser.take(["session=\(OtherLibrary.seal("42")); Path=/; Domain=example.com; Secure; HttpOnly"])
        let first = try migration.open(browser.cookies)
        #expect(first.session?.userID == 42)
        browser.take(first.lines)
        #expect(Array(browser.jar.keys) == ["__Host-session"])
        let second = try migration.open(browser.cookies)
        #expect(second.session?.userID == 42 && second.lines == [])
        browser.take(try migration.signOut(browser.cookies))
        #expect(browser.jar == [:])
        #expect(try migration.open(browser.cookies).session == nil)
    }

    @Test func `another library's cookie that was changed is no session`() throws {
        let good = OtherLibrary.seal("42")
        let answer = try migration.open(["session=\(good.replacing("42", with: "43"))"])
        #expect(answer.session == nil && answer.lines == [])
    }
}
