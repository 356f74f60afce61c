// Where a sealer's ring comes from: given once, or a file that is read again when it changes.

enum KeySource: Sendable {
    case ring(KeyRing)
    case file(KeyRingFile)

    /// The ring that holds now.
    var ring: KeyRing {
        switch self {
        case .ring(let ring): ring
        case .file(let file): file.ring
        }
    }

    /// The ring for a key id that `ring` does not have; nil: the same as before.
    func ringForUnknownKey() -> KeyRing? {
        guard case .file(let file) = self else { return nil }
        return file.ringForUnknownKey()
    }
}
