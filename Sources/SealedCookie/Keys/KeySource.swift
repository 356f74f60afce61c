// Where a sealer's ring comes from.

/// A ring that is given once, one that follows a file, or one that the application replaces.
enum KeySource: Sendable {
    case ring(KeyRing)
    case file(KeyRingFile)
    case shared(SharedKeyRing)

    /// The ring that holds now.
    var ring: KeyRing {
        switch self {
        case .ring(let ring): ring
        case .file(let file): file.ring
        case .shared(let shared): shared.ring
        }
    }

    /// The ring for a key id that `ring` did not have; nil: there is no other.
    func ringForUnknownKey(_ id: KeyID) -> KeyRing? {
        switch self {
        case .ring: nil
        case .file(let file): file.ringForUnknownKey()
        case .shared(let shared): shared.ringForUnknownKey(id)
        }
    }
}
