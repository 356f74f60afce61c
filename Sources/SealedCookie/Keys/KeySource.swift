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

    /// The key `id` and the ring that it was found in. A file is looked at again for an unknown one.
    func key(_ id: KeyID) -> (key: SealingKey?, ring: KeyRing) {
        let ring = ring
        if let key = ring.key(id) { return (key, ring) }
        guard case .file(let file) = self, !ring.revoked.contains(id) else { return (nil, ring) }
        let later = file.ringForUnknownKey()
        return (later.key(id), later)
    }
}
