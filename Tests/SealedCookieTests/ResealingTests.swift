// Sealing again: when, what goes with it, and by whom.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ResealingTests {
    private static let random: [UInt8] = {
        var random = SplitMix(state: 22)
        return (0..<30_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }()

    private func session(_ count: Int) -> Data { Data(Self.random.prefix(count)) }

    private func sealer<Session: Codable & Sendable>(
        _ type: Session.Type = Data.self, name: String = "session", purpose: String = "",
        lifetime: SessionLifetime = .init(absolute: .days(14)), attributes: SetCookie.Attributes = .init(),
        splitting: Int = 1, keys: KeyRing? = nil
    ) throws -> CookieSealer<Session> {
        try CookieSealer(
            name, keys: keys ?? sampleRing(1), lifetime: lifetime, purpose: purpose, attributes: attributes,
            splitting: .upTo(splitting))
    }

    private func header(_ cookies: [SetCookie]) -> String {
        cookies.filter { $0.maxAge != 0 }.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
    }

    private func removed(_ cookies: [SetCookie]) -> [String] { cookies.filter { $0.maxAge == 0 }.map(\.name) }

    // MARK: When

    /// Whether a session that was sealed at noon by one sealer needs to be sealed again by another.
    private func needs(
        after seconds: Double, of written: SessionLifetime, under policy: SessionLifetime? = nil,
        own: SessionLifetime.Span? = nil, endsWithBrowser: Bool = false
    ) throws -> Bool {
        let attributes = SetCookie.Attributes(endsWithBrowser: endsWithBrowser)
        let sealed = try sealer(lifetime: written, attributes: attributes).seal(
            session(9), lifetime: own, at: noon + 0.5)
        return try sealer(lifetime: policy ?? written, attributes: attributes)
            .open(value: sealed.token, at: noon + seconds).needsResealing
    }

    @Test func `a cookie that the browser drops after 400 days is written again after 40`() throws {
        let day = 86_400.0
        for policy in [
            SessionLifetime(absolute: .days(1000)), .init(absolute: .days(401)), .init(absolute: .days(400)),
            .init(absolute: .days(1000), idle: .days(500)), .init(absolute: .seconds(.max)),
        ] {
            #expect(try !needs(after: 40 * day - 0.001, of: policy))
            #expect(try needs(after: 40 * day, of: policy))
        }
        // A session's own lifetime counts in place of the policy's.
        let two = SessionLifetime(absolute: .days(2))
        #expect(try !needs(after: 40 * day - 1, of: two, own: .days(3650)))
        #expect(try needs(after: 40 * day, of: two, own: .days(3650)))
        #expect(try needs(after: 600, of: .init(absolute: .days(1000)), own: .seconds(6000)))
        #expect(try !needs(after: 599, of: .init(absolute: .days(1000)), own: .seconds(6000)))
        // Sealed again, a session of a thousand days stays in the browser to its end.
        let sealer = try sealer(lifetime: .init(absolute: .days(1000)))
        var sealed = try sealer.seal(session(9), at: noon)
        var (now, inBrowser) = (noon, noon)
        while now < noon + 999 * day {
            inBrowser = now + Double(try #require(sealed.cookies[0].maxAge))
            now += 41 * day
            guard now < noon + 1000 * day else { break }
            #expect(now < inBrowser)
            let opened = try sealer.open(value: sealed.token, at: now)
            #expect(opened.needsResealing)
            sealed = try sealer.reseal(opened, at: now)
        }
        #expect(inBrowser == noon + 1000 * day)
    }

    @Test func `a cookie that was written under a shorter policy is written again while the browser has it`()
        throws
    {
        let hour = 3600.0
        let (day, ten) = (SessionLifetime(absolute: .days(1)), SessionLifetime(absolute: .hours(239)))
        #expect(try needs(after: 24 * hour - 1, of: day, under: ten))
        #expect(try !needs(after: 24 * hour - 1, of: day, under: .init(absolute: .days(11))))
        #expect(try needs(after: 12 * hour, of: day, under: .init(absolute: .days(5))))
        #expect(
            try needs(
                after: hour, of: .init(absolute: .days(10), idle: .hours(2)),
                under: .init(absolute: .days(10), idle: .hours(10))))
    }

    /// What a token was written under is not known: the policy's own time decides, ten times at most.
    @Test func `a session is written again ten times in its life at most, and never on every request`() throws
    {
        for policy in [
            SessionLifetime(absolute: .days(14)), .init(absolute: .days(14), idle: .days(14)),
            .init(absolute: .days(14), idle: .days(400)), .init(absolute: .hours(1)),
        ] {
            let sealer = try sealer(lifetime: policy, splitting: 9)
            var sealed = try sealer.seal(session(9), at: noon)
            let step = Double(policy.absolute.seconds) / 1000
            var writes = 0
            for request in 1..<1000 {
                let now = noon + Double(request) * step
                // Parts that a sibling domain has planted for good.
                let opened = try #require(
                    try sealer.open(
                        cookieHeader: header(sealed.cookies) + "; session.5=x; session.8=y", at: now))
                guard opened.needsResealing else { continue }
                writes += 1
                sealed = try sealer.reseal(opened, at: now)
                #expect(removed(sealed.cookies) == ["session.5", "session.8"])
            }
            #expect((9...10).contains(writes))
        }
    }

    @Test func `what ends with the browser is written again for its idle time alone`() throws {
        let long = SessionLifetime(absolute: .days(1000))
        #expect(try !needs(after: 86_400 * 999, of: long, endsWithBrowser: true))
        let idle = SessionLifetime(absolute: .hours(1), idle: .hours(20))
        #expect(try !needs(after: 3599, of: idle, endsWithBrowser: true))
        #expect(
            try needs(after: 7200, of: .init(absolute: .days(1), idle: .hours(20)), endsWithBrowser: true))
        // Not to remove parts: anybody on a sibling domain can plant them for good.
        let sealer = try sealer(lifetime: long, attributes: .init(endsWithBrowser: true))
        let value = try sealer.seal(session(9), at: noon).token
        func needsWith(_ more: String, _ seconds: Double) throws -> Bool {
            try #require(try sealer.open(cookieHeader: "session=\(value)\(more)", at: noon + seconds))
                .needsResealing
        }
        for planted in ["", "; session.1=x", "; session.5=x; session.8=2.", "; session.9=x"] {
            #expect(try !needsWith(planted, 86_400 * 40) && !needsWith(planted, 86_400 * 999))
        }
    }

    @Test func `in a short span too a session is written again ten times at most, and once a second`() throws
    {
        for seconds in 1...25 {
            for policy in [
                SessionLifetime(absolute: .seconds(seconds)),
                .init(absolute: .days(1), idle: .seconds(seconds)),
            ] {
                let sealer = try sealer(lifetime: policy)
                var (writes, value) = (0, try sealer.seal(session(9), at: noon + 0.95).token)
                for request in 1..<(seconds * 100) {
                    let now = noon + 0.95 + Double(request) / 100
                    guard now < noon + Double(seconds) else { break }
                    let opened = try sealer.open(value: value, at: now)
                    guard opened.needsResealing else { continue }
                    #expect(now.timeIntervalSince(opened.sealedAt) >= 1)
                    writes += 1
                    value = try sealer.reseal(opened, at: now).token
                }
                #expect(writes <= min(10, seconds - 1), "\(seconds) s")
            }
        }
    }

    @Test func `another dictionary is no reason to write before a tenth of the time is over`() throws {
        struct User: Codable, Sendable, Equatable {
            var userName = "ada", roles = ["member", "admin"], shop = "basket"
        }
        let own = try CompressionDictionary(Array("userName roles member admin shop basket".utf8))
        func sealer(
            _ compression: SessionCompression, _ endsWithBrowser: Bool, idle: SessionLifetime.Span? = nil
        )
            throws -> CookieSealer<User>
        {
            try CookieSealer(
                "session", keys: sampleRing(1), lifetime: .init(absolute: .days(10), idle: idle),
                attributes: .init(endsWithBrowser: endsWithBrowser), compression: compression)
        }
        let day = 86_400.0
        for endsWithBrowser in [false, true] {
            let new = try sealer(.dictionaries([own]), endsWithBrowser)
            let old = try sealer(.dictionaries([own, .standard]), endsWithBrowser)
            for (writer, reader) in [(new, old), (old, new)] {
                let value = try writer.seal(User(), at: noon).token
                #expect(try !reader.open(value: value, at: noon + day - 1).needsResealing)
                #expect(try reader.open(value: value, at: noon + day).needsResealing)
                #expect(try writer.open(value: value, at: noon + day).needsResealing != endsWithBrowser)
            }
            // A fleet of both, in the middle of a change.
            var (value, writes) = (try new.seal(User(), at: noon).token, 0)
            for request in 1..<1000 {
                let (now, server) = (noon + Double(request) * 863, request % 2 == 0 ? new : old)
                let opened = try server.open(value: value, at: now)
                guard opened.needsResealing else { continue }
                writes += 1
                value = try server.reseal(opened, at: now).token
            }
            #expect((1...10).contains(writes))
        }
        let idle = try sealer(.dictionaries([own]), true, idle: .hours(10))
        let value = try sealer(.standard, true).seal(User(), at: noon).token
        #expect(try !idle.open(value: value, at: noon + 3599).needsResealing)
        #expect(try idle.open(value: value, at: noon + 3600).needsResealing)
    }

    @Test func `a session that must not be sealed again is not encoded`() throws {
        struct Counted: Codable, Sendable {
            nonisolated(unsafe) static var asked = 0
            init() {}
            init(from decoder: any Decoder) throws {}
            func encode(to encoder: any Encoder) throws { unsafe Self.asked += 1 }
        }
        let sealer = try sealer(Counted.self)
        let opened = try sealer.open(value: sealer.seal(Counted(), at: noon).token, at: noon)
        let before = unsafe Counted.asked
        let none = try KeyRing([sampleKey(1)], revoked: [sampleKey(1).id])
        let ended = try KeyRing([sampleKey(1)], notBefore: noon + 1)
        let cases: [(CookieSealer<Counted>, Date)] = [
            (sealer, noon.addingTimeInterval(86_400 * 15)), (sealer, Date(timeIntervalSince1970: -9)),
            (try self.sealer(Counted.self, name: "other"), noon),
            (try self.sealer(Counted.self, keys: none), noon),
            (try self.sealer(Counted.self, keys: ended), noon.addingTimeInterval(2)),
        ]
        for (other, now) in cases {
            #expect(throws: SealError.self) { try other.reseal(opened, at: now) }
            #expect(unsafe Counted.asked == before)
        }
        _ = try sealer.reseal(opened, at: noon)
        #expect(unsafe Counted.asked == before + 1)
    }

    @Test func `a key that is pending here is no reason to seal again with an older one`() throws {
        let (old, next) = (try sampleKey(1), try sampleKey(2, from: noon + 30))
        let ring = try KeyRing([old, next])
        // Another server's clock is 31 s ahead.
        let sealed = try sealer(keys: ring).seal(session(9), at: noon + 31)
        let opened = try sealer(keys: ring).open(value: sealed.token, at: noon)
        #expect(opened.keyID == next.id && !opened.needsResealing)
        // When the session has changed, it goes out under the key that seals here.
        let again = try sealer(keys: ring).reseal(opened, at: noon)
        #expect(try sealer(keys: ring).open(value: again.token, at: noon).keyID == old.id)
        #expect(try sealer(keys: ring).open(value: again.token, at: noon + 30).needsResealing)
        #expect(try !sealer(keys: ring).open(value: sealed.token, at: noon + 30).needsResealing)
    }

    @Test func `a session is sealed again with the ring of a followed file as it is then`() throws {
        let folder = try ToolFolder()
        let file = try KeyRingFile(folder.ring, lookingEvery: .zero)
        let sealer = try CookieSealer<Data>("session", keys: file, lifetime: .init(absolute: .days(14)))
        let began = Date.now
        let opened = try sealer.open(value: sealer.seal(session(9), at: began).token, at: began)
        let same = try sealer.open(value: sealer.reseal(opened, at: began + 1).token, at: began + 1)
        #expect(same.keyID == opened.keyID && same.session == session(9) && !same.needsResealing)
        #expect(same.createdAt == opened.createdAt)
        let ring = try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in
            try ring.rotated(from: began - 3600).ring
        }
        let later = try sealer.open(value: sealer.reseal(opened, at: began + 2).token, at: began + 2)
        #expect(later.keyID == ring.activeKey(at: began)?.id && later.keyID != opened.keyID)
        #expect(later.createdAt == opened.createdAt && later.session == session(9))
        #expect(try sealer.open(value: sealer.seal(session(9)).token).keyID == later.keyID)
        let other = try CookieSealer<Data>("other", keys: file, lifetime: .init(absolute: .days(14)))
        #expect(try other.open(value: other.adopt(later).token).keyID == later.keyID)
    }

    // MARK: Parts

    @Test
    func `parts of a larger splitting are removed with the next write, also where nothing is split any more`()
        throws
    {
        let cookies = try sealer(splitting: 4).seal(session(11_000), at: noon).cookies
        #expect(cookies.map(\.name) == ["session", "session.1", "session.2", "session.3"])
        for count in [1, 2, 3] {
            let fewer = try sealer(splitting: count)
            let small = try fewer.seal(session(10), at: noon)
            // As in a browser that has got only the first cookie of it.
            let header = "\(self.header(Array(cookies.dropFirst()))); session=\(small.token)"
            let opened = try #require(try fewer.open(cookieHeader: header, at: noon))
            let again = try fewer.reseal(opened, at: noon)
            #expect(removed(again.cookies) == ["session.1", "session.2", "session.3"])
            let gone = try #require(try fewer.open(cookieHeader: self.header(again.cookies), at: noon))
            #expect(try removed(fewer.reseal(gone, at: noon).cookies) == [])
            // A session that grows writes the parts that it has, and removes the others.
            guard count > 1 else { continue }
            var grown = opened
            grown.session = session(4000)
            let two = try fewer.reseal(grown, at: noon)
            #expect(two.cookies.map(\.name) == ["session", "session.1", "session.2", "session.3"])
            #expect(removed(two.cookies) == ["session.2", "session.3"])
        }
        // What still is in more cookies than are allowed is no session; signing out removes it whole.
        let one = try sealer()
        let header = self.header(cookies)
        #expect(throws: OpenError.tooManyParts(4, limit: 1)) { try one.open(cookieHeader: header, at: noon) }
        #expect(one.removal().map(\.name) == ["session"])
        let all = ["session.1", "session.2", "session.3", "session"]
        #expect(removed(one.removal(cookieHeader: header)) == all)
        #expect(removed(one.removal(cookieHeaders: cookies.map { "\($0.name)=\($0.value)" })) == all)
        #expect(removed(one.removal(cookieHeader: "other=1")) == ["session"])
        #expect(
            try removed(sealer(splitting: 3).removal(cookieHeader: "session.1=x; session.7=y"))
                == ["session.1", "session.2", "session.7", "session"])
    }

    @Test func `signing in removes what its request has of an older session, whatever may be split now`()
        throws
    {
        let header = self.header(try sealer(splitting: 4).seal(session(11_000), at: noon).cookies)
        let new = session(9)
        for count in 1...4 {
            let sealer = try sealer(splitting: count)
            let own = (1..<count).map { "session.\($0)" }
            #expect(try removed(sealer.seal(new, at: noon).cookies) == own)
            let all = ["session.1", "session.2", "session.3"]
            #expect(try removed(sealer.seal(new, cookieHeader: header, at: noon).cookies) == all)
            let headers = header.split(separator: "; ").map(String.init) + ["other=1"]
            #expect(try removed(sealer.seal(new, cookieHeaders: headers, at: noon).cookies) == all)
            // A request from another site may come without its cookies.
            for other in ["", "other=1; session=x"] {
                #expect(try removed(sealer.seal(new, cookieHeader: other, at: noon).cookies) == own)
            }
            #expect(try removed(sealer.seal(new, cookieHeaders: [], at: noon).cookies) == own)
            let sealed = try sealer.seal(new, lifetime: .days(1), cookieHeader: header, at: noon)
            #expect(sealed.expiresAt == noon + 86_400)
        }
        let two = try sealer(splitting: 2).seal(session(4000), cookieHeader: header, at: noon)
        #expect(two.cookies.map(\.name) == ["session", "session.1", "session.2", "session.3"])
        #expect(removed(two.cookies) == ["session.2", "session.3"])
    }

    @Test func `one response removes eight parts at most, and only those with a part's name`() throws {
        for count in [1, 2, 9] {
            let sealer = try sealer(splitting: count)
            let value = try sealer.seal(session(10), at: noon).token
            let junk = (0..<40).map {
                "; session.\($0)=x; session.\($0)=y; session.1\($0)=z; Session.\($0)=w"
            }.joined()
            let opened = try #require(try sealer.open(cookieHeader: "session=\(value)\(junk)", at: noon))
            #expect(!opened.needsResealing)
            let parts = (1...8).map { "session.\($0)" }
            #expect(try removed(sealer.reseal(opened, at: noon).cookies) == parts)
            #expect(removed(sealer.removal(cookieHeader: junk)) == parts + ["session"])
        }
    }

    @Test func `another sealer's cookie that has the name of a part is left alone`() throws {
        let (one, two) = (try sealer(), try sealer(name: "session.1", purpose: "other"))
        let stranger = try sealer(name: "session.2", keys: sampleRing(9)).seal(session(5), at: noon).token
        let other = try two.seal(session(7), at: noon).token
        let value = try one.seal(session(6), at: noon).token
        let header =
            "session=\(value); session.1=\(other); session.2=\(stranger); session.3=\(other.dropFirst())"
        let opened = try #require(try one.open(cookieHeader: header, at: noon))
        // The second is sealed with no key of this ring, the third is no token.
        #expect(try removed(one.reseal(opened, at: noon).cookies) == ["session.2", "session.3"])
        #expect(removed(one.removal(cookieHeader: header)) == ["session.2", "session.3", "session"])
        let planted = try #require(try one.open(cookieHeader: "\(header); session.1=x", at: noon))
        #expect(
            try removed(one.reseal(planted, at: noon).cookies) == ["session.1", "session.2", "session.3"])
    }

    @Test
    func
        `another sealer's cookie is left alone by every write and whatever may be split, also if it is split`()
        throws
    {
        let whole = try sealer(name: "session.1").seal(session(7), at: noon).token
        let split = header(try sealer(name: "session.1", splitting: 2).seal(session(4000), at: noon).cookies)
        #expect(split.hasPrefix("session.1=2.S") && split.contains("; session.1.1="))
        for count in [1, 2, 4] {
            let sealer = try sealer(splitting: count)
            let value = try sealer.seal(session(6), at: noon).token
            let own = (2..<max(2, count)).map { "session.\($0)" }
            for other in ["session.1=\(whole)", split] {
                let header = "session=\(value); \(other); session.6=x"
                let opened = try #require(try sealer.open(cookieHeader: header, at: noon))
                #expect(try removed(sealer.reseal(opened, at: noon).cookies) == ["session.6"])
                #expect(removed(sealer.removal(cookieHeader: header)) == own + ["session.6", "session"])
                #expect(
                    try removed(sealer.seal(session(5), cookieHeader: header, at: noon).cookies)
                        == own + ["session.6"])
            }
            // With no key of the ring it is nobody's.
            let stranger = try self.sealer(name: "session.1", keys: sampleRing(9)).seal(session(5), at: noon)
            for text in [stranger.token, "2.\(stranger.token)", "1.\(whole)", "2.", "2.\(whole.dropFirst())"]
            {
                let header = "session=\(value); session.1=\(text)"
                #expect(removed(sealer.removal(cookieHeader: header)).contains("session.1"), "\(text)")
            }
        }
    }

    @Test func `what has no room in a response: the highest parts go first`() throws {
        let sealer = try CookieSealer<Data>(
            "session", keys: sampleRing(1), lifetime: .init(absolute: .days(14)), limits: .behindStockNginx)
        let value = try sealer.seal(session(2250), at: noon).token
        let header = "session=\(value); session.1=p; session.2=p; session.3=p; session.4=real"
        let opened = try #require(try sealer.open(cookieHeader: header, at: noon))
        #expect(
            try removed(sealer.reseal(opened, at: noon).cookies) == ["session.2", "session.3", "session.4"])
        let all = try #require(
            try sealer.open(
                cookieHeader: "session=\(value)" + (1...8).map { "; session.\($0)=p" }.joined(), at: noon))
        #expect(try removed(sealer.reseal(all, at: noon).cookies) == ["session.6", "session.7", "session.8"])
    }

    @Test func `adopting and removing in one response keep the limit of both`() throws {
        func sealer(_ name: String, _ limits: CookieLimits) throws -> CookieSealer<Data> {
            try CookieSealer(
                name, keys: sampleRing(1), lifetime: .init(absolute: .days(14)), limits: limits)
        }
        let planted = (1...8).map { "; __Host-former.\($0)=x" }.joined()
        for limits in [CookieLimits.behindStockNginx, .rfc6265bis] {
            let (former, current) = (
                try sealer("__Host-former", limits), try sealer("__Host-session", .behindStockNginx)
            )
            var counts: Set<Int> = []
            for count in Array(stride(from: 10, to: 2490, by: 62)) + [2400, 2430, 2450, 2460] {
                guard let token = try? former.seal(session(count), at: noon).token else { continue }
                let header = "__Host-former=\(token)\(planted)"
                let opened = try #require(try former.open(cookieHeader: header, at: noon))
                guard let sealed = try? current.adopt(opened, at: noon) else { continue }
                let removal = former.removal(cookieHeader: header, beside: sealed)
                let lines = (sealed.cookies + removal).map(\.description)
                #expect(lines.reduce(0) { $0 + $1.utf8.count + 14 } <= 3496)
                counts.insert(removal.count)
                // The cookie before its parts.
                #expect(removal.isEmpty || removal.last?.name == "__Host-former")
                #expect(
                    removal.map(\.name) == former.removal(cookieHeaders: [header], beside: sealed).map(\.name)
                )
            }
            #expect(counts.isSuperset(of: [0, 1, 9]))
        }
    }

    @Test func `removal beside a sealed session keeps the lower of both sealers' limits, to the byte`() throws
    {
        func sealer(_ name: String, _ response: Int?) throws -> CookieSealer<Data> {
            let limits = CookieLimits(nameAndValue: 4096, attributeValue: 1024, response: response)
            return try CookieSealer(
                name, keys: sampleRing(1), lifetime: .init(absolute: .days(14)), limits: limits)
        }
        func bytes(_ cookies: [SetCookie]) -> Int {
            cookies.reduce(0) { $0 + $1.description.utf8.count + 14 }
        }
        let header = "former=x" + (1...8).map { "; former.\($0)=x" }.joined()
        let lines = try sealer("former", nil).removal(cookieHeader: header)
        let sealed = bytes(try sealer("session", nil).seal(session(100), at: noon).cookies)
        for count in 1...9 {
            let need = sealed + bytes(Array(lines.suffix(count)))
            for (former, session) in [
                (need, nil), (nil, need), (need, 3 * need), (3 * need, need), (need, need),
            ] as [(Int?, Int?)] {
                for (less, left) in [(0, count), (1, count - 1)] {
                    let current = try sealer("session", session.map { $0 - less }).seal(
                        self.session(100), at: noon)
                    let removal = try sealer("former", former.map { $0 - less }).removal(
                        cookieHeader: header, beside: current)
                    #expect(removal == Array(lines.suffix(left)))
                }
            }
        }
    }

    @Test func `lower limits of this server open what higher ones have written, whole and in parts`() throws {
        func sealer(_ limits: CookieLimits, _ splitting: Int = 1) throws -> CookieSealer<Data> {
            try CookieSealer(
                "session", keys: sampleRing(1), lifetime: .init(absolute: .days(14)), limits: limits,
                splitting: .upTo(splitting))
        }
        let small = CookieLimits(nameAndValue: 200, attributeValue: 100, line: 300)
        // The largest token of 4089 characters: 3066 bytes, 40 around the payload, 6 and 3 in it.
        let largest = session(3066 - 40 - 6 - 3)
        for limits in [CookieLimits.behindStockNginx, .strictest, small] {
            let sealed = try sealer(.rfc6265bis).seal(largest, at: noon)
            #expect(sealed.room <= 1)
            let reader = try sealer(limits)
            let opened = try #require(try reader.open(cookieHeader: "session=\(sealed.token)", at: noon))
            #expect(opened.session == largest)
            #expect(try reader.open(value: sealed.token, at: noon).session == largest)
            #expect(throws: SealError.self) { try reader.reseal(opened, at: noon) }
            #expect(throws: OpenError.tooLong(byteCount: 4090)) {
                try reader.open(value: String(repeating: "S", count: 4090), at: noon)
            }
        }
        for limits in [CookieLimits.strictest, small] {
            let sealed = try sealer(.rfc6265bis, 3).seal(session(9100), at: noon)
            #expect(sealed.cookies.count == 3)
            let opened = try sealer(limits, 3).open(cookieHeader: header(sealed.cookies), at: noon)
            #expect(opened?.session == session(9100))
        }
    }

    @Test func `a session that was opened by its value alone leaves no part`() throws {
        let wide = try sealer(splitting: 4)
        let value = try wide.seal(session(10), at: noon).token
        for text in [value[...], "\(value)"[...]] {
            var opened = try wide.open(value: text, at: noon)
            #expect(
                try removed(wide.reseal(opened, at: noon).cookies) == ["session.1", "session.2", "session.3"])
            opened.session = session(5000)
            #expect(try removed(wide.reseal(opened, at: noon).cookies) == ["session.2", "session.3"])
            // A sealer that splits less, or more, than the one that opened it.
            opened.session = session(10)
            #expect(try removed(sealer(splitting: 2).reseal(opened, at: noon).cookies) == ["session.1"])
            #expect(try removed(sealer().reseal(opened, at: noon).cookies) == [])
        }
        let opened = try sealer().open(value: value, at: noon)
        #expect(
            try removed(wide.reseal(opened, at: noon).cookies) == ["session.1", "session.2", "session.3"])
        // From a header it is known what there is, whoever seals it.
        let seen = try #require(try sealer().open(cookieHeader: "session=\(value); session.6=x", at: noon))
        #expect(try removed(wide.reseal(seen, at: noon).cookies) == ["session.6"])
    }

    @Test func `text that no sealer may write is not sealed again, whoever sealed it`() throws {
        let sealer = try sealer(EncodedSession.self)
        let marks = Array(String(repeating: "\u{300}\u{316}", count: 150).utf8)
        let text: [UInt8] = [0x79, UInt8(marks.count >> 8), UInt8(marks.count & 0xFF)] + marks
        let token = try sealer.core.seal(
            CBORItem(bytes: text, byteStrings: []), lifetime: nil, replacing: nil, at: noon
        ).cookies[0].value
        let opened = try sealer.open(value: token, at: noon)
        let error = #expect(throws: SealError.self) { try sealer.reseal(opened, at: noon) }
        #expect("\(try #require(error))".contains("256 combining marks"))
        // Beside a byte string, which is put back into its place, it does not open.
        let pair: [UInt8] = [0x82, 0x41, 0x07] + text
        let other = try sealer.core.seal(
            CBORItem(bytes: pair, byteStrings: [2..<3]), lifetime: nil, replacing: nil, at: noon
        ).cookies[0].value
        #expect(throws: OpenError.self) { try sealer.open(value: other, at: noon) }
    }

    // MARK: By whom

    @Test func `a session is not sealed again for another cookie or purpose`() throws {
        let login = try sealer(String.self, name: "login")
        let reset = try sealer(
            String.self, name: "login", purpose: "reset", lifetime: .init(absolute: .minutes(10)))
        let token = try reset.seal("ada", at: noon).token
        let opened = try reset.open(value: token, at: noon)
        #expect(opened.cookieName == "login" && opened.purpose == "reset" && reset.purpose == "reset")
        let error = #expect(throws: SealError.self) { try login.reseal(opened, at: noon) }
        #expect(error == .anotherCookie(name: "login", purpose: "reset") && error?.isSessionOver == false)
        #expect("\(try #require(error))" == "the session was opened from cookie login, purpose \"reset\"")
        // Before anything else: also where it is over, and from a header.
        #expect(throws: SealError.anotherCookie(name: "login", purpose: "reset")) {
            try login.reseal(opened, at: noon + 86_400)
        }
        let seen = try #require(try reset.open(cookieHeader: "login=\(token)", at: noon))
        #expect(throws: SealError.anotherCookie(name: "login", purpose: "reset")) {
            try login.reseal(seen, at: noon)
        }
        // The other way round, another name, a name in another case.
        let session = try login.open(value: login.seal("ada", at: noon).token, at: noon)
        let other = SealError.anotherCookie(name: "login", purpose: "")
        #expect("\(other)" == "the session was opened from cookie login, no purpose")
        for name in ["login2", "Login"] {
            #expect(throws: other) { try sealer(String.self, name: name).reseal(session, at: noon) }
        }
        #expect(throws: other) { try reset.reseal(session, at: noon) }
        // Purposes are bytes: two spellings of é are two purposes, as they are when opened.
        let one = try sealer(String.self, purpose: "caf\u{E9}")
        let two = try sealer(String.self, purpose: "cafe\u{301}")
        let accent = try one.open(value: one.seal("ada", at: noon).token, at: noon)
        #expect(throws: SealError.self) { try two.reseal(accent, at: noon) }
        #expect(throws: SealError.self) {
            try sealer(String.self, purpose: "caf\u{E9}\u{0}").reseal(accent, at: noon)
        }
        // Without the type, too.
        let raw = try sealer(EncodedSession.self, name: "login", purpose: "reset").open(
            value: token, at: noon)
        #expect(raw.purpose == "reset")
        #expect(throws: SealError.anotherCookie(name: "login", purpose: "reset")) {
            try sealer(EncodedSession.self, name: "login").reseal(raw, at: noon)
        }
    }

    @Test func `sealers of one name and purpose seal each other's sessions again, whatever else differs`()
        throws
    {
        let one = try sealer(String.self, purpose: "p")
        let opened = try one.open(value: one.seal("ada", at: noon).token, at: noon)
        for other in [
            try sealer(String.self, purpose: "p", splitting: 3),
            try sealer(String.self, purpose: "p", lifetime: .init(absolute: .days(1), idle: .hours(1))),
            try sealer(String.self, purpose: "p", attributes: .init(domain: "example.org")),
            try sealer(String.self, purpose: "p", keys: sampleRing(1, 2)),
        ] {
            let again = try other.open(value: other.reseal(opened, at: noon + 5).token, at: noon + 5)
            #expect(again.session == "ada" && again.createdAt == noon && again.sealedAt == noon + 5)
        }
        let raw = try sealer(EncodedSession.self, purpose: "p")
        let bytes = try raw.open(value: one.seal("ada", at: noon).token, at: noon)
        #expect(try one.open(value: raw.reseal(bytes, at: noon).token, at: noon).session == "ada")
    }

    @Test func `adopting moves a session to another name or purpose, with its age and its own lifetime`()
        throws
    {
        let former = try sealer(String.self, name: "old", purpose: "a", splitting: 3)
        let current = try sealer(
            String.self, name: "new", purpose: "b", lifetime: .init(absolute: .days(30), idle: .days(3)),
            splitting: 2)
        for own in [nil, SessionLifetime.Span.days(5)] {
            let sealed = try former.seal("ada", lifetime: own, at: noon)
            let header = "old=\(sealed.token); old.2=x; new.7=y"
            let opened = try #require(try former.open(cookieHeader: header, at: noon + 3600))
            let adopted = try current.adopt(opened, at: noon + 7200.5)
            #expect(adopted.cookies.map(\.name) == ["new", "new.1"] && removed(adopted.cookies) == ["new.1"])
            let again = try current.open(value: adopted.token, at: noon + 7201)
            #expect(again.session == "ada" && again.cookieName == "new" && again.purpose == "b")
            #expect(again.createdAt == noon && again.sealedAt == noon + 7200 && again.lifetime == own)
            #expect(again.expiresAt == noon + 7200 + 86_400 * 3 && adopted.expiresAt == again.expiresAt)
            #expect(try current.reseal(again, at: noon + 7202).expiresAt == noon + 7202 + 86_400 * 3)
            #expect(throws: SealError.anotherCookie(name: "new", purpose: "b")) {
                try former.reseal(again, at: noon + 7202)
            }
            // The type may change with it.
            let numbers = try sealer(Int.self, name: "numbers")
            let number = try numbers.open(
                value: numbers.adopt(opened, as: 7, at: noon + 7200).token, at: noon + 7200)
            #expect(number.session == 7 && number.createdAt == noon && number.lifetime == own)
        }
        // What is over, or would be, is not adopted.
        let opened = try former.open(value: former.seal("ada", at: noon).token, at: noon)
        #expect(throws: SealError.expired(noon + 86_400 * 14)) {
            try current.adopt(opened, at: noon + 86_400 * 14)
        }
        let short = try sealer(String.self, name: "short", lifetime: .init(absolute: .hours(1)))
        #expect(throws: SealError.expired(noon + 3600)) { try short.adopt(opened, at: noon + 3600) }
        // A key that this ring never had is a fault of the set-up, and nobody's session is over for it.
        let foreign = #expect(throws: SealError.foreignKey(opened.keyID)) {
            try sealer(String.self, keys: sampleRing(2)).adopt(opened, at: noon)
        }
        #expect(foreign?.isSessionOver == false)
        #expect("\(try #require(foreign))".contains("\(opened.keyID) is not in the ring"))
        #expect(throws: SealError.foreignKey(opened.keyID)) {
            try sealer(Int.self, keys: sampleRing(2)).adopt(opened, as: 1, at: noon)
        }
        let revoking = try KeyRing([sampleKey(2)], revoked: [opened.keyID])
        let revoked = #expect(throws: SealError.revokedKey(opened.keyID)) {
            try sealer(String.self, keys: revoking).adopt(opened, at: noon)
        }
        #expect(revoked?.isSessionOver == true)
        #expect(throws: SealError.revokedKey(opened.keyID)) {
            try sealer(String.self, name: "old", purpose: "a", keys: sampleRing(2)).reseal(opened, at: noon)
        }
        let ended = try KeyRing([sampleKey(1)], notBefore: noon + 1)
        #expect(throws: SealError.endedBefore(noon + 1)) {
            try sealer(String.self, keys: ended).adopt(opened, at: noon + 9)
        }
        // One's own session is sealed again; for another purpose of the same name, its parts are known.
        #expect(try former.adopt(opened, at: noon).cookies.count == 3)
        let renamed = try sealer(String.self, name: "old", purpose: "c", splitting: 3)
        let seen = try #require(
            try former.open(
                cookieHeader: "old=\(former.seal("ada", at: noon).token); old.2=x", at: noon))
        #expect(try removed(renamed.adopt(seen, at: noon).cookies) == ["old.2"])
    }

    // MARK: Refusals

    @Test func `refusals come in the order of the checks, in a value and in a header`() throws {
        let (good, gone) = (try sampleKey(1), try sampleKey(2))
        let ring = try KeyRing([good, gone], revoked: [gone.id])
        let sealer = try self.sealer(keys: ring)
        let open = try sealer.seal(session(9), at: noon).token
        let revoked = try self.sealer(keys: sampleRing(2)).seal(session(9), at: noon).token
        let unknown = try self.sealer(keys: sampleRing(3)).seal(session(9), at: noon).token
        let unknownID = try sampleKey(3).id
        func changed(_ token: String) -> String { token.dropLast(8) + "AAAAAAAA" }
        func long(_ token: String) -> String {
            token + String(repeating: "A", count: 4090 - token.utf8.count)
        }
        var refusals: [(value: String, refusal: OpenError)] = []
        for (token, step6) in [
            (open, OpenError.notAuthentic), (revoked, .revokedKey(gone.id)),
            (unknown, .unknownKey(unknownID)),
        ] {
            func add(_ value: String, _ refusal: OpenError) { refusals.append((value, refusal)) }
            let (head, rest) = (String(token.prefix(32)), String(token.dropFirst(32)))
            add(long(token) + "!", .tooLong(byteCount: 4091))
            add(long(token), .tooLong(byteCount: 4090))
            add(token + "!", .notBase64URL)
            add(token.dropLast() + "=", .notBase64URL)
            add(head + "é", .notBase64URL)
            add(head + "A", .notBase64URL)
            add(" " + head + " " + rest, .notBase64URL)
            add(head, .tooShort(byteCount: 24))
            add(String(token.prefix(60)), .tooShort(byteCount: 45))
            add("T" + token.dropFirst(), .unknownVersion(0x4C))
            add(changed(token), step6)
            add(String(token.prefix(64)), step6)
        }
        for (value, refusal) in refusals {
            #expect(throws: refusal, "\(value)") { try sealer.open(value: value, at: noon) }
            let header = "a=b; session=\(value); c=d"
            let inHeader = value.hasPrefix(" ") ? OpenError.notBase64URL : refusal
            #expect(throws: inHeader, "\(header)") { try sealer.open(cookieHeader: header, at: noon) }
        }
        // Of two in one header the first, whatever step it is, while none is from step 8 on.
        let first = refusals.filter { !$0.value.contains(" ") }
        let expired = try sealer.seal(session(9), at: noon - 86_400 * 15).token
        let future = try sealer.seal(session(9), at: noon + 100).token
        for (one, refusal) in first {
            for (two, _) in first {
                let header = "session=\(one); session=\(two)"
                #expect(throws: refusal, "\(header)") { try sealer.open(cookieHeader: header, at: noon) }
            }
            for header in [
                "session=\(one); session=\(expired)", "session=\(expired); session=\(one); session=\(future)",
            ] {
                #expect(throws: OpenError.expired(noon - 86_400), "\(header)") {
                    try sealer.open(cookieHeader: header, at: noon)
                }
            }
            #expect(
                try sealer.open(cookieHeader: "session=\(one); session=\(open)", at: noon)?.session
                    == session(9))
        }
        // Split, the same order; before it how many cookies there are, and which is missing.
        let split = try self.sealer(splitting: 3, keys: ring)
        for (value, refusal) in first where value.utf8.count > 40 && value.utf8.count < 4000 {
            let (front, back) = (value.prefix(21), value.dropFirst(21))
            let header = "session=2.\(front); session.1=\(back)"
            #expect(throws: refusal, "\(header)") { try split.open(cookieHeader: header, at: noon) }
            #expect(throws: OpenError.tooManyParts(4, limit: 3)) {
                try split.open(cookieHeader: "session=4.\(front); session.1=\(back)", at: noon)
            }
            #expect(throws: OpenError.missingPart(2, of: 3)) {
                try split.open(cookieHeader: "session=3.\(front); session.1=\(back)", at: noon)
            }
        }
    }

    @Test func `a key that the file has revoked since is told as revoked, not as unknown`() throws {
        let folder = try ToolFolder()
        let file = try KeyRingFile(folder.ring, lookingEvery: .seconds(3600))
        let sealer = try CookieSealer<Data>("session", keys: file, lifetime: .init(absolute: .days(14)))
        let stranger = try sampleKey(5)
        let token = try self.sealer(keys: KeyRing([stranger])).seal(session(9), at: noon).token
        try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in
            try ring.merged(with: KeyRing([stranger])).revoking(stranger.id)
        }
        #expect(throws: OpenError.revokedKey(stranger.id)) { try sealer.open(value: token, at: noon) }
    }

    // MARK: Headers

    @Test func `around names and values there are blanks and tabs, and nothing else`() throws {
        let sealer = try sealer()
        let value = try sealer.seal(session(9), at: noon).token
        for space in [" ", "\t", " \t \t"] {
            for header in [
                "a=b;\(space)session=\(value)", "session\(space)=\(value)", "session=\(space)\(value)",
                "session=\(value)\(space)", "session=\(value)\(space);c=d",
                "session=\(space)\"\(value)\"\(space)",
            ] {
                #expect(
                    try sealer.open(cookieHeader: header, at: noon)?.session == session(9),
                    "\(header.debugDescription)")
            }
        }
        // FF, VT, CR, LF, CRLF, NUL, NEL, a no-break space, an em space, a zero-width one, a BOM.
        for other in [
            "\u{C}", "\u{B}", "\r", "\n", "\r\n", "\0", "\u{85}", "\u{A0}", "\u{2003}", "\u{200B}",
            "\u{FEFF}",
        ] {
            for space in [other, " \(other)", "\(other) "] {
                for header in [
                    "a=b;\(space)session=\(value)", "session\(space)=\(value)", "\(space)session=\(value)",
                ] {
                    #expect(
                        try sealer.open(cookieHeader: header, at: noon) == nil, "\(header.debugDescription)")
                }
                for header in [
                    "session=\(space)\(value)", "session=\(value)\(space)", "session=\(value)\(space);c=d",
                    "session=\"\(value)\"\(space)", "session=\"\(space)\(value)\"",
                ] {
                    #expect(throws: OpenError.notBase64URL, "\(header.debugDescription)") {
                        try sealer.open(cookieHeader: header, at: noon)
                    }
                }
            }
        }
    }

    @Test func `names beside the cookie's and its parts' are others' cookies`() throws {
        let sealer = try sealer(splitting: 9)
        let value = try sealer.seal(session(9), at: noon).token
        for name in [
            "session.0", "session.1", "session.9", "session.00", "session.10", "session.", "session.a",
            "session1",
            "session/1", "xsession", "session.1.1", ".1", "session .1",
        ] {
            #expect(try sealer.open(cookieHeader: "\(name)=\(value)", at: noon) == nil, "\(name)")
            // Nor are they a session's parts.
            guard name != "session.1" else { continue }
            let two = "session=2.\(value.prefix(9)); \(name)=\(value.dropFirst(9))"
            #expect(throws: OpenError.missingPart(1, of: 2), "\(name)") {
                try sealer.open(cookieHeader: two, at: noon)
            }
        }
    }

    @Test func `Java's CookieManager writes $Version, quotes and $Path, and its session opens`() throws {
        let sealer = try sealer()
        let value = try sealer.seal(session(9), at: noon).token
        for header in [
            "$Version=\"1\"; session=\"\(value)\";$Path=\"/\"",
            "$Version=\"1\"; other=\"1\";$Path=\"/\"; session=\"\(value)\";$Path=\"/\";$Domain=\".example.org\"",
        ] {
            #expect(try sealer.open(cookieHeader: header, at: noon)?.session == session(9))
        }
    }
}
