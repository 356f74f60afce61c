// The shop: its routes, and how it starts.
import Foundation
import Hummingbird
import Logging
import SealedCookie

struct ShopContext: SealedSessionContext {
    var coreContext: CoreRequestContextStorage
    let session = CurrentSession<ShopSession>()
    var requestDecoder: URLEncodedFormDecoder { .init() }

    init(source: Source) { coreContext = .init(source: source) }

    /// The visitor's session, which begins here if there is none.
    var visitor: ShopSession {
        if let session = session.value { return session }
        let new = ShopSession()
        session.begin(new)
        return new
    }
}

@main
struct App {
    static func main() async throws {
        do {
            let settings = try Settings(Environment())
            let logger = Logger(label: "shop")
            let app = Application(
                router: try router(settings, try settings.keys(logger)),
                configuration: .init(address: .hostname("127.0.0.1", port: settings.port)),
                onServerRunning: { channel in
                    logger.notice("The shop is open: http://localhost:\(channel.localAddress?.port ?? 0)")
                },
                logger: logger)
            try await app.runService()
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            exit(1)
        }
    }

    static func sealer(_ keys: KeyRingFile) throws -> CookieSealer<ShopSession> {
        try CookieSealer(
            keys: keys, lifetime: .init(absolute: .days(14), idle: .hours(12)), splitting: .upTo(4))
    }

    static func router(_ settings: Settings, _ keys: KeyRingFile) throws -> Router<ShopContext> {
        let sealer = try sealer(keys)
        let router = Router(context: ShopContext.self, options: .autoGenerateHeadEndpoints)
        // One for what the session's middleware throws, and one inside it for what handlers throw, so that such a page
        // carries the session's cookie.
        router.add(middleware: ErrorPages())
        switch settings.sessions {
        case .sealed:
            let counters = SealedSessionCounters()
            router.add(middleware: SealedSessionMiddleware(sealer: sealer, onEvent: counters.count))
        case .fixed: router.add(middleware: FixedSession())
        case .redis(let port): router.add(middleware: RedisSession(port: port))
        }
        router.add(middleware: ErrorPages())

        for (path, type, text) in [
            ("/style.css", "text/css", Page.style), ("/icon.svg", "image/svg+xml", Page.icon),
        ] {
            router.get(RouterPath(path)) { _, _ in
                Response(
                    status: .ok,
                    headers: [.contentType: "\(type); charset=utf-8", .cacheControl: "public, max-age=3600"],
                    body: .init(byteBuffer: .init(string: text)))
            }
        }
        router.get("/") { _, context in Page.shop(context.visitor) }
        router.get("/cart") { _, context in Page.cart(context.visitor) }
        router.get("/sign-in") { _, context in Page.signIn(context.visitor) }
        router.get("/profile") { request, context in
            guard let session = context.session.value, session.name != nil else {
                return Response.redirect(to: "/sign-in")
            }
            let opened = context.session.opened
            let report = try opened.map { try sealer.sizeReport(for: $0) } ?? sealer.sizeReport(for: session)
            return Page.profile(session, opened, report, sent: sent(sealer.name, request))
        }

        typealias Line = ShopSession.Line
        router.form("/cart/add", Line.self) { form, session, _ in
            guard Page.products.indices.contains(form.product), form.engraving.count <= 300 else {
                throw HTTPError(.unprocessableContent)
            }
            session.value?.cart.append(form)
            return .redirect(to: "/cart")
        }
        router.form("/cart/remove", Line.self) { form, session, _ in
            // Not by its number: another tab may have changed the cart since this one showed it.
            if let place = session.value?.cart.firstIndex(of: form) {
                session.value?.cart.remove(at: place)
            }
            return .redirect(to: "/cart")
        }
        struct SignIn: Decodable {
            var name: String
            /// Nil: the box was not ticked.
            var remember: String?
        }
        let remembered = SessionLifetime(absolute: .days(90), idle: .days(30))
        router.form("/sign-in", SignIn.self) { form, session, _ in
            let name = form.name.trimmingCharacters(in: .whitespacesAndNewlines)
            guard (1...40).contains(name.count) else { throw HTTPError(.unprocessableContent) }
            // A new session, with a CSRF token of its own: nobody can have planted it.
            let isRemembered = form.remember != nil
            session.begin(
                ShopSession(name: name, cart: session.value?.cart ?? []),
                lifetime: isRemembered ? remembered : nil, endsWithBrowser: !isRemembered)
            return .redirect(to: "/profile")
        }
        struct Nothing: Decodable {}
        router.form("/sign-out", Nothing.self) { _, session, _ in
            session.value = nil
            return .redirect(to: "/")
        }
        router.form("/sign-out-everywhere", Nothing.self) { _, session, logger in
            guard session.value?.name != nil else { throw HTTPError(.forbidden) }
            do {
                try KeyRing.update(at: settings.ring) { ring throws(KeyRingError) in
                    try ring.endingSessions(createdBefore: .now)
                }
                try keys.reload()
            } catch {
                logger.error("sessions not ended", metadata: ["reason": "\(error)"])
                throw HTTPError(.serviceUnavailable)
            }
            session.value = nil
            return .redirect(to: "/")
        }
        return router
    }

    /// The session's cookies as they came, with their bytes of name and value.
    private static func sent(_ name: String, _ request: Request) -> [(name: String, bytes: Int)] {
        request.headers[values: .cookie].flatMap { $0.split(separator: ";") }.compactMap { pair in
            let parts = pair.trimmingCharacters(in: .whitespaces).split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0] == name || parts[0].hasPrefix(name + ".") else { return nil }
            return (String(parts[0]), parts[0].utf8.count + parts[1].utf8.count)
        }.sorted { $0.name < $1.name }
    }
}

private struct Token: Decodable { var csrf: String }

extension Router<ShopContext> {
    /// A form's route, which runs only with the session's own CSRF token.
    func form<Fields: Decodable & SendableMetatype>(
        _ path: RouterPath, _: Fields.Type,
        handler: @escaping @Sendable (Fields, CurrentSession<ShopSession>, Logger) throws -> Response
    ) {
        post(path) { request, context in
            var request = request
            _ = try await request.collectBody(upTo: 65_536)  // kept, to be read twice
            let token = try await request.decode(as: Token.self, context: context)
            guard context.session.value?.hasCSRF(token.csrf) == true else { throw HTTPError(.forbidden) }
            return try handler(
                try await request.decode(as: Fields.self, context: context), context.session, context.logger)
        }
    }
}

/// Pages for what goes wrong.
struct ErrorPages: RouterMiddleware {
    func handle(
        _ request: Request, context: ShopContext, next: (Request, ShopContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as SealError where error.isTooLarge {
            return Page.cartFull
        } catch {
            let status = (error as? any HTTPResponseError)?.status ?? .internalServerError
            if status.kind == .serverError { context.logger.error("\(request.uri.path): \(error)") }
            return Page.error(status)
        }
    }
}
