// Recipes.md: ending one user's sessions, and one session.
import Foundation
import SealedCookie
import Testing

@Suite struct EndingSessionsTests {
    struct Session: Codable, Equatable, Sendable {
        var userID: Int
        /// Made at sign-in, and kept when the session is sealed again.
        var id = UUID()
    }

    struct User {
        /// When this user's sessions were last ended; nil: never.
        var sessionsEndedAt: Date?
    }

    /// Sessions that were ended one by one. In an application: a table that all servers share.
    struct EndedSessions {
        private(set) var ends: [UUID: Date] = [:]

        mutating func add(_ id: UUID, until end: Date, at now: Date = .now) {
            ends = ends.filter { $0.value > now }  // those whose cookies have expired
            ends[id] = end
        }
        func contains(_ id: UUID) -> Bool { ends[id] != nil }
    }

    let sessions: CookieSealer<Session>
    var users: [Int: User] = [42: User(), 43: User()]
    var ended = EndedSessions()
    /// The tests' clock.
    var now = Date(timeIntervalSince1970: 1_800_000_000.2)

    init() throws {
        sessions = try CookieSealer(
            keys: .forTesting(), lifetime: .init(absolute: .days(14), idle: .hours(12)))
    }

    func signIn(_ session: Session, cookies: [String] = []) throws -> SealedSession {
        try sessions.seal(
            session, cutOff: users[session.userID]?.sessionsEndedAt, cookieHeaders: cookies, at: now)
    }

    /// The session of a request; nil: none, or one that was ended.
    func current(_ cookies: [String]) throws -> OpenedSession<Session>? {
        guard let opened = try sessions.open(cookieHeaders: cookies, at: now),
            let user = users[opened.session.userID]
        else { return nil }
        if let endedAt = user.sessionsEndedAt, opened.began(before: endedAt) { return nil }
        if ended.contains(opened.session.id) { return nil }
        return opened
    }

    /// When the last copy of a session ends, however often it is sealed again.
    func lastEnd(of opened: OpenedSession<Session>) -> Date {
        let absolute = (opened.lifetime ?? sessions.lifetime).absolute
        let seconds = min(absolute, sessions.lifetime.ceiling).seconds
        return opened.createdAt + Double(seconds) + 60  // servers' clocks differ
    }

    @Test mutating func `one user's sessions are ended, and those of others are not`() throws {
        let (first, second) = (try signIn(Session(userID: 42)), try signIn(Session(userID: 42)))
        let other = try signIn(Session(userID: 43))
        now += 0.3
        #expect(try current([first.cookieHeader]) != nil && current([second.cookieHeader]) != nil)
        users[42]?.sessionsEndedAt = now
        #expect(try current([first.cookieHeader]) == nil && current([second.cookieHeader]) == nil)
        #expect(try current([other.cookieHeader])?.session.userID == 43)
        // Sealed again, by a request that was under way, it is as old as before.
        let again = try sessions.reseal(sessions.open(value: first.token, at: now), at: now)
        #expect(try current([again.cookieHeader]) == nil)
    }

    @Test mutating func `a sign-in within the same second holds`() throws {
        let first = try signIn(Session(userID: 42))
        now += 0.3
        users[42]?.sessionsEndedAt = now
        now += 0.3
        let second = try signIn(Session(userID: 42))
        #expect(try current([first.cookieHeader]) == nil)
        #expect(try current([second.cookieHeader]) != nil)
    }

    @Test mutating func `one session is ended with all its copies, and the user's others are not`() throws {
        let (first, second) = (try signIn(Session(userID: 42)), try signIn(Session(userID: 42)))
        let stolen = first.cookieHeader
        now += 3600
        let opened = try #require(try current([first.cookieHeader]))
        let again = try sessions.reseal(opened, at: now).cookieHeader
        ended.add(opened.session.id, until: lastEnd(of: opened), at: now)
        #expect(try current([again]) == nil && current([stolen]) == nil)
        #expect(try current([second.cookieHeader]) != nil)
    }

    @Test(arguments: [nil, SessionLifetime(absolute: .days(90)), SessionLifetime(absolute: .days(500))])
    mutating func `an ended session stays in the list until no copy opens, and no longer`(
        own: SessionLifetime?
    ) throws {
        let begun = now
        let first = try sessions.seal(Session(userID: 42), lifetime: own, at: now)
        let opened = try #require(try current([first.cookieHeader]))
        let end = lastEnd(of: opened)
        // A thief has it sealed again every six hours, on a server that does not know the list yet.
        var copy = opened
        while let again = try? sessions.reseal(copy, at: now) {
            copy = try sessions.open(value: again.token, at: now)
            now += 6 * 3600
        }
        #expect(copy.expiresAt <= end - 60 && copy.expiresAt > end - 63)
        #expect(end - begun.timeIntervalSince1970 < Date(timeIntervalSince1970: 400 * 86_400 + 61))
        ended.add(opened.session.id, until: end, at: begun)
        ended.add(UUID(), until: .distantFuture, at: end - 1)
        #expect(ended.contains(opened.session.id))
        ended.add(UUID(), until: .distantFuture, at: end)
        #expect(!ended.contains(opened.session.id) && ended.ends.count == 2)
    }
}
