// Sessions in several cookies, and Cookie headers of every shape.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct SplittingTests {
    private static let random: [UInt8] = {
        var random = SplitMix(state: 9)
        return (0..<30_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }()

    private func sealer(
        _ count: Int = 4, name: String = "__Host-session", limits: CookieLimits = .rfc6265bis
    ) throws -> CookieSealer<Data> {
        try CookieSealer(
            name, keys: sampleRing(1), lifetime: .init(absolute: .days(14)), limits: limits,
            splitting: .upTo(count))
    }

    /// A session of this many bytes.
    private func session(_ count: Int) -> Data { Data(Self.random.prefix(count)) }

    /// The cookies that a browser has after `cookies`, in any order.
    private func jar(_ cookies: [SetCookie], _ jar: [String: String] = [:]) -> [String: String] {
        var jar = jar
        for cookie in cookies { jar[cookie.name] = cookie.maxAge == 0 ? nil : cookie.value }
        return jar
    }

    private func header(_ jar: [String: String]) -> String {
        jar.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
    }

    @Test func `every size comes back, in as few cookies as it takes, none over the limit`() throws {
        let sealer = try sealer()
        for count in Array(stride(from: 0, to: 12_000, by: 397)) + [3013, 3014, 3015, 3016] {
            let sealed = try sealer.seal(session(count), at: noon)
            let carrying = sealed.cookies.filter { $0.maxAge != 0 }
            #expect(carrying.allSatisfy { $0.name.utf8.count + $0.value.utf8.count <= 4096 })
            #expect(carrying.dropLast().allSatisfy { $0.name.utf8.count + $0.value.utf8.count == 4096 })
            let expected = sealed.tokenLength <= 4082 ? 1 : (sealed.tokenLength + 4079) / 4080
            #expect(carrying.count == expected)
            // Always all four names, so that nothing of a longer session is left.
            #expect(
                sealed.cookies.map(\.name)
                    == ["__Host-session", "__Host-session.1", "__Host-session.2", "__Host-session.3"])
            let opened = try #require(try sealer.open(cookieHeader: header(jar(sealed.cookies)), at: noon))
            #expect(opened.session == session(count) && !opened.needsResealing)
        }
    }

    @Test func `the largest that fits, and one more`() throws {
        for (count, name) in [(1, "s"), (2, "__Host-session"), (4, "s"), (9, "__Host-session")] {
            let sealer = try sealer(count, name: name)
            let tokenLimit =
                count == 1 ? 4096 - name.utf8.count : count * (4096 - name.utf8.count - 2)
            // 40 bytes around the payload; flags, times and a head of 3 bytes in it.
            let largest = tokenLimit / 4 * 3 + [0, 0, 1, 2][tokenLimit % 4] - 40 - 6 - 3
            let sealed = try sealer.seal(session(largest), at: noon)
            #expect(sealed.tokenLimit == tokenLimit && sealed.room <= 1)
            #expect(
                try sealer.open(cookieHeader: header(jar(sealed.cookies)), at: noon)?.session
                    == session(largest))
            let error = #expect(throws: SealError.self) { try sealer.seal(session(largest + 1), at: noon) }
            guard case .tooLarge(let report) = error else { return #expect(Bool(false)) }
            #expect(report.cookieCount == count + 1 && (1...2).contains(report.excess))
        }
    }

    @Test func `growing and shrinking leave no stale part, and sealing again removes only what is there`()
        throws
    {
        let sealer = try sealer()
        var jar: [String: String] = ["theme": "dark"]
        for count in [10, 9000, 3000, 6000, 100, 11_000, 0] {
            let opened = try sealer.open(cookieHeader: header(jar), at: noon)
            let sealed: SealedSession
            if var opened {
                let before = jar.count - 1
                opened.session = session(count)
                sealed = try sealer.reseal(opened, at: noon)
                let carrying = sealed.cookies.count { $0.maxAge != 0 }
                #expect(sealed.cookies.count == max(before, carrying))
            } else {
                sealed = try sealer.seal(session(count), at: noon)
            }
            jar = self.jar(sealed.cookies, jar)
            #expect(jar.count - 1 == max(1, (sealed.tokenLength + 4079) / 4080) || sealed.tokenLength <= 4082)
            #expect(try sealer.open(cookieHeader: header(jar), at: noon)?.session == session(count))
        }
        jar = self.jar(sealer.removalCookies(), jar)
        #expect(jar == ["theme": "dark"])
        #expect(try sealer.open(cookieHeader: header(jar), at: noon) == nil)
    }

    /// It is removed with the next write; `ResealingTests` says when that is.
    @Test func `a stale part is ignored, and removed when the session is sealed again`() throws {
        let sealer = try sealer()
        var jar = self.jar(try sealer.seal(session(10), at: noon).cookies)
        jar["__Host-session.2"] = "stale"
        let opened = try #require(try sealer.open(cookieHeader: header(jar), at: noon))
        #expect(opened.session == session(10) && !opened.needsResealing)
        jar = self.jar(try sealer.reseal(opened, at: noon).cookies, jar)
        #expect(jar.keys.sorted() == ["__Host-session"])
        jar = self.jar(try sealer.seal(session(5000), at: noon).cookies)
        jar["__Host-session.3"] = "stale"
        let two = try #require(try sealer.open(cookieHeader: header(jar), at: noon))
        jar = self.jar(try sealer.reseal(two, at: noon).cookies, jar)
        #expect(jar.keys.sorted() == ["__Host-session", "__Host-session.1"])
    }

    @Test func `missing, mixed and too many parts are refused`() throws {
        let sealer = try sealer()
        let cookies = self.jar(try sealer.seal(session(8000), at: noon).cookies)
        #expect(cookies.count == 3)
        for (missing, index) in [("__Host-session.1", 1), ("__Host-session.2", 2)] {
            var jar = cookies
            jar[missing] = nil
            #expect(throws: OpenError.missingPart(index, of: 3)) {
                try sealer.open(cookieHeader: header(jar), at: noon)
            }
        }
        var jar = cookies
        jar["__Host-session"] = nil
        #expect(try sealer.open(cookieHeader: header(jar), at: noon) == nil)
        // A part of another sealing of the same session.
        jar = cookies
        jar["__Host-session.1"] =
            self.jar(try sealer.seal(session(8000), at: noon).cookies)["__Host-session.1"]
        #expect(throws: OpenError.notAuthentic) { try sealer.open(cookieHeader: header(jar), at: noon) }
        // Parts in the wrong order, and a wrong count.
        jar = cookies
        (jar["__Host-session.1"], jar["__Host-session.2"]) = (
            jar["__Host-session.2"], jar["__Host-session.1"]
        )
        #expect(throws: OpenError.self) { try sealer.open(cookieHeader: header(jar), at: noon) }
        for (count, error) in [
            ("2", OpenError.notAuthentic), ("4", .missingPart(3, of: 4)), ("9", .tooManyCookies(9, limit: 4)),
            ("1", .notBase64URL), ("0", .notBase64URL), ("x", .notBase64URL),
        ] {
            jar = cookies
            jar["__Host-session"] = count + (cookies["__Host-session"] ?? "").dropFirst()
            #expect(throws: error) { try sealer.open(cookieHeader: header(jar), at: noon) }
        }
        // A reader that allows fewer, and one that allows one.
        #expect(throws: OpenError.tooManyCookies(3, limit: 2)) {
            try self.sealer(2).open(cookieHeader: header(cookies), at: noon)
        }
        #expect(throws: OpenError.tooManyCookies(3, limit: 1)) {
            try self.sealer(1).open(cookieHeader: header(cookies), at: noon)
        }
        // The first cookie's value alone is no token.
        #expect(throws: OpenError.notBase64URL) {
            try sealer.open(value: cookies["__Host-session"] ?? "", at: noon)
        }
    }

    @Test func `a first part may be empty`() throws {
        let sealer = try sealer(4)
        let token = try #require(sealer.seal(session(10), at: noon).cookies.first).value
        let opened = try sealer.open(
            cookieHeader: "__Host-session=2.; __Host-session.1=\(token)", at: noon)
        #expect(opened?.session == session(10))
        #expect(throws: OpenError.tooManyCookies(9, limit: 4)) {
            try sealer.open(cookieHeader: "__Host-session=9.", at: noon)
        }
        #expect(throws: OpenError.missingPart(1, of: 2)) {
            try sealer.open(cookieHeader: "__Host-session=2.", at: noon)
        }
    }

    @Test func `the longest name leaves room for the smallest token, whole or in parts`() throws {
        let name = String(repeating: "n", count: 4033)
        for count in [1, 2] {
            let sealer = try sealer(count, name: name)
            func sizes(_ cookies: [SetCookie]) throws -> [Int] {
                let opened = try sealer.open(cookieHeader: header(jar(cookies)), at: noon)
                #expect(opened?.expiresAt != nil)
                return cookies.filter { $0.maxAge != 0 }.map { $0.name.utf8.count + $0.value.utf8.count }
            }
            #expect(try sizes(sealer.seal(session(0), at: noon).cookies) == [4096])
            if count == 1 {
                #expect(throws: SealError.self) { try sealer.seal(session(1), at: noon) }
            } else {
                #expect(try sizes(sealer.seal(session(1), at: noon).cookies) == [4096, 4035 + 3])
            }
        }
    }

    @Test func `tossed cookies of the same names sign nobody out`() throws {
        let sealer = try sealer()
        let cookies = try sealer.seal(session(8000), at: noon).cookies.filter { $0.maxAge != 0 }
        var random = SplitMix(state: 10)
        for _ in 0..<50 {
            var pairs = cookies.map { "\($0.name)=\($0.value)" }
            pairs.append(
                "__Host-session=\(["evil", "3.SAAA", "2.S", ""].randomElement(using: &random) ?? "")")
            pairs.append("__Host-session.1=evil")
            if random.next() & 1 == 0 { pairs.append("__Host-session.2=evil") }
            pairs.shuffle(using: &random)
            #expect(
                try sealer.open(cookieHeader: pairs.joined(separator: "; "), at: noon)?.session
                    == session(8000))
        }
    }

    @Test func `several headers are one`() throws {
        let sealer = try sealer()
        let pairs = try sealer.seal(session(8000), at: noon).cookies.map { "\($0.name)=\($0.value)" }
        #expect(try sealer.open(cookieHeaders: pairs.reversed(), at: noon)?.session == session(8000))
        #expect(try sealer.open(cookieHeaders: [], at: noon) == nil)
    }

    @Test func `limits of a whole line hold for every cookie`() throws {
        for (limits, cookies, most) in [
            (CookieLimits.strictest, 3, 7000), (.behindStockNginx, 1, 2500),
        ] {
            let sealer = try sealer(cookies, limits: limits)
            for count in stride(from: 2000, to: most, by: 113) {
                let sealed = try sealer.seal(session(count), at: noon)
                #expect(sealed.cookies.allSatisfy { $0.description.utf8.count <= limits.line ?? 0 })
                #expect(
                    try sealer.open(cookieHeader: header(jar(sealed.cookies)), at: noon)?.session
                        == session(count))
            }
        }
    }

    @Test func `the report says what splitting costs and whom it is too much for`() throws {
        let one = try sealer(1)
        let report = try one.sizeReport(for: session(7000), at: noon)
        #expect(report.cookieCount == 3 && report.room < 0)
        let jar = self.jar(try sealer(3).seal(session(7000), at: noon).cookies)
        #expect(report.headerByteCount == header(jar).utf8.count)
        #expect(
            report.refusingServers.map(\.cookieHeader) == [8097, 8128, 8128, 8180, 8182, 8183, 8184, 8192])
        #expect(
            "\(report)".contains(
                "split, it takes 3 cookies, \(report.headerByteCount) bytes of each request, more than curl 7.88"
            ))
        #expect(try one.sizeReport(for: session(5), at: noon).refusingServers.isEmpty)
        #expect(ServerLimit.common.map(\.cookieHeader) == ServerLimit.common.map(\.cookieHeader).sorted())
    }

    @Test func `splittings that make no sense are refused`() throws {
        for count in [0, -1, 10, Int.max] {
            #expect(throws: SealerConfigurationError.invalidSplitting(count)) { try sealer(count) }
        }
    }

    // MARK: Headers

    @Test func `ten thousand changed headers do no harm`() throws {
        let sealer = try sealer()
        var random = SplitMix(state: 11)
        let good = header(jar(try sealer.seal(session(3500), at: noon).cookies))
        let seeds = [good, "a=b; \(good); c=\"d\"", "__Host-session=\"\(good.suffix(60))\";;; =; x; \(good)"]
            .map { Array($0.utf8) }
        var opened = 0
        for round in 0..<10_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0...random.next() % 3 {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 5 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.insert(contentsOf: "; \"=".utf8, at: place)
                case 2: bytes.removeSubrange(place..<min(bytes.count, place + 9))
                case 3: bytes.insert(contentsOf: bytes[place...].prefix(40), at: place)
                default: bytes.append(contentsOf: "; __Host-session.\(random.next() % 12)=x".utf8)
                }
            }
            let header = String(decoding: bytes, as: UTF8.self)
            if let found = try? sealer.open(cookieHeader: header, at: noon) {
                // Whatever surrounded it, an authentic session is the one that was sealed.
                #expect(found.session == session(3500))
                opened += 1
            }
        }
        #expect(opened > 300 && opened < 9000)
    }

    @Test func `a megabyte of cookies is read once`() throws {
        let sealer = try sealer()
        let cookies = try sealer.seal(session(3500), at: noon).cookies.map { "\($0.name)=\($0.value)" }
        let junk = (0..<100_000).map { "c\($0)=vv" }.joined(separator: "; ")
        #expect(junk.utf8.count > 1_000_000)
        #expect(
            try sealer.open(cookieHeader: "\(cookies[0]); \(junk); \(cookies[1])", at: noon)?.session
                == session(3500))
        // All with the same name: only four are tried.
        let doubles = Array(repeating: "__Host-session=\(Token.example)", count: 12_000).joined(
            separator: ";")
        #expect(throws: OpenError.self) { try sealer.open(cookieHeader: doubles, at: noon) }
        #expect(try sealer.open(cookieHeader: String(repeating: ";", count: 1_000_000), at: noon) == nil)
        #expect(try sealer.open(cookieHeader: String(repeating: "=", count: 1_000_000), at: noon) == nil)
        let header = Array(junk.utf8)
        let found = CookieHeader(header.span, name: Array("c5".utf8))
        #expect(found.values.count == 1 && found.parts.isEmpty)
    }
}

extension Token {
    /// A token of an unknown key.
    fileprivate static let example = "S" + String(repeating: "A", count: 79)
}
