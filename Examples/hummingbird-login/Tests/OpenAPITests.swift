// Handlers of swift-openapi-generator, which are given no context: the session comes to them in a task local.
import Hummingbird
import HummingbirdTesting
import SealedCookie
import Testing

@testable import hummingbird_login

#if OPENAPI
    import HTTPTypes
    import OpenAPIHummingbird
    import OpenAPIRuntime
#endif

/// Where a handler finds its request's session.
enum Handling {
    @TaskLocal static var session: CurrentSession<Visits>?
}

struct SessionForHandlers: RouterMiddleware {
    func handle(
        _ request: Request, context: VisitsContext, next: (Request, VisitsContext) async throws -> Response
    ) async throws -> Response {
        try await Handling.$session.withValue(context.session) { try await next(request, context) }
    }
}

struct Handlers {
    func countVisit() async throws -> String {
        let count = Handling.session?.update { session in
            session = Visits(count: (session?.count ?? 0) + 1)
            return session?.count
        }
        return "\(count ?? 0)"
    }

    func signOut() async throws -> String {
        Handling.session?.value = nil
        throw HTTPError(.forbidden)
    }

    /// As the generator's `registerHandlers(on:)` does it. Without swift-openapi-hummingbird, the routes call the handlers
    /// as its transport does: with no context.
    func register(on router: Router<VisitsContext>) throws {
        #if OPENAPI
            let transport: any ServerTransport = router
            try transport.register(
                { _, _, _ in (HTTPResponse(status: .ok), HTTPBody(try await countVisit())) }, method: .get,
                path: "/visits")
            try transport.register(
                { _, _, _ in (HTTPResponse(status: .ok), HTTPBody(try await signOut())) }, method: .post,
                path: "/sign-out")
        #else
            router.get("/visits") { _, _ in try await countVisit() }
            router.post("/sign-out") { _, _ in try await signOut() }
        #endif
    }
}

@Suite struct OpenAPITests {
    @Test func `Handlers that get no context change the session and sign out`() async throws {
        let sealer = try CookieSealer<Visits>(keys: .forTesting(), lifetime: .init(absolute: .days(1)))
        let router = Router(context: VisitsContext.self)
        router.add(middleware: SealedSessionMiddleware(sealer: sealer))
        router.add(middleware: SessionForHandlers())
        try Handlers().register(on: router)
        try await Application(router: router).test(.router) { client in
            let browser = Browser(client)
            for visit in 1...3 { #expect(try await browser.get("/visits").text == "\(visit)") }
            #expect(browser.cookies.count == 1)
            let signedOut = try await browser.post("/sign-out")
            #expect(signedOut.status == .forbidden && browser.cookies.isEmpty)
            #expect(try await browser.get("/visits").text == "1")
        }
        #expect(Handling.session == nil)
    }
}
