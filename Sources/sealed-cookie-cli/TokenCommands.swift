import SealedCookie

// seal, open and inspect.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command.Option {
    fileprivate static let ownLifetime = Self(
        name: "own-lifetime", value: "SPAN",
        help:
            "the session's own absolute lifetime, such as 90d, in place of the server's lifetime and idle time [none]"
    )
    fileprivate static let ownIdle = Self(
        name: "own-idle", value: "SPAN",
        help: "with --own-lifetime: how long it lives from its last sealing [no end]")
    fileprivate static let endsWithBrowser = Self(
        name: "ends-with-browser", help: "the browser is to drop its cookie when it closes: without Max-Age")
    fileprivate static let token = Self(
        name: "token", help: "a token without a cookie, for a link, a form or a header; needs --purpose")
    fileprivate static let tokenLimit = Self(
        name: "token-limit", value: "N", help: "with --token: characters of the longest token [2000]")
    fileprivate static let setCookie = Self(name: "set-cookie", help: "a whole Set-Cookie line")
    fileprivate static let absolute = Self(
        name: "absolute", value: "SPAN", help: "how long a session lives from its beginning [14d]")
    fileprivate static let idle = Self(
        name: "idle", value: "SPAN", help: "how long it lives from its last sealing [no end]")
    fileprivate static let ceiling = Self(
        name: "ceiling", value: "SPAN",
        help: "the longest that any session lives, whatever its own lifetime [400d]")
    fileprivate static let splitAtMost = Self(
        name: "split", value: "N", help: "out of up to N cookies, 2 to 9, or 1 [9]")
    fileprivate static let jsonMeta = Self(
        name: "json-meta", help: "the session with its times, key and sizes around it")
}

extension Command {
    static let seal = Command(
        name: "seal", summary: "Seals a session given as JSON; prints the token.", operands: "[INPUT]",
        operandCount: 0...1,
        options: [
            .ring, .cookieName, .purpose, .ownLifetime, .ownIdle, .endsWithBrowser, .split, .dictionary,
            .itemLimit, .at, .setCookie, .token, .tokenLimit,
            .init(name: "pretty", help: "the token, and its size on the standard error"),
        ] + Option.attributes,
        details: """
            \(inputHelp)
            What JSON has no form for: {"$bytes": "base64url"}, {"$date": "2026-08-03T00:00:00Z"}, {"$uuid": "…"},
            {"$url": "…"}, {"$decimal": "1.25"}, {"$int": "…"} beyond 64 bits, {"$secret": …} for what must stay out of
            compression, "$5" for the integer key 5, "$$" for a "$" at the beginning of a key. `open` prints the same.
            --domain and the other attributes go with --set-cookie.
            """
    ) { (arguments) throws(Failure) in
        let ring = try Input.usableRing(arguments)
        let attributes = try Input.attributes(arguments)
        guard attributes == SetCookie.Attributes() || arguments.has(.setCookie) else {
            throw .usage("a token has no attributes", hint: "they go with --set-cookie")
        }
        let own = try ownLifetime(arguments)
        if arguments.has(.token) {
            let sealer = try tokenSealer(
                arguments, ring, without: [.cookieName, .split, .setCookie, .endsWithBrowser])
            let now = try Input.time(arguments)
            let value = try Input.session(arguments)
            let sealed = try Failure.unless { try sealer.seal(value, lifetime: own, at: now) }
            try Output.data(sealed.text)
            if arguments.has(.pretty) {
                let length = sealed.text.utf8.count
                Output.note("\(length) characters, \(sealer.tokenLimit - length) to spare")
            }
            return
        }
        let sealer = try Command.sealer(
            arguments, ring, attributes, splitting: try Input.splitting(arguments))
        let now = try Input.time(arguments)
        let session = try Input.session(arguments)
        let sealed = try Failure.unless {
            do throws(SealError) {
                return try sealer.seal(
                    session, lifetime: own, endsWithBrowser: arguments.has(.endsWithBrowser), at: now)
            } catch {
                // Encoding ends at the limit: what is large beyond it, the report says.
                guard case .itemTooLarge = error, let report = try? sealer.sizeReport(for: session),
                    report.itemExcess > 0
                else { throw error }
                let fields = report.fields.prefix(3).map { "\($0.name) \($0.byteCount)" }.joined(
                    separator: ", ")
                throw Failure.work(
                    "\(error)",
                    hint:
                        "\(report.itemByteCount) bytes of CBOR\(fields.isEmpty ? "" : "; largest fields: \(fields)"); "
                        + "--item-limit is for servers that seal more")
            }
        }
        let isSplit = sealed.cookies[0].value.utf8.count < sealed.tokenLength
        for cookie in sealed.cookies {
            if arguments.has(.setCookie) {
                try Output.data("Set-Cookie: \(cookie)")
            } else if !cookie.value.isEmpty {
                try Output.data(isSplit ? "\(cookie.name)=\(cookie.value)" : cookie.value)
            }
        }
        if arguments.has(.pretty) {
            Output.note("\(sealed.tokenLength) characters, \(sealed.room) to spare")
        }
    }

    static let open = Command(
        name: "open", summary: "Opens a token; prints the session as JSON.", operands: "[INPUT]",
        operandCount: 0...1,
        options: [
            .ring, .cookieName, .purpose, .absolute, .idle, .ceiling, .splitAtMost, .dictionary, .at,
            .jsonMeta, .pretty, .token, .tokenLimit,
        ],
        details: """
            \(inputHelp)
            It holds a token, which may be in double quotes, a name=value pair, or a whole Cookie or Set-Cookie header,
            or several lines of these. A split session is opened out of up to nine cookies, or as many as --split says.
            """
    ) { (arguments) throws(Failure) in
        let ring = try Input.usableRing(arguments)
        if arguments.has(.token) {
            let sealer = try tokenSealer(arguments, ring, without: [.cookieName, .splitAtMost, .jsonMeta])
            let now = try Input.time(arguments)
            guard case .bare(let text) = try Input.token(arguments) else {
                throw .usage("a token without a cookie stands in no header", hint: "give the token alone")
            }
            let opened = try Failure.unless { try sealer.open(text, at: now) }
            let json = CBORJSON(opened.value).text(pretty: arguments.has(.pretty))
            try Output.data(String(decoding: json, as: UTF8.self))
            return
        }
        let sealer = try Command.sealer(
            arguments, ring, SetCookie.Attributes(), splitting: try Input.splitting(arguments, orElse: 9))
        let now = try Input.time(arguments)
        let input = try Input.token(arguments)
        let opened = try Failure.unless {
            switch input {
            case .bare(let token): return try sealer.open(value: TokenText.whole(token), at: now)
            case .header(let header):
                guard let opened = try sealer.open(cookieHeader: header, at: now) else {
                    throw Failure.noCookie(sealer.name, in: header)
                }
                return opened
            }
        }
        let pretty = arguments.has(.pretty)
        if arguments.has(.jsonMeta) {
            let view = try Failure.unless { try OpenedView(opened, sealer) }
            try Output.data(JSONText.of(view, pretty: pretty))
        } else {
            try Output.data(String(decoding: CBORJSON(opened.session).text(pretty: pretty), as: UTF8.self))
        }
    }

    static let inspect = Command(
        name: "inspect", summary: "Shows a token's outside, without a key.", operands: "[INPUT]",
        operandCount: 0...1,
        options: [.cookieName, .json],
        details: """
            \(inputHelp)
            Nothing that it shows is authenticated: anybody can write such a token.
            """
    ) { (arguments) throws(Failure) in
        let text = try Input.token(arguments).value(arguments.value(.cookieName) ?? "__Host-session")
        let inspection = try Failure.unless { try TokenInspection(text) }
        Output.note("unauthenticated: anybody can write such a token")
        let view = InspectionView(inspection)
        try Output.data(arguments.has(.json) ? JSONText.of(view, pretty: true) : view.text)
    }

    /// What --own-lifetime and --own-idle say; nil where they say nothing.
    private static func ownLifetime(_ arguments: Arguments) throws(Failure) -> SessionLifetime? {
        let idle = try arguments.value(.ownIdle).map(Input.span)
        guard let absolute = try arguments.value(.ownLifetime).map(Input.span) else {
            guard idle == nil else {
                throw .usage(
                    "--own-idle without --own-lifetime",
                    hint: "a session's own lifetime takes the place of the server's whole")
            }
            return nil
        }
        return SessionLifetime(absolute: absolute, idle: idle)
    }

    /// The sealer of tokens without a cookie that the options describe.
    ///
    /// - Parameter options: those that are for cookies.
    private static func tokenSealer(
        _ arguments: Arguments, _ ring: KeyRing, without options: [Option]
    ) throws(Failure) -> TokenSealer<CBORValue> {
        if let option = options.first(where: { arguments.has($0) || arguments.value($0) != nil }) {
            throw .usage("--token with --\(option.name)", hint: "that is for cookies")
        }
        guard let purpose = arguments.value(.purpose), !purpose.isEmpty else {
            throw .usage("--token needs --purpose", hint: "it stands where a cookie has its name")
        }
        var limit = 2000
        if let text = arguments.value(.tokenLimit) {
            guard let number = Int(text) else { throw .usage("--token-limit \(text.printable)", hint: nil) }
            limit = number
        }
        let lifetime = try lifetime(arguments)
        let compression = try Input.compression(arguments)
        let itemLimit = try Input.itemLimit(arguments)
        return try Failure.unless { [limit] in
            try TokenSealer(
                purpose: purpose, keys: ring, lifetime: lifetime, tokenLimit: limit, compression: compression,
                itemLimit: itemLimit)
        }
    }

    private static func lifetime(_ arguments: Arguments) throws(Failure) -> SessionLifetime {
        var lifetime = SessionLifetime(absolute: .days(14))
        if let text = arguments.value(.absolute) { lifetime.absolute = try Input.span(text) }
        if let text = arguments.value(.idle) { lifetime.idle = try Input.span(text) }
        if let text = arguments.value(.ceiling) { lifetime.ceiling = try Input.span(text) }
        return lifetime
    }

    /// The sealer for the cookie that the options describe.
    fileprivate static func sealer(
        _ arguments: Arguments, _ ring: KeyRing, _ attributes: SetCookie.Attributes,
        splitting: CookieSplitting
    ) throws(Failure) -> CookieSealer<CBORValue> {
        let lifetime = try lifetime(arguments)
        let name = arguments.value(.cookieName) ?? "__Host-session"
        let purpose = arguments.value(.purpose) ?? ""
        let compression = try Input.compression(arguments)
        let itemLimit = try Input.itemLimit(arguments)
        return try Failure.unless {
            try CookieSealer(
                name, keys: ring, lifetime: lifetime, purpose: purpose, attributes: attributes,
                splitting: splitting,
                compression: compression, itemLimit: itemLimit)
        }
    }
}

/// What `open --json-meta` prints.
private struct OpenedView: Encodable {
    struct Sizes: Encodable {
        let item, payload, sealed, token: Int
    }

    /// In seconds.
    struct Lifetime: Encodable {
        let absolute: Int
        let idle: Int?
    }

    let session: CBORJSON
    let created, sealed, expires, key: String
    let ownLifetime: Lifetime?
    let endsWithBrowser: Bool
    let sizes: Sizes

    init(_ opened: OpenedSession<CBORValue>, _ sealer: CookieSealer<CBORValue>) throws(SealError) {
        session = CBORJSON(opened.session)
        created = Timestamp.text(opened.createdAt)
        sealed = Timestamp.text(opened.sealedAt)
        expires = Timestamp.text(opened.expiresAt)
        key = "\(opened.keyID)"
        ownLifetime = opened.lifetime.map {
            Lifetime(absolute: $0.absolute.seconds, idle: $0.idle?.seconds)
        }
        endsWithBrowser = opened.endsWithBrowser
        let report = try sealer.sizeReport(for: opened)
        sizes = Sizes(
            item: report.itemByteCount, payload: report.payloadByteCount, sealed: report.sealedByteCount,
            token: report.tokenLength)
    }
}

/// What `inspect` prints.
private struct InspectionView: Encodable {
    let version, key: String
    let characters, bytes, payload: Int

    init(_ inspection: TokenInspection) {
        version = "0x" + String(inspection.version, radix: 16)
        key = "\(inspection.keyID)"
        characters = inspection.characterCount
        bytes = inspection.byteCount
        payload = inspection.payloadByteCount
    }

    var text: String {
        """
        version  \(version)
        key      \(key)
        token    \(characters) characters, \(bytes) bytes
        payload  \(payload) bytes, encrypted
        """
    }
}
