// Sessions of hummingbird-auth in sealed cookies. Copy this file; it needs no other of the example.
import Hummingbird
import HummingbirdAuth
import Logging
import SealedCookie

/// Takes the place of hummingbird-auth's `SessionMiddleware`: `context.sessions` holds the session in the request's
/// cookie, and what it holds after the handler goes into the response's. No server keeps anything.
///
/// - A changed session is sealed again and keeps its age, and so is one that is due (`needsResealing`).
/// - `setSession(_:expiresIn:)` starts a session with that lifetime, in place of the sealer's. Without `expiresIn`, a
///   session that is there keeps its age and lifetime.
/// - `clearSession()` signs out. For a cookie that this server refuses there is nothing to clear, although another server
///   may know its key: where a sign-out must hold for such a cookie too, add the lines of the sealer's
///   `signOutCookies(cookieHeaders:)` to that response.
/// - A cookie that does not open is no session; the log has the reason. It stays in the browser, since another server
///   may have a newer key ring. If OpenSSL or zlib fails, the cookie may be good: the answer is 503.
/// - A change survives an error that the handler throws: the error's response carries the cookie.
///
/// Responses get `Vary: Cookie` and `Cache-Control: private`. A response that says `public` stays as it is unless the
/// session has changed.
public struct SealedSessionMiddleware<Context: SessionRequestContext>: RouterMiddleware
where Context.Session: Equatable {
    let sealer: CookieSealer<Context.Session>

    public init(sealer: CookieSealer<Context.Session>) {
        self.sealer = sealer
    }

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let opened = try open(request, context.logger)
        let before = opened.map {
            State(session: $0.session, expiresIn: .seconds($0.expiresAt.timeIntervalSinceNow))
        }
        if let before { context.sessions.setSession(before.session, expiresIn: before.expiresIn) }

        let result: Result<Response, any Error>
        do { result = .success(try await next(request, context)) } catch { result = .failure(error) }

        let after = State(context)
        let isPublic = ((try? result.get())?.headers[.cacheControl] ?? "").lowercased().contains("public")
        if after == before, isPublic { return try result.get() }
        // Whether the cookie's session goes on, changed or not.
        let current = after?.expiresIn == nil || after?.expiresIn == before?.expiresIn ? opened : nil
        var (cookies, failure): ([String], SealError?) = ([], nil)
        do throws(SealError) {
            if let after {
                cookies = try seal(after, current, request.headers[values: .cookie])
            } else if opened != nil {
                cookies = try sealer.signOutCookies(cookieHeaders: request.headers[values: .cookie]).map(
                    \.description)
            }
        } catch {
            // A session that is over since this request came in: the next one finds no session.
            if current == nil || !error.isSessionOver {
                context.logger.error("session not sealed", metadata: ["reason": "\(error)"])
                if after != before { failure = error }  // else the cookie is as good as before
            }
        }
        if failure?.isLibraryFailure == true { throw Self.unavailable }
        switch result {
        case .success(var response):
            if let failure { throw failure }
            Self.add(cookies, to: &response.headers)
            if response.body.contentLength == nil { complainOfChanges(in: &response.body, after, context) }
            return response
        case .failure(var error as HTTPError):
            Self.add(cookies, to: &error.headers)
            throw error
        case .failure(let error):
            throw ErrorWithSession(underlying: error) { [cookies] in Self.add(cookies, to: &$0) }
        }
    }

    /// What `context.sessions` holds.
    private struct State: Equatable {
        var session: Context.Session
        var expiresIn: Duration?

        init(session: Context.Session, expiresIn: Duration?) {
            (self.session, self.expiresIn) = (session, expiresIn)
        }

        init?(_ context: Context) {
            guard
                let state = context.sessions.withLockedSession({ data in
                    data.map { State(session: $0[dynamicMember: \.self], expiresIn: $0.expiresIn) }
                })
            else { return nil }
            self = state
        }
    }

    private func open(_ request: Request, _ logger: Logger) throws -> OpenedSession<Context.Session>? {
        do throws(OpenError) {
            return try sealer.open(cookieHeaders: request.headers[values: .cookie])
        } catch {
            if error.isLibraryFailure {
                logger.error("session not opened", metadata: ["reason": "\(error)"])
                throw Self.unavailable
            }
            logger.info("no session", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    private func seal(
        _ state: State, _ current: OpenedSession<Context.Session>?, _ headers: [String]
    ) throws(SealError) -> [String] {
        if var current {
            guard state.session != current.session || current.needsResealing else { return [] }
            current.session = state.session
            return try sealer.reseal(current).headerValues
        }
        let lifetime = state.expiresIn.map { SessionLifetime(absolute: .seconds(Int($0.components.seconds))) }
        return try sealer.seal(state.session, lifetime: lifetime, cookieHeaders: headers).headerValues
    }

    /// What a stream changes comes too late for a cookie.
    private func complainOfChanges(in body: inout ResponseBody, _ after: State?, _ context: Context) {
        body = ResponseBody { [body] writer in
            defer {
                if State(context) != after {
                    context.logger.error("session changed after the response's headers")
                }
            }
            try await body.write(writer)
        }
    }

    private static var unavailable: HTTPError {
        HTTPError(.serviceUnavailable, headers: [.cacheControl: "no-store"])
    }

    /// `private` takes the place of `public`; the application's other directives stay.
    private static func add(_ cookies: [String], to headers: inout HTTPFields) {
        headers.append(.init(name: .vary, value: "Cookie"))
        let directives = headers[.cacheControl]?.split { $0 == "," || $0 == " " } ?? []
        let others = directives.filter { !["public", "private"].contains($0.lowercased()) }
        headers[.cacheControl] = (["private"] + others).joined(separator: ", ")
        for cookie in cookies { headers.append(.init(name: .setCookie, value: cookie)) }
    }
}

/// What a handler threw, other than an `HTTPError`, with the session's headers added to its response.
/// (Hummingbird's CORSMiddleware wraps errors in the same way.)
public struct ErrorWithSession: HTTPResponseError, CustomStringConvertible {
    public let underlying: any Error
    let addHeaders: @Sendable (inout HTTPFields) -> Void

    public var status: HTTPResponse.Status {
        (underlying as? any HTTPResponseError)?.status ?? .internalServerError
    }
    public var description: String { "\(underlying)" }

    public func response(from request: Request, context: some RequestContext) throws -> Response {
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
