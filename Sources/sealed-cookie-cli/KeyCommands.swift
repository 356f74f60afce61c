import SealedCookie

// keygen and keys.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command {
    static let keygen = Command(
        name: "keygen", summary: "Makes a new key ring with one key.", operands: "RING", operandCount: 1...1,
        options: [],
        details: """
            The key seals at once: from a minute ago, for servers whose clocks are behind. The file is readable by
            its owner alone (mode 0600). A file that exists is never overwritten.
            """
    ) { (arguments) throws(Failure) in
        let path = arguments.operands[0]
        let key = try Failure.unless {
            let (ring, key) = try KeyRing([]).replacingAllKeys()
            try ring.create(at: path)
            return key
        }
        Output.note("made key ring \"\(path)\" with key \(key.id)")
    }

    static let keys = Command(
        name: "keys", summary: "Lists a ring's keys, without their secrets.", operands: "RING",
        operandCount: 1...1,
        options: [.json, .at],
        details: """
            active: seals and opens. opens: opened with, no longer sealed with. pending: opens already, and
            seals from its time on. revoked: refused for good. RING may be - for the standard input.
            """, readsRing: true
    ) { (arguments) throws(Failure) in
        let ring = try Input.ring(arguments.operands[0])
        let listing = KeyListing(ring, at: try Input.time(arguments))
        try Output.data(arguments.has(.json) ? JSONText.of(listing, pretty: true) : listing.table)
    }
}

/// What `keys` shows.
struct KeyListing: Encodable {
    struct Row: Encodable {
        let id: String
        let state: String
        let from: String?
    }

    let keys: [Row]
    let notBefore: String?

    init(_ ring: KeyRing, at now: Date) {
        let active = ring.activeKey(at: now)?.id
        keys =
            ring.keys.map { key in
                let isPending = key.activeFrom.map { $0 > now } ?? false
                return Row(
                    id: "\(key.id)", state: key.id == active ? "active" : isPending ? "pending" : "opens",
                    from: key.activeFrom.map { Timestamp.text($0) })
            } + ring.revoked.sorted().map { Row(id: "\($0)", state: "revoked", from: nil) }
        notBefore = ring.notBefore.map { Timestamp.text($0) }
    }

    var table: String {
        let rows = keys.map { key in
            key.from.map { "\(key.id)  \(pad(key.state, 7))  from \($0)" } ?? "\(key.id)  \(key.state)"
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

/// JSON for machines.
enum JSONText {
    static func of(_ value: some Encodable, pretty: Bool) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        // What the tool itself puts together holds no number that JSON cannot.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return TerminalJSON.escaping(String(decoding: data, as: UTF8.self))
    }
}
