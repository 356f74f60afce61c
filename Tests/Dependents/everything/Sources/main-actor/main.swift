// Types here belong to the main actor by default, and a session is sealed on any thread.
import SealedCookie

nonisolated struct Session: Codable {
    var user: Int
}

let sealer = try CookieSealer<Session>(
    "session", keys: .forTesting(), lifetime: .init(absolute: .days(1)), attributes: .plainHTTP)
let sealed = try sealer.seal(Session(user: 42))
guard let opened = try sealer.open(cookieHeader: sealed.cookieHeader), opened.session.user == 42 else {
    fatalError("not opened")  // On purpose: the run has to fail.
}
print("opened")
