// In place of a web server: the value of a Cookie header a line in, an answer with its Set-Cookie headers out.
import Foundation
import Logging
import SealedCookie
import ServiceLifecycle

struct Session: Codable, Sendable, Equatable {
    var visits = 0
}

/// Counts a visitor's visits.
struct Visits: Service {
    let sessions: CookieSealer<Session>
    let log: Logger

    init(keys: SharedKeyRing, log: Logger) throws {
        sessions = try CookieSealer(keys: keys, lifetime: .init(absolute: .days(14), idle: .hours(12)))
        self.log = log
    }

    func run() async throws {
        let requests = AsyncStream<String> { requests in
            Thread.detachNewThread {
                while let line = readLine() { requests.yield(line) }
                requests.finish()
            }
        }
        for await cookies in requests.cancelOnGracefulShutdown() {
            let (text, headers) = answer(cookies)
            let lines = [text] + headers.map { "Set-Cookie: \($0)" }
            FileHandle.standardOutput.write(Data(lines.map { "\($0)\n" }.joined().utf8))
        }
    }

    func answer(_ cookies: String) -> (text: String, headers: [String]) {
        // To the visitor a cookie that is no session is the same as none.
        var opened = sessions.open(cookieHeader: cookies) { log.info("no session: \($0)") }
        do {
            opened?.session.visits += 1
            let sealed = try opened.map { try sessions.reseal($0) } ?? sessions.seal(Session(visits: 1))
            return ("Visit \(opened?.session.visits ?? 1).", sealed.headerValues)
        } catch let error as SealError where opened != nil && error.isSessionOver {
            log.info("no session: \(error)")
            return ("Your session has just ended.", [])
        } catch {
            log.error("session not sealed: \(error)")
            return ("Try again in a moment.", [])
        }
    }
}
