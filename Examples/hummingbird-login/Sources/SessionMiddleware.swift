// Sessions in sealed cookies for any Hummingbird 2 application. Copy this file; it needs no other of the example.
import Hummingbird
import Logging
import SealedCookie
import Synchronization

/// A context that carries its request's session:
///
///     let session = RequestSession<MySession>()
protocol SessionContext<Session>: RequestContext {
    associatedtype Session: Codable & Equatable & Sendable
    var session: RequestSession<Session> { get }
}

/// The session of one request. The cookie is opened when it is first looked at, and never twice.
final class RequestSession<Session: Codable & Equatable & Sendable>: Sendable {
    fileprivate struct State {
        var open: (@Sendable () -> OpenedSession<Session>?)?
        var opened: OpenedSession<Session>?
        var value: Session?
        var (isTouched, isNew, isEnded) = (false, false, false)

        mutating func touch() {
            isTouched = true
            guard let open else { return }
            self.open = nil
            opened = open()
            value = opened?.session
        }
    }
    fileprivate let state = Mutex(State())

    /// The session as it is now; nil: none, and when set to nil, the browser is to forget it. What is
    /// changed here is sealed once the handler has returned.
    var value: Session? {
        get { touched { $0.value } }
        set { touched { ($0.value, $0.isEnded) = (newValue, newValue == nil) } }
    }

    /// What the request's cookie held: the session with its times and its key.
    var opened: OpenedSession<Session>? { touched { $0.opened } }

    /// Starts a new session, whose age is 0: after signing in, and whenever rights change.
    func begin(_ session: Session) { touched { ($0.value, $0.isNew) = (session, true) } }

    private func touched<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        state.withLock { state in
            state.touch()
            return body(&state)
        }
    }
}

/// Opens the session's cookie at most once a request, and writes it only when it must: the session has
/// changed, or has a reason to be sealed again. Who never looks at it leaves the response to caches.
///
/// A cookie that does not open is no session; why stands in the log. It stays in the browser: a server
/// that has not read the newest ring must not sign out whom the next one knows.
///
/// Two requests that change one session at once: the last answer wins (README, "Two at once").
struct SessionMiddleware<Session, Context: SessionContext<Session>>: RouterMiddleware {
    let sealer: CookieSealer<Session>

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let (sealer, logger) = (sealer, context.logger)
        context.session.state.withLock {
            $0.open = {
                do {
                    return try sealer.open(cookieHeaders: request.headers[values: .cookie])
                } catch {
                    logger.info("no session", metadata: ["reason": "\(error)"])
                    return nil
                }
            }
        }
        // What a handler throws passes through, and has changed no session.
        var response = try await next(request, context)
        let state = context.session.state.withLock { $0 }
        guard state.isTouched else { return response }
        response.headers.append(.init(name: .vary, value: "Cookie"))
        let caching = response.headers[.cacheControl] ?? ""
        if !caching.contains("private"), !caching.contains("no-store") {
            response.headers[.cacheControl] = "private"
        }
        for cookie in try cookies(for: state, logger) {
            response.headers.append(.init(name: .setCookie, value: cookie))
        }
        return response
    }

    /// The `Set-Cookie` headers.
    ///
    /// - Throws: `SealError` where a change cannot be kept: better an error than an answer that is not true.
    private func cookies(for state: RequestSession<Session>.State, _ logger: Logger) throws -> [String] {
        guard let value = state.value else { return state.isEnded ? sealer.removal().map(\.description) : [] }
        guard var opened = state.opened, !state.isNew else { return try sealer.seal(value).headerValues }
        let isChanged = value != opened.session
        guard isChanged || opened.needsResealing else { return [] }
        opened.session = value
        do {
            return try sealer.reseal(opened).headerValues
        } catch .expired, .endedBefore {
            return []  // Over since this request came in: the next one finds no session.
        } catch {
            logger.error("session not sealed", metadata: ["reason": "\(error)"])
            if isChanged { throw error }
            return []  // The cookie is as good as before.
        }
    }
}
