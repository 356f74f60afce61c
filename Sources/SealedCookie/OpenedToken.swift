// What a server has in hand after opening a token that no cookie carries.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A value out of an authentic token that has not ended.
public struct OpenedToken<Value: Sendable>: Sendable {
    public let value: Value
    @usableFromInline let metadata: SessionMetadata

    @inlinable
    init(value: Value, _ metadata: SessionMetadata) {
        self.value = value
        self.metadata = metadata
    }
}

extension OpenedToken {
    /// When the token was sealed.
    public var createdAt: Date { metadata.times.createdAt }
    /// When it ends.
    public var expiresAt: Date { metadata.end }
    /// Whether it was sealed before a cut-off, for example the last change of the user's password: refuse it then. The cut-off
    /// counts rounded up to whole seconds. Pass the same time to `seal`, so that a token sealed after it holds (FORMAT §10).
    public func began(before cutOff: Date) -> Bool { metadata.times.began(before: cutOff) }
    /// The key that sealed it.
    public var keyID: KeyID { metadata.keyID }
    /// The purpose that it was opened for.
    public var purpose: String { metadata.identity.purpose }
}

extension OpenedToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The times and the key, not the value.
    public var description: String {
        "OpenedToken(key \(keyID), created \(Timestamp.text(createdAt)), expires \(Timestamp.text(expiresAt)))"
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror {
        Mirror(
            self, children: ["createdAt": createdAt, "expiresAt": expiresAt, "keyID": keyID],
            displayStyle: .struct)
    }
}
