// Set-Cookie lines as browsers receive them: whole lines for all attributes, times, limits to the byte.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct SetCookieTests {
    private static let random: [UInt8] = {
        var random = SplitMix(state: 21)
        return (0..<9000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }()

    private func bytes(_ count: Int) -> Data { Data(Self.random.prefix(count)) }

    private func sealer(
        _ name: String = "s", _ attributes: SetCookie.Attributes = .init(),
        lifetime: SessionLifetime = .init(absolute: .days(14)), limits: CookieLimits = .rfc6265bis,
        splitting: CookieSplitting = .never, purpose: String = ""
    ) throws -> CookieSealer<Data> {
        try CookieSealer(
            name, keys: sampleRing(1), lifetime: lifetime, purpose: purpose, attributes: attributes,
            limits: limits, splitting: splitting, compression: .off)
    }

    // MARK: Attributes

    /// A line written without the library: every attribute spelled out.
    private func line(
        _ name: String, _ value: String, _ attributes: SetCookie.Attributes, maxAge: String?, expires: String?
    ) -> String {
        var fields = ["\(name)=\(value)", "Path=\(attributes.path)"]
        if let domain = attributes.domain { fields.append("Domain=\(domain)") }
        if let maxAge { fields.append("Max-Age=\(maxAge)") }
        if let expires { fields.append("Expires=\(expires)") }
        if attributes.isSecure { fields.append("Secure") }
        if attributes.isHTTPOnly { fields.append("HttpOnly") }
        switch attributes.sameSite {
        case .strict: fields.append("SameSite=Strict")
        case .lax: fields.append("SameSite=Lax")
        case .none: fields.append("SameSite=None")
        case .unspecified: break
        }
        if attributes.isPartitioned { fields.append("Partitioned") }
        switch attributes.priority {
        case .low?: fields.append("Priority=Low")
        case .medium?: fields.append("Priority=Medium")
        case .high?: fields.append("Priority=High")
        case nil: break
        }
        return fields.joined(separator: "; ")
    }

    private func removal(_ name: String, _ attributes: SetCookie.Attributes) -> String {
        line(name, "", attributes, maxAge: "0", expires: "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    /// Written, grown, shrunk and removed with each combination: a line that loses Path or Domain removes nothing.
    @Test func `every line has the attributes that were asked for, and no other`() throws {
        var combinations: [SetCookie.Attributes] = []
        for path in ["/", "/app"] {
            for domain in [nil, "example.org"] {
                for bits in 0..<32 {
                    for sameSite in SetCookie.SameSite.allCases {
                        for priority in [nil] + SetCookie.Priority.allCases {
                            combinations.append(
                                .init(
                                    path: path, domain: domain, isSecure: bits & 1 == 0,
                                    isHTTPOnly: bits & 2 == 0,
                                    sameSite: sameSite, isPartitioned: bits & 4 == 0,
                                    endsWithBrowser: bits & 8 == 0, writesExpires: bits & 16 == 0,
                                    priority: priority))
                        }
                    }
                }
            }
        }
        var written = 0
        let limits = CookieLimits(nameAndValue: 128, attributeValue: 1024)
        for attributes in combinations {
            let needsSecure = attributes.isPartitioned || attributes.sameSite == .none
            guard attributes.isSecure || !needsSecure else {
                #expect(throws: SealerConfigurationError.self) { try sealer("s", attributes) }
                continue
            }
            let (maxAge, expires) = ("1209600", "Mon, 17 Aug 2026 00:00:00 GMT")
            func carrying(_ name: String, _ value: some StringProtocol) -> String {
                line(
                    name, String(value), attributes, maxAge: attributes.endsWithBrowser ? nil : maxAge,
                    expires: attributes.endsWithBrowser || !attributes.writesExpires ? nil : expires)
            }
            func token(_ lines: [String]) -> String {
                lines.map { $0.prefix { $0 != ";" }.drop { $0 != "=" }.dropFirst() }.joined()
            }
            for count in [1, 4] {
                let sealer = try sealer("s", attributes, limits: limits, splitting: .upTo(count))
                // A new session, at a fraction of a second: the browser may be anyone's, so all parts are removed.
                let one = try sealer.seal(bytes(20), at: noon + 0.5)
                let value = token(Array(one.headerValues.prefix(1)))
                #expect(value.utf8.count == one.tokenLength)
                let others = (1..<count).map { removal("s.\($0)", attributes) }
                #expect(one.headerValues == [carrying("s", value)] + others)
                #expect(sealer.removalCookies().map(\.description) == others + [removal("s", attributes)])
                // A stale part that the request had, and one that no splitting of today's writes.
                var opened = try #require(
                    try sealer.open(cookieHeader: "s=\(value); s.2=x; s.7=y", at: noon + 0.5))
                let again = try sealer.reseal(opened, at: noon + 0.5).headerValues
                #expect(
                    again == [
                        carrying("s", token([again[0]])), removal("s.2", attributes),
                        removal("s.7", attributes),
                    ])
                written += 2
                guard count > 1 else { continue }
                opened.session = bytes(170)
                let grown = try sealer.reseal(opened, at: noon + 0.5)
                let whole = token(grown.headerValues)
                #expect(whole.hasPrefix("3.S") && grown.tokenLength == whole.utf8.count - 2)
                let parts = [whole.prefix(127), whole.dropFirst(127).prefix(125), whole.dropFirst(252)]
                #expect(
                    grown.headerValues == [
                        carrying("s", parts[0]), carrying("s.1", parts[1]), carrying("s.2", parts[2]),
                        removal("s.7", attributes),
                    ])
            }
        }
        // Of 2048, those that are Secure, and of the others those without Partitioned and None.
        #expect(written == 2 * 2 * (1024 + 1024 / 2 * 3 / 4))
    }

    @Test func `Expires agrees with Max-Age to the last second that there can be`() throws {
        let sealer = try CookieSealer<Int>(
            "s", keys: sampleRing(1), lifetime: .init(absolute: .seconds(.max)),
            attributes: .init(writesExpires: true))
        let line = try sealer.seal(1, at: Date(timeIntervalSince1970: 4_294_967_295.5)).headerValues[0]
        #expect(line.contains("; Max-Age=34560000; Expires=Mon, 14 Mar 2107 06:28:15 GMT; "), "\(line)")
    }

    @Test func `the default leaves out what was not asked for`() throws {
        let line = try sealer().seal(bytes(1), at: noon).headerValues[0]
        #expect(line.hasSuffix("; Path=/; Max-Age=1209600; Secure; HttpOnly; SameSite=Lax"))
        let bare = try sealer(
            "s", .init(isSecure: false, isHTTPOnly: false, sameSite: .unspecified, endsWithBrowser: true)
        ).seal(bytes(1), at: noon)
        #expect(bare.headerValues == ["s=\(bare.token); Path=/"])
    }

    @Test func `a Domain is one that browsers take`() throws {
        func make(_ domain: String) throws { _ = try sealer("s", .init(domain: domain)) }
        let label = String(repeating: "a", count: 63)
        // 253 characters: three labels of 63, one of 61.
        let longest = [label, label, label, String(label.dropLast(2))].joined(separator: ".")
        #expect(longest.utf8.count == 253)
        for domain in [
            "example.org", ".example.org", "EXAMPLE.Org", "a-b.c", "a.b.c.d.e", "my_app.example.com",
            "_my.example.com", "xn--bcher-kva.example", "1.example.com", "127.0.0.1.example.com", "123.com",
            "example.0a", "example.0xg", "example.x0", "example.a0x1", "\(label).org", longest, ".\(longest)",
        ] {
            #expect(throws: Never.self, "\(domain)") { try make(domain) }
        }
        for domain in [
            // One label, or none.
            "", ".", "com", ".com", "localhost", ".localhost", "my_app", "a", "_",
            // Empty labels, and a dot at the end: such a cookie matches no host.
            "..", "a..b", "..a", "..a.b", "a.", "example.org.", "localhost.", ".example.org.",
            // Addresses, in all forms that browsers read as such.
            "127.0.0.1", ".127.0.0.1", "10.0.0.255", "127.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f.1",
            "0X7F.0X1",
            "1.2.3.0x", "2130706433", "0x7f000001", "256.256.256.256", "1.2.3.4.5", "example.123",
            "example.0xab",
            "::1", "[::1]", "[2001:db8::1]", "2001:db8::1", "::ffff:127.0.0.1", "[::ffff:127.0.0.1]",
            // Characters and lengths.
            "-a.b", "a-.b", "a b.c", "a;b.c", "é.org", "bücher.example", "a.b\n", "a/b.c", "a:80.b", "a.b:80",
            "*.a.b",
            "example.org;", "\u{2024}example.org", "example\u{3002}org", "example.org\u{301}", ".\u{301}a.b",
            "\(label)a.org", "\(longest)a", "a\(longest)",
        ] {
            #expect(throws: SealerConfigurationError.invalidDomain(domain), "\(domain)") { try make(domain) }
        }
        #expect(
            "\(SealerConfigurationError.invalidDomain("localhost"))".contains("a name of at least two labels")
        )
    }

    // MARK: Times

    @Test(arguments: [0, 0.001, 0.25, 0.5, 0.999])
    func `the browser keeps its copy to the session's last second, also from a fraction of one on`(
        fraction: Double
    ) throws {
        let sealer = try sealer(
            "s", .init(writesExpires: true), lifetime: .init(absolute: .seconds(1000), idle: .seconds(300)))
        let now = noon + fraction
        func times(_ sealed: SealedSession) -> String {
            String(sealed.headerValues[0].drop { $0 != ";" }.dropFirst(10).prefix { $0 != "G" })
        }
        let first = try sealer.seal(bytes(9), at: now)
        #expect(first.expiresAt == noon + 300)
        #expect(times(first) == "Max-Age=300; Expires=Mon, 03 Aug 2026 00:05:00 ")
        let opened = try sealer.open(value: first.token, at: noon + 300 - 0.001)
        // At its last moment, one whole second is left.
        let again = try sealer.reseal(opened, at: noon + 299 + fraction)
        #expect(times(again) == "Max-Age=300; Expires=Mon, 03 Aug 2026 00:09:59 ")
        let last = try CookieSealer<Data>(
            "s", keys: sampleRing(1), lifetime: .init(absolute: .seconds(300)),
            attributes: .init(writesExpires: true)
        ).reseal(opened, at: noon + 299 + fraction)
        #expect(times(last) == "Max-Age=1; Expires=Mon, 03 Aug 2026 00:05:00 ")
        #expect(throws: SealError.expired(noon + 300)) {
            try sealer.reseal(opened, at: noon + 300 + fraction)
        }
        // The age, and so the end, counts in whole seconds.
        let later = try sealer.open(value: again.token, at: noon + 299 + fraction)
        #expect(later.sealedAt == noon + 299 && later.expiresAt == noon + 599 && later.createdAt == noon)
    }

    @Test func `Max-Age is 400 days at most, to the second`() throws {
        for (seconds, expected) in [
            (34_559_999, 34_559_999), (34_560_000, 34_560_000), (34_560_001, 34_560_000),
            (Int.max, 34_560_000),
            (1, 1),
        ] {
            let sealed = try sealer(lifetime: .init(absolute: .seconds(seconds))).seal(
                bytes(9), at: noon + 0.9)
            #expect(sealed.cookies[0].maxAge == expected)
            #expect(sealed.headerValues[0].contains("; Max-Age=\(expected); Secure"))
        }
    }

    // MARK: Limits

    /// No base64url text has a length of 1 modulo 4: names of every length reach every sum.
    @Test func `a name and value of 4096 bytes pass, and of 4097 do not`() throws {
        var reached: Set<Int> = []
        for count in 3000...3004 {
            let characters = try sealer("s").seal(bytes(count), at: noon).tokenLength
            let name = String(repeating: "n", count: 4096 - characters)
            let sealed = try sealer(name).seal(bytes(count), at: noon)
            #expect(sealed.room == 0 && sealed.cookies.count == 1)
            #expect(sealed.cookies[0].name.utf8.count + sealed.cookies[0].value.utf8.count == 4096)
            let error = #expect(throws: SealError.self) {
                try sealer(name + "n").seal(bytes(count), at: noon)
            }
            guard case .tooLarge(let report)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(report.excess == 1 && report.room == -1 && report.tokenLength == characters)
            #expect(throws: OpenError.tooLong(byteCount: characters)) {
                try sealer(name + "n").open(value: sealed.token, at: noon)
            }
            reached.insert(characters % 4)
        }
        #expect(reached == [0, 2, 3])
    }

    @Test func `a line as long as its limit passes, and a byte more does not`() throws {
        let sealed = try sealer("s", .init(priority: .high)).seal(bytes(500), at: noon)
        // The longest line that these attributes make: with a Max-Age of eight digits.
        let count = sealed.headerValues[0].utf8.count + 1
        func seal(_ limits: CookieLimits) throws -> SealedSession {
            try sealer("s", .init(priority: .high), limits: limits).seal(bytes(500), at: noon)
        }
        let line = CookieLimits(nameAndValue: 4096, attributeValue: 1024, line: count)
        #expect(try seal(line).room == 0)
        let response = CookieLimits(nameAndValue: 4096, attributeValue: 1024, response: count + 14)
        #expect(try seal(response).room == 0)
        for limits in [
            CookieLimits(nameAndValue: 4096, attributeValue: 1024, line: count - 1),
            CookieLimits(nameAndValue: 4096, attributeValue: 1024, response: count + 13),
        ] {
            let error = #expect(throws: SealError.self) { try seal(limits) }
            guard case .tooLarge(let report)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(report.excess == 1)
        }
    }

    @Test func `an attribute as long as its limit passes, and a byte more does not`() throws {
        _ = try sealer("s", .init(path: "/" + String(repeating: "p", count: 1023)))
        #expect(throws: SealerConfigurationError.attributeTooLong(byteCount: 1025, limit: 1024)) {
            try sealer("s", .init(path: "/" + String(repeating: "p", count: 1024)))
        }
        let narrow = CookieLimits(nameAndValue: 4096, attributeValue: 11)
        _ = try sealer("s", .init(path: "/0123456789", domain: "example.org"), limits: narrow)
        #expect(throws: SealerConfigurationError.attributeTooLong(byteCount: 12, limit: 11)) {
            try sealer("s", .init(path: "/0123456789a"), limits: narrow)
        }
        #expect(throws: SealerConfigurationError.attributeTooLong(byteCount: 12, limit: 11)) {
            try sealer("s", .init(domain: ".example.org"), limits: narrow)
        }
        let labels = Array(repeating: "abc", count: 257).joined(separator: ".")
        #expect(throws: SealerConfigurationError.attributeTooLong(byteCount: 1027, limit: 1024)) {
            try sealer("s", .init(domain: labels))
        }
    }

    @Test func `limits and padding at their edges`() throws {
        func make(
            nameAndValue: Int = 4096, attribute: Int = 1024, line: Int? = nil, response: Int? = nil,
            padding: Int = 0
        ) throws {
            _ = try CookieSealer<Data>(
                "s", keys: sampleRing(1), lifetime: .init(absolute: .days(1)),
                limits: .init(
                    nameAndValue: nameAndValue, attributeValue: attribute, line: line, response: response),
                paddingBlock: padding)
        }
        try make(nameAndValue: 128, attribute: 1, line: 256, response: 256, padding: 2)
        try make(padding: 4096)
        for (invalid, body) in [
            ("name and value", { try make(nameAndValue: 127) }), ("attribute", { try make(attribute: 0) }),
            ("line", { try make(line: 127) }), ("response", { try make(response: 127) }),
        ] {
            #expect(throws: SealerConfigurationError.invalidLimits, "\(invalid)") { try body() }
        }
        for padding in [1, 4097, -1, .min, .max] {
            #expect(throws: SealerConfigurationError.invalidPadding(padding)) { try make(padding: padding) }
        }
        // A line that its attributes fill leaves no room for a token.
        let line = CookieLimits(nameAndValue: 4096, attributeValue: 1024, line: 128)
        _ = try sealer("s", .init(path: "/ppppp"), limits: line)
        #expect(throws: SealerConfigurationError.nameTooLong(byteCount: 1, limit: 63)) {
            try sealer("s", .init(path: "/pppppp"), limits: line)
        }
    }

    // MARK: nginx

    /// Bytes of a response's Set-Cookie headers.
    private func bytes(_ lines: [String]) -> Int {
        lines.reduce(0) { $0 + "Set-Cookie: \($1)\r\n".utf8.count }
    }

    @Test func `behind nginx a response leaves 600 bytes free, whatever is planted`() throws {
        let planted = (1...8).map { "; session.\($0)=planted" }.joined()
        for attributes in [
            SetCookie.Attributes(), .init(domain: "shop.example.org", writesExpires: true, priority: .high),
        ] {
            let sealer = try sealer("session", attributes, limits: .behindStockNginx)
            var removed: Set<Int> = []
            for count in stride(from: 10, to: 2600, by: 37) {
                guard let sealed = try? sealer.seal(bytes(count), at: noon) else { break }
                let header = "session=\(sealed.token)\(planted)"
                let opened = try #require(try sealer.open(cookieHeader: header, at: noon))
                let lines = try sealer.reseal(opened, at: noon).headerValues
                #expect(bytes(lines) <= 4096 - 600 && lines[0].hasPrefix("session=S"))
                removed.insert(lines.count - 1)
                // What is left out had no room.
                if lines.count < 9 { #expect(bytes(lines + [removal("session.8", attributes)]) > 3496) }
            }
            // All while there is room for all; none next to a full cookie.
            #expect(removed.isSuperset(of: [8, 1, 0]))
            let header = "session=x\(planted)"
            #expect(sealer.removalCookies(cookieHeader: header).count == 9)
        }
    }

    @Test func `behind nginx nothing is split, and elsewhere only what a response can hold`() throws {
        for count in 2...9 {
            // "s", at most 3482 bytes each, plus 14 for each line.
            let full = count * (3482 + 14)
            #expect(throws: SealerConfigurationError.splittingOverResponse(byteCount: full, limit: 3496)) {
                try sealer(limits: .behindStockNginx, splitting: .upTo(count))
            }
        }
        // A proxy with a buffer for two, and one byte short of it.
        let line = try sealer("s").seal(bytes(9), at: noon)
        let attributes = line.headerValues[0].utf8.count - line.tokenLength - 2 + 1
        let full = 2 * (4096 + 1 + attributes + 14)
        let fits = CookieLimits(nameAndValue: 4096, attributeValue: 1024, response: full)
        let two = try sealer(limits: fits, splitting: .upTo(2))
        for count in [10, 3500, 6000, 6080] {
            let sealed = try two.seal(bytes(count), at: noon)
            #expect(sealed.cookies.count == 2 && bytes(sealed.headerValues) <= full)
        }
        #expect(bytes(two.removalCookies().map(\.description)) <= full)
        let short = CookieLimits(nameAndValue: 4096, attributeValue: 1024, response: full - 1)
        #expect(throws: SealerConfigurationError.splittingOverResponse(byteCount: full, limit: full - 1)) {
            try sealer(limits: short, splitting: .upTo(2))
        }
    }
}
