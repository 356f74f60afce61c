// One key of a ring: 32 random bytes, its derived id, and the time from which it seals. FORMAT §4, §9.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A key that seals and opens tokens.
///
/// The secret is never shown: not in a description, a dump, an error or a comparison. Its memory is
/// wiped when the last ring that holds the key is released.
public struct SealingKey: Sendable, Identifiable {
    public let id: KeyID
    /// When the key begins to seal; it opens from the start. Nil: earlier than any other. Whole seconds.
    public let activeFrom: Date?
    let material: WorkingKey

    init(material: XAESKey, activeFrom: Date?) throws(NativeFailure) {
        self.material = try WorkingKey(material)
        self.activeFrom = activeFrom
        id = try KeyID.derived(from: material)
    }

    /// A new key from OpenSSL's random generator.
    ///
    /// - Parameter activeFrom: when it begins to seal, rounded up to whole seconds, so that every
    ///   server can have it first; nil: at once, for the first key of a ring, but after no other.
    /// - Throws: `KeyRingError` if there is no randomness to be had, or for a time outside of the years
    ///   1583 to 9999.
    public static func generate(activeFrom: Date? = nil) throws(KeyRingError) -> SealingKey {
        let activeFrom = try KeyRingError.time(activeFrom, source: "new key")
        return try KeyRingError.unlessItFails("new key") { () throws(NativeFailure) in
            let secret = try SecretBytes.random(count: XAESKey.keyLength)
            return try SealingKey(material: XAESKey(secret), activeFrom: activeFrom)
        }
    }

    func holdsSameKey(as other: SealingKey) -> Bool { material.key.holdsSameKey(as: other.material.key) }

    func isActive(at now: Date) -> Bool {
        activeFrom.map { $0 <= now } ?? true
    }
}

extension SealingKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The id and the time, never the secret.
    public var description: String {
        activeFrom.map { "key \(id) from \(Timestamp.text($0))" } ?? "key \(id)"
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror {
        Mirror(self, children: ["id": id, "activeFrom": activeFrom as Any], displayStyle: .struct)
    }
}
