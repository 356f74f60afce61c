// What a server gets by sealing a session.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A sealed session in one or more cookies, ready to be sent.
public struct SealedSession: Sendable {
    let sealed: SealedToken
    let form: CookieForm
    /// The parts that a longer session may have left in the browser.
    let stale: PartSet

    /// The time at which the session ends unless it is sealed again before.
    public var expiresAt: Date { sealed.expiresAt }
    /// The values of the `Set-Cookie` headers to add to the response.
    public var headerValues: [String] { cookies.map(\.description) }
    /// The `Set-Cookie` headers, one element each: those that carry the session, and those that remove parts which a
    /// longer session may have left.
    public var cookies: [SetCookie] {
        // Rounded up: the browser's copy ends no earlier than the session, and less than a second later.
        let seconds =
            sealed.expiresAt.timeIntervalSince1970 - sealed.sealedAt.timeIntervalSince1970.rounded(.down)
        let maxAge = sealed.endsWithBrowser ? nil : Int(seconds)
        return form.cookies(for: sealed.text, maxAge: maxAge, stale: stale, now: sealed.sealedAt)
    }
    /// The `Cookie` header with which a browser would send the session back, for tests. It separates the cookies with
    /// `; ` and leaves out those that are removed.
    public var cookieHeader: String {
        cookies.filter { !$0.value.isEmpty }.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
    }
    /// The token itself, in one piece, for carriers other than cookies. It opens as this cookie's value does.
    public var token: String { sealed.text }
    /// The length of the token in characters.
    public var tokenLength: Int { sealed.text.utf8.count }
    /// The length in characters of the largest token that the sealer's limits and splitting allow.
    public var tokenLimit: Int { form.tokenLimit }
    /// The number of characters left before the limit.
    public var room: Int { tokenLimit - tokenLength }
}

extension SealedSession: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Its size and when it ends, but not the token: anyone who has that is the visitor.
    public var description: String {
        "SealedSession(\(tokenLength) characters, expires \(Timestamp.text(expiresAt)))"
    }
    /// Its size and when it ends, but not the token.
    public var debugDescription: String { description }
    /// A mirror without the token.
    public var customMirror: Mirror {
        Mirror(self, children: ["tokenLength": tokenLength, "expiresAt": expiresAt], displayStyle: .struct)
    }
}
