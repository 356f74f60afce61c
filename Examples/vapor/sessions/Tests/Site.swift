// An application to ask for pages, and what it logs.
import Logging
import NIOHTTP1
import SealedCookie
import Synchronization
import Testing
import Vapor

@testable import Sessions

#if canImport(VaporTesting)
    import VaporTesting
#endif

struct Answer {
    let status: UInt
    let headers: HTTPHeaders
    let body: String
    var setCookies: [String] { headers["Set-Cookie"] }
    var cacheControl: String? { headers.first(name: "Cache-Control") }
    var vary: [String] { headers["Vary"] }
    /// The names of the cookies that a browser is to forget.
    var removed: [String] {
        setCookies.filter { $0.contains("Max-Age=0") }.map { String($0.prefix { $0 != "=" }) }
    }
    /// The cookies as a browser sends them back.
    var cookies: [String] {
        setCookies.filter { !$0.contains("Max-Age=0") }.map { String($0.prefix { $0 != ";" }) }
    }
}

struct Site {
    let app: Application
    let log: Log

    func get(_ path: String, cookies: [String] = []) async throws -> Answer {
        try await ask(.GET, path, cookies.map { ("Cookie", $0) }, "")
    }

    func post(_ path: String, cookies: [String] = [], json: String = "") async throws -> Answer {
        try await ask(
            .POST, path, cookies.map { ("Cookie", $0) } + [("Content-Type", "application/json")], json)
    }
}

#if canImport(VaporTesting)
    extension Site {
        static func with(
            _ configure: (Application) throws -> Void, _ test: (Site) async throws -> Void
        ) async throws {
            try await withApp { app in
                let log = Log()
                app.logger = log.logger
                try configure(app)
                try await test(Site(app: app, log: log))
            }
        }

        private func ask(
            _ method: HTTPMethod, _ path: String, _ headers: [(String, String)], _ body: String
        ) async throws -> Answer {
            let answer = Mutex<Answer?>(nil)
            try await app.testing().test(
                method, path, headers: HTTPHeaders(headers), body: ByteBuffer(string: body)
            ) { response in
                answer.withLock {
                    $0 = Answer(
                        status: response.status.code, headers: response.headers, body: response.body.string)
                }
            }
            return try #require(answer.withLock { $0 })
        }
    }

    /// A response whose body is written after its headers.
    func streamed(_ text: @escaping @Sendable () -> String) -> Response {
        Response(
            body: .init(managedAsyncStream: { writer in
                try await writer.write(.buffer(.init(string: text())))
            }))
    }
#else
    extension Site {
        static func with(
            _ configure: (Application) throws -> Void, _ test: (Site) async throws -> Void
        ) async throws {
            let (app, log) = (Application.forTesting(), Log())
            app.logger = log.logger
            try configure(app)
            try await test(Site(app: app, log: log))
        }

        private func ask(
            _: HTTPMethod, _ path: String, _ headers: [(String, String)], _ body: String
        ) async throws -> Answer {
            let (response, text) = try await app.answer(path, headers: HTTPHeaders(headers), body: body)
            return Answer(status: response.status.code, headers: response.headers, body: text)
        }
    }

    func streamed(_ text: @escaping @Sendable () -> String) -> Response {
        Response(body: .init(written: text))
    }
#endif

/// What an application logs, a line for each message.
final class Log: Sendable {
    private let all = Mutex<[String]>([])
    /// Called for each line, as a logger's metadata provider is.
    let onLine = Mutex<(@Sendable () -> Void)?>(nil)
    var lines: [String] { all.withLock { $0 } }
    var errors: [String] { lines.filter { $0.hasPrefix("error") } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(log: self) }
        logger.logLevel = .info
        return logger
    }

    private struct Handler: LogHandler {
        let log: Log
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.onLine.withLock { $0 }?()
            let reason = event.metadata?["reason"].map { ": \($0)" } ?? ""
            log.all.withLock { $0.append("\(event.level) \(event.message)\(reason)") }
        }
    }
}

// MARK: Sealers

/// A session that can be as long as a test likes.
struct Shopper: Codable, Equatable, Sendable {
    var visits = 0
    var notes = ""
}

let fortnight = SessionLifetime(absolute: .days(14), idle: .days(10))

func sealer(
    _ keys: some KeyRingSource, attributes: SetCookie.Attributes = .init(),
    splitting: CookieSplitting = .never, compression: SessionCompression = .standard
) throws -> CookieSealer<Shopper> {
    try CookieSealer(
        keys: keys, lifetime: fortnight, attributes: attributes, splitting: splitting,
        compression: compression)
}

extension Date {
    /// So long ago that a session of a fortnight is due to be sealed again.
    static var twoDaysAgo: Date { .now - 172_800 }
}
