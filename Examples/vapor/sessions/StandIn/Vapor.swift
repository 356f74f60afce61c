// Stands in for Vapor 4 where it is not at hand: of its declarations those that this example uses, with bodies that are enough
// for the example's tests. It is no part of what you copy, and none of Vapor's code.
@_exported import Foundation
@_exported import Logging
import NIOConcurrencyHelpers
import NIOPosix

@_exported import protocol NIOCore.EventLoop
@_exported import class NIOCore.EventLoopFuture
@_exported import struct NIOHTTP1.HTTPHeaders
@_exported import enum NIOHTTP1.HTTPMethod
@_exported import enum NIOHTTP1.HTTPResponseStatus
import protocol NIOHTTP1.HTTPServerProtocolUpgrader

// MARK: Requests and responses

public protocol StorageKey {
    associatedtype Value: Sendable
}

public struct Storage: Sendable {
    private var values: [ObjectIdentifier: any Sendable] = [:]

    public subscript<Key: StorageKey>(_: Key.Type) -> Key.Value? {
        get { values[ObjectIdentifier(Key.self)] as? Key.Value }
        set { values[ObjectIdentifier(Key.self)] = newValue }
    }
}

public final class Request: Sendable {
    public let headers: HTTPHeaders
    public let logger: Logger
    public let eventLoop: any EventLoop
    let body: String
    private let stored = NIOLockedValueBox(Storage())

    init(headers: HTTPHeaders, body: String, logger: Logger) {
        (self.headers, self.body, self.logger) = (headers, body, logger)
        eventLoop = MultiThreadedEventLoopGroup.singleton.any()
    }

    public var storage: Storage {
        get { stored.withLockedValue { $0 } }
        set { stored.withLockedValue { $0 = newValue } }
    }

    public var content: RequestContent { RequestContent(body: body) }

    public func redirect(to location: String) -> Response {
        Response(status: .seeOther, headers: ["Location": location])
    }
}

public typealias Content = Codable & Sendable

public struct RequestContent {
    let body: String

    public func decode<T: Decodable>(_: T.Type) throws -> T {
        try JSONDecoder().decode(T.self, from: Data(body.utf8))
    }
}

public protocol Upgrader: Sendable {
    func applyUpgrade(req: Request, res: Response) -> any HTTPServerProtocolUpgrader
}

public final class Response: Sendable {
    public struct Body: Sendable, ExpressibleByStringLiteral {
        let text: @Sendable () -> String
        public init(string: String) { text = { string } }
        /// Written after the headers.
        package init(written text: @escaping @Sendable () -> String) { self.text = text }
        public init(stringLiteral string: String) { self.init(string: string) }
    }

    private struct Parts {
        var status: HTTPResponseStatus
        var headers: HTTPHeaders
        var upgrader: (any Upgrader)?
    }
    public let body: Body
    private let parts: NIOLockedValueBox<Parts>

    public init(status: HTTPResponseStatus = .ok, headers: HTTPHeaders = [:], body: Body = "") {
        parts = NIOLockedValueBox(Parts(status: status, headers: headers))
        self.body = body
    }

    public var status: HTTPResponseStatus { parts.withLockedValue { $0.status } }
    public var headers: HTTPHeaders {
        get { parts.withLockedValue { $0.headers } }
        set { parts.withLockedValue { $0.headers = newValue } }
    }
    public var upgrader: (any Upgrader)? {
        get { parts.withLockedValue { $0.upgrader } }
        set { parts.withLockedValue { $0.upgrader = newValue } }
    }
}

extension HTTPHeaders {
    public struct Name: Sendable {
        let text: String
        public static let cookie = Name(text: "Cookie")
        public static let setCookie = Name(text: "Set-Cookie")
        public static let cacheControl = Name(text: "Cache-Control")
        public static let vary = Name(text: "Vary")
    }

    public subscript(name: Name) -> [String] { self[name.text] }
    public mutating func add(name: Name, value: String) { add(name: name.text, value: value) }
    public mutating func replaceOrAdd(name: Name, value: String) {
        replaceOrAdd(name: name.text, value: value)
    }
}

public protocol AsyncResponseEncodable: SendableMetatype {
    func response() -> Response
}

extension Response: AsyncResponseEncodable {
    public func response() -> Response { self }
}

extension String: AsyncResponseEncodable {
    public func response() -> Response { Response(body: .init(string: self)) }
}

// MARK: Responders and errors

public protocol Responder: Sendable {
    func respond(to request: Request) -> EventLoopFuture<Response>
}

public protocol AsyncResponder: Responder {
    func respond(to request: Request) async throws -> Response
}

extension AsyncResponder {
    public func respond(to request: Request) -> EventLoopFuture<Response> {
        request.eventLoop.makeFutureWithTask { try await self.respond(to: request) }
    }
}

public protocol Middleware: Sendable {
    func respond(to request: Request, chainingTo next: any Responder) -> EventLoopFuture<Response>
}

public protocol AsyncMiddleware: Middleware {
    func respond(to request: Request, chainingTo next: any AsyncResponder) async throws -> Response
}

struct Closure: AsyncResponder {
    let run: @Sendable (Request) async throws -> Response
    func respond(to request: Request) async throws -> Response { try await run(request) }
}

extension AsyncMiddleware {
    public func respond(to request: Request, chainingTo next: any Responder) -> EventLoopFuture<Response> {
        request.eventLoop.makeFutureWithTask {
            try await self.respond(to: request, chainingTo: Closure { try await next.respond(to: $0).get() })
        }
    }
}

public struct Abort: Error {
    public let status: HTTPResponseStatus
    public var headers: HTTPHeaders

    public init(_ status: HTTPResponseStatus, headers: HTTPHeaders = [:]) {
        (self.status, self.headers) = (status, headers)
    }
}

public struct Environment: Sendable {
    public static let production = Environment()
    public static let testing = Environment()
}

public final class ErrorMiddleware: AsyncMiddleware {
    public static func `default`(environment: Environment) -> ErrorMiddleware { ErrorMiddleware() }

    public func respond(to request: Request, chainingTo next: any AsyncResponder) async throws -> Response {
        do {
            return try await next.respond(to: request)
        } catch let abort as Abort {
            return Response(status: abort.status, headers: abort.headers)
        } catch {
            return Response(status: .internalServerError)
        }
    }
}

// MARK: The application

public struct Middlewares: Sendable {
    public enum Position { case beginning, end }
    var all: [any Middleware] = [ErrorMiddleware()]

    public mutating func use(_ middleware: any Middleware, at position: Position = .end) {
        all.insert(middleware, at: position == .end ? all.endIndex : all.startIndex)
    }
}

public final class Application: Sendable {
    typealias Handler = @Sendable (Request) async throws -> Response
    private let middlewares = NIOLockedValueBox(Middlewares())
    private let routes = NIOLockedValueBox<[String: Handler]>([:])
    private let log = NIOLockedValueBox(Logger(label: "application"))

    init() {}

    public var middleware: Middlewares {
        get { middlewares.withLockedValue { $0 } }
        set { middlewares.withLockedValue { $0 = newValue } }
    }

    public var logger: Logger {
        get { log.withLockedValue { $0 } }
        set { log.withLockedValue { $0 = newValue } }
    }

    public func get<Answer: AsyncResponseEncodable>(
        _ path: String, use handler: @escaping @Sendable (Request) async throws -> Answer
    ) {
        routes.withLockedValue { $0[path] = { try await handler($0).response() } }
    }

    public func post<Answer: AsyncResponseEncodable>(
        _ path: String, use handler: @escaping @Sendable (Request) async throws -> Answer
    ) {
        get(path, use: handler)
    }

    /// What Vapor's test kit does: asks for a page, without a server.
    package func answer(_ path: String, headers: HTTPHeaders, body: String) async throws -> (Response, String)
    {
        let handler = routes.withLockedValue { $0[path] }
        var responder: any Responder = Closure { request in
            guard let handler else { throw Abort(.notFound) }
            return try await handler(request)
        }
        for middleware in middleware.all.reversed() {
            let next = responder
            responder = Closure { try await middleware.respond(to: $0, chainingTo: next).get() }
        }
        let response = try await responder.respond(
            to: Request(headers: headers, body: body, logger: logger)
        ).get()
        return (response, response.body.text())
    }

    package static func forTesting() -> Application { Application() }
}
