// What the tests share: a browser, a log, and applications in this process.
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
    var note: String?
}

struct VisitsContext: SealedSessionContext {
    var coreContext: CoreRequestContextStorage
    let session = CurrentSession<Visits>()
    init(source: Source) { coreContext = .init(source: source) }
}

extension CookieSealer<Visits> {
    /// The session that a response's one cookie holds, and nil if it has none.
    func written(_ response: TestResponse) throws -> OpenedSession<Visits>? {
        let lines = response.headers[values: .setCookie]
        #expect(lines.count <= 1)
        return try lines.first.flatMap { try open(cookieHeader: String($0.prefix { $0 != ";" })) }
    }
}

/// Sees what the session's middleware throws.
struct Outside: RouterMiddleware {
    let onError: @Sendable (any Error) -> Void

    func handle(
        _ request: Request, context: VisitsContext, next: (Request, VisitsContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            onError(error)
            throw error
        }
    }
}

/// Routes of one's own inside the middleware.
func withSessions(
    keys: KeyRing? = nil, onEvent: (@Sendable (SealedSessionEvent) -> Void)? = nil,
    onError: @escaping @Sendable (any Error) -> Void = { _ in },
    _ routes: (Router<VisitsContext>) -> Void,
    body:
        @escaping @Sendable (any TestClientProtocol, CookieSealer<Visits>, Log) async throws -> Void
) async throws {
    let sealer = try CookieSealer<Visits>(
        keys: keys ?? .forTesting(), lifetime: .init(absolute: .days(1)))
    let router = Router(context: VisitsContext.self)
    router.add(middleware: Outside(onError: onError))
    router.add(middleware: SealedSessionMiddleware(sealer: sealer, onEvent: onEvent))
    routes(router)
    let log = Log()
    try await Application(router: router, logger: log.logger).test(.router) { client in
        try await body(client, sealer, log)
    }
}
