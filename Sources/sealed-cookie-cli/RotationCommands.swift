import SealedCookie

// What changes a ring: rotate, revoke, prune, end-sessions and merge.
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
        name: "lifetime", value: "SPAN",
        help: "the longest that any session lives, own lifetimes included, such as 14d")
    fileprivate static let createdBefore = Self(
        name: "created-before", value: "TIME", help: "end the sessions begun before it [now]")
    static let olderThan = Self(
        name: "older-than", value: "SPAN", help: "find fault with an active key that is older")
    static let mode = Self(
        name: "mode", value: "MODE", help: "the permissions that the file may have, such as 440 [600]")
    static let folderMode = Self(
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
            isAbsent = !wasRevoked && !mayBeAbsent && ring.key(withID: id) == nil
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
