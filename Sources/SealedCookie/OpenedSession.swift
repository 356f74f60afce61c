// What a server gets by opening a cookie.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A session from an authentic cookie that has not ended.
public struct OpenedSession<Session: Sendable>: Sendable {
    /// The session's value. To change it, set it and pass the whole to ``CookieSealer/reseal(_:at:)``, which keeps
    /// the session's age.
    public var session: Session
    @usableFromInline let metadata: SessionMetadata
    /// The parts of a split session that the request had; nil if not known.
    @usableFromInline let parts: PartSet?

    @inlinable
    init(session: Session, _ metadata: SessionMetadata, parts: PartSet?) {
        self.session = session
        self.metadata = metadata
        self.parts = parts
    }
}

extension OpenedSession {
    /// The time at which the session began: its first sealing.
    public var createdAt: Date { metadata.times.createdAt }
    /// Whether the session began before a cut-off.
    ///
    /// The cut-off is the time, kept by the server, at which it ended this user's sessions. If this is true, answer
    /// as if there were no session. The cut-off counts rounded up to whole seconds. Pass the same time to `seal` as
    /// `cutOff`: otherwise a user who signs in within that second would be signed out again (FORMAT §10).
    ///
    /// - Parameter cutOff: The time before which this user's sessions have ended.
    /// - Returns: Whether the session has ended by it.
    public func began(before cutOff: Date) -> Bool { metadata.times.began(before: cutOff) }
    /// The time at which this cookie was sealed.
    public var sealedAt: Date { metadata.times.sealedAt }
    /// The time at which it ends unless it is sealed again before.
    public var expiresAt: Date { metadata.end }
    /// The key that sealed it.
    public var keyID: KeyID { metadata.keyID }
    /// The name of the cookie from which it was opened.
    public var cookieName: String { metadata.identity.name }
    /// The purpose for which it was opened; empty if there is none.
    public var purpose: String { metadata.identity.purpose }
    /// Whether there is a reason to write the cookie again although the session has not changed.
    ///
    /// There are three reasons:
    ///
    /// - A newer key seals.
    /// - The session came from a former form of the cookie (``FormerCookie``).
    /// - A tenth of the time is over for which a cookie of this session is good. That time is the shortest of the
    ///   idle time, the lifetime (the session's own, if it has one), the policy's ceiling and the 400 days that
    ///   browsers keep a cookie. A tenth is rounded up to whole seconds.
    ///
    /// So a browser keeps its copy as long as the session lives, even if the policy has since become up to ten times
    /// as long. Without an idle time, that is at most ten writes in a session's life.
    ///
    /// With ``endsWithBrowser`` only the idle time counts, unless the cookie was compressed with another dictionary
    /// than the one that seals now. Another dictionary is no reason by itself: during a change of dictionaries,
    /// servers would rewrite each other's cookies at every request.
    ///
    /// If sealing such a session again fails, log the reason and send nothing: the cookie is as good as before. If
    /// the session exceeds lowered limits or a lowered `itemLimit`, it fails at each request until the session ends.
    public var needsResealing: Bool { metadata.needsResealing }
    /// The session's own lifetime, if it was sealed with one that replaces the policy. Its `ceiling` is the usual one
    /// and is ignored: the policy's applies.
    public var lifetime: SessionLifetime? { metadata.times.lifetime?.lifetime }
    /// Whether its cookie is written without `Max-Age`, so that the browser drops it on closing.
    public var endsWithBrowser: Bool { metadata.times.marks.contains(.endsWithBrowser) }
}

extension OpenedSession: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The times and the key, but not the session's value.
    public var description: String {
        "OpenedSession(key \(keyID), created \(Timestamp.text(createdAt)), expires \(Timestamp.text(expiresAt)))"
    }
    /// The times and the key, but not the session's value.
    public var debugDescription: String { description }
    /// A mirror without the session's value.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: ["createdAt": createdAt, "sealedAt": sealedAt, "expiresAt": expiresAt, "keyID": keyID],
            displayStyle: .struct)
    }
}
