// SwiftNIO's side: one connection's requests, and their answers.
import NIOCore
import NIOHTTP1
import NIOWebSocket

final class HTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let application: Application
    private var request: HTTPRequestHead?

    init(_ application: Application) { self.application = application }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        case .body: break
        case .end:
            guard let request else { return }
            self.request = nil
            let response = application.answer(request)
            var head = HTTPResponseHead(
                version: request.version, status: response.status, headers: response.headers)
            head.headers.add(name: "Content-Length", value: "\(response.text.utf8.count)")
            if !request.isKeepAlive { head.headers.add(name: "Connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if request.method != .HEAD {
                context.write(wrapOutboundOut(.body(.byteBuffer(.init(string: response.text)))), promise: nil)
            }
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
                if !request.isKeepAlive { channel.close(promise: nil) }
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A socket that is refused: the request comes here next, and is answered.
        guard !(error is NIOWebSocketUpgradeError) else { return }
        context.close(promise: nil)
    }
}
