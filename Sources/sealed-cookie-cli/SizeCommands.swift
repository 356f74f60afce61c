import SealedCookie

// size and demo.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command {
    static let size = Command(
        name: "size", summary: "Shows where a session's bytes go, stage by stage and field by field.",
        operands: "[INPUT]", operandCount: 0...1,
        options: [.cookieName, .split, .dictionary, .itemLimit, .json],
        details: [
            inputHelp,
            """
            INPUT holds a session as JSON, as for `seal`. The sizes of fields are bytes of CBOR before \
            compression. No key ring is needed.
            """,
        ],
        examples: [
            Example("One session", "sealed-cookie size session.json"),
            Example("Its largest fields", "sealed-cookie size --json session.json | jq '.fields[:3]'"),
        ]
    ) { (arguments) throws(Failure) in
        let session = try Input.session(arguments)
        let name = arguments.value(.cookieName) ?? "__Host-session"
        let splitting = try Input.splitting(arguments)
        let compression = try Input.compression(arguments)
        let itemLimit = try Input.itemLimit(arguments)
        let report = try sizeReport(
            of: session, name, .rfc6265bis, splitting, compression, itemLimit: itemLimit)
        let others = try LimitsPreset.named.dropFirst().map { preset throws(Failure) in
            (
                preset.name,
                try sizeReport(
                    of: session, name, preset.limits, splitting, compression, itemLimit: itemLimit)
            )
        }
        try Output.data(
            arguments.has(.json)
                ? JSONText.of(SizeView(report, others), pretty: true) : SizeDrawing.of(report, others))
    }

    static let demo = Command(
        name: "demo",
        summary: "Seals, opens, changes and measures a sample session.",
        operands: "", operandCount: 0...0, options: [],
        details: ["It makes a key ring in a temporary folder, and removes the folder at once."],
        examples: [Example("All steps", "sealed-cookie demo")]
    ) { (_) throws(Failure) in
        try Demonstration().run()
    }
}

/// The sizes of a session. No key is needed: tokens of all keys have the same length.
private func sizeReport(
    of session: CBORValue, _ name: String, _ limits: CookieLimits, _ splitting: CookieSplitting,
    _ compression: SessionCompression, itemLimit: Int?
) throws(Failure) -> SizeReport {
    try Failure.unless {
        let sealer = try CookieSealer<CBORValue>(
            name, keys: KeyRing([]), lifetime: SessionLifetime(absolute: .days(14)), limits: limits,
            splitting: splitting, compression: compression, itemLimit: itemLimit)
        return try sealer.sizeReport(for: session)
    }
}

/// What `size --json` prints.
private struct SizeView: Encodable {
    struct Field: Encodable {
        let name: String
        let bytes: Int
    }

    let item, payload, sealed, token, name, cookie, limit, room, cookies, header, itemLimit: Int
    /// Room for this session's token under the other presets.
    let roomUnder: [String: Int]
    let refusingServers: [String]
    let fields: [Field]

    init(_ report: SizeReport, _ others: [(String, SizeReport)]) {
        item = report.itemByteCount
        payload = report.payloadByteCount
        sealed = report.sealedByteCount
        token = report.tokenLength
        name = report.nameByteCount
        cookie = report.cookieByteCount
        limit = report.nameAndValueLimit
        room = report.room
        cookies = report.cookieCount
        itemLimit = report.itemLimit
        header = report.headerByteCount
        roomUnder = Dictionary(others.map { ($0, $1.room) }) { a, _ in a }
        refusingServers = report.refusingServers.map(\.server)
        fields = report.fields.map { Field(name: $0.name, bytes: $0.byteCount) }
    }
}

/// A size report as people read it.
private enum SizeDrawing {
    static func of(_ report: SizeReport, _ others: [(String, SizeReport)] = []) -> String {
        let stages = [
            ("CBOR", report.itemByteCount), ("payload", report.payloadByteCount),
            ("sealed", report.sealedByteCount),
            ("token", report.tokenLength), ("name and value", report.cookieByteCount),
        ]
        let rows = stages + report.fields.map { ($0.name, $0.byteCount) }
        // Two blanks, the name, a blank, the number of six digits, two blanks, the bar.
        let columns = Output.columns
        let width = min(32, max(8, columns / 2 - 4), rows.map(\.0.count).max() ?? 0)
        let barWidth = min(40, columns - width - 11)
        func draw(_ rows: [(String, Int)], _ style: Output.Style) -> [String] {
            let largest = rows.map(\.1).max() ?? 0
            return rows.map { name, bytes in
                let bar = Output.styled(Output.bar(bytes, of: largest, width: barWidth), style, on: .output)
                return
                    "  \(pad(shortened(name, width), width)) \(padLeft("\(bytes)", 6))\(bar.isEmpty ? "" : "  \(bar)")"
            }
        }
        var lines = ["stages, in bytes"] + draw(stages, .cyan)
        if !report.fields.isEmpty {
            lines +=
                ["", "fields, in bytes of CBOR"] + draw(report.fields.map { ($0.name, $0.byteCount) }, .green)
        }
        lines.append("")
        lines.append(fit(report, "the limit of \(report.nameAndValueLimit)"))
        lines += others.map { fit($1, $0) }
        if report.itemExcess > 0 {
            let words =
                "\(report.itemExcess) bytes of CBOR over the largest session that is sealed: \(report.itemLimit)"
            lines.append(Output.styled(words, .red, on: .output))
        }
        if report.cookieCount > 1 {
            lines.append(
                "split, it takes \(report.cookieCount) cookies and \(report.headerByteCount) bytes of each request"
            )
        }
        if !report.refusingServers.isEmpty {
            let names = report.refusingServers.map { "\($0.server) (\($0.cookieHeader))" }
            lines.append("too large for the default settings of \(names.joined(separator: ", "))")
        }
        return lines.joined(separator: "\n")
    }

    private static func fit(_ report: SizeReport, _ limit: String) -> String {
        report.room >= 0
            ? "\(report.room) bytes left under \(limit)"
            : Output.styled("\(report.excess) bytes over \(limit)", .red, on: .output)
    }

    private static func shortened(_ name: String, _ width: Int) -> String {
        name.count <= width ? name : name.prefix(width - 1) + "…"
    }
}

/// Sealing and opening step by step, with a new ring.
private struct Demonstration {
    private let sample = """
        {"user": {"$uuid": "fe049f18-1b8f-4a6f-8c38-00c3448de041"}, "name": "Zoë Müller", "roles": ["member", \
        "billing_admin"], "csrf": {"$bytes": "doudhQTWw9VYBIhwUowzZw"}, "locale": "en-US", \
        "signed_in": {"$date": "2026-09-21T14:03:27Z"}, "flash": {"notice": "Signed in successfully."}}
        """

    func run() throws(Failure) {
        let ring = try ring()
        try Failure.unless { try walk(ring) }
    }

    /// A ring from a file. The file is removed before anything is printed, so that no key is left if the reader stops.
    private func ring() throws(Failure) -> KeyRing {
        let temporary = FileManager.default.temporaryDirectory
        let folder = temporary.appending(path: "sealed-cookie-demo-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .work(
                "\"\(temporary.path)\": no folder can be made there", hint: "set TMPDIR to another folder")
        }
        return try Failure.unless {
            let path = folder.appending(path: "session.keys").path
            try KeyRing([SealingKey.generate()]).create(at: path)
            return try KeyRing(contentsOf: path)
        }
    }

    private func walk(_ ring: KeyRing) throws {
        let session = try CBORJSON(parsing: Data(sample.utf8)).value
        try say("1. A key ring that only you can read", "\(ring.keys[0])")

        let sealer = try CookieSealer<CBORValue>(
            keys: ring, lifetime: SessionLifetime(absolute: .days(14), idle: .hours(12)))
        try say("2. A session", sample)
        let sealed = try sealer.seal(session)
        try say(
            "3. The session, sealed, in the header that a server sends", "Set-Cookie: \(sealed.cookies[0])")

        let token = sealed.cookies[0].value
        guard let opened = try sealer.open(cookieHeader: "theme=dark; \(sealer.name)=\(token)"),
            opened.session == session
        else {
            throw Failure.work("demo: the session did not come back")
        }
        try say(
            "4. The session again, opened from the header that a browser sends back",
            String(decoding: CBORJSON(opened.session).text(pretty: true), as: UTF8.self))

        let index = token.index(token.startIndex, offsetBy: token.count / 2)
        let changed = token.replacingCharacters(at: index, with: token[index] == "A" ? "B" : "A")
        guard let refusal = refusal({ () throws(OpenError) in _ = try sealer.open(value: changed) }) else {
            throw Failure.work("demo: a changed token was accepted")
        }
        try say("5. The token with one character changed is refused", "\(refusal)")
        try say("6. Where the bytes go", SizeDrawing.of(sealer.sizeReport(for: session)))
    }

    private func refusal(_ attempt: () throws(OpenError) -> Void) -> OpenError? {
        do throws(OpenError) {
            try attempt()
            return nil
        } catch {
            return error
        }
    }

    private func say(_ title: String, _ text: String) throws(Failure) {
        try Output.data("\(Output.styled(title, .bold, on: .output))\n\n\(text)\n")
    }
}

extension String {
    fileprivate func replacingCharacters(at index: Index, with character: Character) -> String {
        var copy = self
        copy.replaceSubrange(index...index, with: [character])
        return copy
    }
}
