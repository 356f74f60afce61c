// The shop in this process: what a browser sees.
import Foundation
import Hummingbird
import HummingbirdTesting
import SealedCookie
import Testing

@testable import hummingbird_login

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
