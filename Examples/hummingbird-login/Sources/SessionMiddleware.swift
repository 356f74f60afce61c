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
        var (opened, value): (OpenedSession<Session>?, Session?)
        /// `isNew`: no longer the cookie's session, but a new one or none.
        var (isTouched, isNew) = (false, false)
        /// Of a new one: in place of the sealer's.
        var (lifetime, endsWithBrowser): (SessionLifetime?, Bool?)
        /// Once the response has its headers: complains of what comes after.
        var late: Logger?

        /// - Throws: `SealError` where a change cannot be kept: better an error than an answer that is not true.
        func cookies(_ sealer: CookieSealer<Session>, for headers: [String], _ logger: Logger) throws
            -> [String]
        {
            if value == nil, isNew {
                return try sealer.signOutCookies(cookieHeaders: headers).map(\.description)
            }
            let old = isNew ? nil : opened
            guard let value, value != old?.session || old?.needsResealing == true else { return [] }
            do {
                guard var opened = old else {
                    return try sealer.seal(
                        value, lifetime: lifetime, endsWithBrowser: endsWithBrowser, cookieHeaders: headers
                    ).headerValues
                }
                opened.session = value
                return try sealer.reseal(opened).headerValues
            } catch let error where old != nil && error.isSessionOver {
                return []  // Over since this request came in: the next one finds no session.
            } catch {
                logger.error("session not sealed", metadata: ["reason": "\(error)"])
                guard value == old?.session else { throw error }
                return []  // The cookie is as good as before.
            }
        }
    }
    fileprivate let state = Mutex(State())

    /// The session as it is now; nil: none, and when set to nil, the browser is to forget it. It is sealed
    /// once the handler has returned: what the body's stream changes comes too late, and is logged.
    var value: Session? {
        get { touch { $0.value } }
        set {
            touch(isChange: true) {
                ($0.value, $0.isNew) = (newValue, $0.isNew || newValue == nil)
                if newValue == nil { ($0.lifetime, $0.endsWithBrowser) = (nil, nil) }
            }
        }
    }

    /// What the request's cookie held: the session with its times and its key.
    var opened: OpenedSession<Session>? { touch { $0.opened } }

    /// Starts a new session, whose age is 0: after signing in, and whenever rights change. A lifetime of its own takes
    /// the place of the sealer's whole ("remember me"); it and the end with the browser stay when it is sealed again.
    func begin(_ session: Session, lifetime: SessionLifetime? = nil, endsWithBrowser: Bool? = nil) {
        touch(isChange: true) {
            ($0.value, $0.isNew) = (session, true)
            ($0.lifetime, $0.endsWithBrowser) = (lifetime, endsWithBrowser)
        }
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

/// Opens the session's cookie at most once a request, and writes it only when it must: the session has changed, or
/// has a reason to be sealed again. Who never looks at it leaves the response to caches. A cookie that does not open
/// is no session; why stands in the log. It stays in the browser: a server that has not read the newest ring must not
/// sign out whom the next one knows. Two requests that change one session: the last answer wins (README, "Two at once").
struct SessionMiddleware<Session, Context: SessionContext<Session>>: RouterMiddleware {
    typealias Next = (Request, Context) async throws -> Response
    /// Made in `init`, where the types are known: a generic method called by protocol looks them up each time.
    private let run: @Sendable (Request, Context, Next) async throws -> Response

    init(sealer: CookieSealer<Session>) {
        run = { request, context, next in
            let (logger, session) = (context.logger, context.session)
            session.state.withLock {
                $0.open = {
                    sealer.open(cookieHeaders: request.headers[values: .cookie]) { refusal in
                        logger.info("no session", metadata: ["reason": "\(refusal)"])
                    }
                }
            }
            defer { session.state.withLock { $0.late = logger } }
            do {
                var response = try await next(request, context)
                let state = session.state.withLock { $0 }
                guard state.isTouched else { return response }
                Self.keepFromSharedCaches(&response.headers)
                for cookie in try state.cookies(sealer, for: request.headers[values: .cookie], logger) {
                    response.headers.append(.init(name: .setCookie, value: cookie))
                }
                return response
            } catch var error as HTTPError {  // It has changed no session, but may tell of one.
                if session.state.withLock({ $0.isTouched }) { Self.keepFromSharedCaches(&error.headers) }
                throw error
            }
        }
    }

    func handle(_ request: Request, context: Context, next: Next) async throws -> Response {
        try await run(request, context, next)
    }

    /// `private` takes the place of `public`; the application's other directives stay.
    static func keepFromSharedCaches(_ headers: inout HTTPFields) {
        headers.append(.init(name: .vary, value: "Cookie"))
        let directives = headers[.cacheControl]?.split { $0 == "," || $0 == " " } ?? []
        let others = directives.filter { !["public", "private"].contains($0.lowercased()) }
        headers[.cacheControl] = (["private"] + others).joined(separator: ", ")
    }
}
