import SealedCookie

// check, and what the commands that change a ring say of it.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command {
    static let check = Command(
        name: "check", summary: "Finds what is wrong with a ring, for monitoring.", operands: "RING",
        operandCount: 1...1, options: [.olderThan, .mode, .folderMode, .json, .at],
        details: """
            Exit codes: 0 all is well, 1 the ring cannot be used (unreadable, a wrong line, no key that seals, a
            not-before in the future), 2 it
            works, and something is to be mended. Pending keys are told and are no fault.
            What others may do with the file and its folder is a fault unless --mode and --folder-mode allow it: for a
            Kubernetes Secret --mode 644, or --mode 440 with an fsGroup. So is a folder above it that everybody may write to
            and that is not sticky, unless --folder-mode ends in 2, 3, 6 or 7, and another user's file or folder. RING may be - for the standard input: then the
            text alone is looked at.
            """, readsRing: true
    ) { (arguments) throws(Failure) in
        let path = arguments.operands[0]
        let loaded = try Input.load(path)
        var allowed = RingReport.Allowed()
        if let text = arguments.value(.mode) { allowed.file = try Input.mode(text) }
        if let text = arguments.value(.folderMode) { allowed.folder = try Input.mode(text) }
        let surroundings =
            Input.openNumber(path) == nil ? try Failure.unless { try KeyRing.surroundings(of: path) } : nil
        let report = RingReport(
            loaded, surroundings, allowed: allowed,
            olderThan: try arguments.value(.olderThan).map(Input.span), at: try Input.time(arguments))
        if arguments.has(.json) {
            try Output.data(JSONText.of(report, pretty: true))
        } else {
            for finding in report.findings {
                try Output.data("\(finding.level.rawValue): \(finding.text.escaped)")
            }
        }
        if report.findings.contains(where: { $0.level == .unusable }) {
            throw .work(
                "key ring \"\(path)\" cannot be used",
                hint: loaded.ring.keys.isEmpty
                    ? "\(Tool.name) rotate --from now \(path)"
                    : "correct its not-before, or wait; is this clock right?")
        }
        if report.findings.contains(where: { $0.level == .fault }) {
            throw .found("key ring \"\(path)\" works, but has faults")
        }
    }
}

extension KeyRing {
    /// What there is to say of a not-before that is further ahead than a sealer takes for a difference of clocks.
    func endToCome(_ now: Date) -> String? {
        guard let notBefore, notBefore > now + 60 else { return nil }
        return
            "nobody can sign in before \(Timestamp.text(notBefore)): the ring's not-before is in the future"
    }
}

extension KeyRing.Surroundings {
    /// Where secrets are left that no ring needs.
    var secrets: [String] {
        commentLines.map(Self.comment)
            + remains.map { "a change that was ended midway left secrets in \"\($0)\": remove the file" }
            + copies.map { "\"\($0)\" still has the secret of a revoked key: remove the file" }
    }

    static func comment(_ line: Int) -> String {
        "line \(line) has a secret in a comment: remove the line"
    }

    /// What is wrong with where the file stands.
    func dangers(allowed: UInt32) -> [String] {
        var texts: [String] = []
        if nameCount == 0 {
            texts.append(
                "the file was replaced where it was mounted from, and changes there are not seen: mount its folder"
            )
        } else if isMountedByItself {
            texts.append(
                "the file is mounted by itself: one that takes its place is not seen here; mount its folder")
        }
        if nameCount > 1 {
            texts.append(
                "the file has \(nameCount) names (hard links): under another a revoked key's secret would stay"
            )
        }
        let open = folderPermissions & 0o022 & ~allowed
        if open != 0 {
            texts.append(
                "\(open & 0o002 != 0 ? "everybody" : "its group") may write to the folder \"\(folder)\" (mode "
                    + "\(String(folderPermissions, radix: 8))) and put another ring in this one's place: chmod go-w, or allow "
                    + "it with --folder-mode")
        }
        if allowed & 0o002 == 0 {
            texts += openParents.map {
                "everybody may write to the folder \"\($0)\" above the ring's, and put another in its place: chmod o-w, or "
                    + "allow it with --folder-mode"
            }
        }
        texts += foreignFolders.map {
            "the folder \"\($0)\" belongs to another user than root, you or the ring's owner, who can put another ring in "
                + "this one's place"
        }
        if isForeign { texts.append("the file belongs to another user, who can change it: chown it") }
        texts += openFolders.map {
            "others may write to \"\($0)\", and put another link in the place of the one that leads to the ring"
        }
        if hasForeignLink {
            texts.append(
                "a symbolic link that leads to the ring belongs to another user, who can lead it elsewhere")
        }
        texts += planted.map { "\"\($0)\" is another user's, and in the way of changes: remove it" }
        return texts
    }
}

extension SealingKey {
    func isYounger(than span: SessionLifetime.Span, at now: Date) -> Bool {
        activeFrom.map { now.timeIntervalSince($0) <= Double(span.seconds) } ?? false
    }
}

/// What `prune --json` prints.
struct Pruning: Encodable {
    let removed: [String]
    /// With --dry-run: all keys, and until when they are needed.
    let keys: [KeyListing.Row]?
}

/// What `rotate --json` prints.
struct Rotation: Encodable {
    /// Nil: none was.
    let added: String?
    /// With --dry-run: when the key would begin to seal that would be added.
    let wouldAddFrom: String?
    let keys: [KeyListing.Row]

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(added, forKey: .added)
        try container.encodeIfPresent(wouldAddFrom, forKey: .wouldAddFrom)
        try container.encode(keys, forKey: .keys)
    }

    private enum CodingKeys: String, CodingKey {
        case added, keys
        case wouldAddFrom = "would-add-from"
    }
}

/// What `check` finds.
struct RingReport: Encodable {
    enum Level: String, Encodable { case unusable, fault, note }
    struct Finding: Encodable {
        let level: Level
        let text: String
    }

    /// Permission bits that are no fault.
    struct Allowed {
        var file: UInt32 = 0o600
        var folder: UInt32 = 0o755
    }

    let active: String?
    let findings: [Finding]

    /// - Parameter surroundings: nil where the ring is in no file.
    init(
        _ loaded: KeyRing.Loaded, _ surroundings: KeyRing.Surroundings?, allowed: Allowed,
        olderThan: SessionLifetime.Span?, at now: Date
    ) {
        let ring = loaded.ring
        let activeKey = ring.activeKey(at: now)
        active = activeKey.map { "\($0.id)" }
        var findings: [Finding] = []
        if ring.keys.isEmpty {
            findings.append(
                .init(level: .unusable, text: "the ring has no key: nothing can be sealed or opened"))
        }
        if let text = ring.endToCome(now) { findings.append(.init(level: .unusable, text: text)) }
        if activeKey == nil, let next = ring.sealingKey(at: now) {
            findings.append(
                .init(
                    level: .fault, text: "no key is active: \(next.id), the earliest, seals before its time"))
        }
        if loaded.permissions & 0o077 & ~allowed.file != 0 {
            findings.append(
                .init(
                    level: .fault,
                    text:
                        "the file is open to others than its owner (mode \(String(loaded.permissions, radix: 8))): "
                        + "chmod 600, or allow it with --mode"))
        }
        for id in loaded.repeated {
            findings.append(
                .init(level: .fault, text: "key \(id) stands on more than one line; the later time holds"))
        }
        for id in loaded.unremoved {
            findings.append(
                .init(level: .fault, text: "key \(id) is revoked, but its secret is still in the file"))
        }
        let faults =
            (surroundings?.secrets ?? loaded.commentLines.map(KeyRing.Surroundings.comment))
            + (surroundings?.dangers(allowed: allowed.folder) ?? [])
        findings += faults.map { .init(level: .fault, text: $0) }
        findings += (surroundings?.unsearched ?? []).map {
            .init(level: .note, text: "not looked through for secrets of revoked keys: \($0)")
        }
        if let olderThan, let activeKey, !activeKey.isYounger(than: olderThan, at: now) {
            let since = activeKey.activeFrom.map { "has sealed since \(Timestamp.text($0))" } ?? "has no time"
            findings.append(
                .init(level: .fault, text: "the active key \(activeKey.id) is too old: it \(since)"))
        }
        for key in ring.keys {
            if let from = key.activeFrom, from > now {
                findings.append(
                    .init(level: .note, text: "key \(key.id) is pending until \(Timestamp.text(from))"))
            }
        }
        self.findings = findings
    }
}
