import SealedCookie

// The commands that change a ring: rotate, revoke, prune, end-sessions and merge.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command.Option {
    static let from = Self(
        name: "from", value: "WHEN", completes: .words(["now"]),
        help: "when the key begins to seal: a span from now, a time, or \"now\"", otherwise: "1h")
    fileprivate static let ifOlderThan = Self(
        name: "if-older-than", value: "SPAN", help: "do nothing unless the newest key is older than this")
    fileprivate static let dryRun = Self(
        name: "dry-run", help: "print what would be done, and change nothing")
    fileprivate static let absent = Self(
        name: "absent", help: "revoke the id even if the ring has no such key, so that no merge adds it")
    fileprivate static let all = Self(
        name: "all", help: "revoke every key and add a new one that seals at once: for a stolen ring")
    static let lifetime = Self(
        name: "lifetime", value: "SPAN",
        help: "how long any session lives at most, such as 14d; count own lifetimes too")
    fileprivate static let createdBefore = Self(
        name: "created-before", value: "TIME", help: "end the sessions that began before this time",
        otherwise: "now")
    static let olderThan = Self(
        name: "older-than", value: "SPAN", help: "report an active key that is older as a fault")
    static let mode = Self(
        name: "mode", value: "MODE", help: "the permissions that the file may have, such as 440",
        otherwise: "600")
    static let folderMode = Self(
        name: "folder-mode", value: "MODE", help: "the permissions that its folder may have",
        otherwise: "755")
}

extension Command {
    static let rotate = Command(
        name: "rotate", summary: "Adds the ring's next key.", operands: "RING", operandCount: 1...1,
        options: [.from, .ifOlderThan, .dryRun, .json, .at],
        details: [
            """
            The new key opens at once and seals from --from on. By then every server must have read the ring.
            """,
            """
            With --if-older-than you can run it as often as you like: a ring with a younger or a pending key \
            stays unchanged. `prune` removes the keys that are no longer needed.
            """,
        ],
        examples: [
            Example("The next key, which seals in an hour", "sealed-cookie rotate session.keys"),
            Example("From cron, daily", "sealed-cookie rotate --if-older-than 30d session.keys"),
        ]
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
            let (changed, key) = try ring.rotated(activeFrom: from, at: now)
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
        name: "revoke", summary: "Revokes a key, or all keys: what they sealed no longer opens.",
        operands: "RING KEY-ID | --all RING", operandCount: 1...2, options: [.all, .absent, .at],
        details: [
            """
            The key's secret is removed from the file. A line "revoked KEY-ID" stays, so that no older copy \
            of the ring brings the key back.
            """,
            """
            If other keys have sealed since a key was stolen, revoke them too: servers seal sessions again \
            with the newer key, a thief's sessions included. To replace a key that is merely old, use \
            `rotate` and `prune`.
            """,
            """
            Use --all if the ring may have been stolen. One change revokes every key, pending ones too, and \
            adds a new key that seals at once. Everyone has to sign in again. Do not merge an older copy of \
            the ring afterwards: it may contain a key that was pruned earlier.
            """,
        ],
        examples: [
            Example("A stolen ring", "sealed-cookie revoke --all session.keys"),
            Example("One key", "sealed-cookie revoke session.keys 5f3a9c"),
        ]
    ) { (arguments) throws(Failure) in
        let path = arguments.operands[0]
        let now = try Input.time(arguments)
        guard !arguments.has(.all) else {
            guard arguments.operands.count == 1, !arguments.has(.absent) else {
                throw .usage(
                    "--all revokes every key of the ring, and takes no \(arguments.has(.absent) ? "--absent" : "KEY-ID")",
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
            done: "key ring \"\(path)\" now has only the new \(added)")
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
            isAbsent = !wasRevoked && !mayBeAbsent && ring.key(withID: id) == nil
            guard !isAbsent else { return ring }
            return try ring.revoking(id)
        }
        guard !isAbsent else {
            throw .work(
                "key ring \"\(path)\" has no key \(id)",
                hint: "\(Tool.name) keys \(path) lists them; --absent revokes it anyway")
        }
        Output.note(wasRevoked ? "key \(id) is already revoked" : "revoked key \(id)")
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
        name: "prune", summary: "Removes the keys that no session needs.", operands: "RING",
        operandCount: 1...1, options: [.lifetime, .dryRun, .json, .at],
        details: [
            """
            A key is removed once it has not sealed for --lifetime and one hour more. The active key and \
            pending keys stay. With --dry-run it prints until when a session may need each key.
            """
        ],
        examples: [
            Example("From cron, daily", "sealed-cookie prune --lifetime 14d session.keys"),
            Example("What would go?", "sealed-cookie prune --lifetime 14d --dry-run session.keys"),
        ]
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
        let removed = before.filter { ring.key(withID: $0) == nil }.map { "\($0)" }
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
        name: "end-sessions", summary: "Ends every session that began before now.", operands: "RING",
        operandCount: 1...1, options: [.createdBefore, .at],
        details: [
            """
            Signs everyone out once the servers have read the ring. Sessions that begin later are unaffected. \
            A server whose clock is ahead may have begun sessions in the last minute that stay: run it again \
            a minute later.
            """
        ],
        examples: [
            Example("Sign everyone out", "sealed-cookie end-sessions session.keys"),
            Example(
                "End what began before an incident was over",
                "sealed-cookie end-sessions --created-before @1785715200 session.keys"),
        ]
    ) { (arguments) throws(Failure) in
        let now = try Input.time(arguments)
        let time = try arguments.value(.createdBefore).map(Input.time) ?? now
        guard time <= now + 60 else {
            throw .usage(
                "--created-before is in the future", hint: "sessions that begin until then would end at once")
        }
        let ring = try Command.change(arguments.operands[0]) { (ring) throws(KeyRingError) in
            try ring.endingSessions(createdBefore: time)
        }
        Output.note("sessions that began before \(Timestamp.text(ring.notBefore ?? time)) have ended")
        Command.warnOfEndToCome(ring, now)
    }

    static let merge = Command(
        name: "merge", summary: "Adds the keys and revocations of other rings to a ring.",
        operands: "RING OTHER …",
        operandCount: 2...Int.max, options: [.json, .at],
        details: [
            """
            Where rings disagree the stricter one counts: a revoked key stays revoked, and a key seals from \
            the later of its times. The order of the rings does not matter, and merging again changes \
            nothing. The other rings are not changed.
            """,
            "If the merge makes another key active, `prune` keeps the one before for as long as its sessions live.",
        ],
        examples: [
            Example("Bring two copies of a ring together", "sealed-cookie merge session.keys other.keys")
        ]
    ) { (arguments) throws(Failure) in
        let path = arguments.operands[0]
        // Parsed before the ring is changed: an invalid time is a usage error.
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

    /// Warns if the replaced file still exists under other names.
    static func warn(ofOtherNames count: Int) {
        guard count > 0 else { return }
        Output.warn(
            "the file had \(count) other name\(count == 1 ? "" : "s"): the old ring is still there",
            hint: "remove the hard link; use a symbolic link (ln -s) instead")
    }

    /// Prints the key that a change added.
    static func say(_ key: SealingKey, _ done: String) throws(Failure) {
        let from = key.activeFrom.map { " from=\(Timestamp.text($0))" } ?? ""
        try Output.data("\(key.id)\(from)", done: done)
    }

    /// Warns of secrets that are left after a change that should have removed some.
    private static func warnOfRemains(_ path: String) {
        do throws(KeyRingError) {
            for text in try KeyRing.surroundings(of: path).secrets { Output.warn(text, hint: nil) }
        } catch {
            // The change itself succeeded.
            Output.warn("could not search for secrets that are left: \(error)", hint: nil)
        }
    }
}

extension Input {
    /// The time that --from gives. A time in the past is refused: the key would count as long in use.
    static func beginning(_ text: String, _ now: Date) throws(Failure) -> Date {
        // Rounded down, so that the key is active at once.
        if text == "now" { return Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down)) }
        if let last = text.last, "smhd".contains(last) { return now + Double(try span(text).seconds) }
        let time = try time(text)
        guard time >= now else {
            throw .usage(
                "--from is in the past", hint: "a key cannot seal before it exists; use --from now")
        }
        return time
    }
}
