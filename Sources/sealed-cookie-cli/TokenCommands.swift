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
            "the session's own absolute lifetime, such as 90d; it replaces the server's lifetime and idle time",
        otherwise: "none")
    fileprivate static let ownIdle = Self(
        name: "own-idle", value: "SPAN",
        help: "with --own-lifetime: how long the session lives after it was last sealed",
        otherwise: "no limit")
    fileprivate static let endsWithBrowser = Self(
        name: "ends-with-browser",
        help: "leave out Max-Age: the browser drops the cookie when it closes")
    fileprivate static let token = Self(
        name: "token",
        help: "a token without a cookie, for a link, a form or a header; needs --purpose")
    fileprivate static let tokenLimit = Self(
        name: "token-limit", value: "N", help: "with --token: characters of the longest token",
        otherwise: "2000")
    fileprivate static let setCookie = Self(name: "set-cookie", help: "print whole Set-Cookie lines")
    fileprivate static let absolute = Self(
        name: "absolute", value: "SPAN", help: "how long a session lives after it began",
        otherwise: "14d")
    fileprivate static let idle = Self(
        name: "idle", value: "SPAN", help: "how long it lives after it was last sealed",
        otherwise: "no limit")
    fileprivate static let ceiling = Self(
        name: "ceiling", value: "SPAN",
        help: "how long any session lives at most, even with a lifetime of its own", otherwise: "400d")
    fileprivate static let splitAtMost = Self(
        name: "split", value: "N", help: "accept up to N cookies for one session, 1 to 9", otherwise: "9")
    fileprivate static let jsonMeta = Self(
        name: "json-meta", help: "print JSON with the session, its times, its key and its sizes")
}

extension Command {
    static let seal = Command(
        name: "seal", summary: "Seals a session given as JSON; prints the token.", operands: "[INPUT]",
        operandCount: 0...1,
        options: [
            .ring, .cookieName, .purpose, .ownLifetime, .ownIdle, .endsWithBrowser, .split, .dictionary,
            .itemLimit, .at, .setCookie, .token, .tokenLimit,
            .init(name: "pretty", help: "also print the token's size, on standard error"),
        ] + Option.attributes,
        details: [
            inputHelp,
            "Some values have no form in JSON. They are written so, and `open` prints them so:",
            .terms([
                #"{"$bytes": "AAEC"}"#: "bytes, in base64url",
                #"{"$date": "2026-08-03T00:00:00Z"}"#: "a time",
                #"{"$uuid": "…"}"#: "a UUID",
                #"{"$url": "…"}"#: "a URL",
                #"{"$decimal": "1.25"}"#: "a decimal number",
                #"{"$int": "…"}"#: "an integer beyond 64 bits",
                #"{"$secret": …}"#: "any value, kept out of compression",
                #""$5""#: "the integer 5 as a key",
                #""$$a""#: "the key $a",
            ]),
            """
            --domain, --path, --partitioned, --same-site, --insecure and --priority are attributes of the \
            cookie: use them with --set-cookie.
            """,
        ],
        examples: [
            Example(
                "A token, from standard input", #"echo '{"user": 42}' | sealed-cookie seal -k session.keys"#),
            Example(
                "What a server sends to remember a user",
                "sealed-cookie seal -k session.keys --own-lifetime 90d --set-cookie s.json"),
            Example(
                "A token for a link",
                "sealed-cookie seal -k session.keys --token --purpose reset s.json"),
        ]
    ) { (arguments) throws(Failure) in
        let ring = try Input.usableRing(arguments)
        let attributes = try Input.attributes(arguments)
        guard attributes == SetCookie.Attributes() || arguments.has(.setCookie) else {
            throw .usage("a token has no attributes", hint: "use them with --set-cookie")
        }
        let own = try ownLifetime(arguments)
        if arguments.has(.token) {
            let sealer = try tokenSealer(
                arguments, ring, without: [.cookieName, .split, .setCookie, .endsWithBrowser])
            let now = try Input.time(arguments)
            let value = try Input.session(arguments)
            let sealed = try Failure.unless {
                do throws(SealError) {
                    return try sealer.seal(value, lifetime: own, at: now)
                } catch {
                    guard case .tooLarge = error else { throw error }
                    throw Failure.work(
                        "\(error)", hint: "keep less in it; --token-limit is for carriers that take more")
                }
            }
            try Output.data(sealed.text)
            if arguments.has(.pretty) {
                let length = sealed.text.utf8.count
                Output.note("\(length) characters, \(sealer.tokenLimit - length) to spare")
            }
            return
        }
        try requireToken(arguments)
        let sealer = try Command.sealer(
            arguments, ring, attributes, splitting: try Input.splitting(arguments))
        let now = try Input.time(arguments)
        let session = try Input.session(arguments)
        let sealed = try Failure.unless {
            do throws(SealError) {
                return try sealer.seal(
                    session, lifetime: own, endsWithBrowser: arguments.has(.endsWithBrowser), at: now)
            } catch {
                // Encoding stops at the limit. The report measures what is beyond it.
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
        details: [
            inputHelp,
            """
            INPUT holds a token, which may be in double quotes; a name=value pair; a whole Cookie or \
            Set-Cookie header; or several lines of these. A split session opens from up to nine cookies, or \
            from as many as --split allows.
            """,
            """
            Pass the lifetimes of your server with --absolute, --idle and --ceiling: they decide whether a \
            session has expired.
            """,
        ],
        examples: [
            Example("The session in a file with a token", "sealed-cookie open -k session.keys token"),
            Example(
                "A copied Cookie header: when the session began and when it expires",
                "sealed-cookie open -k session.keys --json-meta --pretty < header"),
            Example(
                "A token from a link",
                "sealed-cookie open -k session.keys --token --purpose reset token"),
        ]
    ) { (arguments) throws(Failure) in
        let ring = try Input.usableRing(arguments)
        if arguments.has(.token) {
            let sealer = try tokenSealer(arguments, ring, without: [.cookieName, .splitAtMost])
            let now = try Input.time(arguments)
            guard case .bare(let text) = try Input.token(arguments) else {
                throw .usage("--token takes a bare token, not a header", hint: "pass the token alone")
            }
            let opened = try Failure.unless { try sealer.open(text, at: now) }
            return try show(opened.value, arguments) { () throws(Failure) in
                try Failure.unless { try OpenedTokenView(opened, text, sealer) }
            }
        }
        try requireToken(arguments)
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
        try show(opened.session, arguments) { () throws(Failure) in
            try Failure.unless { try OpenedView(opened, sealer) }
        }
    }

    /// Prints what was opened: the value alone, or with --json-meta the view of it.
    private static func show(
        _ value: CBORValue, _ arguments: Arguments, view: () throws(Failure) -> some Encodable
    ) throws(Failure) {
        let pretty = arguments.has(.pretty)
        if arguments.has(.jsonMeta) {
            try Output.data(JSONText.of(try view(), pretty: pretty))
        } else {
            try Output.data(String(decoding: CBORJSON(value).text(pretty: pretty), as: UTF8.self))
        }
    }

    static let inspect = Command(
        name: "inspect", summary: "Shows a token's key id and size, without a key ring.",
        operands: "[INPUT]", operandCount: 0...1, options: [.cookieName, .json],
        details: [
            inputHelp,
            "INPUT is as for `open`. Nothing it shows is authenticated: anyone can write such a token.",
        ],
        examples: [
            Example("Which key sealed this token?", "sealed-cookie inspect token"),
            Example("The same, for a script", "sealed-cookie inspect --json token | jq -r .key"),
        ]
    ) { (arguments) throws(Failure) in
        let text = try Input.token(arguments).value(arguments.value(.cookieName) ?? "__Host-session")
        let inspection = try Failure.unless { try TokenInspection(text) }
        Output.note("unauthenticated: anyone can write such a token")
        let view = InspectionView(inspection)
        try Output.data(arguments.has(.json) ? JSONText.of(view, pretty: true) : view.text)
    }

    /// What only a token has makes no sense for a cookie.
    private static func requireToken(_ arguments: Arguments) throws(Failure) {
        guard arguments.value(.tokenLimit) == nil || arguments.has(.token) else {
            throw .usage("--token-limit needs --token", hint: "a cookie's limit is the browsers'")
        }
    }

    /// The lifetime of --own-lifetime and --own-idle; nil if neither is given.
    private static func ownLifetime(_ arguments: Arguments) throws(Failure) -> SessionLifetime? {
        let idle = try arguments.value(.ownIdle).map(Input.span)
        guard let absolute = try arguments.value(.ownLifetime).map(Input.span) else {
            guard idle == nil else {
                throw .usage(
                    "--own-idle without --own-lifetime",
                    hint: "a session's own lifetime replaces both the server's lifetime and its idle time")
            }
            return nil
        }
        return SessionLifetime(absolute: absolute, idle: idle)
    }

    /// The sealer for tokens without a cookie that the options describe.
    ///
    /// - Parameter options: options for cookies, which are refused.
    private static func tokenSealer(
        _ arguments: Arguments, _ ring: KeyRing, without options: [Option]
    ) throws(Failure) -> TokenSealer<CBORValue> {
        if let option = options.first(where: { arguments.has($0) || arguments.value($0) != nil }) {
            throw .usage(
                "--token and --\(option.name) exclude each other", hint: "--\(option.name) is for cookies")
        }
        guard let purpose = arguments.value(.purpose), !purpose.isEmpty else {
            throw .usage(
                "--token needs --purpose", hint: "a token opens only for the purpose it was sealed for")
        }
        var limit = 2000
        if let text = arguments.value(.tokenLimit) {
            guard let number = Int(text) else {
                throw .usage("\"\(text)\" is not a number of characters", hint: "63 to 1048576")
            }
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

/// What `open --token --json-meta` prints.
private struct OpenedTokenView: Encodable {
    let value: CBORJSON
    let created, expires, key: String
    let sizes: OpenedView.Sizes

    /// - Parameter text: the token. Its sizes are measured, not computed: it may have a lifetime of its own.
    init(
        _ opened: OpenedToken<CBORValue>, _ text: String, _ sealer: TokenSealer<CBORValue>
    ) throws {
        value = CBORJSON(opened.value)
        created = Timestamp.text(opened.createdAt)
        expires = Timestamp.text(opened.expiresAt)
        key = "\(opened.keyID)"
        let inspection = try TokenInspection(text)
        sizes = OpenedView.Sizes(
            item: try sealer.sizeReport(for: opened.value).itemByteCount,
            payload: inspection.payloadByteCount, sealed: inspection.byteCount,
            token: inspection.characterCount)
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
