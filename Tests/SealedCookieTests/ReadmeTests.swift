// README's example, compiled and run; and README held against it.
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

    @Test func `README's example runs`() throws {
        let ringFile = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: ringFile) }
        try KeyRing([SealingKey.generate()]).create(at: ringFile)
        let response = Response()
        var request: [String: String] = [:]
        // The first request has no cookie; the second brings the one that the first was given.
        for round in 1...2 {
            response.headers = []
            // README begins
            let keys = try KeyRing(contentsOf: ringFile)  // such as /etc/shop/session.keys
            let sessions = try CookieSealer<Session>(
                "__Host-session", keys: keys, lifetime: .init(absolute: .days(14), idle: .hours(12)))

            // After signing in:
            let sealed = try sessions.seal(Session(userID: 42, roles: ["admin"]))
            for value in sealed.headerValues { response.add("Set-Cookie", value) }

            // On each request; nil: there is no such cookie.
            if var opened = try sessions.open(cookieHeader: request["Cookie"]) {
                opened.session.visits += 1
                let again = try sessions.reseal(opened)  // keeps the session's age
                for value in again.headerValues { response.add("Set-Cookie", value) }
            }

            // Signing out:
            for value in sessions.removal() { response.add("Set-Cookie", "\(value)") }
            // README ends
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

    @Test func `README's ring file is followed`() throws {
        let ringFile = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: ringFile) }
        try KeyRing([SealingKey.generate()]).create(at: ringFile)
        // README begins
        let keys = try KeyRingFile(ringFile) { event in print(event) }
        // README ends
        let sessions = try CookieSealer<Session>(keys: keys, lifetime: .init(absolute: .days(14)))
        #expect(sessions.keys.keys.count == 1)
    }

    @Test func `README's strings go in and out`() throws {
        let sessions = try CookieSealer<Session>(
            keys: KeyRing([SealingKey.generate()]), lifetime: .init(absolute: .days(14)))
        // README begins
        /// A request's Cookie headers in, the response's Set-Cookie headers out.
        func answer(_ cookies: [String]) throws -> [String] {
            do {
                guard var opened = try sessions.open(cookieHeaders: cookies) else { return [] }
                opened.session.visits += 1
                return try sessions.reseal(opened).headerValues
            } catch let error as OpenError {
                print("no session: \(error)")  // to the visitor it is the same as no cookie
                return []
            } catch let error as SealError where error.isSessionOver {
                return []  // over since this request came in
            }
        }
        // README ends
        let first = try sessions.seal(Session(userID: 42, roles: [])).cookies[0]
        let second = try #require(try answer(["a=b", "\(first.name)=\(first.value)"]).first)
        let pair = String(second.prefix { $0 != ";" })
        #expect(try sessions.open(cookieHeader: pair)?.session.visits == 1)
        #expect(try answer([]) == [] && answer(["\(first.name)=x"]) == [])
    }

    @Test func `README's sessions move to a new name`() throws {
        let keys = try KeyRing([SealingKey.generate()])
        let sessions = try CookieSealer<Session>(keys: keys, lifetime: .init(absolute: .days(14)))
        let former = try CookieSealer<Session>("old", keys: keys, lifetime: .init(absolute: .days(14)))
        // README begins
        /// Sessions of the cookie's old name go on under the new one, with their age.
        func session(_ cookies: [String]) throws -> (Session?, setCookie: [String]) {
            if let opened = try sessions.open(cookieHeaders: cookies) { return (opened.session, []) }
            guard let old = try former.open(cookieHeaders: cookies) else { return (nil, []) }
            let removal = former.removal(cookieHeaders: cookies).map { "\($0)" }
            return (old.session, try sessions.adopt(old).headerValues + removal)
        }
        // README ends
        let began = Date.now - 3600
        let old = try former.seal(Session(userID: 42, roles: []), at: began).token
        let (found, lines) = try session(["old=\(old); old.1=x"])
        #expect(found?.userID == 42 && lines.count == 3)
        #expect(lines[1].hasPrefix("old=; ") && lines[2].hasPrefix("old.1=; "))
        let pair = String(lines[0].prefix { $0 != ";" })
        let opened = try #require(try sessions.open(cookieHeader: pair))
        #expect(abs(opened.createdAt.timeIntervalSince(began)) < 1)
        let (again, none) = try session([pair, "old=\(old)"])
        #expect(again?.userID == 42 && none.isEmpty)
    }

    @Test func `README's dictionary is brought in, on one server after the other`() throws {
        let folder = try ToolFolder()
        let dictionaryFile = folder.file("shop.dictionary")
        try Data("zookeeper-of-the-north,zebra-feeder".utf8).write(to: URL(filePath: dictionaryFile))
        let keys = try KeyRing([SealingKey.generate()])
        // README begins
        let own = try CompressionDictionary(Array(Data(contentsOf: URL(filePath: dictionaryFile))))
        // First on every server .dictionaries([own, .standard]), which opens what this one seals.
        let compression = SessionCompression.dictionaries([own])
        // README ends
        let lifetime = SessionLifetime(absolute: .days(14))
        let session = Session(userID: 42, roles: ["zookeeper-of-the-north", "zebra-feeder"])
        let before = try CookieSealer<Session>(keys: keys, lifetime: lifetime)
        let between = try CookieSealer<Session>(
            keys: keys, lifetime: lifetime, compression: .dictionaries([own, .standard]))
        let after = try CookieSealer<Session>(keys: keys, lifetime: lifetime, compression: compression)
        let (token, short) = (try between.seal(session).token, try after.seal(session).token)
        #expect(
            try short.utf8.count < token.utf8.count && token.utf8.count == before.seal(session).tokenBytes)
        for sealer in [before, between, after] { #expect(try sealer.open(value: token).session == session) }
        for sealer in [between, after] { #expect(try sealer.open(value: short).session == session) }
        #expect(throws: OpenError.self) { try before.open(value: short) }
        #expect(try between.open(value: short).needsResealing && after.open(value: token).needsResealing)
        #expect(try !between.open(value: token).needsResealing && !after.open(value: short).needsResealing)
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

    @Test func `README's changes of a session's type`() throws {
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

    /// Those of Hummingbird and Vapor apart: the one runs in Examples/hummingbird-login, the other nowhere.
    @Test func `README shows what runs`() throws {
        let readme = try String(contentsOf: packageFolder.appending(path: "README.md"), encoding: .utf8)
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let all = readme.matches(of: /```swift\n((?:.*\n)*?)```/).map { String($0.1) }
        let shown = all.filter {
            !$0.contains("Context: SessionContext") && !$0.contains(": AsyncMiddleware")
        }
        #expect(shown.count == 5 && all.count == 7)
        let run = source.matches(of: /\/\/ README begins\n((?:.*\n)*?) *\/\/ README ends/).map { match in
            let lines = match.1.split(separator: "\n", omittingEmptySubsequences: false)
            let indentation = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
            return lines.map { String($0.dropFirst(indentation)) }.joined(separator: "\n")
        }
        #expect(shown == run)
    }
}
