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
        var (isOpened, isNew, isFinished) = (false, false, false)
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

    /// Reads the session or changes it; nil: there is none, and where you set it to nil, the visitor is signed out.
    ///
    /// - Throws: `OpenError` where a library failed: the cookie may be good, so answer 503. Any other refusal is no session.
    func withValue<Result: Sendable>(_ body: (inout Session?) throws -> Result) throws -> Result {
        try state.withLock { state in
            if state.isFinished { log("session used after the response's headers") }
            if !state.isOpened {
                state.isOpened = true
                do throws(OpenError) {
                    state.opened = try sealer.open(cookieHeaders: cookies)
                } catch {
                    if error.isLibraryFailure { state.failure = error }
                    log("no session: \(error)")
                }
                if !state.isNew { state.value = state.opened?.session }
            }
            if let failure = state.failure { throw failure }
            let hadValue = state.value != nil
            let result = try body(&state.value)
            if hadValue, state.value == nil { state.isNew = true }
            return result
        }
    }

    /// Begins a new session, or none (nil) to sign out, whatever the cookie holds: after a sign-in, and whenever rights change.
    /// A lifetime of its own takes the place of the sealer's ("remember me").
    func begin(_ session: Session?, lifetime: SessionLifetime? = nil, endsWithBrowser: Bool? = nil) {
        state.withLock {
            if $0.isFinished { log("session begun after the response's headers") }
            ($0.value, $0.isNew, $0.lifetime, $0.endsWithBrowser) = (session, true, lifetime, endsWithBrowser)
        }
    }

    /// Call it when the handler is done, also where that threw, and before the headers are sent.
    ///
    /// - Parameter cacheControl: the response's `Cache-Control`; nil: none.
    /// - Returns: nil where nobody looked at the session: caches may keep the response.
    /// - Throws: what `statusCode(for:)` has an answer for. No cookie is written then.
    func finish(cacheControl: String?) throws -> Headers? {
        try state.withLock { state in
            state.isFinished = true
            guard state.isOpened || state.isNew else { return nil }
            if let failure = state.failure { throw failure }
            let directives = (cacheControl ?? "").split { $0 == "," || $0 == " " }
            let others = directives.filter { !["public", "private"].contains($0.lowercased()) }
            return Headers(
                cacheControl: (["private"] + others).joined(separator: ", "), cookies: try written(state))
        }
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
