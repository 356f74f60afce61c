// hummingbird-auth's `context.sessions`, kept in sealed cookies.
import Foundation
import Hummingbird
import HummingbirdAuth
import HummingbirdTesting
import Logging
import SealedCookie
import SealedSessions
import Synchronization
import Testing

struct Visits: Codable, Equatable, Sendable {
    var count: Int
    var note: String?
}

struct VisitsContext: SessionRequestContext {
    var coreContext: CoreRequestContextStorage
    let sessions = SessionContext<Visits>()
    init(source: Source) { coreContext = .init(source: source) }
}

/// Remembers what is logged.
final class Log: Sendable {
    private let lines = Mutex<[String]>([])
    var text: [String] { lines.withLock { $0 } }
    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    struct Handler: LogHandler {
        let log: Log
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug
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

extension TestResponse {
    var text: String { String(buffer: body) }
    /// For each Set-Cookie line, whether it removes its cookie.
    var removals: [Bool] { headers[values: .setCookie].map { $0.contains("Max-Age=0;") } }
}

extension CookieSealer<Visits> {
    /// The session that a response's one cookie holds, and nil if it has none.
    func written(_ response: TestResponse) throws -> OpenedSession<Visits>? {
        let lines = response.headers[values: .setCookie]
        #expect(lines.count <= 1)
        return try lines.first.flatMap { try open(cookieHeader: String($0.prefix { $0 != ";" })) }
    }
}

struct Odd: Error {}

@Suite struct SealedSessionsTests {
    static func sealer() throws -> CookieSealer<Visits> {
        try CookieSealer(keys: .forTesting(), lifetime: .init(absolute: .days(1)))
    }

    /// Routes that use the session as hummingbird-auth's documentation does.
    static func router(_ sealer: CookieSealer<Visits>) -> Router<VisitsContext> {
        let router = Router(context: VisitsContext.self)
        router.add(middleware: SealedSessionMiddleware(sealer: sealer))
        router.get("read") { _, context in "\(context.sessions.session?.count ?? 0)" }
        router.get("begin") { _, context in
            context.sessions.setSession(Visits(count: 1))
            return ""
        }
        router.get("remember") { _, context in
            context.sessions.setSession(Visits(count: 1), expiresIn: .seconds(90 * 86_400))
            return ""
        }
        router.get("count") { request, context in
            context.sessions.withLockedSession { $0?.count += 1 }
            if request.uri.query == "http" { throw HTTPError(.forbidden, headers: [.cacheControl: "public"]) }
            if request.uri.query == "odd" { throw Odd() }
            return Response(status: .ok, headers: [.cacheControl: "public, max-age=60"])
        }
        router.get("end") { request, context in
            context.sessions.clearSession()
            if request.uri.query == "http" { throw HTTPError(.forbidden) }
            return ""
        }
        router.get("rest") { _, context in
            let rest = context.sessions.withLockedSession { $0?.expiresIn }
            return "\(rest?.components.seconds ?? 0)"
        }
        router.get("asset") { _, _ in
            Response(status: .ok, headers: [.cacheControl: "public, max-age=600"])
        }
        router.get("large") { _, context in
            context.sessions.setSession(
                Visits(
                    count: 0,
                    note: String(
                        (0..<9000).compactMap { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() })
                ))
            return ""
        }
        router.get("stream") { request, context in
            let sessions = context.sessions
            return Response(
                status: .ok,
                body: .init { writer in
                    try await writer.write(ByteBuffer(string: "\(sessions.session?.count ?? 0)"))
                    if request.uri.query == "write" { sessions.setSession(Visits(count: 9)) }
                    try await writer.finish(nil)
                })
        }
        return router
    }

    static func test(
        _ body: @escaping @Sendable (@escaping Get, CookieSealer<Visits>, Log) async throws -> Void
    ) async throws {
        let (sealer, log) = (try sealer(), Log())
        try await Application(router: router(sealer), logger: log.logger).test(.router) { client in
            try await body(
                { path, cookie in
                    try await client.execute(
                        uri: path, method: .get, headers: cookie.isEmpty ? [:] : [.cookie: cookie])
                }, sealer, log)
        }
    }
    typealias Get = @Sendable (_ path: String, _ cookie: String) async throws -> TestResponse

    @Test func `A session begins, changes and ends as with a store`() async throws {
        try await Self.test { get, sealer, _ in
            let began = try await get("/begin", "")
            #expect(try sealer.written(began)?.session.count == 1)
            var cookie = String(try #require(began.headers[.setCookie]).prefix { $0 != ";" })
            for count in 2...4 {
                let response = try await get("/count", cookie)
                #expect(try sealer.written(response)?.session.count == count)
                cookie = String(try #require(response.headers[.setCookie]).prefix { $0 != ";" })
            }
            #expect(try await get("/read", cookie).text == "4")
            #expect(try await get("/end", cookie).removals == [true])
            // No session: nothing to end, and nothing to change.
            for path in ["/end", "/count", "/read"] { #expect(try await get(path, "").removals == []) }
        }
    }

    @Test func `A request that changes nothing writes nothing, and one that is due writes once`() async throws
    {
        try await Self.test { get, sealer, _ in
            let cookie = try sealer.seal(Visits(count: 1)).cookieHeader
            for path in ["/read", "/begin", "/rest", "/asset"] {
                #expect(try await get(path, cookie).removals == [])
            }
            let due = try sealer.seal(Visits(count: 1), at: Date.now.addingTimeInterval(-10_000)).cookieHeader
            let response = try await get("/read", due)
            let opened = try #require(try sealer.written(response))
            #expect(opened.session.count == 1 && opened.createdAt.timeIntervalSinceNow < -9_000)
            #expect(
                response.headers[.cacheControl] == "private" && response.headers[values: .vary] == ["Cookie"])
        }
    }

    @Test func `A public response gets no cookie, unless the session has changed`() async throws {
        try await Self.test { get, sealer, _ in
            let due = try sealer.seal(Visits(count: 1), at: Date.now.addingTimeInterval(-10_000)).cookieHeader
            let asset = try await get("/asset", due)
            #expect(asset.headers[.setCookie] == nil && asset.headers[.vary] == nil)
            #expect(asset.headers[.cacheControl] == "public, max-age=600")
            let changed = try await get("/count", due)
            #expect(changed.removals == [false] && changed.headers[.vary] == "Cookie")
            #expect(changed.headers[.cacheControl] == "private, max-age=60")
        }
    }

    @Test func `expiresIn is the session's own lifetime, and stays when it changes`() async throws {
        try await Self.test { get, sealer, _ in
            let anonymous = try sealer.seal(Visits(count: 7), at: Date.now.addingTimeInterval(-4000))
                .cookieHeader
            var response = try await get("/remember", anonymous)
            for count in 1...2 {
                let opened = try #require(try sealer.written(response))
                #expect(opened.session.count == count && opened.lifetime == .init(absolute: .days(90)))
                #expect(opened.createdAt.timeIntervalSinceNow > -60)
                let cookie = String(try #require(response.headers[.setCookie]).prefix { $0 != ";" })
                let rest = try #require(Int(try await get("/rest", cookie).text))
                #expect((90 * 86_400 - 60...90 * 86_400).contains(rest))
                response = try await get("/count", cookie)
            }
            // Without expiresIn, what is there keeps its age.
            let kept = try #require(try sealer.written(try await get("/begin", anonymous)))
            #expect(
                kept.session.count == 1 && kept.createdAt.timeIntervalSinceNow < -3_900
                    && kept.lifetime == nil)
        }
    }

    @Test func `Sign-out and each change hold, whatever the handler throws`() async throws {
        try await Self.test { get, sealer, _ in
            let cookie = try sealer.seal(Visits(count: 1)).cookieHeader
            let ended = try await get("/end?http", cookie)
            #expect(ended.status == .forbidden && ended.removals == [true])
            for (query, status) in [("http", 403), ("odd", 500)] {
                let response = try await get("/count?\(query)", cookie)
                #expect(response.status.code == status && response.headers[.cacheControl] == "private")
                #expect(try sealer.written(response)?.session.count == 2)
            }
        }
    }

    @Test func `A bad cookie is no session, and stays until another takes its place`() async throws {
        try await Self.test { get, sealer, log in
            let bad = try sealer.seal(Visits(count: 1)).cookieHeader + "A"
            for path in ["/read", "/count", "/end"] { #expect(try await get(path, bad).removals == []) }
            #expect(log.text.filter { $0.contains("no session reason: ") }.count == 3)
            #expect(try sealer.written(try await get("/begin", bad))?.session.count == 1)
        }
    }

    @Test func `A change that cannot be sealed fails its request`() async throws {
        try await Self.test { get, sealer, log in
            let response = try await get("/large", try sealer.seal(Visits(count: 1)).cookieHeader)
            #expect(response.status == .internalServerError && response.removals == [])
            #expect(log.text.contains { $0.contains("session not sealed") })
        }
    }

    @Test func `A session that a streamed body changes is not kept, and the log says so`() async throws {
        try await Self.test { get, sealer, log in
            let cookie = try sealer.seal(Visits(count: 1)).cookieHeader
            for (query, complaints) in [("read", 0), ("write", 1)] {
                let response = try await get("/stream?\(query)", cookie)
                #expect(response.text == "1" && response.removals == [])
                #expect(log.text.filter { $0.contains("after the response's headers") }.count == complaints)
            }
        }
    }
}
