// Vapor's own sessions in sealed cookies: `req.session`, `req.auth` and `SessionAuthenticator` work unchanged.
// Copy this file and SealedSession.swift.
import Logging
import NIOCore
import SealedCookie
import Synchronization
import Vapor

/// Takes the place of `app.sessions.middleware`. It runs Vapor's `SessionsMiddleware` inside, and a sealed cookie takes the
/// place of Vapor's: nothing is kept on the server, and a request that only reads its session writes nothing.
///
///     app.middleware.use(SealedSessions(sealer: sessions), at: .beginning)
///
/// Vapor does not tell who reads a session. So each response says `Vary: Cookie`, and to a request with a session
/// `Cache-Control: private` too. What needs no session, such as `FileMiddleware`, belongs outside.
struct SealedSessions: AsyncMiddleware {
    private let outer: SealedSessionMiddleware<SessionData>

    /// - Parameter errors: as for `SealedSessionMiddleware`.
    init(
        sealer: CookieSealer<SessionData>,
        errors: any Middleware = ErrorMiddleware.default(environment: .production)
    ) {
        outer = SealedSessionMiddleware(sealer: sealer, errors: errors)
    }

    func respond(to request: Request, chainingTo next: any AsyncResponder) async throws -> Response {
        try await outer.respond(to: request, chainingTo: Inner(next: next))
    }

    private struct Inner: AsyncResponder {
        let next: any AsyncResponder

        func respond(to request: Request) async throws -> Response {
            let sealed = request.sealedSession(SessionData.self)
            let exchange = Exchange(next, before: sealed.peek())
            // Its response is an empty one, which takes Vapor's cookie with it.
            _ = try await SessionsMiddleware(session: exchange).respond(to: request, chainingTo: exchange)
                .get()
            let (saved, result) = exchange.state.withLock { ($0.saved, $0.result) }
            if let saved {
                // A guest's session that is empty is no reason for a cookie.
                if sealed.peek() != nil || saved != .init() { sealed.value = saved }
            } else if request.hasSession {
                sealed.value = nil  // `req.session.destroy()`
            }
            request.storage[Watch.Key.self] = Watch(request, saved)
            switch result {
            case .success(let response):
                if sealed.peek() == nil { response.headers.add(name: .vary, value: "Cookie") }
                return response
            case .failure(let error): throw error
            case nil: throw Abort(.internalServerError)
            }
        }
    }

    /// What Vapor's `SessionsMiddleware` has for a store and for the rest of the application: it hands the session in, and
    /// keeps what comes out.
    private final class Exchange: SessionDriver, AsyncResponder {
        let state = Mutex((saved: SessionData?.none, result: Result<Response, any Error>?.none))
        private let (next, before): (any AsyncResponder, SessionData?)

        init(_ next: any AsyncResponder, before: SessionData?) { (self.next, self.before) = (next, before) }

        func respond(to request: Request) async throws -> Response {
            if let before { request.session.data = before }
            do {
                let response = try await next.respond(to: request)
                state.withLock { $0.result = .success(response) }
            } catch {  // What it has changed before is kept where the error can carry a cookie.
                state.withLock { $0.result = .failure(error) }
            }
            return Response()
        }

        private func save(_ data: SessionData, for request: Request) -> EventLoopFuture<SessionID> {
            state.withLock { $0.saved = data }
            return request.eventLoop.makeSucceededFuture(SessionID(string: ""))
        }

        func createSession(_ data: SessionData, for request: Request) -> EventLoopFuture<SessionID> {
            save(data, for: request)
        }

        func updateSession(
            _: SessionID, to data: SessionData, for request: Request
        ) -> EventLoopFuture<SessionID> {
            save(data, for: request)
        }

        /// Of a cookie that Vapor's own sessions have left: it is no session here.
        func readSession(_: SessionID, for request: Request) -> EventLoopFuture<SessionData?> {
            request.eventLoop.makeSucceededFuture(nil)
        }

        func deleteSession(_: SessionID, for request: Request) -> EventLoopFuture<Void> {
            request.eventLoop.makeSucceededFuture(())
        }
    }

    /// Looks at the session when the request ends: a stream or a WebSocket may have changed it too late for a cookie.
    private final class Watch: Sendable {
        struct Key: StorageKey { typealias Value = Watch }
        private let session: Session
        private let saved: SessionData
        private let logger: Logger

        init(_ request: Request, _ saved: SessionData?) {
            (session, logger) = (request.session, request.logger)
            self.saved = saved ?? session.data
        }

        deinit {
            if session.data != saved { logger.error("session changed after the response's headers") }
        }
    }
}

extension Request {
    /// Makes `session` a new one, of age 0: after sign-in, and whenever rights change. Its data is what `session` holds
    /// after the handler. The parameters are those of `CurrentSession.begin`.
    func beginSession(
        lifetime: SessionLifetime? = nil, endsWithBrowser: Bool? = nil, cutOff: Date? = nil
    ) {
        sealedSession(SessionData.self).begin(
            session.data, lifetime: lifetime, endsWithBrowser: endsWithBrowser, cutOff: cutOff)
    }
}
