// What an application writes beside the files that it copies.
import SealedCookie
import Vapor

/// What a visitor's cookie holds.
struct Visitor: Codable, Equatable, Sendable {
    var userID: Int?
    var visits = 0
}

extension Request {
    var visitor: CurrentSession<Visitor> { sealedSession() }
}

/// A sealer that follows a key ring's file.
func sealer(_ app: Application, ringFile: String) throws -> CookieSealer<Visitor> {
    let logger = app.logger
    let keys = try KeyRingFile(ringFile) { event in logger.notice("\(event)") }
    return try CookieSealer(keys: keys, lifetime: .init(absolute: .days(14), idle: .hours(12)))
}

/// An application with sessions of its own type.
func configure(_ app: Application, _ sessions: CookieSealer<Visitor>) {
    app.middleware.use(SealedSessionMiddleware(sealer: sessions), at: .beginning)

    app.get("visits") { req in
        var visitor = req.visitor.value ?? Visitor()
        visitor.visits += 1
        req.visitor.value = visitor
        return "Visit \(visitor.visits)"
    }

    struct SignIn: Content {
        var userID: Int
        var isRemembered: Bool
    }
    app.post("sign-in") { req in
        let form = try req.content.decode(SignIn.self)
        let visitor = Visitor(userID: form.userID)
        if form.isRemembered {
            req.visitor.begin(visitor, lifetime: .init(absolute: .days(90), idle: .days(30)))
        } else {
            req.visitor.begin(visitor, endsWithBrowser: true)
        }
        return req.redirect(to: "/")
    }

    app.post("sign-out") { req in
        req.visitor.value = nil
        return req.redirect(to: "/")
    }
}

/// A user of Vapor's own sessions.
struct User: SessionAuthenticatable {
    let sessionID: Int
}

struct UserAuthenticator: AsyncSessionAuthenticator {
    typealias User = Sessions.User

    func authenticate(sessionID: Int, for request: Request) async throws {
        request.auth.login(User(sessionID: sessionID))
    }
}

/// An application with Vapor's own sessions.
func configure(_ app: Application, _ sessions: CookieSealer<SessionData>) {
    app.middleware.use(SealedSessions(sealer: sessions), at: .beginning)
    app.middleware.use(UserAuthenticator())

    app.post("sign-in") { req in
        req.auth.login(User(sessionID: 42))
        req.beginSession(lifetime: .init(absolute: .days(90), idle: .days(30)))
        return req.redirect(to: "/")
    }

    app.get("profile") { req in
        "User \(try req.auth.require(User.self).sessionID)"
    }

    app.post("sign-out") { req in
        req.auth.logout(User.self)
        req.session.destroy()
        return req.redirect(to: "/")
    }
}
