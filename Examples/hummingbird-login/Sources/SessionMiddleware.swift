// Sessions in sealed cookies for any Hummingbird 2 application. Copy this file; it needs no other of the example.
import Hummingbird
import Logging
import SealedCookie
import Synchronization

/// A context that carries its request's session: `let session = RequestSession<MySession>()`.
protocol SessionContext<Session>: RequestContext {
    associatedtype Session: Codable & Equatable & Sendable
    var session: RequestSession<Session> { get }
}

/// The session of one request. The cookie is opened when it is first looked at, and never twice. Tasks of one
/// request may share it: each get and each set is whole, and the last to set wins.
final class RequestSession<Session: Codable & Equatable & Sendable>: Sendable {
    fileprivate struct State {
        var open: (@Sendable () -> OpenedSession<Session>?)?
        var opened: OpenedSession<Session>?
        var value: Session?
        /// `isReplaced`: no longer the cookie's session, but a new one or none.
        var (isTouched, isReplaced) = (false, false)
        /// Once the response has its headers: complains of what comes after.
        var late: Logger?
    }
    fileprivate let state = Mutex(State())

    /// The session as it is now; nil: none, and when set to nil, the browser is to forget it. It is sealed
    /// once the handler has returned: what the body's stream changes comes too late, and is logged.
    var value: Session? {
        get { touch { $0.value } }
        set { put(newValue, replaces: newValue == nil) }
    }

    /// What the request's cookie held: the session with its times and its key.
    var opened: OpenedSession<Session>? { touch { $0.opened } }

    /// Starts a new session, whose age is 0: after signing in, and whenever rights change.
    func begin(_ session: Session) { put(session, replaces: true) }

    private func put(_ session: Session?, replaces: Bool) {
        touch(isChange: true) { ($0.value, $0.isReplaced) = (session, $0.isReplaced || replaces) }
    }

    private func touch<R: Sendable>(isChange: Bool = false, _ body: (inout State) -> R) -> R {
        state.withLock {
            if isChange || !$0.isTouched { $0.late?.error("session used after the response's headers") }
            $0.isTouched = true
            if let open = $0.open.take() {
                $0.opened = open()
                $0.value = $0.opened?.session
            }
            return body(&$0)
        }
    }
}

/// Opens the session's cookie at most once a request, and writes it only when it must: the session has
/// changed, or has a reason to be sealed again. Who never looks at it leaves the response to caches.
/// A cookie that does not open is no session; why stands in the log. It stays in the browser: a server
/// that has not read the newest ring must not sign out whom the next one knows.
/// Two requests that change one session at once: the last answer wins (README, "Two at once").
struct SessionMiddleware<Session, Context: SessionContext<Session>>: RouterMiddleware {
    let sealer: CookieSealer<Session>

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let (sealer, logger, session) = (sealer, context.logger, context.session)
        session.state.withLock {
            $0.open = {
                do { return try sealer.open(cookieHeaders: request.headers[values: .cookie]) } catch {
                    logger.info("no session", metadata: ["reason": "\(error)"])
                    return nil
                }
            }
        }
        defer { session.state.withLock { $0.late = logger } }
        do {
            var response = try await next(request, context)
            let state = session.state.withLock { $0 }
            guard state.isTouched else { return response }
            Self.keepFromSharedCaches(&response.headers)
            for cookie in try cookies(for: state, logger) {
                response.headers.append(.init(name: .setCookie, value: cookie))
            }
            return response
        } catch var error as HTTPError {  // It has changed no session, but may tell of one.
            if session.state.withLock({ $0.isTouched }) { Self.keepFromSharedCaches(&error.headers) }
            throw error
        }
    }

    /// `private` takes the place of `public`; the application's other directives stay.
    static func keepFromSharedCaches(_ headers: inout HTTPFields) {
        headers.append(.init(name: .vary, value: "Cookie"))
        let directives = (headers[.cacheControl] ?? "").split { $0 == "," || $0 == " " }
        let others = directives.filter { !["public", "private"].contains($0.lowercased()) }
        headers[.cacheControl] = (["private"] + others).joined(separator: ", ")
    }

    /// - Throws: `SealError` where a change cannot be kept: better an error than an answer that is not true.
    private func cookies(for state: RequestSession<Session>.State, _ logger: Logger) throws -> [String] {
        if state.value == nil, state.isReplaced { return sealer.removal().map(\.description) }
        let old = state.isReplaced ? nil : state.opened
        guard let value = state.value, value != old?.session || old?.needsResealing == true else { return [] }
        do {
            guard var opened = old else { return try sealer.seal(value).headerValues }
            opened.session = value
            return try sealer.reseal(opened).headerValues
        } catch .expired where old != nil, .endedBefore where old != nil {
            return []  // Over since this request came in: the next one finds no session.
        } catch {
            logger.error("session not sealed", metadata: ["reason": "\(error)"])
            guard value == old?.session else { throw error }
            return []  // The cookie is as good as before.
        }
    }
}
