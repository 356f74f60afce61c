// The source of a sealer's ring.

/// A source of keys for a sealer: a ``KeyRing``, which never changes; a ``KeyRingFile``, which follows a file; or a
/// ``SharedKeyRing``, whose ring the application replaces. With the latter two, a rotation needs no restart.
///
/// There are only these three. An application with its own key store puts its rings into a ``SharedKeyRing``.
public protocol KeyRingSource: Sendable {
    /// The source as the sealer uses it.
    var keySource: KeySource { get }
}

/// A fixed ring, one that follows a file, or one that the application replaces.
public struct KeySource: Sendable {
    private enum Kind: Sendable {
        case ring(KeyRing)
        case file(KeyRingFile)
        case shared(SharedKeyRing)
    }
    private let kind: Kind

    /// The current ring.
    var ring: KeyRing {
        switch kind {
        case .ring(let ring): ring
        case .file(let file): file.ring
        case .shared(let shared): shared.ring
        }
    }

    /// The ring for a key ID that `ring` did not have; nil if there is no other.
    func ringForUnknownKey(_ id: KeyID) -> KeyRing? {
        switch kind {
        case .ring: nil
        case .file(let file): file.ringForUnknownKey()
        case .shared(let shared): shared.ringForUnknownKey(id)
        }
    }

    init(_ ring: KeyRing) { kind = .ring(ring) }
    init(_ file: KeyRingFile) { kind = .file(file) }
    init(_ shared: SharedKeyRing) { kind = .shared(shared) }
}

extension KeyRing: KeyRingSource {
    /// The source that always returns this ring.
    public var keySource: KeySource { KeySource(self) }
}

extension KeyRingSource where Self == KeyRing {
    /// A ring with one new key, for tests and development. What it seals opens only in this process.
    ///
    /// - Returns: The ring.
    /// - Throws: ``KeyRingError`` if there is no randomness.
    public static func forTesting() throws(KeyRingError) -> KeyRing { try KeyRing([SealingKey.generate()]) }
}

extension KeyRingFile: KeyRingSource {
    /// The source that follows this file.
    public var keySource: KeySource { KeySource(self) }
}
extension SharedKeyRing: KeyRingSource {
    /// The source that follows this ring.
    public var keySource: KeySource { KeySource(self) }
}
