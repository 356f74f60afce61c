// Vapor's own sessions: what `SealedSessions` asks of them.
import NIOConcurrencyHelpers
import NIOCore

public struct SessionID: Sendable {
    public let string: String
    public init(string: String) { self.string = string }
}

public struct SessionData: Codable, Equatable, Sendable {
    private var values: [String: String] = [:]
    public init() {}

    public subscript(_ key: String) -> String? {
        get { values[key] }
        set { values[key] = newValue }
    }
}

public final class Session: Sendable {
    private let state = NIOLockedValueBox((data: SessionData(), isValid: true))

    public var data: SessionData {
        get { state.withLockedValue { $0.data } }
        set { state.withLockedValue { $0.data = newValue } }
    }

    public func destroy() { state.withLockedValue { $0.isValid = false } }
    var isValid: Bool { state.withLockedValue { $0.isValid } }
}

extension Request {
    private struct SessionKey: StorageKey { typealias Value = Session }

    public var hasSession: Bool { storage[SessionKey.self] != nil }

    public var session: Session {
        if let session = storage[SessionKey.self] { return session }
        let session = Session()
        storage[SessionKey.self] = session
        return session
    }
}

public protocol SessionDriver: Sendable {
    func createSession(_ data: SessionData, for request: Request) -> EventLoopFuture<SessionID>
    func readSession(_ sessionID: SessionID, for request: Request) -> EventLoopFuture<SessionData?>
    func updateSession(_ sessionID: SessionID, to data: SessionData, for request: Request) -> EventLoopFuture<
        SessionID
    >
    func deleteSession(_ sessionID: SessionID, for request: Request) -> EventLoopFuture<Void>
}

/// Of a request without a cookie of Vapor's.
public final class SessionsMiddleware: AsyncMiddleware {
    private let driver: any SessionDriver
    public init(session driver: any SessionDriver) { self.driver = driver }

    public func respond(to request: Request, chainingTo next: any AsyncResponder) async throws -> Response {
        let response = try await next.respond(to: request)
        if request.hasSession, request.session.isValid {
            let id = try await driver.createSession(request.session.data, for: request).get()
            response.headers.add(name: .setCookie, value: "vapor-session=\(id.string)")
        }
        return response
    }
}

// MARK: Authentication

public protocol SessionAuthenticatable: Sendable {
    associatedtype SessionID: LosslessStringConvertible
    var sessionID: SessionID { get }
}

public struct Authentication {
    let request: Request

    private struct Key<User: SessionAuthenticatable>: StorageKey { typealias Value = User }

    public func login<User: SessionAuthenticatable>(_ user: User) { request.storage[Key<User>.self] = user }
    public func logout<User: SessionAuthenticatable>(_: User.Type) { request.storage[Key<User>.self] = nil }
    public func get<User: SessionAuthenticatable>(_: User.Type) -> User? { request.storage[Key<User>.self] }

    public func require<User: SessionAuthenticatable>(_: User.Type) throws -> User {
        guard let user = get(User.self) else { throw Abort(.unauthorized) }
        return user
    }
}

extension Request {
    public var auth: Authentication { Authentication(request: self) }
}

public protocol AsyncSessionAuthenticator: AsyncMiddleware {
    associatedtype User: SessionAuthenticatable
    func authenticate(sessionID: User.SessionID, for request: Request) async throws
}

extension AsyncSessionAuthenticator {
    public func respond(to request: Request, chainingTo next: any AsyncResponder) async throws -> Response {
        if request.hasSession, let id = request.session.data["user"].flatMap(User.SessionID.init) {
            try await authenticate(sessionID: id, for: request)
        }
        let response = try await next.respond(to: request)
        if request.hasSession || request.auth.get(User.self) != nil {
            request.session.data["user"] = request.auth.get(User.self)?.sessionID.description
        }
        return response
    }
}
