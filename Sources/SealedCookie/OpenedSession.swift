// What a server has in hand after opening and after sealing.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A session out of an authentic cookie that has not ended.
public struct OpenedSession<Session: Sendable>: Sendable {
    /// Change it and pass the whole to `reseal`, which keeps the session's age.
    public var session: Session
    @usableFromInline let about: AboutSession

    @inlinable
    init(session: Session, _ about: AboutSession) {
        self.session = session
        self.about = about
    }
}

extension OpenedSession {
    /// When the session began: its first sealing.
    public var createdAt: Date { about.times.createdAt }
    /// When this cookie was sealed.
    public var sealedAt: Date { about.times.sealedAt }
    /// When it ends unless it is sealed again before.
    public var expiresAt: Date { about.end }
    /// The key that sealed it.
    public var keyID: KeyID { about.keyID }
    /// The name of the cookie that it was opened from.
    public var cookieName: String { about.form.name }
    /// The purpose that it was opened for; empty: none.
    public var purpose: String { about.form.purpose }
    /// Whether there is a reason to write the cookie again although the session has not changed: a newer key
    /// seals, or a tenth of the time is over, in whole seconds and rounded up, for which a cookie of
    /// this session is good: the idle time, the lifetime, or the 400 days that browsers keep one. So a browser
    /// keeps its copy as long as the session lives, also where the policy has been made up to ten times as
    /// long. Without an idle time that is ten writes in a session's life at most; with `endsWithBrowser` the
    /// idle time alone counts, unless it was compressed with another dictionary than seals. That is no reason by
    /// itself: during a change every other server would write the cookie again.
    ///
    /// Where sealing such a session again fails, log why and send nothing: the cookie is as good as before. It fails
    /// at each request for one that is over lowered limits or a lowered `largestItem`, until that session ends.
    public var needsResealing: Bool { about.needsResealing }
    /// The session's own absolute lifetime, where it was sealed with one.
    public var lifetime: SessionLifetime.Span? { about.times.lifetime.map { .seconds(Int($0)) } }
}

/// A session in a cookie, ready to be sent.
public struct SealedSession: Sendable {
    /// When the session ends unless it is sealed again before.
    public let expiresAt: Date
    let sealedToken: Token
    let form: CookieForm
    /// Seconds; nil: until the browser closes.
    let maxAge: Int?
    /// Parts that a longer one may have left in the browser.
    let stale: PartSet
    let sealedAt: Date

    /// The values of the `Set-Cookie` headers to add to the response.
    public var headerValues: [String] { cookies.map(\.description) }
    /// The `Set-Cookie` headers, one each: those that carry the session, and those that remove parts
    /// which a longer one may have left.
    public var cookies: [SetCookie] {
        form.cookies(for: sealedToken.text, maxAge: maxAge, stale: stale, now: sealedAt)
    }
    /// Characters of the token.
    public var tokenBytes: Int { sealedToken.text.utf8.count }
    /// Characters of the largest token that the sealer's limits and splitting allow.
    public var tokenLimit: Int { form.tokenLimit }
    /// Characters that are free.
    public var room: Int { tokenLimit - tokenBytes }
}

extension OpenedSession: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The times and the key, not what the session holds.
    public var description: String {
        "OpenedSession(key \(keyID), created \(Timestamp.text(createdAt)), expires \(Timestamp.text(expiresAt)))"
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror {
        Mirror(
            self,
            children: ["createdAt": createdAt, "sealedAt": sealedAt, "expiresAt": expiresAt, "keyID": keyID],
            displayStyle: .struct)
    }
}

extension SealedSession: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Its size and when it ends, not the token: whoever has that is the visitor.
    public var description: String {
        "SealedSession(\(tokenBytes) characters, expires \(Timestamp.text(expiresAt)))"
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror {
        Mirror(self, children: ["tokenBytes": tokenBytes, "expiresAt": expiresAt], displayStyle: .struct)
    }
}
