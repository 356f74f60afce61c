// hummingbird-auth's authenticator on sealed cookies. Not with the stand-in, which has none.
#if !STANDIN
    import Foundation
    import Hummingbird
    import HummingbirdAuth
    import HummingbirdTesting
    import SealedCookie
    import SealedSessions
    import Testing

    struct User: Sendable {
        var name: String
    }

    struct Users: UserSessionRepository {
        func getUser(from id: Int, context: UserRepositoryContext) async throws -> User? {
            [42: User(name: "Ada")][id]
        }
    }

    @Suite struct AuthenticatorTests {
        @Test func `SessionAuthenticator and IsAuthenticatedMiddleware find the user of a sealed session`()
            async throws
        {
            typealias Context = BasicSessionRequestContext<Int, User>
            let sealer = try CookieSealer<Int>(keys: .forTesting(), lifetime: .init(absolute: .days(1)))
            let router = Router(context: Context.self)
            router.add(middleware: SealedSessionMiddleware(sealer: sealer))
            router.post("sign-in") { request, context in
                context.sessions.setSession(Int(request.uri.queryParameters["user"] ?? "") ?? 0)
                return ""
            }
            router.post("sign-out") { _, context in
                context.sessions.clearSession()
                return ""
            }
            router.group()
                .add(middleware: SessionAuthenticator(users: Users()))
                .add(middleware: IsAuthenticatedMiddleware())
                .get("me") { _, context in try context.requireIdentity().name }
            try await Application(router: router).test(.router) { client in
                func me(_ cookie: String) async throws -> TestResponse {
                    try await client.execute(uri: "/me", method: .get, headers: [.cookie: cookie])
                }
                #expect(try await me("").status == .unauthorized)
                let signedIn = try await client.execute(uri: "/sign-in?user=42", method: .post)
                let cookie = String(try #require(signedIn.headers[.setCookie]).prefix { $0 != ";" })
                #expect(try await me(cookie).text == "Ada")
                let stranger = try await client.execute(uri: "/sign-in?user=7", method: .post)
                #expect(
                    try await me(String(try #require(stranger.headers[.setCookie]).prefix { $0 != ";" }))
                        .status
                        == .unauthorized)
                let signedOut = try await client.execute(
                    uri: "/sign-out", method: .post, headers: [.cookie: cookie])
                #expect(signedOut.removals == [true])
            }
        }
    }
#endif
