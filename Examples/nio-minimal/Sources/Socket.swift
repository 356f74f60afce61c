// A WebSocket that reads its visitor's session.
import Foundation
import NIOCore
import NIOHTTP1
import NIOWebSocket
import SealedCookie

/// Answers each text with the visits of the session that came with the socket's first request.
///
/// **A socket cannot change its session.** A cookie is set by a response's headers, and a socket has none after the first. Keep what
/// a socket changes elsewhere, under a key in the session, or have the page send a request. What other requests have changed since
/// does not come to an open socket either.
///
/// A socket ends when its session does: the cookie is opened anew for each text, so that a revoked key or a `not-before`
/// counts, and a timer ends an idle one. **Signing out elsewhere does not end it**: the cookie that it began with is good until it
/// expires. Where that matters, also ask for the user's cut-off or a list of ended sessions (the guide "Recipes"). A page then connects again, with the cookie that its other requests have renewed.
final class Socket: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let sessions: CookieSealer<Session>
    /// Of the request that became this socket.
    private let cookies: [String]
    private var end: Scheduled<Void>?

    init(_ sessions: CookieSealer<Session>, cookies: [String]) {
        (self.sessions, self.cookies) = (sessions, cookies)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard let opened = current(context) else { return }
        let seconds = opened.expiresAt.timeIntervalSinceNow + 0.001
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        end = context.eventLoop.scheduleTask(in: .milliseconds(Int64(seconds * 1000))) {
            let (socket, context) = bound.value
            socket.close(context, .policyViolation)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { end?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text:
            guard let opened = current(context) else { return }
            send(context, .text, ByteBuffer(string: "Visit \(opened.session.visits)."))
        case .ping: send(context, .pong, frame.unmaskedData)
        case .connectionClose: close(context, .normalClosure)
        case .pong: break
        default: close(context, .unacceptableData)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// The session; nil: it is over, and so is the socket.
    private func current(_ context: ChannelHandlerContext) -> OpenedSession<Session>? {
        do {
            if let opened = try sessions.open(cookieHeaders: cookies) { return opened }
            close(context, .policyViolation)
        } catch {
            log("socket closed: \(error)")
            // Of a library's failure the session knows nothing: the client may try again.
            close(context, error.isLibraryFailure ? .unexpectedServerError : .policyViolation)
        }
        return nil
    }

    private func send(_ context: ChannelHandlerContext, _ opcode: WebSocketOpcode, _ data: ByteBuffer) {
        context.writeAndFlush(wrapOutboundOut(.init(fin: true, opcode: opcode, data: data)), promise: nil)
    }

    private func close(_ context: ChannelHandlerContext, _ code: WebSocketErrorCode) {
        var data = ByteBuffer()
        data.write(webSocketErrorCode: code)
        send(context, .connectionClose, data)
        context.close(promise: nil)
    }
}

extension Application {
    /// Takes the first request of a socket. Its response can still set cookies, here one that is due.
    var socketUpgrader: NIOWebSocketServerUpgrader {
        NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, request in
                var headers: HTTPHeaders?
                let session = VisitorSession(sessions, cookies: request.headers["Cookie"]) { log($0) }
                do {
                    if request.uri == "/socket", try socketRefusal(request, session) == nil,
                        let written = try session.finish(cacheControl: nil)
                    {
                        headers = HTTPHeaders(written.cookies.map { ("Set-Cookie", $0) })
                    }
                } catch {}  // The request goes on to `answer`, as one that is refused does: it says why.
                return channel.eventLoop.makeSucceededFuture(headers)
            },
            upgradePipelineHandler: { channel, request in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Socket(sessions, cookies: request.headers["Cookie"]))
                }
            })
    }
}
