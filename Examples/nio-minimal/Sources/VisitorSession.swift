// Sessions for any framework, in plain Swift. Copy this file; it needs no other of the example.
import SealedCookie
import Synchronization

/// The session of one request. The cookie is opened when the session is first looked at, and never twice. Tasks of the request
/// may share it.
final class VisitorSession<Session: Codable & Equatable & Sendable>: Sendable {
    /// What the response needs where the session was looked at, beside `Vary: Cookie`.
    struct Headers {
        /// In place of the response's `Cache-Control`.
        let cacheControl: String
        /// The values of the `Set-Cookie` headers to add.
        let cookies: [String]
    }
    private struct State {
        var (isOpened, isNew, isFinished, isLate) = (false, false, false, false)
        var (opened, failure): (OpenedSession<Session>?, OpenError?)
        var (value, lifetime, endsWithBrowser): (Session?, SessionLifetime?, Bool?)
    }
    private let sealer: CookieSealer<Session>
    private let cookies: [String]
    private let log: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameter cookies: the request's `Cookie` headers.
    init(_ sealer: CookieSealer<Session>, cookies: [String], log: @escaping @Sendable (String) -> Void) {
        (self.sealer, self.cookies, self.log) = (sealer, cookies, log)
    }

    /// Reads the session or changes it; nil: there is none. Where you set a session to nil, the visitor is signed out; `begin(nil)`
    /// does it even for a cookie that is refused here, since another server may know its key.
    ///
    /// If `body` throws, nothing has changed. It must not use this object itself.
    ///
    /// - Throws: `OpenError` where a library failed: the cookie may be good, so answer 503. Any other refusal is no session.
    func withValue<Result: Sendable>(_ body: (inout Session?) throws -> Result) throws -> Result {
        open()
        return try state.withLock { state in
            if let failure = state.failure { throw failure }
            var value = state.value
            let result = try body(&value)
            if value == nil, state.value != nil {
                (state.isNew, state.lifetime, state.endsWithBrowser) = (true, nil, nil)
            }
            state.value = value
            return result
        }
    }

    /// Opens the cookie on first use. What there is to log is logged without the lock: a logger may ask for the session.
    private func open() {
        let (isLate, refusal) = state.withLock { state -> (Bool, OpenError?) in
            // Once: a logger that asks for the session would otherwise log without end.
            let isLate = state.isFinished && !state.isLate
            state.isLate = state.isFinished
            guard !state.isOpened else { return (isLate, nil) }
            state.isOpened = true
            do throws(OpenError) {
                state.opened = try sealer.open(cookieHeaders: cookies)
                if !state.isNew { state.value = state.opened?.session }
                return (isLate, nil)
            } catch {
                if error.isLibraryFailure { state.failure = error }
                return (isLate, error)
            }
        }
        if isLate { log("session used after the response's headers") }
        if let refusal { log("no session: \(refusal)") }
    }

    /// Begins a new session, or none (nil) to sign out, whatever the cookie holds: after a sign-in, and whenever rights change.
    /// A lifetime of its own takes the place of the sealer's ("remember me").
    func begin(_ session: Session?, lifetime: SessionLifetime? = nil, endsWithBrowser: Bool? = nil) {
        let isLate = state.withLock {
            ($0.value, $0.isNew, $0.lifetime, $0.endsWithBrowser) = (session, true, lifetime, endsWithBrowser)
            return $0.isFinished
        }
        if isLate { log("session begun after the response's headers") }
    }

    /// Call it when the handler is done, also where that threw, and before the headers are sent.
    ///
    /// - Parameter cacheControl: the response's `Cache-Control`; nil: none.
    /// - Returns: nil where nobody looked at the session: caches may keep the response.
    /// - Throws: what `statusCode(for:)` has an answer for. No cookie is written then.
    func finish(cacheControl: String?) throws -> Headers? {
        let state = state.withLock {
            $0.isFinished = true
            return $0
        }
        guard state.isOpened || state.isNew else { return nil }
        if let failure = state.failure { throw failure }
        let directives = (cacheControl ?? "").split { $0 == "," || $0 == " " }
        let others = directives.filter { !["public", "private"].contains($0.lowercased()) }
        return Headers(
            cacheControl: (["private"] + others).joined(separator: ", "), cookies: try written(state))
    }

    private func written(_ state: State) throws -> [String] {
        guard let value = state.value else {
            guard state.isNew else { return [] }
            return try sealer.signOutCookies(cookieHeaders: cookies).map(\.description)
        }
        guard var opened = state.opened, !state.isNew else {
            return try sealer.seal(
                value, lifetime: state.lifetime, endsWithBrowser: state.endsWithBrowser,
                cookieHeaders: cookies
            ).headerValues
        }
        let isChanged = value != opened.session
        guard isChanged || opened.needsResealing else { return [] }
        opened.session = value
        do {
            return try sealer.reseal(opened).headerValues
        } catch {  // over since this request came in, or unchanged, and the cookie is as good as before
            guard error.isSessionOver || !isChanged else { throw error }
            log("session not written: \(error)")
            return []
        }
    }
}

/// What to answer to a session's error: 503 where a library failed, for the same request may succeed later; else 500.
func statusCode(for error: any Error) -> Int {
    (error as? OpenError)?.isLibraryFailure == true || (error as? SealError)?.isLibraryFailure == true
        ? 503 : 500
}
