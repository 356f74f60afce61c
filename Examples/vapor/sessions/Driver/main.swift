// A Vapor server for drive.py to talk to.   usage: driver own|vapor PORT FOLDER
//
// FOLDER holds the ring, session.keys, which is polled each second; cert.pem and key.pem; and file.txt.
import Foundation
import NIOSSL
import SealedCookie
import Vapor

@testable import Sessions

/// A session that is as long as a request wants it.
struct Guest: Codable, Equatable, Sendable {
    var visits = 0
    var notes = ""
}

extension Request {
    var guest: CurrentSession<Guest> { sealedSession() }

    func count() -> Int {
        guest.update { guest in
            var counted = guest ?? Guest()
            counted.visits += 1
            guest = counted
            return counted.visits
        }
    }
}

struct Breakage: Error {}

func routes(_ app: Application, _ folder: String) {
    app.get("asset") { _ in Response(headers: ["Cache-Control": "public, max-age=600"], body: "an asset") }
    app.get("page") { req in
        Response(
            headers: ["Cache-Control": "public, max-age=600"],
            body: .init(string: "\(req.guest.value?.visits ?? -1)"))
    }
    app.get("count") { req in "\(req.count())" }
    app.get("redirect") { req in
        _ = req.count()
        return req.redirect(to: "/page")
    }
    app.get("not-modified") { req in
        _ = req.count()
        return Response(status: .notModified, headers: ["ETag": "\"1\""])
    }
    app.get("file") { req in
        _ = req.count()
        return try await req.fileio.asyncStreamFile(at: folder + "/file.txt")
    }
    app.get("late") { req in
        Response(
            body: .init(managedAsyncStream: { writer in
                try await writer.write(.buffer(.init(string: "\(req.count())")))
            }))
    }
    app.get("tasks") { req in
        await withDiscardingTaskGroup { group in
            for _ in 0..<200 { group.addTask { _ = req.count() } }
        }
        return "\(req.guest.value?.visits ?? -1)"
    }
    app.get("theme") { req in
        _ = req.count()
        let response = Response()
        response.cookies["theme"] = "dark"
        return response
    }
    app.get("grow", ":length") { req in
        let length = req.parameters.get("length", as: Int.self) ?? 0
        // Does not compress.
        let notes = (0...length / 8).map { _ in String(UInt64.random(in: 0 ... .max), radix: 36) }.joined()
        req.guest.update { $0?.notes = String(notes.prefix(length)) }
        return "\(length)"
    }
    app.get("length") { req in "\(req.guest.value?.notes.count ?? -1)" }
    app.get("leave") { req in
        req.guest.value = nil
        return "bye"
    }
    app.get("abort") { req -> String in
        req.guest.value = nil
        throw Abort(.forbidden)
    }
    app.get("break") { req -> String in
        _ = req.count()
        throw Breakage()
    }
    app.webSocket(
        "socket",
        shouldUpgrade: { req in
            _ = req.count()
            return ["X-Greeting": "hello"]
        },
        onUpgrade: { req, socket async in
            _ = req.count()
            try? await socket.send("\(req.guest.value?.visits ?? -1)")
            try? await socket.close()
        })
}

func vaporsOwn(_ app: Application) {
    app.get("asset") { _ in Response(headers: ["Cache-Control": "public, max-age=600"], body: "an asset") }
    app.get("page") { req in req.session.data["name"] ?? "none" }
    app.get("write", ":name") { req in
        req.session.data["name"] = req.parameters.get("name")
        return "written"
    }
    app.get("late") { req in
        Response(
            body: .init(managedAsyncStream: { writer in
                req.session.data["name"] = "late"
                try await writer.write(.buffer(.init(string: "late")))
            }))
    }
    app.get("abort") { req -> String in
        req.session.destroy()
        throw Abort(.forbidden)
    }
}

let (mode, port, folder) = (CommandLine.arguments[1], CommandLine.arguments[2], CommandLine.arguments[3])
let app = try await Application.make(Environment(name: "production", arguments: ["driver"]))
app.logger.logLevel = .info
app.http.server.configuration.address = .hostname("127.0.0.1", port: Int(port))
app.http.server.configuration.tlsConfiguration = .makeServerConfiguration(
    certificateChain: try NIOSSLCertificate.fromPEMFile(folder + "/cert.pem").map { .certificate($0) },
    privateKey: .privateKey(try NIOSSLPrivateKey(file: folder + "/key.pem", format: .pem)))
let logger = app.logger
let keys = try KeyRingFile(folder + "/session.keys", pollInterval: .seconds(1)) { event in
    logger.notice("\(event)")
}
let lifetime = SessionLifetime(absolute: .days(14), idle: .hours(12))
if mode == "own" {
    configure(app, try CookieSealer<Visitor>("__Host-visitor", keys: keys, lifetime: lifetime))
    app.middleware.use(
        SealedSessionMiddleware(
            sealer: try CookieSealer<Guest>(
                keys: keys, lifetime: lifetime, attributes: .init(isPartitioned: true), splitting: .upTo(4))),
        at: .beginning)
    routes(app, folder)
} else {
    configure(app, try CookieSealer<SessionData>(keys: keys, lifetime: lifetime))
    vaporsOwn(app)
}
try await app.execute()
