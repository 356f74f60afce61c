// A session of the application's own type.
import SealedCookie
import Synchronization
import Testing
import Vapor

@testable import Sessions

#if canImport(VaporTesting)
    import VaporTesting
#endif

@Suite struct SealedSessionTests {
    private func site(
        _ sealer: CookieSealer<Shopper>, at position: Middlewares.Position = .beginning,
        routes: ((Application) -> Void)? = nil, _ test: (Site) async throws -> Void
    ) async throws {
        try await Site.with(
            { app in
                app.middleware.use(SealedSessionMiddleware(sealer: sealer), at: position)
                app.get("asset") { _ in
                    Response(headers: ["Cache-Control": "public, max-age=600"], body: "an asset")
                }
                app.get("page") { req in
                    Response(
                        headers: ["Cache-Control": "public, max-age=600"],
                        body: .init(string: "\(req.shopper.value?.visits ?? -1)"))
                }
                app.get("count") { req in
                    let visits = req.shopper.update { shopper in
                        var counted = shopper ?? Shopper()
                        counted.visits += 1
                        shopper = counted
                        return counted.visits
                    }
                    return "\(visits)"
                }
                app.get("sign-out") { req in
                    req.shopper.value = nil
                    return "bye"
                }
                routes?(app)
            }, test)
    }

    // MARK: When it is written

    @Test func aResponseThatNeverLooksAtItsSessionIsLeftToCaches() async throws {
        let sealer = try sealer(.forTesting())
        let due = try sealer.seal(Shopper(), at: .twoDaysAgo).cookieHeader
        try await site(sealer) { site in
            let answer = try await site.get("asset", cookies: [due])
            #expect(answer.setCookies.isEmpty)
            #expect(answer.cacheControl == "public, max-age=600")
            #expect(answer.vary.isEmpty)
        }
    }

    @Test func aResponseThatLooksAtItsSessionIsPrivate() async throws {
        let sealer = try sealer(.forTesting())
        try await site(sealer) { site in
            for cookies in [[], [try sealer.seal(Shopper()).cookieHeader]] {
                let answer = try await site.get("page", cookies: cookies)
                #expect(answer.setCookies.isEmpty)
                #expect(answer.cacheControl == "private, max-age=600")
                #expect(answer.vary == ["Cookie"])
            }
        }
    }

    @Test func aSessionIsWrittenWhereItHasChangedOrIsDue() async throws {
        let sealer = try sealer(.forTesting())
        try await site(sealer) { site in
            let first = try await site.get("count")
            #expect(first.body == "1" && first.setCookies.count == 1)
            let second = try await site.get("count", cookies: first.cookies)
            #expect(second.body == "2" && second.setCookies.count == 1)
            #expect(try await site.get("page", cookies: second.cookies).setCookies.isEmpty)
            let due = try sealer.seal(Shopper(visits: 7), at: .twoDaysAgo).cookieHeader
            let again = try await site.get("page", cookies: [due])
            #expect(again.body == "7" && again.setCookies.count == 1)
        }
    }

    @Test func anUnchangedSessionThatCannotBeSealedAgainIsNoError() async throws {
        let keys = try KeyRing.forTesting()
        let due = try sealer(keys).seal(
            Shopper(notes: String(repeating: "a", count: 6_000)), at: .twoDaysAgo)
        try await site(sealer(keys, compression: .off)) { site in
            let answer = try await site.get("page", cookies: [due.cookieHeader])
            #expect(answer.status == 200 && answer.body == "0")
            #expect(answer.setCookies.isEmpty)
            #expect(site.log.errors.count == 1)
        }
    }

    @Test func aChangedSessionThatCannotBeSealedIsAnError() async throws {
        let routes = { (app: Application) -> Void in
            app.get("note") { req in
                req.shopper.value = Shopper(notes: String(repeating: "a", count: 6_000))
                return "noted"
            }
        }
        for position in [Middlewares.Position.beginning, .end] {
            try await site(sealer(.forTesting(), compression: .off), at: position, routes: routes) { site in
                let answer = try await site.get("note")
                #expect(answer.status == 500)
                #expect(answer.setCookies.isEmpty)
            }
        }
    }

    /// The log of the application that is made after its routes.
    private final class Later: Sendable {
        let log = Mutex<Log?>(nil)
    }

    @Test func aLoggerMayAskForTheSession() async throws {
        let later = Later()
        let routes = { (app: Application) -> Void in
            app.get("asked") { req in
                let session = req.shopper
                later.log.withLock { $0 }?.onLine.withLock { $0 = { _ = session.value } }
                return "\(session.value?.visits ?? -1)"
            }
        }
        try await site(sealer(.forTesting()), routes: routes) { site in
            later.log.withLock { $0 = site.log }
            let answer = try await site.get("asked", cookies: ["__Host-session=x"])
            #expect(answer.body == "-1")
        }
    }

    @Test func aCookieThatIsNoSessionStaysAndIsLogged() async throws {
        let other = try sealer(.forTesting()).seal(Shopper()).cookieHeader
        try await site(sealer(.forTesting())) { site in
            let answer = try await site.get("page", cookies: [other])
            #expect(answer.body == "-1" && answer.setCookies.isEmpty)
            #expect(site.log.lines.contains { $0.hasPrefix("info no session: ") })
        }
    }

    // MARK: Signing in and out

    @Test func nilSignsOut() async throws {
        let sealer = try sealer(.forTesting())
        let cookie = try sealer.seal(Shopper()).cookieHeader
        try await site(sealer) { site in
            let answer = try await site.get("sign-out", cookies: [cookie])
            #expect(answer.setCookies.count == 1)
            #expect(answer.setCookies.first?.contains("Max-Age=0") == true)
        }
    }

    @Test func nilSignsOutWhereTheCookieCameTwice() async throws {
        let sealer = try sealer(.forTesting())
        let older = try sealer.seal(Shopper(visits: 1), at: .now - 100).cookieHeader
        let newer = try sealer.seal(Shopper(visits: 2)).cookieHeader
        try await site(sealer) { site in
            // In one header, and in two as HTTP/2 may have them: the session sealed last decides.
            #expect(try await site.get("page", cookies: ["\(older); \(newer)"]).body == "2")
            #expect(try await site.get("page", cookies: [newer, "a=b", older]).body == "2")
            let out = try await site.get("sign-out", cookies: [older, newer])
            #expect(try await site.get("page", cookies: [older] + out.cookies).body == "-1")
        }
    }

    @Test func aNewSessionHasALifetimeAndAnEndOfItsOwn() async throws {
        let sealer = try sealer(.forTesting())
        let routes = { (app: Application) -> Void in
            app.get("remember") { req in
                req.shopper.begin(Shopper(), lifetime: .init(absolute: .days(90)))
                return ""
            }
            app.get("forget") { req in
                req.shopper.begin(Shopper(), endsWithBrowser: true)
                return ""
            }
        }
        try await site(sealer, routes: routes) { site in
            let remembered = try await site.get("remember")
            #expect(remembered.setCookies.first?.contains("Max-Age=7776000") == true)
            let forgotten = try await site.get("forget", cookies: remembered.cookies)
            #expect(forgotten.setCookies.first?.contains("Max-Age") == false)
            let again = try await site.get("count", cookies: forgotten.cookies)
            #expect(again.body == "1" && again.setCookies.first?.contains("Max-Age") == false)
        }
    }

    @Test func aSessionThatBeganAndEndedInOneRequestIsNone() async throws {
        let routes = { (app: Application) -> Void in
            app.get("both") { req in
                req.shopper.begin(Shopper(), lifetime: .init(absolute: .days(90)))
                req.shopper.value = nil
                return ""
            }
            app.get("update") { req in
                req.shopper.update { $0 = nil }
                return "\(req.shopper.value?.visits ?? -1)"
            }
        }
        let sealer = try sealer(.forTesting())
        let cookie = try sealer.seal(Shopper()).cookieHeader
        try await site(sealer, routes: routes) { site in
            #expect(try await site.get("both").cookies.isEmpty)
            let ended = try await site.get("update", cookies: [cookie])
            #expect(ended.body == "-1" && ended.removed == ["__Host-session"])
            // Where there was none, nothing has changed.
            #expect(try await site.get("update").setCookies.isEmpty)
        }
    }

    @Test func anUpdateThatThrowsChangesNothing() async throws {
        let routes = { (app: Application) -> Void in
            app.get("try") { req in
                try? req.shopper.update { shopper in
                    shopper = nil
                    throw AnyFailure()
                }
                return "\(req.shopper.value?.visits ?? -1)"
            }
        }
        let sealer = try sealer(.forTesting())
        let cookie = try sealer.seal(Shopper(visits: 4)).cookieHeader
        try await site(sealer, routes: routes) { site in
            let answer = try await site.get("try", cookies: [cookie])
            #expect(answer.body == "4" && answer.setCookies.isEmpty)
        }
    }

    // MARK: Tasks, errors, and what comes too late

    @Test func everyTaskOfARequestIsCounted() async throws {
        let routes = { (app: Application) -> Void in
            app.get("tasks") { req in
                await withDiscardingTaskGroup { group in
                    for _ in 0..<200 { group.addTask { req.shopper.update { $0?.visits += 1 } } }
                }
                return "\(req.shopper.value?.visits ?? -1)"
            }
        }
        let sealer = try sealer(.forTesting())
        let cookie = try sealer.seal(Shopper()).cookieHeader
        try await site(sealer, routes: routes) { site in
            for _ in 0..<50 {
                let answer = try await site.get("tasks", cookies: [cookie])
                #expect(answer.body == "200")
                #expect(try await site.get("page", cookies: answer.cookies).body == "200")
            }
        }
    }

    struct AnyFailure: Error {}

    private func failing(_ app: Application) {
        app.get("abort") { req -> String in
            req.shopper.value = nil
            throw Abort(.forbidden, headers: ["X-Reason": "tests"])
        }
        app.get("fail") { req -> String in
            req.shopper.update { $0?.visits += 1 }
            throw AnyFailure()
        }
        app.get("look") { req -> String in
            _ = req.shopper.value
            throw AnyFailure()
        }
    }

    @Test func aChangeSurvivesWhateverAHandlerThrows() async throws {
        let sealer = try sealer(.forTesting())
        let cookie = try sealer.seal(Shopper()).cookieHeader
        try await site(sealer, routes: failing) { site in
            let abort = try await site.get("abort", cookies: [cookie])
            #expect(abort.status == 403 && abort.headers["X-Reason"] == ["tests"])
            #expect(abort.setCookies.first?.contains("Max-Age=0") == true)
            #expect(abort.vary == ["Cookie"] && abort.cacheControl == "private")
            let failure = try await site.get("fail", cookies: [cookie])
            #expect(failure.status == 500)
            #expect(try await site.get("page", cookies: failure.cookies).body == "1")
        }
    }

    @Test func insideOfTheErrorMiddlewareAnAbortTakesTheCookiesAndElseTheLogSaysSo() async throws {
        let sealer = try sealer(.forTesting())
        let cookie = try sealer.seal(Shopper()).cookieHeader
        try await site(sealer, at: .end, routes: failing) { site in
            let abort = try await site.get("abort", cookies: [cookie])
            #expect(abort.status == 403 && abort.headers["X-Reason"] == ["tests"])
            #expect(abort.setCookies.first?.contains("Max-Age=0") == true)
            #expect(abort.vary == ["Cookie"] && abort.cacheControl == "private")
            #expect(try await site.get("look", cookies: [cookie]).status == 500)
            #expect(!site.log.errors.contains { $0.contains("session not written") })
            #expect(try await site.get("fail", cookies: [cookie]).status == 500)
            #expect(site.log.errors.contains { $0.contains("session not written") })
        }
    }

    @Test func aChangeInAStreamedBodyIsLogged() async throws {
        let routes = { (app: Application) -> Void in
            app.get("stream") { req in
                let visits = req.shopper.value?.visits
                return streamed {
                    // Reading what was read before the headers is no error.
                    "\(visits == req.shopper.value?.visits)"
                }
            }
            app.get("late") { req in
                streamed {
                    req.shopper.update { $0?.visits += 1 }
                    return "too late"
                }
            }
        }
        let sealer = try sealer(.forTesting())
        let cookie = try sealer.seal(Shopper()).cookieHeader
        try await site(sealer, routes: routes) { site in
            #expect(try await site.get("stream", cookies: [cookie]).body == "true")
            #expect(site.log.errors.isEmpty)
            let late = try await site.get("late", cookies: [cookie])
            #expect(late.body == "too late" && late.setCookies.isEmpty)
            #expect(site.log.errors.count == 1)
        }
    }

    @Test func aSessionWithoutItsMiddlewareIsLogged() async throws {
        let routes = { (app: Application) -> Void in
            app.get("count") { req in
                req.shopper.value = Shopper()
                return "\(req.shopper.value?.visits ?? -1)"
            }
        }
        try await Site.with(routes) { site in
            let answer = try await site.get("count")
            #expect(answer.setCookies.isEmpty)
            #expect(site.log.errors.contains { $0.contains("no SealedSessionMiddleware") })
        }
    }

    // MARK: Other cookies, keys and sizes

    @Test func aSessionThatGrowsIsSplitAndItsPartsGoWhenItShrinks() async throws {
        let routes = { (app: Application) -> Void in
            app.get("grow") { req in
                // Does not compress.
                let notes = (0..<1_200).map { _ in String(UInt64.random(in: 0 ... .max), radix: 36) }.joined()
                req.shopper.update { $0?.notes = String(notes.prefix(13_000)) }
                return ""
            }
            app.get("shrink") { req in
                req.shopper.update { $0?.notes = "" }
                return ""
            }
        }
        let sealer = try sealer(.forTesting(), splitting: .upTo(4))
        let cookie = try sealer.seal(Shopper()).cookieHeader
        try await site(sealer, routes: routes) { site in
            let grown = try await site.get("grow", cookies: [cookie])
            #expect(grown.cookies.count == 3)
            #expect(try await site.get("page", cookies: grown.cookies).body == "0")
            let shrunk = try await site.get("shrink", cookies: grown.cookies)
            #expect(shrunk.cookies.count == 1)
            #expect(shrunk.removed == ["__Host-session.1", "__Host-session.2"])
            #expect(try await site.get("page", cookies: shrunk.cookies).body == "0")
        }
    }

    @Test func aNewerKeySealsAgainAndARevokedOneOpensNothing() async throws {
        let old = try KeyRing.forTesting()
        let cookie = try sealer(old).seal(Shopper(visits: 3)).cookieHeader
        let (ring, added) = try old.rotated(activeFrom: .now - 10)
        let shared = try SharedKeyRing(ring)
        try await site(sealer(shared)) { site in
            let again = try await site.get("page", cookies: [cookie])
            #expect(again.body == "3" && again.setCookies.count == 1)
            for key in ring.keys where key.id != added.id {
                try shared.replace(with: shared.ring.revoking(key.id))
            }
            #expect(try await site.get("page", cookies: [cookie]).body == "-1")
            #expect(try await site.get("page", cookies: again.cookies).body == "3")
            try shared.replace(with: shared.ring.endingSessions(createdBefore: .now + 1))
            #expect(try await site.get("page", cookies: again.cookies).body == "-1")
        }
    }

    #if canImport(VaporTesting)
        @Test func aTestSignsAVisitorIn() async throws {
            try await withApp { app in
                let sessions = try CookieSealer<Visitor>(
                    keys: .forTesting(), lifetime: .init(absolute: .days(14)))
                configure(app, sessions)

                let visitor = try sessions.seal(Visitor(userID: 42, visits: 6))
                try await app.testing().test(.GET, "visits", headers: ["Cookie": visitor.cookieHeader]) {
                    #expect($0.body.string == "Visit 7")
                }
            }
        }

        @Test func cookiesThatAHandlerSetsLeaveTheSessionsAsTheyAre() async throws {
            let sealer = try sealer(.forTesting(), attributes: .init(isPartitioned: true))
            let routes = { (app: Application) -> Void in
                app.get("sign-in") { req in
                    req.shopper.begin(Shopper(visits: 5))
                    let response = Response()
                    response.cookies["theme"] = "dark"
                    return response
                }
            }
            try await site(sealer, routes: routes) { site in
                let answer = try await site.get("sign-in")
                #expect(answer.setCookies.count == 2)
                #expect(answer.setCookies.contains { $0.hasPrefix("theme=dark") })
                #expect(answer.setCookies.last?.hasPrefix("__Host-session=") == true)
                #expect(answer.setCookies.last?.contains("; Partitioned") == true)
            }
        }
    #endif
}

extension Request {
    fileprivate var shopper: CurrentSession<Shopper> { sealedSession() }
}
