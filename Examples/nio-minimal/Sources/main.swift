// Sessions on bare SwiftNIO: strings in, strings out. It counts a visitor's visits.
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import SealedCookie

struct Session: Codable, Sendable {
    var visits = 0
}

/// One line on standard error, at once also where that is a file.
func log(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

/// Answers one connection's requests.
final class Visits: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let sessions: CookieSealer<Session>
    private var request: HTTPRequestHead?

    init(_ sessions: CookieSealer<Session>) { self.sessions = sessions }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        case .body: break
        case .end:
            guard let request else { return }
            self.request = nil
            let (status, headers, text) = answer(request)
            let isHeadOnly = request.method == .HEAD
            var head = HTTPResponseHead(version: request.version, status: status, headers: headers)
            head.headers.add(name: "Content-Length", value: "\(text.utf8.count)")
            if !request.isKeepAlive { head.headers.add(name: "Connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if !isHeadOnly {
                context.write(wrapOutboundOut(.body(.byteBuffer(.init(string: text)))), promise: nil)
            }
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
                if !request.isKeepAlive { channel.close(promise: nil) }
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// All there is to it: the request's Cookie headers in, the response's Set-Cookie headers out.
    private func answer(_ request: HTTPRequestHead) -> (HTTPResponseStatus, HTTPHeaders, String) {
        var headers: HTTPHeaders = [
            "Content-Type": "text/plain; charset=utf-8", "Vary": "Cookie", "Cache-Control": "private",
        ]
        guard request.uri == "/" else { return (.notFound, headers, "Nothing here.\n") }
        // To the visitor a cookie that is no session is the same as none.
        var opened = sessions.open(cookieHeaders: request.headers["Cookie"]) { log("no session: \($0)") }
        do {
            opened?.session.visits += 1
            let sealed =
                try opened.map { try sessions.reseal($0) }
                ?? sessions.seal(Session(visits: 1), cookieHeaders: request.headers["Cookie"])
            for value in sealed.headerValues { headers.add(name: "Set-Cookie", value: value) }
            return (.ok, headers, "Visit \(opened?.session.visits ?? 1).\n")
        } catch let error as SealError where opened != nil && error.isSessionOver {
            log("no session: \(error)")
            return (.ok, headers, "Your session has just ended.\n")  // The next request finds none.
        } catch {
            log("session not sealed: \(error)")
            return (.internalServerError, headers, "Try again in a moment.\n")
        }
    }
}

func serve() async throws {
    let ring = "session.keys"
    if !FileManager.default.fileExists(atPath: ring) {
        try KeyRing([.generate()]).create(at: ring)
        log("There was no key ring: made \(ring), for development only.")
    }
    let sessions = try CookieSealer<Session>(
        keys: try KeyRingFile(ring) { log("\($0)") }, lifetime: .init(absolute: .days(14), idle: .hours(12)))
    let port = ProcessInfo.processInfo.environment["PORT"].flatMap { Int($0) } ?? 8080
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
            channel.pipeline.configureHTTPServerPipeline(withErrorHandling: true).flatMapThrowing {
                try channel.pipeline.syncOperations.addHandler(Visits(sessions))
            }
        }
        .bind(host: "127.0.0.1", port: port).get()
    log("Counting visits: http://localhost:\(port)")
    try await server.closeFuture.get()
}

do {
    try await serve()
} catch {
    log("error: \(error)")
    exit(1)
}
