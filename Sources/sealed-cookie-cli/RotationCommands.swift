import SealedCookie

// What changes a ring: rotate, revoke, prune, end-sessions and merge; and check, which looks after it.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command.Option {
    static let from = Self(
        name: "from", value: "WHEN",
        help: "when the key begins to seal: a span from now, a time, or \"now\" [1h]")
    fileprivate static let ifOlderThan = Self(
        name: "if-older-than", value: "SPAN", help: "only if the newest key is older, for cron")
    fileprivate static let dryRun = Self(name: "dry-run", help: "say what would be done, and change nothing")
    fileprivate static let absent = Self(
        name: "absent", help: "also where the ring has no such key, so that no merge brings it in")
    fileprivate static let all = Self(
        name: "all", help: "every key, and make a new one that seals at once: for a stolen ring")
    static let lifetime = Self(
        name: "lifetime", value: "SPAN", help: "the longest that any session lives, such as 14d")
    fileprivate static let createdBefore = Self(
        name: "created-before", value: "TIME", help: "end the sessions begun before it [now]")
    fileprivate static let olderThan = Self(
        name: "older-than", value: "SPAN", help: "find fault with an active key that is older")
    fileprivate static let mode = Self(
        name: "mode", value: "MODE", help: "the permissions that the file may have, such as 440 [600]")
    fileprivate static let folderMode = Self(
        name: "folder-mode", value: "MODE", help: "and its folder [755]")
}

extension Command {
    static let rotate = Command(
        name: "rotate", summary: "Adds the ring's next key.", operands: "RING", operandCount: 1...1,
        options: [.from, .ifOlderThan, .dryRun, .json, .at],
        details: """
            The new key opens at once and seals from --from on: by then every server must have read the ring.
            With --if-older-than, run it as often as you like: a ring with a younger or a pending key stays as it
            is. Keys that are no longer needed are removed by `prune`.
            """
    ) { (arguments) throws(Failure) in
        let path = arguments.operands[0]
        let now = try Input.time(arguments)
        let from = try Input.beginning(arguments.value(.from) ?? "1h", now)
        let age = try arguments.value(.ifOlderThan).map(Input.span)
        let isDry = arguments.has(.dryRun)
        var added: SealingKey?
        var young: SealingKey?
        let ring = try Command.change(path, dry: isDry) { (ring) throws(KeyRingError) in
            young = age.flatMap { age in ring.keys.last { $0.isYounger(than: age, at: now) } }
            guard young == nil, !isDry else { return ring }
            let (changed, key) = try ring.rotated(from: from, at: now)
            added = key
            return changed
        }
        if let young {
            Output.note("nothing to do: \(young) is not older than \(arguments.value(.ifOlderThan) ?? "")")
        } else if isDry {
            Output.note("would add a key from \(Timestamp.text(from))")
        }
        if added != nil, ring.activeKey(at: now) == nil {
            Output.warn(
                "no key is active before \(Timestamp.text(from)); until then the earliest seals",
                hint: "\(Tool.name) rotate --from now \(path)")
        }
        let done = added.map { "added \($0) to key ring \"\(path)\"" }
        if arguments.has(.json) {
            let rotation = Rotation(
                added: added.map { "\($0.id)" },
                wouldAddFrom: isDry && young == nil ? Timestamp.text(from) : nil,
                keys: KeyListing(ring, at: now).keys)
            try Output.data(JSONText.of(rotation, pretty: true), done: done)
        } else if let added {
            try Output.data("\(added.id) from=\(Timestamp.text(added.activeFrom ?? from))", done: done)
        }
    }

    static let revoke = Command(
        name: "revoke", summary: "Withdraws a key for good, or all: what it sealed opens no longer.",
        operands: "RING KEY-ID | --all RING", operandCount: 1...2, options: [.all, .absent, .at],
        details: """
            The secret leaves the file; "revoked KEY-ID" stays, so that no older copy of the ring brings the key
            back. If others have sealed since a key was stolen, revoke them too: servers seal sessions of older
            keys again, also a thief's. To replace a key that is merely old, `rotate` and `prune`.
            For a ring that may have been stolen, --all: in one change a new key that seals from now on, which is
            printed, and every key that the ring had revoked, pending ones too. Everybody has to sign in again.
            Merge no older copy of the ring in afterwards: it may have a key that was pruned before.
            """
    ) { (arguments) throws(Failure) in
        let path = arguments.operands[0]
        let now = try Input.time(arguments)
        guard !arguments.has(.all) else {
            guard arguments.operands.count == 1, !arguments.has(.absent) else {
                throw .usage(
                    "--all revokes every key that the ring has, and takes no \(arguments.has(.absent) ? "--absent" : "KEY-ID")",
                    hint: "\(Tool.name) revoke --all RING, or \(Tool.name) revoke RING KEY-ID")
            }
            return try Command.revokeAll(path, now)
        }
        guard arguments.operands.count == 2 else {
            throw .usage("revoke needs KEY-ID, or --all", hint: "\(Tool.name) keys \(path) lists them")
        }
        let id = arguments.operands[1]
        guard KeyID(id.lowercased()) != nil || KeyID(path.lowercased()) == nil else {
            throw .usage("the key ring comes first, then KEY-ID", hint: "\(Tool.name) revoke \(id) \(path)")
        }
        try Command.revoke(path, id, mayBeAbsent: arguments.has(.absent), now)
    }

    private static func revokeAll(_ path: String, _ now: Date) throws(Failure) {
        var replaced: [KeyID] = []
        var added: SealingKey?
        _ = try change(path) { (ring) throws(KeyRingError) in
            let (changed, key) = try ring.replacingAllKeys(at: now)
            replaced = ring.keys.map(\.id)
            added = key
            return changed
        }
        guard let added else { return }
        let count = "\(replaced.count) key\(replaced.count == 1 ? "" : "s")"
        let list = replaced.isEmpty ? "" : ": \(replaced.map { "\($0)" }.joined(separator: ", "))"
        Output.note("revoked \(count)\(list)")
        warnOfRemains(path)
        try Output.data(
            "\(added.id) from=\(Timestamp.text(added.activeFrom ?? now))",
            done: "key ring \"\(path)\" has the new \(added) alone")
    }

    private static func revoke(
        _ path: String, _ text: String, mayBeAbsent: Bool, _ now: Date
    ) throws(Failure) {
        let id = try Input.keyID(text)
        var wasActive = false
        var wasRevoked = false
        var isAbsent = false
        let ring = try change(path) { (ring) throws(KeyRingError) in
            wasActive = ring.activeKey(at: now)?.id == id
            wasRevoked = ring.revoked.contains(id)
            isAbsent = !wasRevoked && !mayBeAbsent && ring.key(id) == nil
            guard !isAbsent else { return ring }
            return try ring.revoking(id)
        }
        guard !isAbsent else {
            throw .work(
                "key ring \"\(path)\" has no key \(id)",
                hint: "\(Tool.name) keys \(path) lists them; --absent revokes it all the same")
        }
        Output.note(wasRevoked ? "key \(id) is revoked already" : "revoked key \(id)")
        warnOfRemains(path)
        guard wasActive else { return }
        if let active = ring.activeKey(at: now) {
            Output.warn("it was the active key; now \(active.id) is", hint: nil)
        } else if let next = ring.sealingKey(at: now) {
            Output.warn("it was the active key; now \(next.id) seals, before its time", hint: nil)
        } else {
            Output.warn(
                "it was the active key, and there is no other: nothing can be sealed",
                hint: "\(Tool.name) rotate --from now \(path)")
        }
    }

    static let prune = Command(
        name: "prune", summary: "Removes the keys that no session needs any longer.", operands: "RING",
        operandCount: 1...1, options: [.lifetime, .dryRun, .json, .at],
        details: """
            A key goes when it has not sealed for longer than --lifetime, and an hour. The active key and pending ones
            stay. --dry-run says of each key until when a session may need it.
            """
    ) { (arguments) throws(Failure) in
        let path = arguments.operands[0]
        let now = try Input.time(arguments)
        _ = try arguments.required(.lifetime)
        let lifetime = try arguments.value(.lifetime).map(Input.span)?.seconds ?? 0
        var before: [KeyID] = []
        let isDry = arguments.has(.dryRun)
        var listing: KeyListing?
        let ring = try Command.change(path, dry: isDry) { (ring) throws(KeyRingError) in
            before = ring.keys.map(\.id)
            if isDry { listing = KeyListing(ring, at: now, lifetime: .seconds(lifetime)) }
            return try ring.pruned(lifetime: .seconds(lifetime), at: now)
        }
        let removed = before.filter { ring.key($0) == nil }.map { "\($0)" }
        let verb = isDry ? "would remove" : "removed"
        let summary =
            removed.isEmpty
            ? "nothing to do: every key is needed" : "\(verb) \(removed.count) of \(before.count) keys"
        if arguments.has(.json) {
            try Output.data(
                JSONText.of(Pruning(removed: removed, keys: listing?.keys), pretty: true), done: summary)
        } else if !removed.isEmpty {
            try Output.data(
                removed.joined(separator: "\n"), done: "\(summary) (\(removed.joined(separator: ", ")))")
        }
        Output.note(summary)
        for need in listing?.needs ?? [] { Output.note(need) }
        Command.warnOfRemains(path)
    }

    static let endSessions = Command(
        name: "end-sessions", summary: "Ends every session begun before now.", operands: "RING",
        operandCount: 1...1,
        options: [.createdBefore, .at],
        details: """
            Signs everybody out, as soon as the servers have read the ring. Sessions begun later are not touched.
            A server whose clock is ahead may have begun some in the last minute that stay: run it again then.
            """
    ) { (arguments) throws(Failure) in
        let now = try Input.time(arguments)
        let time = try arguments.value(.createdBefore).map(Input.time) ?? now
        guard time <= now + 60 else {
            throw .usage(
                "--created-before is in the future", hint: "sessions begun until then would end at once")
        }
        let ring = try Command.change(arguments.operands[0]) { (ring) throws(KeyRingError) in
            try ring.endingSessions(createdBefore: time)
        }
        Output.note("sessions begun before \(Timestamp.text(ring.notBefore ?? time)) have ended")
        Command.warnOfEndToCome(ring, now)
    }

    static let merge = Command(
        name: "merge", summary: "Adds what other rings hold to a ring.", operands: "RING OTHER …",
        operandCount: 2...Int.max, options: [.json, .at],
        details: """
            Where rings disagree the stricter holds: a revoked key stays revoked, a key seals from the later time.
            The order does not matter, nor how often. The others are not changed. A key that sealed until now, and no
            longer does, is kept by `prune` for as long as its sessions live.
            """
    ) { (arguments) throws(Failure) in
        let path = arguments.operands[0]
        // Before the ring is changed: a time that is none is a usage error.
        let now = try Input.time(arguments)
        let others = try arguments.operands.dropFirst().map { path throws(Failure) in
            try Input.ring(path, forAnother: true)
        }
        let ring = try Command.change(path) { (ring) throws(KeyRingError) in
            var merged = ring
            for other in others { merged = try merged.merged(with: other, at: now) }
            return merged
        }
        if ring.activeKey(at: now) == nil {
            let seals = ring.sealingKey(at: now).map { "; \($0.id), the earliest, seals before its time" }
            Output.warn(
                "the merged ring has no active key\(seals ?? ": nothing can be sealed")",
                hint: "\(Tool.name) rotate --from now \(path)")
        }
        Command.warnOfEndToCome(ring, now)
        let listing = KeyListing(ring, at: now)
        try Output.data(
            arguments.has(.json) ? JSONText.of(listing, pretty: true) : listing.table,
            done: "merged into key ring \"\(path)\"")
    }

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

    /// Changes the ring file, or with `dry` only a copy in memory.
    private static func change(
        _ path: String, dry: Bool = false, _ work: (KeyRing) throws(KeyRingError) -> KeyRing
    ) throws(Failure) -> KeyRing {
        guard !dry else { return try Failure.unless { try work(KeyRing.load(path).ring) } }
        let (ring, otherNames) = try Failure.unless { try KeyRing.updateFile(path, work) }
        warn(ofOtherNames: otherNames)
        return ring
    }

    private static func warnOfEndToCome(_ ring: KeyRing, _ now: Date) {
        if let text = ring.endToCome(now) { Output.warn(text, hint: nil) }
    }

    /// Says that the file that was replaced is still there under other names.
    static func warn(ofOtherNames count: Int) {
        guard count > 0 else { return }
        Output.warn(
            "the file had \(count) other name\(count == 1 ? "" : "s"), under which the ring of before is left",
            hint: "it is a hard link: remove it, and use a symbolic one (ln -s)")
    }

    /// Prints the key that a change has added.
    static func say(_ key: SealingKey, _ done: String) throws(Failure) {
        let from = key.activeFrom.map { " from=\(Timestamp.text($0))" } ?? ""
        try Output.data("\(key.id)\(from)", done: done)
    }

    /// Says which secrets are left, after a change that should have taken some away.
    private static func warnOfRemains(_ path: String) {
        do throws(KeyRingError) {
            for text in try KeyRing.surroundings(of: path).secrets { Output.warn(text, hint: nil) }
        } catch {
            // The change is made all the same.
            Output.warn("secrets that are left could not be looked for: \(error)", hint: nil)
        }
    }
}

extension Input {
    /// What --from says; not in the past, where the key would count as in use for long.
    static func beginning(_ text: String, _ now: Date) throws(Failure) -> Date {
        // Of this second, not of the next.
        if text == "now" { return Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down)) }
        if let last = text.last, "smhd".contains(last) { return now + Double(try span(text).seconds) }
        let time = try time(text)
        guard time >= now else {
            throw .usage(
                "--from is in the past", hint: "a key cannot have sealed before it was made; --from now")
        }
        return time
    }
}

extension KeyRing {
    /// What there is to say of a not-before that is further ahead than a sealer takes for a difference of clocks.
    fileprivate func endToCome(_ now: Date) -> String? {
        guard let notBefore, notBefore > now + 60 else { return nil }
        return
            "nobody can sign in before \(Timestamp.text(notBefore)): the ring's not-before is in the future"
    }
}

extension KeyRing.Surroundings {
    /// Where secrets are left that no ring needs.
    fileprivate var secrets: [String] {
        commentLines.map(Self.comment)
            + remains.map { "a change that was ended midway left secrets in \"\($0)\": remove the file" }
            + copies.map { "\"\($0)\" still has the secret of a revoked key: remove the file" }
    }

    fileprivate static func comment(_ line: Int) -> String {
        "line \(line) has a secret in a comment: remove the line"
    }

    /// What is wrong with where the file stands.
    fileprivate func dangers(allowed: UInt32) -> [String] {
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
    fileprivate func isYounger(than span: SessionLifetime.Span, at now: Date) -> Bool {
        activeFrom.map { now.timeIntervalSince($0) <= Double(span.seconds) } ?? false
    }
}

/// What `prune --json` prints.
private struct Pruning: Encodable {
    let removed: [String]
    /// With --dry-run: all keys, and until when they are needed.
    let keys: [KeyListing.Row]?
}

/// What `rotate --json` prints.
private struct Rotation: Encodable {
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
private struct RingReport: Encodable {
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
