// The example's pages: each has a request in and a response out.
import Foundation
import NIOHTTP1
import SealedCookie

/// What the cookie holds.
struct Session: Codable, Equatable, Sendable {
    var visits = 0
}

/// What an app's token holds.
struct Guest: Codable, Sendable {
    var id = UUID()
}

struct Response {
    var status = HTTPResponseStatus.ok
    var headers: HTTPHeaders = ["Content-Type": "text/plain; charset=utf-8"]
    var text = ""

    static let elsewhere = Response(status: .forbidden, text: "Not from another site.\n")

    /// The answer to a session's error. It is for no cache.
    static func failed(_ error: any Error) -> Response {
        log("failed: \(error)")
        var response = Response(
            status: .init(statusCode: statusCode(for: error)), text: "Try again in a moment.\n")
        response.headers.add(name: "Cache-Control", value: "no-store")
        if response.status == .serviceUnavailable { response.headers.add(name: "Retry-After", value: "1") }
        return response
    }
}

struct Application: Sendable {
    let sessions: CookieSealer<Session>
    /// A mobile app's, or a single-page application's that is on another site than its API.
    let tokens: TokenSealer<Guest>

    func answer(_ request: HTTPRequestHead) -> Response {
        let session = VisitorSession(sessions, cookies: request.headers["Cookie"]) { log($0) }
        var response: Response
        do { response = try page(request, session) } catch { response = .failed(error) }
        do {
            let cacheControl = response.headers["Cache-Control"].joined(separator: ", ")
            if let written = try session.finish(cacheControl: cacheControl) {
                response.headers.add(name: "Vary", value: "Cookie")
                response.headers.replaceOrAdd(name: "Cache-Control", value: written.cacheControl)
                for cookie in written.cookies { response.headers.add(name: "Set-Cookie", value: cookie) }
            }
        } catch {
            response = .failed(error)
        }
        return response
    }

    private func page(_ request: HTTPRequestHead, _ session: VisitorSession<Session>) throws -> Response {
        switch (request.method, request.uri) {
        case (.GET, "/"), (.HEAD, "/"):
            let visits = try session.withValue { session in
                session = Session(visits: (session?.visits ?? 0) + 1)
                return session?.visits ?? 0
            }
            return Response(text: "Visit \(visits).\n")
        case (.GET, "/about"):
            var response = Response(text: "It counts visits.\n")
            response.headers.add(name: "Cache-Control", value: "public, max-age=600")
            return response
        // A single-page application on this site: the cookie comes along, and so might a forged request's.
        case (.GET, "/api/visits"):
            return .json("{\"visits\": \(try session.withValue { $0?.visits ?? 0 })}")
        case (.DELETE, "/api/visits"):
            guard !request.isFromAnotherSite else { return .elsewhere }
            session.begin(nil)
            return .json("{\"visits\": 0}")
        // A mobile app, or a page on another site: no cookie, but a token that the client sends itself.
        case (.POST, "/api/token"):
            let token = try tokens.seal(Guest())
            return .json("{\"token\": \"\(token.text)\", \"seconds\": \(tokens.lifetime.absolute.seconds)}")
        case (.GET, "/api/guest"):
            guard let opened = try bearer(request.headers["Authorization"], tokens, log: { log($0) }) else {
                var refused = Response(status: .unauthorized, text: "A token, please.\n")
                refused.headers.add(name: "WWW-Authenticate", value: "Bearer")
                return refused
            }
            return .json("{\"guest\": \"\(opened.value.id)\"}")
        case (.GET, "/socket"):
            // Only what was not upgraded comes here.
            return try socketRefusal(request, session)
                ?? Response(status: .upgradeRequired, text: "A WebSocket.\n")
        default:
            return Response(status: .notFound, text: "Nothing here.\n")
        }
    }

    /// Why a request may not become a WebSocket; nil: it may.
    func socketRefusal(_ request: HTTPRequestHead, _ session: VisitorSession<Session>) throws -> Response? {
        // Browsers let any page open a socket to any site, with that site's cookies.
        guard !request.isFromAnotherSite else { return .elsewhere }
        guard try session.withValue({ $0 != nil }) else {
            return Response(status: .unauthorized, text: "A session, please.\n")
        }
        return nil
    }
}

extension Response {
    static func json(_ text: String) -> Response {
        Response(
            headers: ["Content-Type": "application/json", "Cache-Control": "no-store"], text: "\(text)\n")
    }
}

extension HTTPRequestHead {
    var isFromAnotherSite: Bool {
        nio_minimal.isFromAnotherSite(
            fetchSite: headers["Sec-Fetch-Site"].first, origin: headers["Origin"].first,
            host: headers["Host"].first)
    }
}
