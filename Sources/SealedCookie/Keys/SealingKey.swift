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
    /// The name of the key in tokens, derived from it (FORMAT §4).
    public let id: KeyID
    /// When the key begins to seal; it opens from the start. Nil: earlier than any other. Whole seconds.
    public private(set) var activeFrom: Date?
    /// Until when the key may have sealed, where that is later than the next key's `activeFrom` (FORMAT §9). Whole
    /// seconds. Only `KeyRing.pruned` reads it.
    public internal(set) var sealedUntil: Date?
    let material: WorkingKey

    init(material: XAESKey, activeFrom: Date?) throws(NativeFailure) {
        self.material = try WorkingKey(material)
        self.activeFrom = activeFrom
        id = try KeyID.derived(from: material)
    }

    /// A new key from OpenSSL's random generator.
    ///
    /// - Parameter activeFrom: the time from which it seals, rounded up to whole seconds, so that every
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

    /// A key that was made elsewhere, such as by a secret manager.
    ///
    ///     let key = try SealingKey(importing: data.span, activeFrom: .now + 3600)
    ///
    /// The bytes are copied; the caller's are the caller's to wipe.
    ///
    /// - Parameters:
    ///   - bytes: 32 bytes from a cryptographic random generator. Never a password, nor made of one (FORMAT §4).
    ///   - activeFrom: the time from which it seals, as in `generate(activeFrom:)`.
    /// - Throws: `KeyRingError`: `.notAKey` where there are not 32 bytes, or all of them are zero; `.notATime`.
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

    /// One key that is on two lines: both times are the later.
    func joined(with other: SealingKey) -> SealingKey {
        var key = self
        key.activeFrom = later(activeFrom, other.activeFrom)
        key.sealedUntil = later(sealedUntil, other.sealedUntil)
        return key
    }

    /// The same key with another time from which it seals.
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
    /// The id and the times, never the secret.
    public var description: String {
        let from = activeFrom.map { " from \(Timestamp.text($0))" } ?? ""
        let until = sealedUntil.map { ", sealed until \(Timestamp.text($0))" } ?? ""
        return "key \(id)\(from)\(until)"
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror {
        Mirror(
            self, children: ["id": id, "activeFrom": activeFrom as Any, "sealedUntil": sealedUntil as Any],
            displayStyle: .struct)
    }
}
