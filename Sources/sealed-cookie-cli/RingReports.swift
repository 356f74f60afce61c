import SealedCookie

// check, and the reports of the commands that change a ring.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command {
    static let check = Command(
        name: "check", summary: "Finds faults in a ring, for monitoring.", operands: "RING",
        operandCount: 1...1, options: [.olderThan, .mode, .folderMode, .json, .at],
        details: [
            "It prints one line for each finding. The exit code says how bad they are:",
            .terms([
                "0": "no faults; a pending key is only a note",
                "1":
                    "the ring cannot be used: unreadable, an invalid line, no key that seals, a not-before in the future",
                "2": "the ring works, but has faults",
            ]),
            """
            It is a fault if other users can access the file or its folder, unless --mode and --folder-mode \
            allow it. For a Kubernetes Secret pass --mode 644, or --mode 440 with an fsGroup.
            """,
            """
            It is also a fault if another user owns the file or a folder above it, or if everyone can write \
            to a folder above it that is not sticky. If --folder-mode ends in 2, 3, 6 or 7, the latter is \
            allowed.
            """,
            "RING may be - for standard input. Then only the text is checked.",
        ],
        examples: [
            Example("From monitoring", "sealed-cookie check --older-than 60d session.keys"),
            Example("A mounted Secret", "sealed-cookie check --mode 440 /etc/session/session.keys"),
        ], readsRing: true
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
                    : "is this clock right? else edit the line not-before in every copy, and restart the servers"
            )
        }
        if report.findings.contains(where: { $0.level == .fault }) {
            throw .found("key ring \"\(path)\" works, but has faults")
        }
    }
}

extension KeyRing {
    /// A warning if not-before is further ahead than clocks may differ.
    func endToCome(_ now: Date) -> String? {
        guard let notBefore, notBefore > now + 60 else { return nil }
        return
            "nobody can sign in before \(Timestamp.text(notBefore)): the ring's not-before is in the future"
    }
}

extension KeyRing.Surroundings {
    /// Secrets that are left where no ring needs them.
    var secrets: [String] {
        commentLines.map(Self.comment)
            + remains.map { "an interrupted change left secrets in \"\($0)\": remove the file" }
            + copies.map {
                "\"\($0)\" still contains the secret of a revoked key: remove it, or revoke the key there too if it is in use"
            }
    }

    static func comment(_ line: Int) -> String {
        "line \(line) contains a secret in a comment: remove the line"
    }

    /// What is wrong with the file's place.
    func dangers(allowed: UInt32) -> [String] {
        var texts: [String] = []
        if nameCount == 0 {
            texts.append(
                "the file was replaced where it was mounted from, and changes there are not seen here: mount its folder"
            )
        } else if isMountedByItself {
            texts.append(
                "the file is mounted by itself: a file that replaces it is not seen here; mount its folder")
        }
        if nameCount > 1 {
            texts.append(
                "the file has \(nameCount) names (hard links): a revoked key's secret would stay under the others"
            )
        }
        let open = folderPermissions & 0o022 & ~allowed
        if open != 0 {
            texts.append(
                "\(open & 0o002 != 0 ? "everyone" : "its group") can write to the folder \"\(folder)\" (mode "
                    + "\(String(folderPermissions, radix: 8))) and replace the ring: chmod go-w, or allow it with "
                    + "--folder-mode")
        }
        if allowed & 0o002 == 0 {
            texts += openParents.map {
                "everyone can write to the folder \"\($0)\" above the ring's and replace what is in it: chmod o-w, or "
                    + "allow it with --folder-mode"
            }
        }
        texts += foreignFolders.map {
            "the folder \"\($0)\" belongs to a user other than root, you or the ring's owner, who can replace the ring"
        }
        if isForeign { texts.append("the file belongs to another user, who can change it: chown it") }
        texts += openFolders.map {
            "others can write to \"\($0)\" and replace the link to the ring"
        }
        if hasForeignLink {
            texts.append(
                "a symbolic link to the ring belongs to another user, who can redirect it")
        }
        texts += planted.map { "\"\($0)\" belongs to another user and blocks changes: remove it" }
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
    /// With --dry-run: all keys, with the time until which each is needed.
    let keys: [KeyListing.Row]?
}

/// What `rotate --json` prints.
struct Rotation: Encodable {
    /// Nil: no key was added.
    let added: String?
    /// With --dry-run: when the new key would begin to seal.
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

/// The findings of `check`.
struct RingReport: Encodable {
    enum Level: String, Encodable { case unusable, fault, note }
    struct Finding: Encodable {
        let level: Level
        let text: String
    }

    /// Permission bits that are not a fault.
    struct Allowed {
        var file: UInt32 = 0o600
        var folder: UInt32 = 0o755
    }

    let active: String?
    let findings: [Finding]

    /// - Parameter surroundings: nil if the ring is not in a file.
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
                        "users other than its owner can access the file (mode \(String(loaded.permissions, radix: 8))): "
                        + "chmod 600, or allow it with --mode"))
        }
        for id in loaded.repeated {
            findings.append(
                .init(level: .fault, text: "key \(id) is on more than one line; the later time counts"))
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
            .init(level: .note, text: "not searched for secrets of revoked keys: \($0)")
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
