// What a server gets by opening a token that no cookie carries.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A value from an authentic token that has not ended.
public struct OpenedToken<Value: Sendable>: Sendable {
    /// The value, as it was sealed.
    public let value: Value
    @usableFromInline let metadata: SessionMetadata

    @inlinable
    init(value: Value, _ metadata: SessionMetadata) {
        self.value = value
        self.metadata = metadata
    }
}

extension OpenedToken {
    /// The time at which the token was sealed.
    public var createdAt: Date { metadata.times.createdAt }
    /// The time at which it ends.
    public var expiresAt: Date { metadata.end }
    /// Whether the token was sealed before a cut-off, for example the last change of the user's password. If so,
    /// refuse it.
    ///
    /// The cut-off counts rounded up to whole seconds. Pass the same time to `seal`, so that a token sealed after it
    /// stays valid (FORMAT §10).
    ///
    /// - Parameter cutOff: The time before which this user's tokens have ended.
    /// - Returns: Whether the token has ended by it.
    public func began(before cutOff: Date) -> Bool { metadata.times.began(before: cutOff) }
    /// The key that sealed it.
    public var keyID: KeyID { metadata.keyID }
    /// The purpose for which it was opened.
    public var purpose: String { metadata.identity.purpose }
}

extension OpenedToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The times and the key, but not the value.
    public var description: String {
        "OpenedToken(key \(keyID), created \(Timestamp.text(createdAt)), expires \(Timestamp.text(expiresAt)))"
    }
    /// The times and the key, but not the value.
    public var debugDescription: String { description }
    /// A mirror without the value.
    public var customMirror: Mirror {
        Mirror(
            self, children: ["createdAt": createdAt, "expiresAt": expiresAt, "keyID": keyID],
            displayStyle: .struct)
    }
}
