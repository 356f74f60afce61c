// In place of sealed cookies, to measure what they cost: one session for all, and sessions in Redis.
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Every visitor has the same session. All else is as with the other middleware.
struct FixedSession: RouterMiddleware {
    let session = ShopSession(name: "Ada", cart: (0..<3).map { .init(product: $0, engraving: "No. \($0)") })

    func handle(
        _ request: Request, context: ShopContext, next: (Request, ShopContext) async throws -> Response
    ) async throws -> Response {
        context.session.value = session
        var response = try await next(request, context)
        SealedSessionMiddleware<ShopSession, ShopContext>.keepFromSharedCaches(&response.headers)
        return response
    }
}

/// The session as JSON in Redis, under an id that the cookie holds: a GET for each request, a SETEX for each change.
struct RedisSession: RouterMiddleware {
    static let name = "__Host-session"
    static let replayed = HTTPFields.Element.Name("X-Replayed")
    let redis: Redis

    init(port: Int) { redis = Redis(port: port) }

    func handle(
        _ request: Request, context: ShopContext, next: (Request, ShopContext) async throws -> Response
    ) async throws -> Response {
        let found = request.cookies[Self.name]?.value
        let before = try await load(found)
        if let before { context.session.value = before }
        var response = try await next(request, context)
        SealedSessionMiddleware<ShopSession, ShopContext>.keepFromSharedCaches(&response.headers)
        let after = context.session.value
        guard after != before else { return response }
        // A new id after sign-in and sign-out, so that nobody can have planted it.
        let isNew = before == nil || after?.csrf != before?.csrf
        let id = isNew ? String(UInt128.random(in: 0 ... .max), radix: 16) : (found ?? "")
        if let after {
            // A load that sends one request again and again finds the same session each time, as it does with a cookie.
            let key = Self.replayed.flatMap { request.headers[$0] } == nil ? id : id + ".replayed"
            try await redis.set("session:\(key)", seconds: 43_200, JSONEncoder().encode(after))
        }
        if isNew {
            if let found { try await redis.delete("session:\(found)") }
            let end = after == nil ? "; Max-Age=0" : ""
            response.headers.append(
                .init(
                    name: .setCookie,
                    value: "\(Self.name)=\(id); Path=/; Secure; HttpOnly; SameSite=Lax\(end)"))
        }
        return response
    }

    private func load(_ id: String?) async throws -> ShopSession? {
        guard let id, let found = try await redis.get("session:\(id)") else { return nil }
        return try JSONDecoder().decode(ShopSession.self, from: Data(found.readableBytesView))
    }
}

/// A Redis server on the loopback interface, by one connection for each event loop, as a pool would have them.
/// Commands wait in line; a connection is made on first use.
final class Redis: Sendable {
    private struct Command: Sendable {
        var bytes: ByteBuffer
        var answer: EventLoopPromise<ByteBuffer?>
    }
    struct Failure: Error {
        let reason: String
    }

    private let port: Int
    private let connections = Mutex<[ObjectIdentifier: EventLoopFuture<any Channel>]>([:])

    init(port: Int) { self.port = port }

    func get(_ key: String) async throws -> ByteBuffer? { try await send("GET", key) }
    func set(_ key: String, seconds: Int, _ value: Data) async throws {
        _ = try await send("SETEX", key, "\(seconds)", String(decoding: value, as: UTF8.self))
    }
    func delete(_ key: String) async throws { _ = try await send("DEL", key) }

    private func send(_ words: String...) async throws -> ByteBuffer? {
        var bytes = ByteBuffer(string: "*\(words.count)\r\n")
        for word in words { bytes.writeString("$\(word.utf8.count)\r\n\(word)\r\n") }
        let loop = MultiThreadedEventLoopGroup.currentEventLoop ?? MultiThreadedEventLoopGroup.singleton.any()
        let channel = connections.withLock { connections in
            if let connection = connections[ObjectIdentifier(loop)] { return connection }
            let new = ClientBootstrap(group: loop).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answers())
                }
            }.connect(host: "127.0.0.1", port: port)
            connections[ObjectIdentifier(loop)] = new
            return new
        }
        let command = Command(bytes: bytes, answer: loop.makePromise())
        channel.whenComplete { result in
            switch result {
            case .success(let channel): channel.writeAndFlush(command).cascadeFailure(to: command.answer)
            case .failure(let error): command.answer.fail(error)
            }
        }
        return try await command.answer.futureResult.get()
    }

    /// Gives each answer of the server to the command that has waited longest.
    private final class Answers: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundIn = Command
        typealias OutboundOut = ByteBuffer
        private var waiting = CircularBuffer<EventLoopPromise<ByteBuffer?>>()
        private var read = ByteBuffer()

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            let command = unwrapOutboundIn(data)
            waiting.append(command.answer)
            context.write(wrapOutboundOut(command.bytes), promise: promise)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var new = unwrapInboundIn(data)
            read.writeBuffer(&new)
            while let answer = next() { waiting.popFirst()?.completeWith(answer) }
            read.discardReadBytes()
        }

        func channelInactive(context: ChannelHandlerContext) {
            for answer in waiting { answer.fail(Failure(reason: "the connection is closed")) }
            waiting.removeAll()
        }

        /// The next whole answer: `+OK`, `:1`, `-ERR …`, `$-1`, or `$3` with three bytes in a second line.
        private func next() -> Result<ByteBuffer?, any Error>? {
            guard let end = read.readableBytesView.firstIndex(of: 10),
                let line = read.getString(at: read.readerIndex, length: end - 1 - read.readerIndex)
            else { return nil }
            let lineLength = end + 1 - read.readerIndex
            guard line.hasPrefix("$"), let count = Int(line.dropFirst()), count >= 0 else {
                read.moveReaderIndex(forwardBy: lineLength)
                return line.hasPrefix("-") ? .failure(Failure(reason: line)) : .success(nil)
            }
            guard read.readableBytes >= lineLength + count + 2 else { return nil }
            read.moveReaderIndex(forwardBy: lineLength)
            let value = read.readSlice(length: count)
            read.moveReaderIndex(forwardBy: 2)
            return .success(value)
        }
    }
}
