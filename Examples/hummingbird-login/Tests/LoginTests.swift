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
            #expect(try await browser.get("/profile").text.contains("in 4"))
            for _ in 2...lines { _ = try await browser.post("/cart/remove", ["line": "1"]) }
            #expect(browser.cookies.count == 1)
            #expect(try await browser.get("/cart").text.split(separator: "aria-label=\"Remove").count == 2)
        }
    }

    @Test(arguments: ["/cart/add", "/cart/remove", "/sign-in", "/sign-out", "/sign-out-everywhere"])
    func `A form without the session's token does nothing`(path: String) async throws {
        try await withShop { client, _, keys, _ in
            let browser = Browser(client)
            try await browser.signIn("Ada")
            let fields = ["product": "0", "engraving": "", "line": "0", "name": "Eve"]
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
            #expect(try await browser.post("/cart/remove", ["line": "7"]).headers[values: .setCookie].isEmpty)
            #expect(
                try await browser.post("/cart/add", ["product": "0", "engraving": ""]).headers[
                    values: .setCookie
                ].count == 1)
            // A new key: once.
            let second = Date(timeIntervalSince1970: Date.now.timeIntervalSince1970.rounded(.down))
            try KeyRing.update(ring) { ring throws(KeyRingError) in try ring.rotated(from: second).ring }
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

    @Test func `Where the ring has no active key, a change fails and an unchanged session goes on`()
        async throws
    {
        try await withShop { client, ring, keys, log in
            let browser = Browser(client)
            try await browser.signIn("Ada")
            // As when a server's clock is far behind: every key is still to come.
            let text = try String(contentsOfFile: ring, encoding: .utf8)
            try text.replacing(" sck1_", with: " from=2099-01-01T00:00:00Z sck1_").write(
                toFile: ring, atomically: true, encoding: .utf8)
            try keys.reload()
            #expect(try await browser.get("/profile").status == .ok)
            #expect(
                try await browser.post("/cart/add", ["product": "0", "engraving": ""]).status
                    == .internalServerError)
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
