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
            let (status, text, headers) = answer(cookies)
            let lines = ["\(status) \(text)"] + headers.map { "Set-Cookie: \($0)" }
            FileHandle.standardOutput.write(Data(lines.map { "\($0)\n" }.joined().utf8))
        }
    }

    func answer(_ cookies: String) -> (status: Int, text: String, headers: [String]) {
        do {
            guard var opened = try session(cookies) else {
                let sealed = try sessions.seal(Session(visits: 1), cookieHeader: cookies)
                return (200, "Visit 1.", sealed.headerValues)
            }
            opened.session.visits += 1
            do {
                return (200, "Visit \(opened.session.visits).", try sessions.reseal(opened).headerValues)
            } catch {
                guard error.isSessionOver else { throw error }
                log.info("no session: \(error)")
                return (200, "Your session has just ended.", [])
            }
        } catch {
            log.error("session not opened or not sealed: \(error)")
            let isLibraryFailure =
                (error as? OpenError)?.isLibraryFailure == true
                || (error as? SealError)?.isLibraryFailure == true
            return (isLibraryFailure ? 503 : 500, "Try again in a moment.", [])
        }
    }

    /// To the visitor, a cookie that is no session is the same as none. But if a library failed, the cookie may be good and
    /// must not be overwritten.
    private func session(_ cookies: String) throws(OpenError) -> OpenedSession<Session>? {
        do {
            return try sessions.open(cookieHeader: cookies)
        } catch {
            guard !error.isLibraryFailure else { throw error }
            log.info("no session: \(error)")
            return nil
        }
    }
}
