// One key of a ring: 32 random bytes, its derived ID, and the time from which it seals. FORMAT §4, §9.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A key that seals and opens tokens.
///
/// The secret is never shown: not in a description, a dump, an error or a comparison. Its memory is wiped when the
/// last ring that has the key is released.
public struct SealingKey: Sendable, Identifiable {
    /// The key's name in tokens, derived from it (FORMAT §4).
    public let id: KeyID
    /// The time from which the key seals, in whole seconds. It opens from the start. Nil means earlier than any
    /// other.
    public private(set) var activeFrom: Date?
    /// The time until which the key may have sealed, if that is later than the next key's `activeFrom` (FORMAT §9).
    /// In whole seconds. Only ``KeyRing/pruned(lifetime:at:)`` reads it.
    public internal(set) var sealedUntil: Date?
    let material: WorkingKey

    init(material: XAESKey, activeFrom: Date?) throws(NativeFailure) {
        self.material = try WorkingKey(material)
        self.activeFrom = activeFrom
        id = try KeyID.derived(from: material)
    }

    /// Creates a new key with OpenSSL's random generator.
    ///
    /// - Parameter activeFrom: The time from which it seals, rounded up to whole seconds, so that every server can have
    ///   it first. Nil means at once, for the first key of a ring: such a key never takes over from another.
    /// - Returns: The key.
    /// - Throws: ``KeyRingError`` if there is no randomness, or for a time outside the years 1583 to 9999.
    public static func generate(activeFrom: Date? = nil) throws(KeyRingError) -> SealingKey {
        let activeFrom = try KeyRingError.time(activeFrom, source: "new key")
        return try KeyRingError.unlessItFails("new key") { () throws(NativeFailure) in
            let secret = try SecretBytes.random(count: XAESKey.keyLength)
            return try SealingKey(material: XAESKey(secret), activeFrom: activeFrom)
        }
    }

    /// Creates a key from bytes that were made elsewhere, such as by a secret manager.
    ///
    ///     let key = try SealingKey(importing: data.span, activeFrom: .now + 3600)
    ///
    /// The bytes are copied. It is up to the caller to wipe its own.
    ///
    /// - Parameters:
    ///   - bytes: 32 bytes from a cryptographic random generator. Never use a password, or bytes derived from one
    ///     (FORMAT §4).
    ///   - activeFrom: The time from which it seals, as in ``generate(activeFrom:)``.
    /// - Throws: ``KeyRingError``: `.notAKey` if there are not 32 bytes, or all of them are zero; `.notATime`.
    public init(importing bytes: Span<UInt8>, activeFrom: Date? = nil) throws(KeyRingError) {
        let source = "imported key"
        guard bytes.count == XAESKey.keyLength, bytes.indices.contains(where: { bytes[$0] != 0 }) else {
            throw KeyRingError(source: source, line: nil, problem: .notAKey)
        }
        let activeFrom = try KeyRingError.time(activeFrom, source: source)
        self = try KeyRingError.unlessItFails(source) { () throws(NativeFailure) in
            try SealingKey(material: XAESKey(SecretBytes.copy(of: bytes)), activeFrom: activeFrom)
        }
    }

    /// One key from two lines: each time is the later of the two.
    func joined(with other: SealingKey) -> SealingKey {
        var key = self
        key.activeFrom = later(activeFrom, other.activeFrom)
        key.sealedUntil = later(sealedUntil, other.sealedUntil)
        return key
    }

    /// The same key, sealing from another time.
    package func sealing(from time: Date) throws(KeyRingError) -> SealingKey {
        var key = self
        key.activeFrom = try KeyRingError.time(time, source: "key \(id)")
        return key
    }

    func holdsSameKey(as other: SealingKey) -> Bool { material.key.holdsSameKey(as: other.material.key) }

    func isActive(at now: Date) -> Bool {
        activeFrom.map { $0 <= now } ?? true
    }
}

/// The later of two times; nil is earlier than any.
func later(_ a: Date?, _ b: Date?) -> Date? {
    guard let a, let b else { return a ?? b }
    return max(a, b)
}

extension SealingKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The ID and the times, but never the secret.
    public var description: String {
        let from = activeFrom.map { " from \(Timestamp.text($0))" } ?? ""
        let until = sealedUntil.map { ", sealed until \(Timestamp.text($0))" } ?? ""
        return "key \(id)\(from)\(until)"
    }
    /// The ID and the times, but never the secret.
    public var debugDescription: String { description }
    /// A mirror without the secret.
    public var customMirror: Mirror {
        Mirror(
            self, children: ["id": id, "activeFrom": activeFrom as Any, "sealedUntil": sealedUntil as Any],
            displayStyle: .struct)
    }
}
