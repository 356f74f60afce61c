// The fleet's Swift server, on bare SwiftNIO. README.md says what it shares with the ones in Node and Python.
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import SealedCookie

/// What each of the three servers reads and writes: the map {"user": text, "cart": [text]}.
struct Session: Codable, Sendable {
    var user: String
    var cart: [String] = []
}

/// What a handler answers: a status, the Set-Cookie values, and the session to show.
typealias Answer = (status: HTTPResponseStatus, cookies: [String], session: Session?)

/// The shop: a request's Cookie headers in, the response's Set-Cookie values out.
struct Shop: Sendable {
    let sessions: CookieSealer<Session>

    func answer(_ method: HTTPMethod, _ path: String, _ query: [String: String], cookies: [String]) throws
        -> Answer
    {
        if (method, path) == (.POST, "/sign-in") {
            let session = Session(user: query["user"] ?? "")
            // "Remember me": a lifetime of this session's own, which every server keeps when it seals it again.
            let own = query["remember"] == "yes" ? SessionLifetime(absolute: .days(90), idle: .days(30)) : nil
            let sealed = try sessions.seal(session, lifetime: own, cookieHeaders: cookies)
            return (.ok, sealed.headerValues, session)
        }
        if (method, path) == (.POST, "/sign-out") {
            return (.ok, try sessions.signOutCookies(cookieHeaders: cookies).map(\.description), nil)
        }
        guard path == "/cart" else { return (.notFound, [], nil) }
        guard var opened = try open(cookies) else { return (.unauthorized, [], nil) }
        if method == .POST { opened.session.cart.append(query["add"] ?? "") }
        guard method == .POST || opened.needsResealing else { return (.ok, [], opened.session) }
        return (.ok, try sessions.reseal(opened).headerValues, opened.session)
    }

    /// To the visitor, a cookie that is no session is the same as none. A library that fails says nothing about the cookie.
    private func open(_ cookies: [String]) throws -> OpenedSession<Session>? {
        do {
            return try sessions.open(cookieHeaders: cookies)
        } catch {
            guard !error.isLibraryFailure else { throw error }
            log("no session: \(error)")
            return nil
        }
    }
}

/// Answers one connection's requests.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let shop: Shop
    private var request: HTTPRequestHead?

    init(_ shop: Shop) { self.shop = shop }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        case .body: break
        case .end:
            guard let request else { return }
            self.request = nil
            let (status, cookies, text) = answer(request)
            var head = HTTPResponseHead(version: request.version, status: status)
            head.headers = [
                "Content-Type": "application/json", "Content-Length": "\(text.count)",
                "Cache-Control": "private",
            ]
            for cookie in cookies { head.headers.add(name: "Set-Cookie", value: cookie) }
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(.init(bytes: text)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ request: HTTPRequestHead) -> (HTTPResponseStatus, cookies: [String], json: Data) {
        let url = URLComponents(string: request.uri)
        let query = (url?.queryItems ?? []).reduce(into: [:]) { $0[$1.name] = $1.value }
        do {
            let (status, cookies, session) = try shop.answer(
                request.method, url?.path ?? "", query, cookies: request.headers["Cookie"])
            return (status, cookies, try JSONEncoder().encode(Shown(session: session)))
        } catch {
            log("not sealed, or a library failed: \(error)")
            return (.serviceUnavailable, [], Data(#"{"server": "swift"}"#.utf8))
        }
    }
}

/// The JSON of an answer.
struct Shown: Encodable {
    var server = "swift"
    var session: Session?
}

/// One line on standard error.
func log(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

func serve() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, let port = Int(arguments[2]) else {
        log("usage: fleet RING PORT")
        exit(2)
    }
    // Polls the file: a rotation needs no restart.
    let keys = try KeyRingFile(arguments[1], pollInterval: .seconds(1)) { log("\($0)") }
    let shop = Shop(
        sessions: try CookieSealer(
            "__Host-session", keys: keys, lifetime: .init(absolute: .days(14), idle: .hours(12))))
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                // A client that asks and never reads would otherwise fill the memory with answers.
                try channel.pipeline.syncOperations.addHandler(BackPressureHandler())
                try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                try channel.pipeline.syncOperations.addHandler(Connection(shop))
            }
        }
        .bind(host: "127.0.0.1", port: port).get()
    try await server.closeFuture.get()
}

do {
    try await serve()
} catch {
    log("error: \(error)")
    exit(1)
}
