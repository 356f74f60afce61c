// The servers of a site that changes its cookie's form, for former_forms.py: a question a line in, an answer a line out, as JSON.
import Foundation
import SealedCookie

struct Session: Codable, Sendable, Equatable {
    var user: String
    var visits = 0
}

/// One of the things that a site may change, from `before` to `after`.
struct Change {
    var before: FormerCookie
    var after: FormerCookie
}

let lifetime = SessionLifetime(absolute: .days(14))
/// - Parameter site: the domain, such as `s1.localhost`.
func changes(of site: String) -> [String: Change] {
    [
        "name": Change(
            before: FormerCookie("session", lifetime: lifetime),
            after: FormerCookie("__Host-shop", lifetime: lifetime)),
        "domain": Change(
            before: FormerCookie("sid", lifetime: lifetime),
            after: FormerCookie("sid", attributes: .init(domain: site), lifetime: lifetime)),
        "host": Change(
            before: FormerCookie("sid", attributes: .init(domain: site), lifetime: lifetime),
            after: FormerCookie("__Host-sid", lifetime: lifetime)),
        "path": Change(
            before: FormerCookie("sid", attributes: .init(path: "/app"), lifetime: lifetime),
            after: FormerCookie("sid", lifetime: lifetime)),
        "partitioned": Change(
            before: FormerCookie("sid", attributes: .init(sameSite: .none), lifetime: lifetime),
            after: FormerCookie(
                "sid", attributes: .init(sameSite: .none, isPartitioned: true), lifetime: lifetime)),
        "purpose": Change(
            before: FormerCookie("sid", lifetime: lifetime),
            after: FormerCookie("sid", purpose: "shop", lifetime: lifetime)),
        "parts": Change(
            before: FormerCookie("sid", splitting: .upTo(3), lifetime: lifetime),
            after: FormerCookie("__Host-sid", splitting: .upTo(3), lifetime: lifetime)),
    ]
}

struct Question: Decodable {
    enum Kind: String, Decodable { case signIn, visit, signOut }
    var change: String
    var site: String
    /// The guide's steps: 0 before the first, 1 to 3 after each, 4 once the old form is out of the list.
    var step: Int
    /// Without `formerly`: what the recipe is there for.
    var isCareless: Bool
    var kind: Kind
    var user: String?
    /// Of a session that a browser keeps in several cookies.
    var header: String?
    /// When the last server had switched.
    var switchedAt: Double?
}

struct Answer: Encodable {
    /// What the request's session was, before the visit counted.
    var session: Session?
    var refusal: String?
    var setCookies: [String]
}

let keys = try KeyRing(contentsOf: CommandLine.arguments[1])

func sealer(_ question: Question) throws -> CookieSealer<Session> {
    guard let change = changes(of: question.site)[question.change] else {
        throw CocoaError(.keyValueValidation)
    }
    var before = change.before
    if question.step == 3 { before.sealedUntil = question.switchedAt.map(Date.init(timeIntervalSince1970:)) }
    let (own, former): (FormerCookie, [FormerCookie]) =
        switch question.step {
        case 0: (before, [])
        case 1: (before, [change.after])
        case 2, 3: (change.after, [before])
        default: (change.after, [])
        }
    return try CookieSealer(
        own.name, keys: keys, lifetime: own.lifetime, purpose: own.purpose, attributes: own.attributes,
        splitting: own.splitting, formerly: question.isCareless ? [] : former)
}

func answer(_ question: Question) throws -> Answer {
    let sealer = try sealer(question)
    var refusal: String?
    let opened = sealer.open(cookieHeader: question.header) { refusal = $0.code }
    var setCookies: [String] = []
    switch question.kind {
    case .signIn:
        let session = Session(user: question.user ?? "")
        setCookies = try sealer.seal(session, cookieHeader: question.header).headerValues
    case .signOut:
        setCookies = try sealer.signOutCookies(cookieHeader: question.header).map(\.description)
    case .visit:
        if var opened {
            opened.session.visits += 1
            setCookies = try sealer.reseal(opened).headerValues
        }
    }
    return Answer(session: opened?.session, refusal: refusal, setCookies: setCookies)
}

while let line = readLine() {
    let question = try JSONDecoder().decode(Question.self, from: Data(line.utf8))
    FileHandle.standardOutput.write(try JSONEncoder().encode(answer(question)) + Data("\n".utf8))
}
