// What a server has in hand after opening.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A session out of an authentic cookie that has not ended.
public struct OpenedSession<Session: Sendable>: Sendable {
    /// Change it and pass the whole to `reseal`, which keeps the session's age.
    public var session: Session
    @usableFromInline let metadata: SessionMetadata
    /// Parts of a split session that the request had; nil: not known.
    @usableFromInline let parts: PartSet?

    @inlinable
    init(session: Session, _ metadata: SessionMetadata, parts: PartSet?) {
        self.session = session
        self.metadata = metadata
        self.parts = parts
    }
}

extension OpenedSession {
    /// When the session began: its first sealing.
    public var createdAt: Date { metadata.times.createdAt }
    /// Whether the session began before a cut-off: the time that the server keeps of when it ended this user's sessions. Answer
    /// then as where there is none. The cut-off counts rounded up to whole seconds. Pass the same time to `seal` as `cutOff`, so
    /// that who signs in within that second is not signed out again (FORMAT §10).
    public func began(before cutOff: Date) -> Bool { metadata.times.began(before: cutOff) }
    /// When this cookie was sealed.
    public var sealedAt: Date { metadata.times.sealedAt }
    /// When it ends unless it is sealed again before.
    public var expiresAt: Date { metadata.end }
    /// The key that sealed it.
    public var keyID: KeyID { metadata.keyID }
    /// The name of the cookie that it was opened from.
    public var cookieName: String { metadata.identity.name }
    /// The purpose that it was opened for; empty: none.
    public var purpose: String { metadata.identity.purpose }
    /// Whether there is a reason to write the cookie again although the session has not changed: a newer key
    /// seals, or a tenth of the time is over, in whole seconds and rounded up, for which a cookie of
    /// this session is good: the idle time, the lifetime (its own, if it has one), or the 400 days that browsers keep
    /// one. So a browser keeps its copy as long as the session lives, also where the policy has been made up to ten times
    /// as long. Without an idle time that is ten writes in a session's life at most; where `endsWithBrowser` holds the
    /// idle time alone counts, unless it was compressed with another dictionary than seals. That is no reason by
    /// itself: during a change every other server would write the cookie again.
    ///
    /// Where sealing such a session again fails, log why and send nothing: the cookie is as good as before. It fails
    /// at each request for one that is over lowered limits or a lowered `itemLimit`, until that session ends.
    public var needsResealing: Bool { metadata.needsResealing }
    /// The session's own lifetime, where it was sealed with one, in place of the policy's. Its `ceiling` is the usual
    /// one and counts for nothing: the policy's holds.
    public var lifetime: SessionLifetime? { metadata.times.lifetime?.lifetime }
    /// Whether its cookie is written without `Max-Age`, so that the browser drops it when it closes.
    public var endsWithBrowser: Bool { metadata.times.marks.contains(.endsWithBrowser) }
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
