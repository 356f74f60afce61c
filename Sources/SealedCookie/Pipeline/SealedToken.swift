// The result of sealing, whatever carries it.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A token's text, and the time at which it ends.
public struct SealedToken: Sendable {
    /// The text: letters, digits, `-` and `_`, so no URL, form or header needs to escape it.
    public let text: String
    /// The time at which it ends unless its contents are sealed again before.
    public let expiresAt: Date
    let sealedAt: Date
    /// Whether the browser must drop it on closing.
    let endsWithBrowser: Bool
}

extension SealedToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Its length and when it ends, but not the token: anyone who has that may use it.
    public var description: String {
        "SealedToken(\(text.utf8.count) characters, expires \(Timestamp.text(expiresAt)))"
    }
    /// Its length and when it ends, but not the token.
    public var debugDescription: String { description }
    /// A mirror without the token.
    public var customMirror: Mirror {
        Mirror(self, children: ["length": text.utf8.count, "expiresAt": expiresAt], displayStyle: .struct)
    }
}
