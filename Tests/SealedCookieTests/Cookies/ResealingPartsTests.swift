// Sealing again removes the parts of a larger splitting.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ResealingPartsTests: ResealingSuite {
    @Test
    func `parts of a larger splitting are removed with the next write, also where nothing is split any more`()
        throws
    {
        let cookies = try sealer(splitting: 4).seal(session(11_000), at: noon).cookies
        #expect(cookies.map(\.name) == ["session", "session.1", "session.2", "session.3"])
        for count in [1, 2, 3] {
            let fewer = try sealer(splitting: count)
            let small = try fewer.seal(session(10), at: noon)
            // As in a browser that received only its first cookie.
            let header = "\(self.header(Array(cookies.dropFirst()))); session=\(small.token)"
            let opened = try #require(try fewer.open(cookieHeader: header, at: noon))
            let again = try fewer.reseal(opened, at: noon)
            #expect(removed(again.cookies) == ["session.1", "session.2", "session.3"])
            let gone = try #require(try fewer.open(cookieHeader: self.header(again.cookies), at: noon))
            #expect(try removed(fewer.reseal(gone, at: noon).cookies) == [])
            // A session that grows writes its parts, and removes the others.
            guard count > 1 else { continue }
            var grown = opened
            grown.session = session(4000)
            let two = try fewer.reseal(grown, at: noon)
            #expect(two.cookies.map(\.name) == ["session", "session.1", "session.2", "session.3"])
            #expect(removed(two.cookies) == ["session.2", "session.3"])
        }
        // A session that is still in more cookies than allowed is refused; signing out removes all of it.
        let one = try sealer()
        let header = self.header(cookies)
        #expect(throws: OpenError.tooManyCookies(4, limit: 1)) {
            try one.open(cookieHeader: header, at: noon)
        }
        #expect(one.removalCookies().map(\.name) == ["session"])
        let all = ["session.1", "session.2", "session.3", "session"]
        #expect(removed(one.removalCookies(cookieHeader: header)) == all)
        #expect(removed(one.removalCookies(cookieHeaders: cookies.map { "\($0.name)=\($0.value)" })) == all)
        #expect(removed(one.removalCookies(cookieHeader: "other=1")) == ["session"])
        #expect(
            try removed(sealer(splitting: 3).removalCookies(cookieHeader: "session.1=x; session.7=y"))
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
            let sealed = try sealer.seal(
                new, lifetime: .init(absolute: .days(1)), cookieHeader: header, at: noon + 5)
            #expect(sealed.expiresAt == noon + 86_405)
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
            #expect(removed(sealer.removalCookies(cookieHeader: junk)) == parts + ["session"])
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
        #expect(removed(one.removalCookies(cookieHeader: header)) == ["session.2", "session.3", "session"])
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
                #expect(
                    removed(sealer.removalCookies(cookieHeader: header)) == own + ["session.6", "session"])
                #expect(
                    try removed(sealer.seal(session(5), cookieHeader: header, at: noon).cookies)
                        == own + ["session.6"])
            }
            // Without a key of the ring it belongs to no one.
            let stranger = try self.sealer(name: "session.1", keys: sampleRing(9)).seal(session(5), at: noon)
            for text in [stranger.token, "2.\(stranger.token)", "1.\(whole)", "2.", "2.\(whole.dropFirst())"]
            {
                let header = "session=\(value); session.1=\(text)"
                #expect(removed(sealer.removalCookies(cookieHeader: header)).contains("session.1"), "\(text)")
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
                let removal = former.removalCookies(cookieHeader: header, beside: sealed)
                let lines = (sealed.cookies + removal).map(\.description)
                #expect(lines.reduce(0) { $0 + $1.utf8.count + 14 } <= 3496)
                counts.insert(removal.count)
                // The cookie before its parts.
                #expect(removal.isEmpty || removal.last?.name == "__Host-former")
                #expect(
                    removal.map(\.name)
                        == former.removalCookies(cookieHeaders: [header], beside: sealed).map(\.name)
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
        let lines = try sealer("former", nil).removalCookies(cookieHeader: header)
        let sealed = bytes(try sealer("session", nil).seal(session(100), at: noon).cookies)
        for count in 1...9 {
            let need = sealed + bytes(Array(lines.suffix(count)))
            for (former, session) in [
                (need, nil), (nil, need), (need, 3 * need), (3 * need, need), (need, need),
            ] as [(Int?, Int?)] {
                for (less, left) in [(0, count), (1, count - 1)] {
                    let current = try sealer("session", session.map { $0 - less }).seal(
                        self.session(100), at: noon)
                    let removal = try sealer("former", former.map { $0 - less }).removalCookies(
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
        // A header tells what exists, whichever sealer writes.
        let seen = try #require(try sealer().open(cookieHeader: "session=\(value); session.6=x", at: noon))
        #expect(try removed(wide.reseal(seen, at: noon).cookies) == ["session.6"])
    }
}
