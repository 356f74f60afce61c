// The shop in this process: what a browser sees, and what the middleware does and leaves alone.
import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import SealedCookie
import Synchronization
import Testing

@testable import hummingbird_login

/// A browser's cookies, and the token in the last form it saw.
final class Browser {
    let client: any TestClientProtocol
    var cookies: [String: String] = [:]
    var csrf = ""

    init(_ client: any TestClientProtocol) { self.client = client }

    var header: String {
        cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
    }

    func get(_ path: String) async throws -> TestResponse { try await send(path, .get, nil) }

    func post(_ path: String, _ fields: [String: String] = [:]) async throws -> TestResponse {
        let unreserved = CharacterSet.alphanumerics
        let body = fields.merging(["csrf": csrf]) { ours, _ in ours }
            .map { "\($0.key)=\($0.value.addingPercentEncoding(withAllowedCharacters: unreserved) ?? "")" }
        return try await send(path, .post, body.joined(separator: "&"))
    }

    private func send(_ path: String, _ method: HTTPRequest.Method, _ body: String?) async throws
        -> TestResponse
    {
        var headers: HTTPFields = body == nil ? [:] : [.contentType: "application/x-www-form-urlencoded"]
        if !cookies.isEmpty { headers[.cookie] = header }
        let response = try await client.execute(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
        for line in response.headers[values: .setCookie] {
            let pair = line.prefix { $0 != ";" }.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            cookies[String(pair[0])] = line.contains("Max-Age=0;") ? nil : String(pair[1])
        }
        if let token = response.text.firstMatch(of: /name="csrf" value="([0-9a-f]+)"/) {
            csrf = String(token.1)
        }
        return response
    }

    func signIn(_ name: String) async throws {
        _ = try await get("/sign-in")
        #expect(try await post("/sign-in", ["name": name]).status == .seeOther)
        _ = try await get("/")
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }
}

/// Remembers what is logged.
final class Log: Sendable {
    private let lines = Mutex<[String]>([])
    var text: [String] { lines.withLock { $0 } }
    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    struct Handler: LogHandler {
        let log: Log
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let words = (event.metadata ?? [:]).map { "\($0.key): \($0.value)" }.joined(separator: ", ")
            log.lines.withLock { $0.append("\(event.message) \(words)") }
        }
    }
}

/// The shop on a ring of its own.
func withShop(
    _ environment: [String: String] = [:],
    _ body:
        @escaping @Sendable (any TestClientProtocol, _ ring: String, KeyRingFile, Log) async throws -> Void
) async throws {
    let ring = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: ring) }
    let log = Log()
    let settings = try Settings(
        .init(values: environment.merging(["SESSION_KEYS": ring]) { ours, _ in ours }))
    let keys = try settings.keys(log.logger)
    let app = Application(router: try App.router(settings, keys), logger: log.logger)
    try await app.test(.router) { client in try await body(client, ring, keys, log) }
}

struct Visits: Codable, Equatable, Sendable {
    var count: Int
}

struct VisitsContext: SessionContext {
    var coreContext: CoreRequestContextStorage
    let session = RequestSession<Visits>()
    init(source: Source) { coreContext = .init(source: source) }
}

/// Routes of one's own behind the middleware.
func withSessions(
    _ routes: (Router<VisitsContext>) -> Void,
    body:
        @escaping @Sendable (any TestClientProtocol, CookieSealer<Visits>, Log) async throws -> Void
) async throws {
    let sealer = try CookieSealer<Visits>(
        keys: KeyRing([SealingKey.generate()]), lifetime: .init(absolute: .days(1)))
    let router = Router(context: VisitsContext.self)
    router.add(middleware: SessionMiddleware(sealer: sealer))
    routes(router)
    let log = Log()
    try await Application(router: router, logger: log.logger).test(.router) { client in
        try await body(client, sealer, log)
    }
}

@Suite struct ShopTests {
    @Test func `A visitor fills a cart, signs in with it and signs out`() async throws {
        try await withShop { client, _, _, _ in
            let browser = Browser(client)
            _ = try await browser.get("/")
            #expect(
                try await browser.post("/cart/add", ["product": "1", "engraving": "<Ada> & co"]).status
                    == .seeOther)
            let planted = browser.csrf
            try await browser.signIn("Grace \"H\"")
            #expect(browser.csrf != planted)
            let cart = try await browser.get("/cart").text
            #expect(
                cart.contains("&lt;Ada&gt; &amp; co") && cart.contains("Grace &quot;H&quot;")
                    && cart.contains("€22"))
            #expect(try await browser.get("/profile").text.contains("XAES-256-GCM"))
            #expect(try await browser.post("/sign-out").status == .seeOther)
            #expect(browser.cookies.isEmpty)
            #expect(try await browser.get("/profile").headers[.location] == "/sign-in")
        }
    }

    @Test func `Who ticks "remember me" stays for 30 days, who does not until the browser closes`()
        async throws
    {
        try await withShop { client, _, _, _ in
            for isTicked in [true, false] {
                let browser = Browser(client)
                _ = try await browser.get("/sign-in")
                var fields = ["name": "Ada"]
                if isTicked { fields["remember"] = "yes" }
                let signedIn = try await browser.post("/sign-in", fields)
                _ = try await browser.get("/")
                // It stays so when the session is sealed again.
                let changed = try await browser.post("/cart/add", ["product": "1", "engraving": "Ada"])
                for line in [signedIn, changed].flatMap({ $0.headers[values: .setCookie] })
                where !line.contains("Max-Age=0;") {
                    let maxAge = line.firstMatch(of: /Max-Age=(\d+);/).flatMap { Int($0.1) }
                    if isTicked {
                        let days30 = 30 * 86_400
                        #expect((days30 - 60...days30 + 1).contains(maxAge ?? 0), "\(line)")
                    } else {
                        #expect(maxAge == nil, "\(line)")
                    }
                }
                #expect(signedIn.status == .seeOther && changed.status == .seeOther)
                #expect(try await browser.get("/cart").text.contains("Ada"))
            }
        }
    }

    @Test func `A cart is split over cookies, shrinks again, and is full at last`() async throws {
        try await withShop { client, _, _, _ in
            let browser = Browser(client)
            try await browser.signIn("Ada")
            func random() -> String {
                (0..<300).map { _ in String("abcdefghijklmnopqrstuvwxyz0123456789".randomElement()!) }
                    .joined()
            }
            var lines = 0
            while try await browser.post("/cart/add", ["product": "0", "engraving": random()]).status
                == .seeOther
            {
                lines += 1
                try #require(lines < 200)
            }
            #expect(browser.cookies.count == 4)
            let refused = try await browser.post("/cart/add", ["product": "0", "engraving": random()])
            #expect(refused.status == .contentTooLarge && refused.headers[values: .setCookie].isEmpty)
            let full = try await browser.get("/cart").text
            #expect(full.split(separator: "aria-label=\"Remove").count == lines + 1)
            #expect(try await browser.get("/profile").text.contains("<code>__Host-session.3</code>"))
            for match in full.matches(of: /name="engraving" value="(\w+)"/).dropFirst() {
                _ = try await browser.post(
                    "/cart/remove", ["product": "0", "engraving": String(match.output.1)])
            }
            #expect(browser.cookies.count == 1)
            #expect(try await browser.get("/cart").text.split(separator: "aria-label=\"Remove").count == 2)
        }
    }

    @Test(arguments: ["/cart/add", "/cart/remove", "/sign-in", "/sign-out", "/sign-out-everywhere"])
    func `A form without the session's token does nothing`(path: String) async throws {
        try await withShop { client, _, keys, _ in
            let browser = Browser(client)
            try await browser.signIn("Ada")
            let fields = ["product": "0", "engraving": "", "name": "Eve"]
            let before = browser.cookies
            for wrong in [
                String(repeating: "0", count: 32), "", String(browser.csrf.dropLast()), browser.csrf + "0",
            ] {
                #expect(
                    try await browser.post(path, fields.merging(["csrf": wrong]) { $1 }).status == .forbidden)
            }
            #expect(try await Browser(client).post(path, fields).status == .forbidden)
            #expect(browser.cookies == before && keys.ring.notBefore == nil)
            #expect(try await browser.post(path, fields).status == .seeOther)
        }
    }

    @Test func `A line is removed by what it is, though another tab has changed the cart`() async throws {
        try await withShop { client, _, _, _ in
            let browser = Browser(client)
            _ = try await browser.get("/")
            for engraving in ["one", "two", "three"] {
                _ = try await browser.post("/cart/add", ["product": "0", "engraving": engraving])
            }
            // Two tabs show all three; each removes one.
            for engraving in ["one", "two"] {
                _ = try await browser.post("/cart/remove", ["product": "0", "engraving": engraving])
            }
            let left = try await browser.get("/cart").text.matches(of: /<span>(\w+)<\/span>/)
            #expect(left.map(\.output.1) == ["three"])
        }
    }

    @Test func `Pages of somebody signed in are not stored, and HEAD answers as GET`() async throws {
        try await withShop { client, _, _, _ in
            let browser = Browser(client)
            #expect(try await browser.get("/").headers[.cacheControl] == "private")
            try await browser.signIn("Ada")
            for path in ["/", "/cart", "/profile"] {
                #expect(try await browser.get(path).headers[.cacheControl] == "private, no-store")
            }
            let head = try await client.execute(
                uri: "/cart", method: .head, headers: [.cookie: browser.header])
            #expect(head.status == .ok && head.body.readableBytes == 0 && head.headers[.vary] == "Cookie")
        }
    }

    @Test func `The profile shows what the browser sent, also of a session that is older than its cookie`()
        async throws
    {
        try await withShop { client, _, keys, _ in
            let browser = Browser(client)
            let sealer = try App.sealer(keys)
            let ago = { Date.now.addingTimeInterval(-$0) }
            var age = 86_400.0 * 13
            var value = try sealer.seal(ShopSession(name: "Ada"), at: ago(age)).cookies[0].value
            // Sealed again before it has been idle for too long, for the last time just now.
            while age > 10 {
                age -= 6 * 3600
                let opened = try sealer.open(value: value, at: ago(max(age, 10)))
                value = try sealer.reseal(opened, at: ago(max(age, 10))).cookies[0].value
            }
            browser.cookies["__Host-session"] = value
            let cookie = try #require(browser.cookies["__Host-session"])
            let page = try await browser.get("/profile").text
            for bytes in [cookie.count, cookie.count + 14, cookie.count * 3 / 4] {
                #expect(page.contains("<td class=\"bytes\">\(bytes)</td>"), "\(bytes)")
            }
        }
    }

    @Test func `Signing out everywhere ends the other browser's session too`() async throws {
        try await withShop { client, ring, _, _ in
            let (here, there) = (Browser(client), Browser(client))
            try await here.signIn("Ada")
            try await there.signIn("Ada")
            #expect(try await there.get("/profile").status == .ok)
            #expect(try await here.post("/sign-out-everywhere").status == .seeOther)
            #expect(try KeyRing(contentsOf: ring).notBefore != nil)
            #expect(try await there.get("/profile").status == .seeOther)
            try await there.signIn("Ada")
            #expect(try await there.get("/profile").status == .ok)
        }
    }

    @Test func `Production starts with a ring or not at all`() throws {
        #expect(throws: Settings.Refusal.self) { try Settings(.init(values: ["ENVIRONMENT": "production"])) }
        #expect(throws: Settings.Refusal.self) { try Settings(.init(values: ["PORT": "many"])) }
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let log = Log()
        for word in ["production", "prod", ""] {
            let settings = try Settings(.init(values: ["ENVIRONMENT": word, "SESSION_KEYS": path]))
            #expect(throws: KeyRingError.self) { try settings.keys(log.logger) }
        }
        #expect(log.text.isEmpty && !FileManager.default.fileExists(atPath: path))
        let settings = try Settings(.init(values: ["SESSION_KEYS": path]))
        let made = try settings.keys(log.logger).ring.keys.map(\.id)
        #expect(log.text.count == 1 && log.text[0].contains("made \(path), for development only"))
        #expect(try settings.keys(log.logger).ring.keys.map(\.id) == made)
        #expect(log.text.count == 1)
    }

    @Test func `Without sessions every visitor has the same`() async throws {
        try await withShop(["SESSIONS": "off"]) { client, _, _, _ in
            let response = try await Browser(client).get("/cart")
            #expect(response.headers[values: .setCookie].isEmpty && response.text.contains("No. 2"))
        }
    }
}

@Suite struct MiddlewareTests {
    @Test func `The cookie is written when the session changes, and only then`() async throws {
        try await withShop { client, ring, keys, _ in
            let browser = Browser(client)
            let first = try await browser.get("/")
            #expect(first.headers[values: .setCookie].count == 4)  // parts of a longer one go
            #expect(first.headers[values: .vary] == ["Cookie"] && first.headers[.cacheControl] == "private")
            let again = try await browser.get("/cart")
            #expect(again.headers[values: .setCookie].isEmpty)
            #expect(again.headers[values: .vary] == ["Cookie"] && again.headers[.cacheControl] == "private")
            // A change that changes nothing.
            #expect(
                try await browser.post("/cart/remove", ["product": "0", "engraving": "not there"]).headers[
                    values: .setCookie
                ].isEmpty)
            #expect(
                try await browser.post("/cart/add", ["product": "0", "engraving": ""]).headers[
                    values: .setCookie
                ].count == 1)
            // A new key: once.
            let second = Date(timeIntervalSince1970: Date.now.timeIntervalSince1970.rounded(.down))
            try KeyRing.update(at: ring) { ring throws(KeyRingError) in
                try ring.rotated(activeFrom: second).ring
            }
            try keys.reload()
            #expect(try await browser.get("/cart").headers[values: .setCookie].count == 1)
            #expect(try await browser.get("/cart").headers[values: .setCookie].isEmpty)
        }
    }

    @Test func `A response that needs no session stays with the caches`() async throws {
        try await withShop { client, _, _, log in
            let browser = Browser(client)
            browser.cookies = ["__Host-session": "broken"]
            let response = try await browser.get("/style.css")
            #expect(
                response.headers[.cacheControl] == "public, max-age=3600" && response.headers[.vary] == nil)
            #expect(log.text.count == 1)  // not even opened: only the ring's own line
            #expect(try await browser.get("/nowhere").status == .notFound)
        }
    }

    @Test func `Cache-Control keeps the application's directives, but never public`() async throws {
        let given = [
            "": "private", "public, max-age=60": "private, max-age=60", "no-cache": "private, no-cache",
            "Public,S-MaxAge=9": "private, S-MaxAge=9", "no-store": "private, no-store",
            "private": "private", "max-age=60, must-revalidate": "private, max-age=60, must-revalidate",
        ]
        try await withSessions { router in
            router.get("touched") { request, context in
                _ = context.session.value
                var response = Response(status: .ok)
                response.headers[.cacheControl] = request.headers[.cacheControl]
                return response
            }
        } body: { client, _, _ in
            for (before, after) in given {
                let response = try await client.execute(
                    uri: "/touched", method: .get, headers: [.cacheControl: before])
                #expect(response.headers[values: .cacheControl] == [after])
                #expect(response.headers[values: .vary] == ["Cookie"])
            }
        }
    }

    @Test func `What a handler throws changes no session, and stays out of shared caches`() async throws {
        struct Odd: Error {}
        try await withSessions { router in
            router.get("missing") { _, context -> String in
                context.session.value = Visits(count: 7)
                throw HTTPError(.notFound, headers: [.cacheControl: "public, max-age=60"], message: "none")
            }
            router.get("untouched") { _, _ -> String in
                throw HTTPError(.notFound, headers: [.cacheControl: "public, max-age=60"])
            }
            router.get("odd") { _, context -> String in
                context.session.value = Visits(count: 7)
                throw Odd()
            }
        } body: { client, _, _ in
            let missing = try await client.execute(uri: "/missing", method: .get)
            #expect(missing.status == .notFound && missing.headers[values: .setCookie].isEmpty)
            #expect(
                missing.headers[.vary] == "Cookie" && missing.headers[.cacheControl] == "private, max-age=60")
            let untouched = try await client.execute(uri: "/untouched", method: .get)
            #expect(
                untouched.headers[.vary] == nil && untouched.headers[.cacheControl] == "public, max-age=60")
            #expect(try await client.execute(uri: "/odd", method: .get).headers[.setCookie] == nil)
        }
    }

    @Test func `A session that ended and began anew in one request has no age`() async throws {
        try await withSessions { router in
            router.get("again") { _, context in
                context.session.value = nil
                context.session.value = Visits(count: 2)
                return "\(context.session.opened?.session.count ?? 0)"
            }
            router.get("ended") { _, context in
                context.session.begin(Visits(count: 3))
                context.session.value = nil
                return ""
            }
        } body: { client, sealer, _ in
            let old = try sealer.seal(Visits(count: 1), at: Date.now.addingTimeInterval(-4000)).cookies[0]
            let response = try await client.execute(
                uri: "/again", method: .get, headers: [.cookie: "\(old.name)=\(old.value)"])
            #expect(response.text == "1")
            let header = try #require(response.headers[.setCookie]).prefix { $0 != ";" }
            let opened = try #require(try sealer.open(cookieHeader: String(header)))
            #expect(opened.session.count == 2 && opened.createdAt.timeIntervalSinceNow > -60)
            let ended = try await client.execute(uri: "/ended", method: .get)
            #expect(ended.headers[values: .setCookie].map { $0.contains("Max-Age=0;") } == [true])
        }
    }

    @Test func `A session that a streamed body changes is not kept, and the log says so`() async throws {
        try await withSessions { router in
            router.get("stream") { request, context in
                if request.uri.query == "early" { _ = context.session.value }
                let session = context.session
                return Response(
                    status: .ok,
                    body: .init { writer in
                        try await writer.write(ByteBuffer(string: "\(session.value?.count ?? 0)"))
                        if request.uri.query == "write" { session.value = Visits(count: 1) }
                        try await writer.finish(nil)
                    })
            }
        } body: { client, _, log in
            for (query, complaints) in [("early", 0), ("late", 1), ("write", 2)] {
                let before = log.text.count
                let response = try await client.execute(uri: "/stream?\(query)", method: .get)
                #expect(response.text == "0" && response.headers[.setCookie] == nil)
                let news = log.text.dropFirst(before).filter { $0.contains("after the response's headers") }
                #expect(news.count == complaints, "\(query)")
            }
        }
    }

    @Test func `Tasks of one request may share its session: the cookie is opened once`() async throws {
        try await withSessions { router in
            router.get("tasks") { _, context in
                let session = context.session
                await withTaskGroup { group in
                    for count in 1...50 { group.addTask { session.value = Visits(count: count) } }
                }
                return "\(session.value?.count ?? 0)"
            }
        } body: { client, sealer, log in
            let response = try await client.execute(
                uri: "/tasks", method: .get, headers: [.cookie: "__Host-session=broken"])
            #expect(log.text.filter { $0.contains("no session") }.count == 1)
            let header = try #require(response.headers[.setCookie]).prefix { $0 != ";" }
            #expect(response.text == "\(try sealer.open(cookieHeader: String(header))?.session.count ?? 0)")
        }
    }

    @Test func `A bad cookie is no session, its reason stands in the log once, and it is not removed`()
        async throws
    {
        try await withShop { client, _, _, log in
            let browser = Browser(client)
            try await browser.signIn("Ada")
            let good = try #require(browser.cookies["__Host-session"])
            let bad = [
                "": "too short", "x": "base64url", good.dropLast(2) + "AA": "not authentic",
                good.prefix(2) + "__" + good.dropFirst(4): "no key", "2." + good: "cookie 2 of 2 is missing",
                String(repeating: "S", count: 9000): "too long",
            ]
            for (value, reason) in bad {
                let before = log.text.count
                browser.cookies = ["__Host-session": value]
                let response = try await browser.get("/profile")
                #expect(response.status == .seeOther && response.headers[values: .setCookie].isEmpty)
                let news = log.text.dropFirst(before)
                #expect(news.count == 1 && news.last?.contains(reason) == true, "\(news)")
                #expect(!news.contains { $0.contains(good.suffix(40)) })
            }
            browser.cookies = ["__Host-session": good]
            #expect(try await browser.get("/profile").status == .ok)
        }
    }

    @Test func `Where every key is pending, sessions go on and the log says so`()
        async throws
    {
        try await withShop { client, ring, keys, log in
            let browser = Browser(client)
            try await browser.signIn("Ada")
            // As when a server's clock is far behind.
            let text = try String(contentsOfFile: ring, encoding: .utf8)
            try text.replacing(" sck1_", with: " from=2099-01-01T00:00:00Z sck1_").write(
                toFile: ring, atomically: true, encoding: .utf8)
            try keys.reload()
            #expect(try await browser.get("/profile").status == .ok)
            #expect(
                try await browser.post("/cart/add", ["product": "0", "engraving": ""]).status == .seeOther)
            #expect(try await browser.get("/cart").text.split(separator: "aria-label=\"Remove").count == 2)
            #expect(log.text.contains { $0.contains("no key of the ring is active") })
        }
    }
}

@Suite struct ReadmeTests {
    struct Session: Codable, Equatable, Sendable {
        var visits: Int
    }

    @Test func `README's example runs`() async throws {
        let sessions = try CookieSealer<Session>(
            keys: KeyRing([SealingKey.generate()]), lifetime: .init(absolute: .days(1)))
        // README begins
        struct Context: SessionContext {
            var coreContext: CoreRequestContextStorage
            let session = RequestSession<Session>()
            init(source: Source) { coreContext = .init(source: source) }
        }
        let router = Router(context: Context.self)
        router.add(middleware: SessionMiddleware(sealer: sessions))
        router.get("visits") { _, context in
            context.session.value = Session(visits: (context.session.value?.visits ?? 0) + 1)
            return "Visit \(context.session.value?.visits ?? 0)"
        }
        // README ends
        try await Application(router: router).test(.router) { client in
            let browser = Browser(client)
            for visit in 1...3 {
                let text = try await browser.get("/visits").text
                #expect(text == "Visit \(visit)")
            }
        }
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let run = try #require(source.firstMatch(of: /README begins\n((?:.*\n)*?) *\/\/ README ends/)).1
            .replacing("\n        ", with: "\n").drop { $0 == " " }
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let readme = try String(contentsOf: folder.appending(path: "../../../README.md"), encoding: .utf8)
        #expect(readme.contains("```swift\n\(run)```"))
    }
}
