import SealedCookie

// remove and limits.

extension Command.Option {
    static let split = Self(
        name: "split", value: "N", help: "split into up to N cookies, 2 to 9, if one is too small",
        otherwise: "1")
    static let domain = Self(name: "domain", value: "DOMAIN", help: "the cookie's Domain", otherwise: "none")
    static let path = Self(name: "path", value: "PATH", help: "the cookie's Path", otherwise: "/")
    static let partitioned = Self(name: "partitioned", help: "set Partitioned")
    static let sameSite = Self(
        name: "same-site", value: "VALUE", completes: .words(["strict", "lax", "none", "unset"]),
        help: "strict, lax, none (for pages embedded in other sites) or unset", otherwise: "lax")
    static let priority = Self(
        name: "priority", value: "VALUE", completes: .words(["low", "medium", "high"]),
        help: "low, medium or high: Chromium drops low ones first", otherwise: "none")
    static let itemLimit = Self(
        name: "item-limit", value: "N",
        help: "bytes of the largest session that the servers seal, as CBOR",
        otherwise: "16384, or what the cookies hold if that is more")
    static let insecure = Self(name: "insecure", help: "leave out Secure, for plain http")

    /// The attributes of a Set-Cookie line.
    static let attributes: [Self] = [.domain, .path, .partitioned, .sameSite, .insecure, .priority]
}

extension Input {
    /// The attributes that --domain and the others set.
    static func attributes(_ arguments: Arguments) throws(Failure) -> SetCookie.Attributes {
        var attributes = SetCookie.Attributes()
        attributes.domain = arguments.value(.domain)
        if let path = arguments.value(.path) { attributes.path = path }
        attributes.isPartitioned = arguments.has(.partitioned)
        attributes.isSecure = !arguments.has(.insecure)
        if let text = arguments.value(.sameSite) {
            let value = SetCookie.SameSite.allCases.first { $0.argument == text.lowercased() }
            guard let value else {
                throw .usage("\"\(text)\" is not a value of SameSite", hint: "strict, lax, none or unset")
            }
            attributes.sameSite = value
        }
        if let text = arguments.value(.priority) {
            let value = SetCookie.Priority.allCases.first { $0.rawValue.lowercased() == text.lowercased() }
            guard let value else {
                throw .usage("\"\(text)\" is not a value of Priority", hint: "low, medium or high")
            }
            attributes.priority = value
        }
        return attributes
    }

    /// The value of --item-limit; nil if it is not given.
    static func itemLimit(_ arguments: Arguments) throws(Failure) -> Int? {
        guard let text = arguments.value(.itemLimit) else { return nil }
        guard let count = Int(text) else {
            throw .usage("\"\(text)\" is not a number of bytes", hint: "1 to 65536")
        }
        return count
    }
}

extension SetCookie.SameSite {
    fileprivate var argument: String { self == .unspecified ? "unset" : rawValue.lowercased() }
}

extension Command {
    static let remove = Command(
        name: "remove", summary: "Prints the Set-Cookie lines that make a browser forget a session.",
        operands: "", operandCount: 0...0, options: [.cookieName, .split] + Option.attributes,
        details: [
            """
            A browser forgets a cookie only if its name, Domain, Path and Partitioned are the same as when it \
            was set.
            """
        ],
        examples: [
            Example("A cookie with the default name", "sealed-cookie remove"),
            Example(
                "One that was set for a domain, in up to three cookies",
                "sealed-cookie remove -n s --domain example.com --split 3"),
        ]
    ) { (arguments) throws(Failure) in
        let attributes = try Input.attributes(arguments)
        let sealer = try Failure.unless {
            try CookieSealer<CBORValue>(
                arguments.value(.cookieName) ?? "__Host-session", keys: KeyRing([]),
                lifetime: .init(absolute: .days(14)), attributes: attributes,
                splitting: try Input.splitting(arguments))
        }
        for cookie in sealer.removalCookies() { try Output.data("Set-Cookie: \(cookie)") }
    }

    static let limits = Command(
        name: "limits", summary: "Lists the limits of browsers and servers.", operands: "",
        operandCount: 0...0, options: [.json],
        details: [
            .terms([
                "name+value": "bytes of a cookie's name and value together",
                "attribute": "bytes of the value of one attribute, such as Path",
                "line": "bytes of one Set-Cookie header",
                "response": "bytes of all Set-Cookie headers of a response",
            ]),
            """
            The figures of servers and clients are bytes of a request's whole Cookie header. The guide \
            "Limits of browsers and servers" says how each was found.
            """,
        ],
        examples: [Example("For a script", "sealed-cookie limits --json")]
    ) { (arguments) throws(Failure) in
        let presets = LimitsPreset.all
        guard !arguments.has(.json) else { return try Output.data(JSONText.of(presets, pretty: true)) }
        try Output.data("preset             name+value  attribute   line  response")
        func figure(_ count: Int?, _ width: Int) -> String { padLeft(count.map { "\($0)" } ?? "–", width) }
        for preset in presets {
            try Output.data(
                "\(pad(preset.name, 18)) \(padLeft("\(preset.nameAndValue)", 10)) "
                    + "\(padLeft("\(preset.attributeValue)", 10)) \(figure(preset.line, 6)) \(figure(preset.response, 9))"
            )
        }
        try Output.data("\nCookie header that a server takes, or a client sends")
        for limit in ServerLimit.common {
            try Output.data("\(padLeft("\(limit.cookieHeader)", 9))  \(limit.server)")
        }
    }
}

/// A preset by its name in the library.
struct LimitsPreset: Encodable {
    let name: String
    let nameAndValue, attributeValue: Int
    let line, response: Int?
    let cookiesPerHost: Int

    private init(_ name: String, _ limits: CookieLimits) {
        self.name = name
        nameAndValue = limits.nameAndValue
        attributeValue = limits.attributeValue
        line = limits.line
        response = limits.response
        cookiesPerHost = CookieLimits.cookiesPerSite
    }

    static let all = named.map { LimitsPreset($0.name, $0.limits) }

    static let named: [(name: String, limits: CookieLimits)] = [
        ("rfc6265bis", .rfc6265bis), ("strictest", .strictest), ("behindStockNginx", .behindStockNginx),
    ]
}
