// The examples of README and the guides, compiled and run. GuideTests hold the pages against them.
import Foundation
import SealedCookie
import Testing

@Suite struct ReadmeTests {
    struct Session: Codable, Sendable, Equatable {
        var userID: Int
        var roles: [String]
        var visits = 0
    }

    /// What any framework has in some form.
    final class Response {
        var headers: [(name: String, value: String)] = []
        func add(_ name: String, _ value: String) { headers.append((name, value)) }
    }

    @Test func `README's first session runs`() throws {
        let ringFile = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: ringFile) }
        try KeyRing([SealingKey.generate()]).create(at: ringFile)
        let response = Response()
        var request: [String: String] = [:]
        for round in 1...2 {
            response.headers = []
            struct Session: Codable, Sendable { var userID: Int, visits = 0 }

            let keys = try KeyRingFile(ringFile)  // such as "session.keys"; it follows the file's changes
            let sessions = try CookieSealer<Session>(keys: keys, lifetime: .init(absolute: .days(14)))
            let cookies = request["Cookie"]

            // Signing in:
            let sealed = try sessions.seal(Session(userID: 42), cookieHeader: cookies)
            for value in sealed.headerValues { response.add("Set-Cookie", value) }
            // On each request. A cookie that is no session is for the log:
            if var opened = sessions.open(cookieHeader: cookies, onRefusal: { print("no session: \($0)") }) {
                opened.session.visits += 1
                for value in try sessions.reseal(opened).headerValues { response.add("Set-Cookie", value) }
            }
            // Signing out:
            for cookie in try sessions.signOutCookies(cookieHeader: cookies) {
                response.add("Set-Cookie", "\(cookie)")
            }
            #expect(response.headers.count == round + 1)
            let last = response.headers[round - 1].value
            request["Cookie"] = last.split(separator: ";").first.map(String.init)
            if round == 2 {
                #expect(try sessions.open(cookieHeader: request["Cookie"])?.session.visits == 1)
            }
        }
    }

    @Test func `a request in and a response out: the whole of a session`() throws {
        let ringFile = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: ringFile) }
        try KeyRing([SealingKey.generate()]).create(at: ringFile)
        let response = Response()
        var request: [String: String] = [:]
        // The first request has no cookie; the second brings the one that the first was given.
        for round in 1...2 {
            response.headers = []
            let keys = try KeyRing(contentsOf: ringFile)  // such as /etc/shop/session.keys
            let sessions = try CookieSealer<Session>(
                "__Host-session", keys: keys, lifetime: .init(absolute: .days(14), idle: .hours(12)))

            // After signing in:
            let sealed = try sessions.seal(
                Session(userID: 42, roles: ["admin"]), cookieHeader: request["Cookie"])
            for value in sealed.headerValues { response.add("Set-Cookie", value) }

            // On each request. A cookie that is no session is for the log, and no error of the request.
            let found = sessions.open(cookieHeader: request["Cookie"]) { print("no session: \($0)") }
            if var opened = found {
                opened.session.visits += 1
                let again = try sessions.reseal(opened)  // keeps the session's age
                for value in again.headerValues { response.add("Set-Cookie", value) }
            }

            // Signing out:
            for cookie in try sessions.signOutCookies(cookieHeader: request["Cookie"]) {
                response.add("Set-Cookie", "\(cookie)")
            }
            #expect(response.headers.count == round + 1)
            #expect(response.headers.allSatisfy { $0.name == "Set-Cookie" })
            let last = response.headers[round - 1].value
            request["Cookie"] = last.split(separator: ";").first.map(String.init)
            #expect(response.headers.last?.value.hasPrefix("__Host-session=; Path=/; Max-Age=0;") == true)
            if round == 2 {
                #expect(try sessions.open(cookieHeader: request["Cookie"])?.session.visits == 1)
            }
        }
    }

    @Test func `"remember me" runs, ticked and not`() throws {
        let sessions = try CookieSealer<Session>(
            keys: KeyRing([SealingKey.generate()]), lifetime: .init(absolute: .days(14), idle: .hours(12)))
        func signIn(_ session: Session, isRemembered: Bool, cookies: String?) throws -> SealedSession {
            isRemembered
                ? try sessions.seal(
                    session, lifetime: .init(absolute: .days(90), idle: .days(30)), cookieHeader: cookies)
                : try sessions.seal(session, endsWithBrowser: true, cookieHeader: cookies)  // no Max-Age
        }
        let session = Session(userID: 42, roles: [])
        let ticked = try signIn(session, isRemembered: true, cookies: nil).cookies[0]
        #expect(ticked.maxAge.map { (30 * 86_400 - 60...30 * 86_400).contains($0) } == true)
        let unticked = try signIn(session, isRemembered: false, cookies: nil).cookies[0]
        #expect(unticked.maxAge == nil)
        for (cookie, isRemembered) in [(ticked, true), (unticked, false)] {
            let opened = try sessions.open(value: cookie.value)
            #expect(opened.session == session && opened.endsWithBrowser == !isRemembered)
            #expect(try sessions.reseal(opened).cookies[0].maxAge == nil || isRemembered)
            #expect(
                isRemembered
                    == ((try? sessions.open(value: cookie.value, at: .now + 20 * 86_400)) != nil))
        }
    }

    @Test func `a ring file is followed`() throws {
        let ringFile = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: ringFile) }
        try KeyRing([SealingKey.generate()]).create(at: ringFile)
        let keys = try KeyRingFile(ringFile) { event in print(event) }
        let sessions = try CookieSealer<Session>(keys: keys, lifetime: .init(absolute: .days(14)))
        #expect(sessions.keys.keys.count == 1)
    }

    @Test func `strings go in and out`() throws {
        let (keys, lifetime) = (try KeyRing([SealingKey.generate()]), SessionLifetime(absolute: .days(14)))
        var sessions = try CookieSealer<Session>(keys: keys, lifetime: lifetime)
        /// A request's Cookie headers in, the response's Set-Cookie headers out.
        func answer(_ cookies: [String], change: (inout Session) -> Void) throws -> [String] {
            let found = sessions.open(cookieHeaders: cookies) { print("no session: \($0)") }
            guard var opened = found else { return [] }
            let before = opened.session
            change(&opened.session)
            guard opened.session != before || opened.needsResealing else { return [] }
            do {
                return try sessions.reseal(opened).headerValues
            } catch {  // over since, or unchanged and as good as before
                guard error.isSessionOver || opened.session == before else { throw error }
                print("session not written: \(error)")
                return []
            }
        }
        let first = try sessions.seal(Session(userID: 42, roles: [])).cookies[0]
        func visit(_ session: inout Session) { session.visits += 1 }
        let second = try #require(
            try answer(["a=b", "\(first.name)=\(first.value)"], change: visit).first)
        let pair = String(second.prefix { $0 != ";" })
        #expect(try sessions.open(cookieHeader: pair)?.session.visits == 1)
        #expect(try answer([], change: visit) == [] && answer(["\(first.name)=x"], change: visit) == [])
        // Of a session that is over a lowered limit only a change fails, and not the request that would just write it again.
        let old = try sessions.seal(Session(userID: 42, roles: []), at: .now - 86_400 * 2).cookies[0]
        let header = ["\(old.name)=\(old.value)"]
        #expect(try answer(header, change: { _ in }).count == 1)
        sessions = try CookieSealer(keys: keys, lifetime: lifetime, itemLimit: 5)
        #expect(try sessions.open(cookieHeaders: header)?.needsResealing == true)
        #expect(try answer(header, change: { _ in }) == [])
        #expect(throws: SealError.self) { try answer(header, change: visit) }
    }

    @Test func `a sealer for plain http is made, and its sessions open`() throws {
        let sessions = try CookieSealer<Session>(
            "session", keys: .forTesting(), lifetime: .init(absolute: .days(1)), attributes: .plainHTTP)
        var request: [String: String] = [:]
        let visitor = try sessions.seal(Session(userID: 42, roles: ["admin"]))
        request["Cookie"] = visitor.cookieHeader  // what a browser would send back
        #expect(try sessions.open(cookieHeader: request["Cookie"])?.session.userID == 42)
        let line = try #require(visitor.headerValues.first)
        #expect(line.hasSuffix("; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax"))
        // With the default name it is refused when it is made, and not by the browser in silence.
        #expect(throws: SealerConfigurationError.hostPrefixNeedsSecure) {
            try CookieSealer<Session>(
                keys: .forTesting(), lifetime: .init(absolute: .days(1)), attributes: .plainHTTP)
        }
        let other = try CookieSealer<Session>(
            "session", keys: .forTesting(), lifetime: .init(absolute: .days(1)), attributes: .plainHTTP)
        #expect(throws: OpenError.unknownKey(sessions.keys.keys[0].id)) {
            try other.open(cookieHeader: request["Cookie"])
        }
    }

    @Test func `a cut-off ends one user's sessions`() throws {
        let sessions = try CookieSealer<Session>(
            keys: KeyRing([SealingKey.generate()]), lifetime: .init(absolute: .days(14)))
        struct User { var sessionsEndedAt: Date? }
        var user = User()
        var cookies: [String] = []
        /// The session in a request, unless it began before this user's were ended.
        func current() -> OpenedSession<Session>? {
            let found = sessions.open(cookieHeaders: cookies) { print("no session: \($0)") }
            guard let found, user.sessionsEndedAt.map(found.began(before:)) != true else { return nil }
            return found
        }
        // "Sign out everywhere", or a new password. The next sign-in may come within the same second:
        func signInAgain(_ session: Session) throws -> SealedSession {
            try sessions.seal(session, cutOff: user.sessionsEndedAt, cookieHeaders: cookies)
        }
        let first = try sessions.seal(Session(userID: 42, roles: []))
        cookies = [first.cookieHeader]
        #expect(current()?.session.userID == 42)
        user.sessionsEndedAt = .now
        #expect(current() == nil)
        cookies = [try signInAgain(Session(userID: 42, roles: [])).cookieHeader]
        #expect(current()?.session.userID == 42)
    }

    @Test func `sessions move to a new name`() throws {
        let keys = try KeyRing([SealingKey.generate()])
        let lifetime = SessionLifetime(absolute: .days(14))
        let before = FormerCookie("session", attributes: .init(domain: "example.com"), lifetime: lifetime)
        let after = try CookieSealer<Session>(
            "__Host-shop", keys: keys, lifetime: lifetime, formerly: [before])
        let old = try CookieSealer<Session>(
            "session", keys: keys, lifetime: lifetime, attributes: .init(domain: "example.com"),
            formerly: [FormerCookie("__Host-shop", lifetime: lifetime)])
        let began = Date.now - 3600
        let first = try old.seal(Session(userID: 42, roles: []), at: began)
        let opened = try #require(try after.open(cookieHeader: first.cookieHeader))
        #expect(opened.session.userID == 42 && opened.needsResealing)
        let moved = try after.reseal(opened)
        #expect(moved.cookies.map(\.name) == ["session", "__Host-shop"])
        #expect(moved.cookies[0].maxAge == 0 && moved.cookies[0].attributes.domain == "example.com")
        // A server that has not switched opens it too, and writes it as it was.
        let back = try old.reseal(#require(try old.open(cookieHeader: moved.cookieHeader)))
        #expect(back.cookies.map(\.name) == ["__Host-shop", "session"] && back.cookies[0].maxAge == 0)
        let again = try #require(try after.open(cookieHeader: back.cookieHeader))
        #expect(abs(again.createdAt.timeIntervalSince(began)) < 1)
    }

    @Test func `tokens for links, forms and headers run`() throws {
        let keys = try KeyRing([SealingKey.generate()])
        func parameter(_ name: String, _ url: String) -> String {
            url.components(separatedBy: "\(name)=").last ?? ""
        }
        struct PasswordReset: Codable { var user: Int }

        let resets = try TokenSealer<PasswordReset>(
            purpose: "password-reset", keys: keys, lifetime: .init(absolute: .hours(1)))
        // A link's parameter:
        let link = "https://example.com/reset?token=\(try resets.seal(PasswordReset(user: 42)).text)"
        let reset = try resets.open(parameter("token", link)).value
        // A form's hidden field:
        let field = #"<input type="hidden" name="token" value="\#(try resets.seal(reset).text)">"#
        // A header:
        let header = "Authorization: Bearer \(try resets.seal(reset).text)"
        #expect(reset.user == 42)
        #expect(try resets.open(header.dropFirst("Authorization: Bearer ".count)).value.user == 42)
        #expect(try resets.open(field.components(separatedBy: "\"")[5]).value.user == 42)
    }

    @Test func `a dictionary is brought in, on one server after the other`() throws {
        let folder = try ToolFolder()
        let dictionaryFile = folder.file("shop.dictionary")
        try Data("zookeeper-of-the-north,zebra-feeder".utf8).write(to: URL(filePath: dictionaryFile))
        let keys = try KeyRing([SealingKey.generate()])
        let own = try CompressionDictionary(Array(Data(contentsOf: URL(filePath: dictionaryFile))))
        // First on every server .dictionaries([own, .standard]), which opens what this one seals.
        let compression = SessionCompression.dictionaries([own])
        let lifetime = SessionLifetime(absolute: .days(14))
        let session = Session(userID: 42, roles: ["zookeeper-of-the-north", "zebra-feeder"])
        let before = try CookieSealer<Session>(keys: keys, lifetime: lifetime)
        let between = try CookieSealer<Session>(
            keys: keys, lifetime: lifetime, compression: .dictionaries([own, .standard]))
        let after = try CookieSealer<Session>(keys: keys, lifetime: lifetime, compression: compression)
        let (token, short) = (try between.seal(session).token, try after.seal(session).token)
        #expect(
            try short.utf8.count < token.utf8.count && token.utf8.count == before.seal(session).tokenLength)
        for sealer in [before, between, after] { #expect(try sealer.open(value: token).session == session) }
        for sealer in [between, after] { #expect(try sealer.open(value: short).session == session) }
        #expect(throws: OpenError.self) { try before.open(value: short) }
        // Neither writes what the other wrote until a tenth of the time is over.
        for (sealer, other) in [(between, after), (after, between)] {
            let began = Date.now - 86_400 * 1.5
            let old = try sealer.open(value: other.seal(session, at: began).token)
            #expect(try old.needsResealing && !sealer.open(value: other.seal(session).token).needsResealing)
        }
    }

    private struct Before: Codable, Sendable, Equatable {
        var user = 7
        var name = "x"
        var csrf = "token"
        var theme: String? = "dark"
    }

    private struct After: Codable, Sendable, Equatable {
        var user = 7
        var fullName = "x"
        var csrf = Secret("token")
        var visits: Int?

        enum CodingKeys: String, CodingKey {
            case user, csrf, visits
            case fullName = "name"
        }
    }

    private struct AfterInThePlain: Codable, Sendable, Equatable {
        var user = 7
        var fullName = "x"
        var csrf = "token"
        var visits: Int?

        typealias CodingKeys = After.CodingKeys
    }

    private struct Required: Codable, Sendable { var user, visits: Int }

    @Test func `changes of a session's type`() throws {
        let keys = try KeyRing([SealingKey.generate()])
        let lifetime = SessionLifetime(absolute: .days(14))
        let before = try CookieSealer<Before>(keys: keys, lifetime: lifetime)
        let after = try CookieSealer<After>(keys: keys, lifetime: lifetime)
        #expect(try after.open(value: before.seal(Before()).token).session == After())
        #expect(throws: OpenError.self) { try before.open(value: after.seal(After()).token) }
        let plain = try CookieSealer<AfterInThePlain>(keys: keys, lifetime: lifetime)
        #expect(try plain.open(value: before.seal(Before()).token).session == AfterInThePlain())
        #expect(try before.open(value: plain.seal(AfterInThePlain()).token).session == Before(theme: nil))
        let required = try CookieSealer<Required>(keys: keys, lifetime: lifetime)
        let token = try before.seal(Before()).token
        #expect {
            try required.open(value: token)
        } throws: {
            if case OpenError.sessionMismatch = $0 { true } else { false }
        }
    }
}
