import SealedCookie

// remove and limits.

extension Command.Option {
    static let split = Self(
        name: "split", value: "N", help: "into up to N cookies, 2 to 9, where one is too small [1]")
    static let domain = Self(name: "domain", value: "DOMAIN", help: "the cookie's Domain [none]")
    static let path = Self(name: "path", value: "PATH", help: "the cookie's Path [/]")
    static let partitioned = Self(name: "partitioned", help: "with Partitioned")
    static let sameSite = Self(
        name: "same-site", value: "VALUE",
        help: "strict, lax, none or unset [lax]; none where a page is embedded elsewhere")
    static let priority = Self(
        name: "priority", value: "VALUE", help: "low, medium or high: what Chromium gives up first [none]")
    static let itemLimit = Self(
        name: "item-limit", value: "N",
        help: "bytes of the largest session that the servers seal, as CBOR [16384, or what the cookies hold]")
    static let insecure = Self(name: "insecure", help: "without Secure, for plain http")

    /// What a browser tells cookies of one name apart by, and what it asks of the line that sets one.
    static let attributes: [Self] = [.domain, .path, .partitioned, .sameSite, .insecure, .priority]
}

extension Input {
    /// What --domain and the like say.
    static func attributes(_ arguments: Arguments) throws(Failure) -> SetCookie.Attributes {
        var attributes = SetCookie.Attributes()
        attributes.domain = arguments.value(.domain)
        if let path = arguments.value(.path) { attributes.path = path }
        attributes.isPartitioned = arguments.has(.partitioned)
        attributes.isSecure = !arguments.has(.insecure)
        if let text = arguments.value(.sameSite) {
            let value = SetCookie.SameSite.allCases.first { $0.argument == text.lowercased() }
            guard let value else {
                throw .usage("\"\(text)\" is no value of SameSite", hint: "strict, lax, none or unset")
            }
            attributes.sameSite = value
        }
        if let text = arguments.value(.priority) {
            let value = SetCookie.Priority.allCases.first { $0.rawValue.lowercased() == text.lowercased() }
            guard let value else {
                throw .usage("\"\(text)\" is no value of Priority", hint: "low, medium or high")
            }
            attributes.priority = value
        }
        return attributes
    }

    /// What --item-limit says; nil where it says nothing.
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
        operands: "",
        operandCount: 0...0, options: [.cookieName, .split] + Option.attributes,
        details: """
            A browser forgets a cookie only if the name, Domain, Path and Partitioned are those that it was set with.
            """
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
        name: "limits", summary: "Lists what browsers and servers take.", operands: "", operandCount: 0...0,
        options: [.json],
        details: """
            name+value, attribute and line are bytes of one cookie; response is of all Set-Cookie headers of one; the servers' figures are bytes of a request's
            whole Cookie header. The guide "Limits of browsers and servers" says how each was obtained.
            """
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
