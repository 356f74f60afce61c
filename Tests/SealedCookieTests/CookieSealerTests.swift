// The sealer as an application uses it: headers in, headers out, and how it is created.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CookieSealerTests {
    @Test func `the default cookie has the strictest attributes`() throws {
        let sealed = try loginSealer(sampleRing(1)).seal(login, at: noon)
        let header = try #require(sealed.headerValues.first)
        #expect(sealed.headerValues.count == 1)
        #expect(header.hasPrefix("__Host-session=S"))
        #expect(header.hasSuffix("; Path=/; Max-Age=1209600; Secure; HttpOnly; SameSite=Lax"))
    }

    @Test func `neither a token nor a session is shown by accident`() throws {
        let sealer = try CookieSealer<EncodedSession>(
            keys: sampleRing(1), lifetime: .init(absolute: .days(1)))
        let session = EncodedSession(try CBOREncoder.encode(["name": "Zebra"]))
        let sealed = try sealer.seal(session, at: noon)
        let opened = try sealer.open(value: sealed.token, at: noon)
        for value in [sealed, session, opened] as [any Sendable] {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] {
                #expect(!text.contains(sealed.token.dropFirst(20)) && !text.contains("Zebra"))
                // Z and e, as a dump of the bytes shows them.
                #expect(!text.contains("90") || !text.contains("101"), "\(text)")
            }
        }
        #expect(
            "\(sealed)"
                == "SealedSession(\(sealed.tokenLength) characters, expires \(Timestamp.text(noon + 86_400)))"
        )
        #expect("\(session)" == "EncodedSession(12 bytes)")
    }

    @Test func `limits without an end are those of the largest token`() throws {
        let endless = CookieLimits(nameAndValue: .max, attributeValue: .max, line: .max)
        for splitting in [CookieSplitting.never, .upTo(9)] {
            let sealer = try CookieSealer<[UInt8]>(
                keys: sampleRing(1), lifetime: .init(absolute: .days(1)), limits: endless,
                splitting: splitting, paddingBlock: 4096)
            let bytes = [UInt8](repeating: 0xA5, count: 65_000)
            let sealed = try sealer.seal(bytes, at: noon)
            #expect(sealed.cookies.filter { !$0.value.isEmpty }.count == 1 && sealed.room > 0)
            #expect(try sealer.open(value: sealed.token, at: noon).session == bytes)
        }
    }

    // MARK: Cookie headers

    @Test func `no header and no cookie are no session, and no error`() throws {
        let sealer = try loginSealer(sampleRing(1))
        #expect(try sealer.open(cookieHeader: nil, at: noon) == nil)
        for header in [
            "", "a=b", "__Host-sessionx=S", "x__Host-session=S", "__host-session=S", ";;;", "=", "S",
        ] {
            #expect(try sealer.open(cookieHeader: header, at: noon) == nil, "\(header)")
        }
    }

    @Test func `the cookie is found whatever stands around it`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let token = try sealer.seal(login, at: noon).token
        for header in [
            "__Host-session=\(token)", "a=b; __Host-session=\(token); c=d", "a=b;__Host-session=\(token)",
            "x={\"k\":\"v\"}; bare;  __Host-session = \(token) ;", "__Host-session=\"\(token)\"",
            "\t__Host-session=\(token)\t", ";;=;__Host-session=\(token)", "é=ü; __Host-session=\(token)",
        ] {
            #expect(try sealer.open(cookieHeader: header, at: noon)?.session == login, "\(header)")
        }
        #expect(
            try sealer.open(cookieHeaders: ["a=b", "__Host-session=\(token)"], at: noon)?.session == login)
    }

    @Test func `a cookie that another planted does not sign anybody out`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let token = try sealer.seal(login, at: noon).token
        let expired = try sealer.seal(login, at: noon - 20 * 86_400).token
        let name = "__Host-session="
        #expect(
            try sealer.open(
                cookieHeader: "\(name)planted; \(name)\(expired); \(name); \(name)\(token)", at: noon)?
                .session == login)
        // Five different values of one name: the bound on what one request can cost.
        #expect(throws: OpenError.notBase64URL) {
            try sealer.open(
                cookieHeaders: ["\(name)no!", "\(name)1; \(name)2; \(name)3; \(name)\(token)"], at: noon)
        }
        // The refusal of an authentic one.
        #expect(throws: OpenError.expired(noon - 6 * 86_400)) {
            try sealer.open(cookieHeader: "\(name)planted; \(name)\(expired)", at: noon)
        }
    }

    @Test func `Expires agrees with Max-Age`() throws {
        let sealer = try CookieSealer<Int>(
            "s", keys: sampleRing(1), lifetime: .init(absolute: .days(1000)),
            attributes: .init(writesExpires: true))
        let line = try sealer.seal(1, at: noon).headerValues[0]
        // 400 days, the most that browsers accept, after 2026-08-03.
        #expect(line.contains("; Max-Age=34560000; Expires=Tue, 07 Sep 2027 00:00:00 GMT; Secure"))
        let removal = sealer.removalCookies()[0].description
        #expect(
            removal
                == "s=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly; SameSite=Lax"
        )
        let leap = try sealer.seal(
            1, lifetime: .init(absolute: .days(1)), at: Date(timeIntervalSince1970: 1_835_395_199)
        )
        .headerValues[0]
        #expect(leap.contains("Expires=Tue, 29 Feb 2028 23:59:59 GMT"))
    }

    // MARK: Configuration

    @Test func `cookies that browsers would drop are refused when the sealer is made`() throws {
        let ring = try sampleRing(1)
        func make(
            _ name: String, _ attributes: SetCookie.Attributes = .init(), padding: Int = 0,
            limits: CookieLimits = .rfc6265bis
        ) throws(SealerConfigurationError) {
            _ = try CookieSealer<Login>(
                name, keys: ring, lifetime: .init(absolute: .days(1)), attributes: attributes, limits: limits,
                paddingBlock: padding)
        }
        #expect(throws: SealerConfigurationError.hostPrefixForbidsDomain) {
            try make("__Host-s", .init(domain: "example.org"))
        }
        #expect(throws: SealerConfigurationError.hostPrefixNeedsSecure) {
            try make("__Host-s", .init(isSecure: false))
        }
        #expect(throws: SealerConfigurationError.hostPrefixNeedsSecure) {
            try make("__hOST-s", .init(isSecure: false))
        }
        #expect(throws: SealerConfigurationError.hostPrefixNeedsRootPath) {
            try make("__Host-s", .init(path: "/a"))
        }
        #expect(throws: SealerConfigurationError.securePrefixNeedsSecure) {
            try make("__Secure-s", .init(isSecure: false))
        }
        #expect(throws: SealerConfigurationError.sameSiteNoneNeedsSecure) {
            try make("s", .init(isSecure: false, sameSite: .none))
        }
        #expect(throws: SealerConfigurationError.partitionedNeedsSecure) {
            try make("s", .init(isSecure: false, isPartitioned: true))
        }
        for name in ["", "a b", "a=b", "a;b", "é", "a\"", "(a)", "a,b", "a\n"] {
            #expect(throws: SealerConfigurationError.invalidName(name)) { try make(name) }
        }
        for path in ["", "a", "/;", "/\n", "/é", "/a "] {
            #expect(throws: SealerConfigurationError.invalidPath(path)) { try make("s", .init(path: path)) }
        }
        for name in ["__Http-s", "__http-s", "__Host-Http-s"] {
            #expect(throws: SealerConfigurationError.httpPrefixNeedsHTTPOnly) {
                try make(name, .init(isHTTPOnly: false))
            }
            try make(name)
        }
        #expect(throws: SealerConfigurationError.httpPrefixNeedsSecure) {
            try make("__Http-s", .init(isSecure: false))
        }
        let long = "/" + String(repeating: "p", count: 1024)
        #expect(throws: SealerConfigurationError.attributeTooLong(byteCount: 1025, limit: 1024)) {
            try make("s", .init(path: long))
        }
        #expect(throws: SealerConfigurationError.nameTooLong(byteCount: 4034, limit: 4096)) {
            try make(String(repeating: "n", count: 4034))
        }
        try make(String(repeating: "n", count: 4033))
        #expect(throws: SealerConfigurationError.invalidPadding(1)) { try make("s", padding: 1) }
        #expect(throws: SealerConfigurationError.invalidLimits) {
            try make("s", limits: CookieLimits(nameAndValue: 127, attributeValue: 1024))
        }
        try make("__Secure-s", .init(domain: "example.org", sameSite: .none, isPartitioned: true))
        try make("s", .init(isSecure: false, sameSite: .strict))
    }

    // MARK: Concurrency

    @Test func `one sealer serves many threads`() async throws {
        let sealer = try loginSealer(sampleRing(1))
        try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for round in 0..<200 {
                        var session = login
                        session.user = task * 1000 + round
                        session.name = String(repeating: "x", count: round)
                        let token = try sealer.seal(session, at: noon).token
                        let opened = try sealer.open(value: token, at: noon)
                        #expect(opened.session == session)
                    }
                    return 200
                }
            }
            var rounds = 0
            for try await count in group { rounds += count }
            #expect(rounds == 1600)
        }
    }
}
