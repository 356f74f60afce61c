// Sessions in sealed cookies for any Hummingbird 2 application. Copy this file; it needs no other of the example.
import Hummingbird
import Logging
import SealedCookie
import Synchronization

#if canImport(FoundationEssentials)
    import struct FoundationEssentials.Date
#else
    import struct Foundation.Date
#endif

/// A context that carries its request's session: `let session = CurrentSession<MySession>()`.
protocol SealedSessionContext<Session>: RequestContext {
    associatedtype Session: Codable & Equatable & Sendable
    var session: CurrentSession<Session> { get }
}

/// What happened to a request's session: for counters (SealedSessionCounters.swift), or for whatever you like.
enum SealedSessionEvent: Sendable {
    /// The cookie holds a session, and this key had sealed it.
    case opened(KeyID)
    /// The cookie is no session, or the library failed.
    case refused(OpenError)
    /// The response to a request that used its session writes a cookie, or signs out.
    case written
    /// The response to a request that used its session leaves the cookie as it is.
    case unchanged
    /// The session should have been written, and could not.
    case notWritten(SealError)
}

/// The session of one request. The cookie is opened on first use, and only once. Tasks of one request may share it:
/// each get and each set is whole. `update` changes the session atomically; with a get and a set, the last set wins.
final class CurrentSession<Session: Codable & Equatable & Sendable>: Sendable {
    fileprivate struct State {
        /// Opens the cookie, and tells of what came of it; nil once it was opened, or without the middleware.
        var source: Source?
        var isConnected = false
        var (opened, value): (OpenedSession<Session>?, Session?)
        /// `isNew`: no longer the cookie's session, but a new one or none.
        var (isTouched, isNew) = (false, false)
        /// The library failed: whether there is a session is unknown.
        var failure: OpenError?
        /// For a new session, in place of the sealer's.
        var (lifetime, endsWithBrowser, cutOff): (SessionLifetime?, Bool?, Date?)
        /// Set once the response has its headers, to report changes that come after.
        var late: Logger?

        /// The Set-Cookie lines that a response needs.
        func cookies(_ sealer: CookieSealer<Session>, for headers: [String]) throws(SealError) -> [String] {
            if value == nil, isNew {
                return try sealer.signOutCookies(cookieHeaders: headers).map(\.description)
            }
            let old = isNew ? nil : opened
            guard let value, value != old?.session || old?.needsResealing == true else { return [] }
            guard var opened = old else {
                return try sealer.seal(
                    value, lifetime: lifetime, endsWithBrowser: endsWithBrowser, cutOff: cutOff,
                    cookieHeaders: headers
                ).headerValues
            }
            opened.session = value
            return try sealer.reseal(opened).headerValues
        }

        /// - Returns: what came of it; nil if the cookie was opened before.
        mutating func open() -> (@Sendable () -> Void)? {
            guard let source = source.take() else { return nil }
            do throws(OpenError) {
                opened = try source.open()
                value = opened?.session
                return { [opened] in source.tell(.success(opened)) }
            } catch {
                if error.isLibraryFailure { failure = error }
                return { source.tell(.failure(error)) }
            }
        }

        /// The cookie's session, as the cookie has it.
        var isUnchanged: Bool { !isNew && value == opened?.session }
    }
    fileprivate struct Source: Sendable {
        let open: @Sendable () throws(OpenError) -> OpenedSession<Session>?
        let tell: @Sendable (Result<OpenedSession<Session>?, OpenError>) -> Void
    }
    fileprivate let state = Mutex(State())

    /// The session as it is now, or nil if there is none. Setting nil signs out. The cookie is written after the
    /// handler has returned or thrown. A change from a response's stream comes too late; it is logged as an error.
    var value: Session? {
        get { touch { $0.value } }
        set {
            touch(isChange: true) {
                ($0.value, $0.isNew) = (newValue, $0.isNew || newValue == nil)
                if newValue == nil { ($0.lifetime, $0.endsWithBrowser, $0.cutOff) = (nil, nil, nil) }
            }
        }
    }

    /// Changes the session in one step: no other task of the request sees or changes it meanwhile. If `body` throws,
    /// nothing has changed. Setting a session to nil signs out. `value = nil` does it even for a cookie that is refused
    /// here, since another server may know its key. `body` must not use this object itself.
    func update<R: Sendable>(_ body: (inout Session?) throws -> R) rethrows -> R {
        try touch(isChange: true) { state in
            var value = state.value
            let result = try body(&value)
            if value == nil, state.value != nil {
                (state.isNew, state.lifetime, state.endsWithBrowser, state.cutOff) = (true, nil, nil, nil)
            }
            state.value = value
            return result
        }
    }

    /// What the request's cookie held: the session with its times and its key.
    var opened: OpenedSession<Session>? { touch { $0.opened } }

    /// Starts a new session, of age 0: after sign-in, and whenever rights change. Its own lifetime takes the place of
    /// the sealer's ("remember me"). The lifetime and the end with the browser stay when the session is sealed again.
    /// `cutOff` is the time before which this user's sessions do not count (README, "What ends a session").
    func begin(
        _ session: Session, lifetime: SessionLifetime? = nil, endsWithBrowser: Bool? = nil,
        cutOff: Date? = nil
    ) {
        touch(isChange: true) {
            ($0.value, $0.isNew) = (session, true)
            ($0.lifetime, $0.endsWithBrowser, $0.cutOff) = (lifetime, endsWithBrowser, cutOff)
        }
    }

    private func touch<R: Sendable>(isChange: Bool = false, _ body: (inout State) throws -> R) rethrows -> R {
        let (late, isAlone, tell) = state.withLock { state in
            let isFirst = isChange || !state.isTouched
            state.isTouched = true
            return (isFirst ? state.late : nil, isFirst && !state.isConnected, state.open())
        }
        // Told without the lock: a logger's metadata may come from the session.
        late?.error("session used after the response's headers")
        if isAlone { Logger(label: "session").error("no SealedSessionMiddleware before this handler") }
        tell?()
        return try state.withLock { try body(&$0) }
    }
}

/// Opens the session's cookie at most once per request, and writes it only if it must: the session has changed, or has
/// to be sealed again. If no handler uses the session, the response is left to caches. A cookie that does not open is
/// no session; the log has the reason. It stays in the browser, since another server may have a newer key ring.
/// Of two requests that change one session, the last answer wins (README, "Two at once").
///
/// A change also survives an error that the handler throws: the error's response carries the cookie. If OpenSSL or zlib
/// fails, the cookie may be good: the answer is 503, and no cookie is written.
struct SealedSessionMiddleware<Session, Context: SealedSessionContext<Session>>: RouterMiddleware {
    typealias Next = (Request, Context) async throws -> Response
    /// Made in `init`, where the types are known: a generic method called by protocol looks them up each time.
    private let run: @Sendable (Request, Context, Next) async throws -> Response

    init(sealer: CookieSealer<Session>, onEvent: (@Sendable (SealedSessionEvent) -> Void)? = nil) {
        run = { request, context, next in
            let (logger, session) = (context.logger, context.session)
            session.state.withLock {
                $0.isConnected = true
                $0.source = .init(
                    open: { () throws(OpenError) in
                        try sealer.open(cookieHeaders: request.headers[values: .cookie])
                    },
                    tell: { result in
                        switch result {
                        case .success(let opened):
                            if let opened { onEvent?(.opened(opened.keyID)) }
                        case .failure(let error):
                            onEvent?(.refused(error))
                            let reason: Logger.Metadata = ["reason": "\(error)"]
                            if error.isLibraryFailure {
                                logger.error("session not opened", metadata: reason)
                            } else {
                                logger.info("no session", metadata: reason)
                            }
                        }
                    })
            }
            let result: Result<Response, any Error>
            do { result = .success(try await next(request, context)) } catch { result = .failure(error) }
            let state = session.state.withLock { state in
                state.late = logger
                return state
            }
            guard state.isTouched else { return try result.get() }
            guard state.failure == nil else { throw Self.unavailable }

            var (cookies, failure): ([String], SealError?) = ([], nil)
            do throws(SealError) {
                cookies = try state.cookies(sealer, for: request.headers[values: .cookie])
                onEvent?(cookies.isEmpty ? .unchanged : .written)
            } catch {
                onEvent?(.notWritten(error))
                // Over since this request came in: the next one finds no session.
                if state.isNew || state.opened == nil || !error.isSessionOver {
                    logger.error("session not sealed", metadata: ["reason": "\(error)"])
                    // Where nothing has changed, the cookie is as good as before.
                    if !state.isUnchanged { failure = error }
                }
            }
            if failure?.isLibraryFailure == true { throw Self.unavailable }
            switch result {
            case .success(var response):
                // Better an error than an answer that is not true.
                if let failure { throw failure }
                Self.add(cookies, to: &response.headers)
                return response
            case .failure(var error as HTTPError):
                Self.add(cookies, to: &error.headers)
                throw error
            case .failure(let error):
                throw ErrorWithSession(underlying: error) { [cookies] in Self.add(cookies, to: &$0) }
            }
        }
    }

    func handle(_ request: Request, context: Context, next: Next) async throws -> Response {
        try await run(request, context, next)
    }

    private static var unavailable: HTTPError {
        HTTPError(.serviceUnavailable, headers: [.cacheControl: "no-store"])
    }

    private static func add(_ cookies: [String], to headers: inout HTTPFields) {
        keepFromSharedCaches(&headers)
        for cookie in cookies { headers.append(.init(name: .setCookie, value: cookie)) }
    }

    /// `private` takes the place of `public`; the application's other directives stay.
    static func keepFromSharedCaches(_ headers: inout HTTPFields) {
        headers.append(.init(name: .vary, value: "Cookie"))
        let directives = headers[.cacheControl]?.split { $0 == "," || $0 == " " } ?? []
        let others = directives.filter { !["public", "private"].contains($0.lowercased()) }
        headers[.cacheControl] = (["private"] + others).joined(separator: ", ")
    }
}

/// What a handler threw, other than an `HTTPError`, after it had used the session: the response is as without the
/// session, with the session's headers added. (Hummingbird's CORSMiddleware wraps errors in the same way.)
struct ErrorWithSession: HTTPResponseError, CustomStringConvertible {
    let underlying: any Error
    let addHeaders: @Sendable (inout HTTPFields) -> Void

    var status: HTTPResponse.Status { (underlying as? any HTTPResponseError)?.status ?? .internalServerError }
    var description: String { "\(underlying)" }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var response = Response(status: status)
        if let error = underlying as? any HTTPResponseError {
            response = try error.response(from: request, context: context)
        } else {
            context.logger.debug("Unrecognised Error", metadata: ["error.type": "\(underlying)"])
        }
        addHeaders(&response.headers)
        return response
    }
}
