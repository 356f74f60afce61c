// The guide's example, compiled and run. GuideTests hold the guide against it.
import Foundation
import Hummingbird
import HummingbirdTesting
import SealedCookie
import Testing

@testable import hummingbird_login

@Suite struct ReadmeTests {
    struct Session: Codable, Equatable, Sendable {
        var visits: Int
    }

    @Test func `the guide's example runs`() async throws {
        let sessions = try CookieSealer<Session>(
            keys: KeyRing([SealingKey.generate()]), lifetime: .init(absolute: .days(1)))
        struct Context: SealedSessionContext {
            var coreContext: CoreRequestContextStorage
            let session = CurrentSession<Session>()
            init(source: Source) { coreContext = .init(source: source) }
        }
        let router = Router(context: Context.self)
        router.add(middleware: SealedSessionMiddleware(sealer: sessions))
        router.get("visits") { _, context in
            context.session.value = Session(visits: (context.session.value?.visits ?? 0) + 1)
            return "Visit \(context.session.value?.visits ?? 0)"
        }
        try await Application(router: router).test(.router) { client in
            let browser = Browser(client)
            for visit in 1...3 {
                let text = try await browser.get("/visits").text
                #expect(text == "Visit \(visit)")
            }
        }
    }
}
