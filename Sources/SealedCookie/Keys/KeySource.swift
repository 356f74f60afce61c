// Where a sealer's ring comes from: given once, or a file that is read again when it changes.

/// Two fields rather than a choice of two: a ring that is given once is then used where it stands, without
/// counting a reference to it for each request.
struct KeySource: Sendable {
    /// The ring, if there is no file; else an empty one, for a file's keys live no longer than in it.
    let fixedRing: KeyRing
    let file: KeyRingFile?

    private init(fixedRing: KeyRing, file: KeyRingFile?) {
        self.fixedRing = fixedRing
        self.file = file
    }

    static func ring(_ ring: KeyRing) -> KeySource { KeySource(fixedRing: ring, file: nil) }
    static func file(_ file: KeyRingFile) -> KeySource { KeySource(fixedRing: .empty, file: file) }

    /// The ring that holds now.
    var ring: KeyRing { file?.ring ?? fixedRing }

    /// The ring for a key id that `ring` did not have; nil: there is no other.
    func ringForUnknownKey() -> KeyRing? { file?.ringForUnknownKey() }
}
