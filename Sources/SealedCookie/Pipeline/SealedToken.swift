// What sealing makes, whatever carries it.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A token's text, and when it ends.
public struct SealedToken: Sendable {
    /// Letters, digits, `-` and `_`: no URL, form or header needs to escape it.
    public let text: String
    /// When it ends unless what it holds is sealed again before.
    public let expiresAt: Date
    let sealedAt: Date
    /// Whether the browser is to drop it when it closes.
    let endsWithBrowser: Bool
}

extension SealedToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Its length and when it ends, not the token: whoever has that may use it.
    public var description: String {
        "SealedToken(\(text.utf8.count) characters, expires \(Timestamp.text(expiresAt)))"
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror {
        Mirror(self, children: ["length": text.utf8.count, "expiresAt": expiresAt], displayStyle: .struct)
    }
}
