// ChangingTheSession.md: servers of two releases, whose session types differ, side by side.
import Foundation
import SealedCookie
import Testing

@Suite struct ChangingTheSessionTests {
    let keys: KeyRing
    let lifetime = SessionLifetime(absolute: .days(14))

    init() throws { keys = try .forTesting() }

    private func sealer<Session>(_: Session.Type = Session.self) throws -> CookieSealer<Session> {
        try CookieSealer(keys: keys, lifetime: lifetime)
    }

    /// A request on one server: opens the cookie, changes the session, and seals it again.
    private func request<Session>(
        _ cookie: inout String, on server: CookieSealer<Session>, at now: Date = .now,
        change: (inout Session) -> Void = { _ in }
    ) throws {
        var opened = try #require(try server.open(cookieHeader: cookie, at: now))
        change(&opened.session)
        cookie = try server.reseal(opened, at: now).cookieHeader
    }

    // MARK: The guide's table

    private struct Old: Codable, Sendable {
        var user = 7
        var name = "x"
        var csrf = "token"
        var theme: String? = "dark"
    }
    private struct WithOptional: Codable, Sendable {
        var user = 7
        var name = "x"
        var csrf = "token"
        var theme: String? = "dark"
        var visits: Int?
    }
    private struct Mandatory: Codable, Sendable {
        var user = 7
        var visits = 0
        var name = "x"
        var csrf = "token"
        var theme: String? = "dark"
    }
    private struct WithoutOptional: Codable, Sendable {
        var user = 7
        var name = "x"
        var csrf = "token"
    }
    private struct WithoutMandatory: Codable, Sendable {
        var user = 7
        var name = "x"
        var theme: String? = "dark"
    }
    private struct Renamed: Codable, Sendable {
        var user = 7
        var fullName = "x"
        var csrf = "token"
        var theme: String? = "dark"
        enum CodingKeys: String, CodingKey {
            case user, csrf, theme
            case fullName = "name"
        }
    }
    private struct InSecret: Codable, Sendable {
        var user = 7
        var name = "x"
        var csrf = Secret("token")
        var theme: String? = "dark"
    }
    private struct OtherType: Codable, Sendable {
        var user = "7"
        var name = "x"
        var csrf = "token"
        var theme: String? = "dark"
    }

    /// Whether the new type opens old sessions, and whether old servers open new ones.
    private func compatibility<New: Codable & Sendable>(_ new: New) throws -> [Bool] {
        let (before, after) = (try sealer(Old.self), try sealer(New.self))
        func opens<Session>(_ token: String, _ server: CookieSealer<Session>) -> Bool {
            do {
                _ = try server.open(value: token)
                return true
            } catch {
                #expect(error.code == "session-mismatch")
                return false
            }
        }
        return [
            try opens(before.seal(Old()).token, after), try opens(after.seal(new).token, before),
        ]
    }

    @Test func `which changes open in which direction`() throws {
        #expect(try compatibility(WithOptional()) == [true, true])
        #expect(try compatibility(Mandatory()) == [false, true])
        #expect(try compatibility(WithoutOptional()) == [true, true])
        #expect(try compatibility(WithoutMandatory()) == [true, false])
        #expect(try compatibility(Renamed()) == [true, true])
        #expect(try compatibility(InSecret()) == [true, false])
        #expect(try compatibility(OtherType()) == [false, false])
    }

    // MARK: A new property

    private enum Release1 {
        struct Session: Codable, Equatable, Sendable {
            var userID: Int
            var visits = 0
        }
    }

    private enum Release2 {
        struct Session: Codable, Equatable, Sendable {
            var userID: Int
            var visits = 0
            var theme: String?  // new, and so optional
        }
    }

    @Test func `a new property that is optional opens both ways`() throws {
        let (old, new) = (try sealer(Release1.Session.self), try sealer(Release2.Session.self))
        let before = try old.seal(Release1.Session(userID: 42)).cookieHeader
        #expect(try new.open(cookieHeader: before)?.session == Release2.Session(userID: 42))
        let after = try new.seal(Release2.Session(userID: 42, theme: "dark")).cookieHeader
        #expect(try old.open(cookieHeader: after)?.session == Release1.Session(userID: 42))
    }

    /// The loss against which the guide's next steps are.
    @Test func `a server of before that seals again drops the new property`() throws {
        let (old, new) = (try sealer(Release1.Session.self), try sealer(Release2.Session.self))
        var cookie = try new.seal(Release2.Session(userID: 42, theme: "dark")).cookieHeader
        try request(&cookie, on: old) { $0.visits += 1 }
        #expect(try new.open(cookieHeader: cookie)?.session.theme == nil)
        // Also where the old server changes nothing, once the cookie is due.
        let sealed = try new.seal(Release2.Session(userID: 42, theme: "dark"), at: .now - 2 * 86_400)
        cookie = sealed.cookieHeader
        #expect(try old.open(cookieHeader: cookie)?.needsResealing == true)
        try request(&cookie, on: old)
        #expect(try new.open(cookieHeader: cookie)?.session.theme == nil)
    }

    @Test func `a release that has the property before any sets it keeps it`() throws {
        // Release 2 has the property and does not set it; release 3 does. Never are 1 and 3 at work together.
        let (first, second, third) = (
            try sealer(Release1.Session.self), try sealer(Release2.Session.self),
            try sealer(Release2.Session.self)
        )
        var cookie = try first.seal(Release1.Session(userID: 42)).cookieHeader
        try request(&cookie, on: second) { $0.visits += 1 }
        try request(&cookie, on: first) { $0.visits += 1 }
        try request(&cookie, on: third) { $0.theme = "dark" }
        try request(&cookie, on: second) { $0.visits += 1 }
        let session = try third.open(cookieHeader: cookie)?.session
        #expect(session == Release2.Session(userID: 42, visits: 3, theme: "dark"))
    }

    // MARK: Room for later

    private enum WithRoom {
        struct Session: Codable, Equatable, Sendable {
            var userID: Int
            var visits = 0
            /// Values of later releases. This one hands them on as they are.
            var later: [String: String] = [:]
        }
    }

    private enum WithTheme {
        struct Session: Codable, Equatable, Sendable {
            var userID: Int
            var visits = 0
            var later: [String: String] = [:]

            var theme: String? {
                get { later["theme"] }
                set { later["theme"] = newValue }
            }
        }
    }

    @Test func `a map for later values is handed on by servers of before`() throws {
        let (old, new) = (try sealer(WithRoom.Session.self), try sealer(WithTheme.Session.self))
        var cookie = try old.seal(WithRoom.Session(userID: 42)).cookieHeader
        try request(&cookie, on: new) { $0.theme = "dark" }
        try request(&cookie, on: old) { $0.visits += 1 }
        let session = try #require(try new.open(cookieHeader: cookie)?.session)
        #expect(session.theme == "dark" && session.visits == 1)
    }

    // MARK: Another shape

    private enum OneName {
        struct Session: Codable, Equatable, Sendable { var name: String }
    }

    private enum TwoNames {
        struct Session: Codable, Equatable, Sendable {
            var given: String
            var family: String

            enum CodingKeys: CodingKey { case name, given, family }

            init(given: String, family: String) { (self.given, self.family) = (given, family) }

            init(from decoder: any Decoder) throws {
                let values = try decoder.container(keyedBy: CodingKeys.self)
                if !values.contains(.given) {  // the shape of before
                    let name = try values.decode(String.self, forKey: .name)
                    let parts = name.split(separator: " ", maxSplits: 1).map(String.init)
                    (given, family) = (parts.first ?? "", parts.dropFirst().first ?? "")
                } else {
                    given = try values.decode(String.self, forKey: .given)
                    family = try values.decode(String.self, forKey: .family)
                }
            }

            func encode(to encoder: any Encoder) throws {
                var values = encoder.container(keyedBy: CodingKeys.self)
                try values.encode(given, forKey: .given)
                try values.encode(family, forKey: .family)
                // Until every server reads the new shape:
                try values.encode("\(given) \(family)", forKey: .name)
            }
        }
    }

    private enum TwoNamesSwitched {
        struct Session: Codable, Equatable, Sendable {
            var given: String
            var family: String
        }
    }

    @Test func `another shape comes in two releases: first all read both, then it is written`() throws {
        let (first, second) = (try sealer(OneName.Session.self), try sealer(TwoNames.Session.self))
        let third = try sealer(TwoNamesSwitched.Session.self)
        var cookie = try first.seal(OneName.Session(name: "Zoë Müller")).cookieHeader
        try request(&cookie, on: second) { $0.given = "Zoe" }
        // The server of before goes on reading.
        #expect(try first.open(cookieHeader: cookie)?.session.name == "Zoe Müller")
        try request(&cookie, on: second) { ($0.given, $0.family) = ("Mary Ann", "") }
        #expect(try second.open(cookieHeader: cookie)?.session == .init(given: "Mary Ann", family: ""))
        // The third release writes the new shape; it reads the old one as the second does, here by the second's type.
        cookie = try third.seal(.init(given: "Zoe", family: "Müller"), cookieHeader: cookie).cookieHeader
        try request(&cookie, on: second)
        #expect(try second.open(cookieHeader: cookie)?.session == .init(given: "Zoe", family: "Müller"))
    }

    @Test func `a shape that servers of before do not read is no session to them`() throws {
        let (first, third) = (try sealer(OneName.Session.self), try sealer(TwoNamesSwitched.Session.self))
        let after = try third.seal(.init(given: "Zoe", family: "Müller"))
        #expect {
            try first.open(cookieHeader: after.cookieHeader)
        } throws: {
            ($0 as? OpenError)?.code == "session-mismatch"
        }
    }

    // MARK: Ending the sessions of before

    @Test func `another purpose ends the sessions of before`() throws {
        let before = try sealer(OneName.Session.self)
        let sessions = try CookieSealer<TwoNamesSwitched.Session>(
            keys: keys, lifetime: lifetime, purpose: "sessions of 2027")
        let old = try before.seal(OneName.Session(name: "Zoë Müller")).cookieHeader
        #expect(throws: OpenError.notAuthentic) { try sessions.open(cookieHeader: old) }
        let new = try sessions.seal(.init(given: "Zoë", family: "Müller"), cookieHeader: old)
        #expect(try sessions.open(cookieHeader: new.cookieHeader)?.session.given == "Zoë")
    }
}
