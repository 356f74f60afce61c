// Vapor's own sessions.
import SealedCookie
import Testing
import Vapor

@testable import Sessions

@Suite struct SealedSessionsTests {
    private let sealer: CookieSealer<SessionData>

    init() throws {
        sealer = try CookieSealer(keys: .forTesting(), lifetime: fortnight)
    }

    private func site(
        at position: Middlewares.Position = .beginning, _ test: (Site) async throws -> Void
    ) async throws {
        try await Site.with(
            { app in
                app.middleware.use(SealedSessions(sealer: sealer), at: position)
                app.get("asset") { _ in
                    Response(headers: ["Cache-Control": "public, max-age=600"], body: "an asset")
                }
                app.get("read") { req in req.session.data["name"] ?? "none" }
                app.get("write") { req in
                    req.session.data["name"] = "Ada"
                    return "written"
                }
                app.get("abort") { req -> String in
                    req.session.destroy()
                    throw Abort(.forbidden)
                }
                app.get("refuse") { req -> String in
                    req.session.data["name"] = "Eve"
                    throw Abort(.forbidden)
                }
                app.get("sign-out") { req in
                    req.session.destroy()
                    return "bye"
                }
                app.get("late") { req in
                    streamed {
                        req.session.data["name"] = "too late"
                        return "late"
                    }
                }
            }, test)
    }

    private func ada(at time: Date = .now) throws -> [String] {
        var data = SessionData()
        data["name"] = "Ada"
        return [try sealer.seal(data, at: time).cookieHeader]
    }

    @Test func aVisitorSignsInAndOut() async throws {
        let routes = { (app: Application) in configure(app, sealer) }
        try await Site.with(routes) { site in
            #expect(try await site.get("profile").status == 401)
            let signedIn = try await site.post("sign-in")
            #expect(signedIn.setCookies.count == 1)
            #expect(signedIn.setCookies.first?.contains("Max-Age=2592000") == true)
            let profile = try await site.get("profile", cookies: signedIn.cookies)
            #expect(profile.body == "User 42" && profile.setCookies.isEmpty)
            let out = try await site.post("sign-out", cookies: signedIn.cookies)
            #expect(out.setCookies.count == 1)
            // As a cookie named __Host- has to be: Vapor's own expired cookie lacks Secure.
            #expect(out.setCookies.first?.contains("Max-Age=0") == true)
            #expect(out.setCookies.first?.contains("; Secure") == true)
        }
    }

    @Test func aRequestThatReadsWritesNothingUnlessItIsDue() async throws {
        try await site { site in
            var (jar, writes) = (try ada(at: .twoDaysAgo), 0)
            for _ in 0..<200 {
                let answer = try await site.get("read", cookies: jar)
                #expect(answer.body == "Ada")
                guard !answer.setCookies.isEmpty else { continue }
                writes += 1
                jar = answer.cookies
            }
            #expect(writes == 1)
        }
    }

    @Test func aGuestHasNoCookie() async throws {
        try await site { site in
            #expect(try await site.get("read").setCookies.isEmpty)
            let asset = try await site.get("asset")
            #expect(asset.setCookies.isEmpty)
            #expect(asset.cacheControl == "public, max-age=600" && asset.vary == ["Cookie"])
            let theirs = try await site.get("asset", cookies: ada())
            #expect(theirs.setCookies.isEmpty)
            #expect(theirs.cacheControl == "private, max-age=600" && theirs.vary == ["Cookie"])
        }
    }

    @Test func vaporsOwnCookieIsNeverSent() async throws {
        try await site { site in
            let written = try await site.get("write", cookies: ["vapor-session=abc"])
            #expect(written.setCookies.count == 1)
            #expect(written.setCookies.first?.hasPrefix("__Host-session=") == true)
            #expect(try await site.get("read", cookies: written.cookies).body == "Ada")
            #expect(try await site.get("read", cookies: ["vapor-session=abc"]).setCookies.isEmpty)
        }
    }

    @Test func aChangeSurvivesAnAbort() async throws {
        for position in [Middlewares.Position.beginning, .end] {
            try await site(at: position) { site in
                let refused = try await site.get("refuse", cookies: ada())
                #expect(refused.status == 403)
                #expect(try await site.get("read", cookies: refused.cookies).body == "Eve")
                let out = try await site.get("abort", cookies: ada())
                #expect(out.status == 403)
                #expect(out.setCookies.first?.contains("Max-Age=0") == true)
            }
        }
    }

    @Test func aDestroyedSessionIsSignedOutWhereTheCookieCameTwice() async throws {
        try await site { site in
            let both = try ada(at: .now - 100) + ada()
            let out = try await site.get("sign-out", cookies: both)
            #expect(try await site.get("read", cookies: [both[0]] + out.cookies).body == "none")
        }
    }

    @Test func aChangeInAStreamedBodyIsLogged() async throws {
        try await site { site in
            for cookies in [[], try ada()] {
                let before = site.log.errors.count
                #expect(try await site.get("late", cookies: cookies).body == "late")
                // The request is released when its answer is.
                for _ in 0..<100 where site.log.errors.count == before {
                    try await Task.sleep(for: .milliseconds(10))
                }
                #expect(site.log.errors.count == before + 1)
            }
            _ = try await site.get("read", cookies: ada())
            #expect(site.log.errors.count == 2)
        }
    }
}
