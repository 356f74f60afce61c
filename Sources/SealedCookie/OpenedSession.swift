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
    /// When the session began: its first sealing.
    public let createdAt: Date
    /// When this cookie was sealed.
    public let sealedAt: Date
    /// When it ends unless it is sealed again before.
    public let expiresAt: Date
    /// The key that sealed it.
    public let keyID: KeyID
    /// Whether there is a reason to write the cookie again although the session has not changed: its
    /// key no longer seals, or a tenth of the idle time is over.
    public let needsResealing: Bool
    /// The session's own absolute lifetime, where it was sealed with one.
    public var lifetime: SessionLifetime.Span? {
        times.lifetime.map { .seconds(Int($0)) }
    }

    let times: SessionTimes
}

/// A session in a cookie, ready to be sent.
public struct SealedSession: Sendable {
    /// The `Set-Cookie` headers, one each.
    public let cookies: [SetCookie]
    /// When the session ends unless it is sealed again before.
    public let expiresAt: Date
    /// Bytes of name and value, which count against the limit.
    public let cookieBytes: Int
    /// Bytes that are free under the limit.
    public let room: Int

    /// The values of the `Set-Cookie` headers to add to the response.
    public var headerValues: [String] { cookies.map(\.description) }
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
