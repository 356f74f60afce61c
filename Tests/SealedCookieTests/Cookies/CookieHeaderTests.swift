// What a Cookie header may contain, and the order of refusals.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CookieHeaderTests: ResealingSuite {
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
            #expect(throws: OpenError.tooManyCookies(4, limit: 3)) {
                try split.open(cookieHeader: "session=4.\(front); session.1=\(back)", at: noon)
            }
            #expect(throws: OpenError.missingPart(2, of: 3)) {
                try split.open(cookieHeader: "session=3.\(front); session.1=\(back)", at: noon)
            }
        }
    }

    @Test func `a key that the file has revoked since is told as revoked, not as unknown`() throws {
        let folder = try ToolFolder()
        let file = try KeyRingFile(folder.ring, pollInterval: .seconds(3600))
        let sealer = try CookieSealer<Data>("session", keys: file, lifetime: .init(absolute: .days(14)))
        let stranger = try sampleKey(5)
        let token = try self.sealer(keys: KeyRing([stranger])).seal(session(9), at: noon).token
        try KeyRing.update(at: folder.ring) { (ring) throws(KeyRingError) in
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
