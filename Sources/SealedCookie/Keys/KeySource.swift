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

    /// The ring to open a token of the key `id` with. A file is looked at again for an unknown one.
    func ring(for id: KeyID) -> KeyRing {
        let ring = ring
        guard case .file(let file) = self, ring.key(id) == nil, !ring.revoked.contains(id) else {
            return ring
        }
        return file.ringForUnknownKey()
    }
}
