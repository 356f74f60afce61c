// What the middleware does and leaves alone.
import Foundation
import Hummingbird
import HummingbirdTesting
import NIOCore
import SealedCookie
import Testing

@testable import hummingbird_login

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

    @Test func `A session begun with a cut-off counts after it, also within the same second`() async throws {
        try await withSessions { router in
            router.get("sign-in") { request, context in
                let cutOff = request.uri.query == "cut-off" ? Date.now.addingTimeInterval(5) : nil
                context.session.begin(Visits(count: 1), cutOff: cutOff)
                return ""
            }
        } body: { client, sealer, _ in
            for (query, isEnded) in [("cut-off", false), ("", true)] {
                let response = try await client.execute(uri: "/sign-in?\(query)", method: .get)
                let opened = try #require(try sealer.written(response))
                #expect(opened.began(before: Date.now.addingTimeInterval(4)) == isEnded)
            }
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
