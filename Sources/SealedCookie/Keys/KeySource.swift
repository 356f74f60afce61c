// Where a sealer's ring comes from.

/// What a sealer can take its keys from: a `KeyRing`, which stays as it is, a `KeyRingFile`, which follows a file, or a
/// `SharedKeyRing`, whose ring the application replaces. With the latter two a rotation needs no restart.
///
/// These three are all there are; an application's own store of keys puts its rings into a `SharedKeyRing`.
public protocol KeyRingSource: Sendable {
    /// For the sealer.
    var keySource: KeySource { get }
}

/// A ring that is given once, one that follows a file, or one that the application replaces.
public struct KeySource: Sendable {
    private enum Kind: Sendable {
        case ring(KeyRing)
        case file(KeyRingFile)
        case shared(SharedKeyRing)
    }
    private let kind: Kind

    /// The ring that holds now.
    var ring: KeyRing {
        switch kind {
        case .ring(let ring): ring
        case .file(let file): file.ring
        case .shared(let shared): shared.ring
        }
    }

    /// The ring for a key id that `ring` did not have; nil: there is no other.
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
    public var keySource: KeySource { KeySource(self) }
}

extension KeyRingSource where Self == KeyRing {
    /// A ring of one new key, for tests and development: what it seals opens until the process ends, and nowhere else.
    ///
    /// - Throws: `KeyRingError` if there is no randomness to be had.
    public static func forTesting() throws(KeyRingError) -> KeyRing { try KeyRing([SealingKey.generate()]) }
}

extension KeyRingFile: KeyRingSource {
    public var keySource: KeySource { KeySource(self) }
}
extension SharedKeyRing: KeyRingSource {
    public var keySource: KeySource { KeySource(self) }
}
