// Sessions in sealed cookies for any Vapor 4 application. Copy this file; it needs no other of the example.
import Logging
import NIOCore
import NIOHTTP1
import SealedCookie
import Synchronization
import Vapor

extension Request {
    /// This request's session of one type, from the `SealedSessionMiddleware` of that type.
    func sealedSession<Value>(_: Value.Type = Value.self) -> CurrentSession<Value> {
        storage[CurrentSession<Value>.Key.self] ?? CurrentSession(nil, for: self)
    }
}

/// The session of one request. The cookie is opened on first use, and only once. Tasks of one request may share the
/// session: each get and each set is whole. `update` changes it atomically; with a get and a set, the last set wins.
final class CurrentSession<Value: Codable & Equatable & Sendable>: Sendable {
    struct Key: StorageKey { typealias Value = CurrentSession }

    fileprivate struct State {
        var isOpen = false
        var (opened, value): (OpenedSession<Value>?, Value?)
        /// `isNew`: no longer the cookie's session, but a new one or none.
        var (isTouched, isNew) = (false, false)
        /// For a new session, in place of the sealer's.
        var (lifetime, endsWithBrowser, cutOff): (SessionLifetime?, Bool?, Date?)
        /// The response has its headers: later changes are lost.
        var isFinished = false
        /// A library failed: whether there is a session is unknown.
        var hasFailed = false
    }

    private let sealer: CookieSealer<Value>?
    private let headers: HTTPHeaders
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameter sealer: nil if no middleware made this session. It is empty, and changes are lost.
    fileprivate init(_ sealer: CookieSealer<Value>?, for request: Request) {
        // The request holds this session: holding the request in turn would keep both forever.
        (self.sealer, headers, logger) = (sealer, request.headers, request.logger)
        if sealer == nil { logger.error("no SealedSessionMiddleware for sessions of \(Value.self)") }
    }

    // MARK: Reading and changing

    /// The session as it is now, or nil if there is none. Setting nil signs out. The cookie is written after the handler
    /// has returned or thrown. A change from a response's stream comes too late; it is logged as an error.
    var value: Value? {
        get { touch { $0.value } }
        set { touch(isChange: true) { Self.set(newValue, &$0, endsSession: newValue == nil) } }
    }

    /// Changes the session in one step: no other task of the request sees or changes it meanwhile. If `change` throws,
    /// nothing has changed. Setting a session to nil signs out. `value = nil` does it even for a cookie that is refused
    /// here, since another server may know its key. `change` must not use this object itself.
    @discardableResult
    func update<Result: Sendable>(_ change: (inout Value?) throws -> Result) rethrows -> Result {
        try touch(isChange: true) { state in
            var value = state.value
            let result = try change(&value)
            Self.set(value, &state, endsSession: value == nil && state.value != nil)
            return result
        }
    }

    /// Starts a new session, of age 0: after sign-in, and whenever rights change. Its own lifetime takes the place of
    /// the sealer's ("remember me"). The lifetime and the end with the browser stay when the session is sealed again.
    /// `cutOff` is the time before which this user's sessions do not count.
    func begin(
        _ value: Value, lifetime: SessionLifetime? = nil, endsWithBrowser: Bool? = nil, cutOff: Date? = nil
    ) {
        touch(isChange: true) {
            ($0.value, $0.isNew) = (value, true)
            ($0.lifetime, $0.endsWithBrowser, $0.cutOff) = (lifetime, endsWithBrowser, cutOff)
        }
    }

    /// What the request's cookie held: the session with its times and its key.
    var opened: OpenedSession<Value>? { touch { $0.opened } }

    /// The session as it is now, for a response that does not depend on it.
    func peek() -> Value? {
        open(touches: false, isChange: false)
        return state.withLock { $0.value }
    }

    private static func set(_ value: Value?, _ state: inout State, endsSession: Bool) {
        state.value = value
        guard endsSession else { return }
        state.isNew = true
        (state.lifetime, state.endsWithBrowser, state.cutOff) = (nil, nil, nil)
    }

    private func touch<Result: Sendable>(
        isChange: Bool = false, _ body: (inout State) throws -> Result
    ) rethrows -> Result {
        open(touches: true, isChange: isChange)
        return try state.withLock { try body(&$0) }
    }

    /// Opens the cookie on first use. What there is to log is logged without the lock: a logger's metadata may come
    /// from the session.
    private func open(touches: Bool, isChange: Bool) {
        let (isLost, refusal) = state.withLock { state -> (Bool, OpenError?) in
            let isLost = touches && (state.isFinished || sealer == nil) && (isChange || !state.isTouched)
            state.isTouched = state.isTouched || touches
            guard !state.isOpen else { return (isLost, nil) }
            state.isOpen = true
            do throws(OpenError) {
                state.opened = try sealer?.open(cookieHeaders: headers[.cookie])
                state.value = state.opened?.session
                return (isLost, nil)
            } catch {
                state.hasFailed = error.isLibraryFailure
                return (isLost, error)
            }
        }
        if isLost { logger.error("session used after the response's headers, or without its middleware") }
        // A cookie that is no session stays in the browser: another server may know its key.
        if let refusal { logger.info("no session", metadata: ["reason": "\(refusal)"]) }
    }

    // MARK: Writing

    /// Adds the session's cookies to a response's headers if the session was used. Later changes are lost.
    ///
    /// - Throws: `SealError` or `Abort` if a change cannot be kept: an error is better than an answer that is not true.
    fileprivate func finish(_ response: inout HTTPHeaders) throws {
        let state = state.withLock {
            $0.isFinished = true
            return $0
        }
        guard !state.hasFailed else { throw Abort(.serviceUnavailable) }
        guard state.isTouched else { return }
        Self.keepFromSharedCaches(&response)
        for cookie in try cookies(state) { response.add(name: .setCookie, value: cookie) }
    }

    /// After an error that cannot carry headers.
    fileprivate func finish(without error: any Error) {
        let state = state.withLock {
            $0.isFinished = true
            return $0
        }
        guard state.isNew || state.value != state.opened?.session else { return }
        logger.error(
            "session not written: use its middleware at: .beginning", metadata: ["reason": "\(error)"])
    }

    private func cookies(_ state: State) throws -> [String] {
        guard let sealer else { return [] }
        let old = state.isNew ? nil : state.opened
        do {
            guard let value = state.value else {
                guard state.isNew else { return [] }
                return try sealer.signOutCookies(cookieHeaders: headers[.cookie]).map(\.description)
            }
            guard var opened = old else {
                return try sealer.seal(
                    value, lifetime: state.lifetime, endsWithBrowser: state.endsWithBrowser,
                    cutOff: state.cutOff, cookieHeaders: headers[.cookie]
                ).headerValues
            }
            guard value != opened.session || opened.needsResealing else { return [] }
            opened.session = value
            return try sealer.reseal(opened).headerValues
        } catch {
            logger.error("session not sealed", metadata: ["reason": "\(error)"])
            // Unchanged, so the cookie is as good as before; or over since it was opened.
            if let old, state.value == old.session || error.isSessionOver { return [] }
            if error.isLibraryFailure { throw Abort(.serviceUnavailable) }
            throw error
        }
    }

    /// `private` takes the place of `public`; the application's other directives stay.
    private static func keepFromSharedCaches(_ headers: inout HTTPHeaders) {
        headers.add(name: .vary, value: "Cookie")
        let directives = headers[.cacheControl].flatMap { $0.split(separator: ",") }
            .map { $0.trimmingCharacters(in: .whitespaces) }
        let others = directives.filter { !["public", "private"].contains($0.lowercased()) }
        headers.replaceOrAdd(name: .cacheControl, value: (["private"] + others).joined(separator: ", "))
    }
}

/// Opens the session's cookie at most once per request, and writes it only if it must: the session has changed, or has
/// to be sealed again. If no handler uses the session, the response is left to caches. A cookie that does not open is
/// no session; the log has the reason. It stays in the browser, since another server may have a newer key ring.
/// Of two requests that change one session, the last answer wins.
///
///     app.middleware.use(SealedSessionMiddleware(sealer: sessions), at: .beginning)
///
/// At the beginning it is outside Vapor's `ErrorMiddleware` and everything that sets cookies. So a change is kept
/// whatever a handler throws, and nothing rewrites the session's cookies. Elsewhere, such as in a group of routes, an
/// `Abort` carries the cookies. Any other error there loses the change; the log says so.
///
/// If OpenSSL or zlib fails, the cookie may be good: the answer is 503, and no cookie is written.
struct SealedSessionMiddleware<Value: Codable & Equatable & Sendable>: AsyncMiddleware {
    let sealer: CookieSealer<Value>
    /// Turns the error of a session that cannot be sealed into a response: a `SealError`, or an `Abort` of 503.
    let errors: any Middleware

    /// - Parameter errors: the application's own error middleware, if it has one.
    init(
        sealer: CookieSealer<Value>,
        errors: any Middleware = ErrorMiddleware.default(environment: .production)
    ) {
        (self.sealer, self.errors) = (sealer, errors)
    }

    func respond(to request: Request, chainingTo next: any AsyncResponder) async throws -> Response {
        let session = CurrentSession(sealer, for: request)
        request.storage[CurrentSession<Value>.Key.self] = session
        let response: Response
        do {
            response = try await next.respond(to: request)
        } catch var abort as Abort {
            try session.finish(&abort.headers)
            throw abort
        } catch {
            session.finish(without: error)
            throw error
        }
        if response.status == .switchingProtocols, let upgrader = response.upgrader {
            response.upgrader = SessionUpgrader(upgrader) { try session.finish(&$0) }
            return response
        }
        do {
            try session.finish(&response.headers)
            return response
        } catch {
            // Not thrown: outside Vapor's ErrorMiddleware, nobody would answer the request.
            return try await errors.respond(to: request, chainingTo: Failure(error: error)).get()
        }
    }

    private struct Failure: AsyncResponder {
        let error: any Error
        func respond(to _: Request) async throws -> Response { throw error }
    }
}

/// Adds the cookies to a WebSocket's handshake: Vapor drops the response's own headers there.
private struct SessionUpgrader: Upgrader {
    typealias Finish = @Sendable (inout HTTPHeaders) throws -> Void
    let upgrader: any Upgrader
    let finish: Finish

    init(_ upgrader: any Upgrader, finish: @escaping Finish) {
        (self.upgrader, self.finish) = (upgrader, finish)
    }

    func applyUpgrade(req: Request, res: Response) -> any HTTPServerProtocolUpgrader {
        Handshake(upgrader: upgrader.applyUpgrade(req: req, res: res), finish: finish)
    }

    struct Handshake: HTTPServerProtocolUpgrader {
        let upgrader: any HTTPServerProtocolUpgrader
        let finish: Finish
        var supportedProtocol: String { upgrader.supportedProtocol }
        var requiredUpgradeHeaders: [String] { upgrader.requiredUpgradeHeaders }

        func buildUpgradeResponse(
            channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
        ) -> EventLoopFuture<HTTPHeaders> {
            upgrader.buildUpgradeResponse(
                channel: channel, upgradeRequest: upgradeRequest,
                initialResponseHeaders: initialResponseHeaders
            ).flatMapThrowing { [finish] headers in
                var headers = headers
                try finish(&headers)
                return headers
            }
        }

        func upgrade(context: ChannelHandlerContext, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Void>
        {
            upgrader.upgrade(context: context, upgradeRequest: upgradeRequest)
        }
    }
}
