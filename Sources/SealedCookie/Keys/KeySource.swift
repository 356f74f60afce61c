// Where a sealer's ring comes from: given once, a file that is followed, or the application.

/// Three fields rather than a choice of three: a ring that is given once is then used where it is, without
/// counting a reference to it for each request.
struct KeySource: Sendable {
    /// The ring that was given once; else an empty one: keys live no longer than in the ring that holds now.
    let fixedRing: KeyRing
    private let file: KeyRingFile?
    private let shared: SharedKeyRing?

    private init(fixedRing: KeyRing = .empty, file: KeyRingFile? = nil, shared: SharedKeyRing? = nil) {
        self.fixedRing = fixedRing
        self.file = file
        self.shared = shared
    }

    static func ring(_ ring: KeyRing) -> KeySource { KeySource(fixedRing: ring) }
    static func file(_ file: KeyRingFile) -> KeySource { KeySource(file: file) }
    static func shared(_ ring: SharedKeyRing) -> KeySource { KeySource(shared: ring) }

    /// The ring that holds now, where rings follow one another; nil: `fixedRing`.
    var currentRing: KeyRing? {
        if let file { return file.ring }
        return shared?.ring
    }

    /// The ring that holds now.
    var ring: KeyRing { currentRing ?? fixedRing }

    /// The ring for a key id that `ring` did not have; nil: there is no other.
    func ringForUnknownKey(_ id: KeyID) -> KeyRing? {
        file?.ringForUnknownKey() ?? shared?.ringForUnknownKey(id)
    }
}
