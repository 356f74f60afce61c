import SealedCookie

// keygen, import, keys and export.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command {
    static let keygen = Command(
        name: "keygen", summary: "Makes a new key ring with one key.", operands: "RING", operandCount: 1...1,
        options: [],
        details: [
            """
            The key seals at once. Its time is a minute ago, for servers whose clocks are behind. Only the \
            file's owner can read it (mode 0600). An existing file is never overwritten.
            """
        ],
        examples: [Example("A ring for a new application", "sealed-cookie keygen session.keys")]
    ) { (arguments) throws(Failure) in
        let path = arguments.operands[0]
        let key = try Failure.unless {
            let (ring, key) = try KeyRing([]).replacingAllKeys()
            try ring.create(at: path)
            return key
        }
        Output.note("made key ring \"\(path)\" with key \(key.id)")
    }

    static let `import` = Command(
        name: "import", summary: "Adds a key that was made elsewhere, such as by a secret manager.",
        operands: "RING", operandCount: 1...1, options: [.from, .at],
        details: [
            """
            The key is read from standard input: 32 random bytes, never a password, in base64, base64url or \
            hexadecimal. Like a key of `rotate` it opens at once and seals from --from on.
            """,
            """
            If there is no ring yet, a new one is made with this key alone, which then seals at once unless \
            --from is given. Importing a key that the ring already contains changes nothing.
            """,
        ],
        examples: [
            Example("A key of OpenSSL's", "openssl rand -hex 32 | sealed-cookie import session.keys")
        ]
    ) { (arguments) throws(Failure) in
        let path = arguments.operands[0]
        let now = try Input.time(arguments)
        let from = try arguments.value(.from).map { text throws(Failure) in try Input.beginning(text, now) }
        if StandardStreams.inputIsTerminal {
            Output.note("\(Tool.name): reading a key from the terminal; end it with Control-D")
        }
        // As the first key of a new ring: from a minute ago, for servers whose clocks are behind.
        let first = try Failure.unless {
            try SealingKey.importing(textFrom: 0, source: "standard input", activeFrom: from ?? now - 60)
        }
        let next = try Failure.unless { try first.sealing(from: from ?? now + 3600) }
        var isThere = false
        // Other processes may create or remove the ring at the same time.
        for attempt in 1... {
            do throws(KeyRingError) {
                let changed = try KeyRing.updateFile(path) { (ring) throws(KeyRingError) in
                    isThere = ring.key(withID: next.id) != nil
                    return isThere ? ring : try ring.adding(next, at: now)
                }
                Command.warn(ofOtherNames: changed.otherNames)
                if changed.ring.activeKey(at: now) == nil, let key = changed.ring.sealingKey(at: now) {
                    Output.warn(
                        "no key is active; until one is, \(key.id), the earliest, seals",
                        hint: "\(Tool.name) rotate --from now \(path)")
                }
                break
            } catch {
                guard case .unreadable("No such file or directory") = error.problem else {
                    throw Failure(error)
                }
            }
            do throws(KeyRingError) {
                try KeyRing([first]).create(at: path)
            } catch {
                // A dangling link exists, but is no ring to add to.
                guard case .alreadyExists = error.problem, attempt < 3 else { throw Failure(error) }
                continue
            }
            return try Command.say(first, "made key ring \"\(path)\" with \(first)")
        }
        guard !isThere else {
            return Output.note("nothing to do: key ring \"\(path)\" already has key \(next.id)")
        }
        try Command.say(next, "added \(next) to key ring \"\(path)\"")
    }

    static let keys = Command(
        name: "keys", summary: "Lists a ring's keys, without their secrets.", operands: "RING",
        operandCount: 1...1, options: [.lifetime, .json, .at],
        details: [
            .terms([
                "active": "seals and opens",
                "opens": "only opens; an older key",
                "pending": "only opens; seals from its time on",
                "revoked": "neither; what it sealed is refused",
            ]),
            """
            With --lifetime it also shows until when a session may need each key. After that `prune` removes \
            the key. RING may be - for standard input.
            """,
        ],
        examples: [
            Example("Which keys may go, and when?", "sealed-cookie keys --lifetime 14d session.keys"),
            Example("For a script", "sealed-cookie keys --json session.keys"),
        ], readsRing: true
    ) { (arguments) throws(Failure) in
        let ring = try Input.ring(arguments.operands[0])
        let lifetime = try arguments.value(.lifetime).map(Input.span)
        let listing = KeyListing(ring, at: try Input.time(arguments), lifetime: lifetime)
        try Output.data(arguments.has(.json) ? JSONText.of(listing, pretty: true) : listing.table)
    }

    static let export = Command(
        name: "export", summary: "Prints a ring on one line, with its secrets, for an environment variable.",
        operands: "RING", operandCount: 1...1, options: [],
        details: [
            """
            Anyone who sees the output has the keys. Every command and every server also reads this form, \
            from a file or a variable. Prefer a file: a revocation does not reach a variable until the \
            server restarts. RING may be - for standard input.
            """
        ],
        examples: [
            Example(
                "Start a server with the ring", "SESSION_KEYS=$(sealed-cookie export session.keys) ./shop")
        ], readsRing: true
    ) { (arguments) throws(Failure) in
        let path = arguments.operands[0]
        let ring = try Input.ring(path)
        guard !ring.isEmpty else { throw Failure.noKeys(path) }
        if ring.keys.isEmpty {
            Output.warn(
                "the ring has no key: no server starts with it",
                hint: "\(Tool.name) rotate --from now \(path)")
        }
        try Failure.unless { try ring.withText(onOneLine: true) { try Output.secret($0) } }
    }
}

/// What `keys` prints.
struct KeyListing: Encodable {
    struct Row: Encodable {
        let id: String
        let state: String
        let from: String?
        /// Nil unless a lifetime is given and the key no longer seals.
        var neededUntil: String?
        fileprivate var need: String?

        private enum CodingKeys: String, CodingKey {
            case id, state, from
            case neededUntil = "needed-until"
        }
    }

    let keys: [Row]
    let notBefore: String?

    /// - Parameter lifetime: how long any session lives at most; nil: leave out until when keys are needed.
    init(_ ring: KeyRing, at now: Date, lifetime: SessionLifetime.Span? = nil) {
        let active = ring.activeKey(at: now)?.id
        let needed = lifetime.map { ring.neededUntil(lifetime: .seconds($0.seconds), at: now) }
        keys =
            ring.keys.map { key in
                let isPending = key.activeFrom.map { $0 > now } ?? false
                let until = needed?[key.id]
                let need = until.map { time in
                    now < time
                        ? "needed until \(Timestamp.text(time))" : "not needed since \(Timestamp.text(time))"
                }
                return Row(
                    id: "\(key.id)", state: key.id == active ? "active" : isPending ? "pending" : "opens",
                    from: key.activeFrom.map { Timestamp.text($0) },
                    neededUntil: until.map { Timestamp.text($0) },
                    need: need
                        ?? needed.map { _ in key.id == active ? "needed: it seals" : "needed: it will seal" }
                )
            } + ring.revoked.sorted().map { Row(id: "\($0)", state: "revoked", from: nil) }
        notBefore = ring.notBefore.map { Timestamp.text($0) }
    }

    /// Until when each key is needed, as sentences.
    var needs: [String] { keys.compactMap { row in row.need.map { "key \(row.id) is \($0)" } } }

    var table: String {
        let rows = keys.map { key in
            // 2026-08-03T00:00:00Z
            let from = key.from.map { "from \($0)" } ?? (key.need == nil ? "" : pad("", 25))
            let cells = [key.id, from.isEmpty ? key.state : pad(key.state, 7), from, key.need ?? ""]
            return cells.filter { !$0.isEmpty }.joined(separator: "  ")
        }
        let lines = rows.isEmpty ? ["no keys"] : rows
        return (lines + (notBefore.map { ["sessions before \($0) have ended"] } ?? [])).joined(
            separator: "\n")
    }

    private enum CodingKeys: String, CodingKey {
        case keys
        case notBefore = "not-before"
    }
}

/// JSON for scripts.
enum JSONText {
    static func of(_ value: some Encodable, pretty: Bool) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        // Nothing that the tool encodes holds a number that JSON cannot express.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return TerminalJSON.escaping(String(decoding: data, as: UTF8.self))
    }
}
