// seal, open and inspect: sessions become tokens and come back, with their cookies.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ToolTokensTests: ToolSuite {
    let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
    }

    static let corpus = [
        ("a_tiny", 80), ("b_login", 334), ("c_oauth", 2524), ("d_cart", 864), ("e_i18n", 724),
        ("f_wizard", 2679),
        ("g_flags", 563), ("h_random", 3012),
    ]

    @Test(arguments: corpus) func `a sample session comes back equal, in no more characters than planned`(
        name: String, limit: Int
    ) throws {
        let file = try #require(Bundle.module.resourceURL).appending(path: "Vectors/corpus/\(name).json")
        let json = try String(contentsOf: file, encoding: .utf8)
        let sealed = try ToolRun(["seal", "-k", folder.ring, file.path])
        #expect(sealed.exitCode == 0 && sealed.errors.isEmpty)
        let token = sealed.output.trimmingCharacters(in: .newlines)
        #expect(token.count <= limit)
        let opened = try ToolRun(["open", "--key-ring", folder.ring, "-"], input: token)
        #expect(opened.exitCode == 0 && opened.errors.isEmpty)
        #expect(try sameJSON(opened.output, json))
    }

    @Test func `a typed session and the tool open each other's tokens`() throws {
        struct Session: Codable, Equatable, Sendable {
            var id: Int
            var roles: [String]
            var csrf: Data
            var cart: UUID
            var began: Date
            var score: Double
            var token: Secret<String>
            enum CodingKeys: Int, CodingKey {
                case id = 1
                case roles, csrf, cart, began, score, token
            }
        }
        let session = Session(
            id: 42, roles: ["admin"], csrf: Data(0..<16),
            cart: try #require(UUID(uuidString: "FE049F18-1B8F-4A6F-8C38-00C3448DE041")), began: noon,
            score: 2,
            token: Secret("sesame"))
        let json = """
            {"$1": 42, "$2": ["admin"], "$3": {"$bytes": "AAECAwQFBgcICQoLDA0ODw"}, "$4": {"$uuid": \
            "fe049f18-1b8f-4a6f-8c38-00c3448de041"}, "$5": {"$date": "2026-08-03T00:00:00Z"}, "$6": \
            {"$float": "2.0"}, "$7": {"$secret": "sesame"}}
            """
        let sealer = try CookieSealer<Session>(
            keys: KeyRing(contentsOf: folder.ring), lifetime: .init(absolute: .days(14)))
        let opened = try ToolRun(["open", "-k", folder.ring], input: try sealer.seal(session).token)
        #expect(try sameJSON(opened.output, json))
        #expect(try sealer.open(value: seal(json)).session == session)
        // By names, as written by hand, and a whole number for a Double.
        let byHand = json.replacing("\"$1\"", with: "\"id\"").replacing("\"$2\"", with: "\"roles\"")
            .replacing("{\"$float\": \"2.0\"}", with: "2")
        #expect(try sealer.open(value: seal(byHand)).session == session)
    }

    @Test func `open takes a token in any form that people copy`() throws {
        let token = try seal(#"{"a":1}"#)
        for text in [
            token, " \t\(token)\t \r\n", "\"\(token)\"\n", "__Host-session=\"\(token)\"",
            "__Host-session=\(token)", "a=b; __Host-session=\(token); c=d",
            "Cookie: a=b; __Host-session=\(token)", "cookie:__Host-session=\(token)",
            "Set-Cookie: __Host-session=\(token); Path=/; Secure", try seal(#"{"a":1}"#, "--set-cookie"),
        ] {
            let run = try ToolRun(["open", "-k", folder.ring], input: text)
            #expect(run.exitCode == 0 && run.output == "{\"a\":1}\n" && run.errors.isEmpty, "\(run.errors)")
        }
        // Headers of one response, line by line, and one cookie a line.
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nSet-Cookie: __Host-session=\(token); Path=/\r\n\r\n",
            "Cookie: a=b\nCookie: __Host-session=\(token)\n", "a=b\n__Host-session=\(token)\n",
            #"Cookie: $Version="1"; __Host-session="\#(token)";$Path="/""#,
        ] {
            let run = try ToolRun(["open", "-k", folder.ring], input: text)
            #expect(run.exitCode == 0 && run.output == "{\"a\":1}\n", "\(text): \(run.errors)")
        }
        let other = try ToolRun(["open", "-k", folder.ring], input: "theme=dark; lang=en")
        #expect(other.exitCode == 3 && other.output.isEmpty)
        #expect(other.errors.contains("no cookie __Host-session") && other.errors.contains("theme, lang"))
    }

    @Test func `around names, values and tokens blanks and tabs do not count, and nothing else`() throws {
        let token = try seal("{}")
        for white in ["\u{0C}", "\u{0B}", "\r", "\n", "\r\n", "\u{A0}", "\u{2028}", "\u{0}"] {
            for text in [
                "\(white)__Host-session=\(token)", "__Host-session\(white)=\(token)",
                "__Host-session=\(white)\(token)",
                "__Host-session=\(token)\(white); a=b", "a=b;\(white)__Host-session=\(token)",
                "a=b; \(white) __Host-session=\(token)", "__Host-session=\"\(token)\(white)\"",
                "\(white)\(token)", "\(token)\(white) \n", "\"\(white)\(token)\"",
                "Cookie:\(white)__Host-session=\(token)",
                "a=b; __Host-session=\(white)\(token)",
            ] {
                for command in [["open", "-k", folder.ring], ["inspect"]] {
                    let run = try ToolRun(command, input: text)
                    #expect(run.exitCode == 3 && run.output.isEmpty, "\(command[0]) \(text.debugDescription)")
                }
            }
        }
        for text in [
            "\t__Host-session \t= \(token)\t ; a=b", "a=b;\t__Host-session=\t\"\(token)\" \n",
            " \(token)\t\r\n",
        ] {
            for command in [["open", "-k", folder.ring], ["inspect"]] {
                #expect(
                    try ToolRun(command, input: text).exitCode == 0, "\(command[0]) \(text.debugDescription)")
            }
        }
    }

    @Test func `without --split nine cookies are opened, as the help says`() throws {
        let session = #"{"$bytes": "\#(String(repeating: "A", count: 34_800))"}"#
        let sealed = try ToolRun(["seal", "-k", folder.ring, "--split", "9"], input: session)
        #expect(
            sealed.output.split(separator: "\n").count == 9 && sealed.output.hasPrefix("__Host-session=9."))
        #expect(try ToolRun(["open", "-k", folder.ring], input: sealed.output).exitCode == 0)
        let fewer = try ToolRun(["open", "-k", folder.ring, "--split", "8"], input: sealed.output)
        #expect(fewer.exitCode == 3 && fewer.errors.contains("in 9 cookies, but at most 8"))
        let help = try ToolRun(["open", "--help"]).output.split { $0.isWhitespace }.joined(separator: " ")
        #expect(help.contains("accept up to N cookies for one session, 1 to 9 [9]"))
        #expect(help.contains("opens from up to nine cookies") && !help.contains("[1]"))
        // Two cookies' worth: what exceeds every cookie is refused before it is measured.
        let two = #"{"$bytes": "\#(String(repeating: "A", count: 8000))"}"#
        let other = try ToolRun(["seal", "-k", folder.ring], input: two)
        #expect(other.exitCode == 1 && other.errors.contains("too large"))
    }

    @Test func `removal and Set-Cookie lines have the attributes that are asked for`() throws {
        let attributes = [
            "-n", "s", "--domain", "example.com", "--path", "/shop", "--partitioned", "--same-site", "None",
        ]
        let removal = try ToolRun(["remove", "--split", "2"] + attributes)
        #expect(removal.exitCode == 0)
        let lines = removal.output.split(separator: "\n").map(String.init)
        // curl up to 7.88 forgets only the last cookie that a response removes.
        for (line, name) in zip(lines, ["s.1", "s"]) {
            #expect(
                line.hasPrefix("Set-Cookie: \(name)=; Path=/shop; Domain=example.com; Max-Age=0"), "\(line)")
            #expect(line.contains("; Secure; HttpOnly; SameSite=None; Partitioned"), "\(line)")
        }
        #expect(lines.count == 2)
        let sealed = try ToolRun(["seal", "-k", folder.ring, "--set-cookie"] + attributes, input: "{}")
        #expect(sealed.exitCode == 0 && sealed.output.hasPrefix("Set-Cookie: s=S"))
        #expect(
            sealed.output.contains("; Path=/shop; Domain=example.com; Max-Age=1209600; Secure"),
            "\(sealed.output)")
        #expect(sealed.output.contains("; HttpOnly; SameSite=None; Partitioned"))
        for (word, value) in [("low", "Low"), ("Medium", "Medium"), ("HIGH", "High")] {
            for words in [["seal", "-k", folder.ring, "--set-cookie"], ["remove"]] {
                let line = try ToolRun(words + ["--priority", word], input: "{}").output
                #expect(line.contains("; SameSite=Lax; Priority=\(value)\n"), "\(line)")
            }
        }
        #expect(
            try ToolRun(["limits"]).output.contains(
                "behindStockNginx         3482       1024   3482      3496\n"))
        #expect(try ToolRun(["limits", "--json"]).output.contains("\"response\" : 3496"))
        let plain = try ToolRun(["remove", "-n", "s", "--insecure", "--same-site", "strict"])
        #expect(
            !plain.output.contains("Secure") && plain.output.contains("SameSite=Strict"), "\(plain.output)")
        #expect(try !ToolRun(["remove", "--same-site", "unset"]).output.contains("SameSite"))
        for (words, reason) in [
            (["remove", "-n", "s", "--domain", "localhost"], "cannot be a cookie's Domain"),
            (["remove", "--domain", "example.com"], "a __Host- cookie cannot have a Domain"),
            (["remove", "-n", "s", "--domain", "a b"], "cannot be a cookie's Domain"),
            (["remove", "-n", "s", "--path", "shop"], "cannot be a cookie's Path"),
            (["remove", "-n", "s", "--partitioned", "--insecure"], "Partitioned must be Secure"),
            (["remove", "-n", "s", "--same-site", "some"], "is not a value of SameSite"),
            (["seal", "-k", folder.ring, "-n", "s", "--path", "/shop"], "a token has no attributes"),
            (["seal", "-k", folder.ring, "--priority", "low"], "a token has no attributes"),
            (["remove", "--priority", "urgent"], "is not a value of Priority"),
            (["remove", "-n", "s", "--domain", "bücher.example"], "in ASCII"),
        ] {
            let run = try ToolRun(words, input: "{}")
            #expect(
                run.exitCode == 64 && run.output.isEmpty && run.errors.contains(reason),
                "\(words): \(run.errors)")
        }
    }

    @Test func `what was sealed for another is refused with exit code 3, its reason and a hint`() throws {
        let token = try seal("{}", "-n", "s", "--purpose", "p", "--at", "2026-08-03T00:00:00Z")
        let good = ["-k", folder.ring, "-n", "s", "--purpose", "p"]
        func open(_ arguments: [String], at time: String = "@1785715200", _ text: String? = nil) throws
            -> ToolRun
        {
            try ToolRun(["open", "--at", time] + arguments, input: text ?? token)
        }
        #expect(try open(good).output == "{}\n")
        let middle = token.index(token.startIndex, offsetBy: 50)
        var changed = token
        changed.replaceSubrange(middle...middle, with: token[middle] == "A" ? "B" : "A")
        let cases: [(ToolRun, String)] = [
            (try open(["-k", folder.ring, "--purpose", "p"]), "not authentic"),
            (try open(["-k", folder.ring, "-n", "s"]), "not authentic"),
            (try open(good, changed), "not authentic"),
            (try open(good, token + "="), "not base64url"),
            (try open(good, "S"), "not base64url"),
            (try open(good, ""), "too short"),
            (try open(good, "T" + token.dropFirst()), "unknown version 0x4c"),
            (try open(good, "SAAAA" + token.dropFirst(5)), "no key 0"),
            (try open(good, at: "2026-08-17T00:00:00Z"), "expired at 2026-08-17T00:00:00Z"),
            (
                try open(good + ["--idle", "30m"], at: "2026-08-03T00:30:00Z"),
                "expired at 2026-08-03T00:30:00Z"
            ),
            (try open(good + ["--absolute", "1h"], at: "2026-08-03T01:00:00Z"), "expired"),
            (try open(good, at: "2026-08-02T23:58:59Z"), "in the future"),
        ]
        for (run, words) in cases {
            #expect(run.exitCode == 3 && run.output.isEmpty, "\(words)")
            #expect(run.errors.contains("refused: ") && run.errors.contains(words), "\(run.errors)")
            #expect(run.errors.contains("\nhint: "), "\(run.errors)")
        }
    }

    @Test func `a session's own lifetime, and everything around a session`() throws {
        let token = try seal(
            #"{"a":1}"#, "--own-lifetime", "90d", "--own-idle", "30d", "--at", "2026-08-03T00:00:00Z")
        let run = try ToolRun(
            ["open", "-k", folder.ring, "--json-meta", "--at", "@1785800000"], input: token)
        let meta = try #require(
            try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(meta["created"] as? String == "2026-08-03T00:00:00Z")
        #expect(meta["sealed"] as? String == "2026-08-03T00:00:00Z")
        #expect(meta["expires"] as? String == "2026-09-02T00:00:00Z")
        #expect(meta["ownLifetime"] as? [String: Int] == ["absolute": 7_776_000, "idle": 2_592_000])
        #expect(meta["endsWithBrowser"] as? Bool == false)
        #expect(meta["session"] as? [String: Int] == ["a": 1])
        #expect(meta["key"] as? String == "\(try KeyRing(contentsOf: folder.ring).keys[0].id)")
        let sizes = try #require(meta["sizes"] as? [String: Int])
        #expect(sizes["token"] == token.count && sizes["item"] == 4)
        // Neither of the policy's applies in addition, but its ceiling does.
        let policy = ["--absolute", "1d", "--idle", "1h", "--json-meta", "--at", "@1785800000"]
        for (more, end) in [([], "2026-09-02T00:00:00Z"), (["--ceiling", "9d"], "2026-08-12T00:00:00Z")] {
            let run = try ToolRun(["open", "-k", folder.ring] + policy + more, input: token)
            #expect(run.output.contains(#""expires":"\#(end)""#), "\(run.output)\(run.errors)")
        }
    }

    @Test func `a token without a cookie is sealed and opened for its purpose alone`() throws {
        let token = try seal(#"{"user":42}"#, "--token", "--purpose", "password-reset")
        func open(_ words: String...) throws -> ToolRun {
            try ToolRun(["open", "-k", folder.ring] + words, input: token)
        }
        let opened = try open("--token", "--purpose", "password-reset")
        #expect(opened.output == #"{"user":42}"# + "\n" && opened.exitCode == 0, "\(opened.errors)")
        for words in [["--token", "--purpose", "magic-link"], ["--purpose", "password-reset"], []] {
            let refused = try ToolRun(["open", "-k", folder.ring] + words, input: token)
            #expect(refused.exitCode == 3 && refused.errors.contains("not authentic"), "\(words)")
        }
        let cookie = try seal("{}", "--purpose", "password-reset")
        let other = try ToolRun(
            ["open", "-k", folder.ring, "--token", "--purpose", "password-reset"], input: cookie)
        #expect(other.exitCode == 3)
        let long = try ToolRun(
            ["seal", "-k", folder.ring, "--token", "--purpose", "p", "--token-limit", "70"],
            input: #"{"a":"0123456789"}"#)
        #expect(long.exitCode == 1 && long.errors.contains("over the 70 that fit"), "\(long.errors)")
        for words in [
            ["--token"], ["--token", "--purpose", ""], ["--token", "--purpose", "p", "--set-cookie"],
            ["--token", "--purpose", "p", "--name", "s"], ["--token", "--purpose", "p", "--split", "2"],
            ["--token", "--purpose", "p", "--ends-with-browser"],
            ["--token", "--purpose", "p", "--token-limit", "x"],
        ] {
            let run = try ToolRun(["seal", "-k", folder.ring] + words, input: "{}")
            #expect(run.exitCode == 64 && run.output.isEmpty, "\(words): \(run.exitCode) \(run.errors)")
        }
    }

    @Test func `a token of any limit is shown, and a limit without a token is refused`() throws {
        let long = String(repeating: "QUJD", count: 20_000)
        let words = ["-k", folder.ring, "--token", "--purpose", "long", "--token-limit", "1048576"]
        let sealed = try ToolRun(["seal", "--item-limit", "65536"] + words, input: #"{"$bytes":"\#(long)"}"#)
        #expect(sealed.exitCode == 0 && sealed.output.utf8.count > 65_536, "\(sealed.errors)")
        let opened = try ToolRun(["open", "--json-meta"] + words, input: sealed.output)
        #expect(opened.exitCode == 0 && opened.output.contains(#""sizes":"#), "\(opened.errors)")
        let tooLarge = try ToolRun(
            ["seal", "-k", folder.ring, "--token", "--purpose", "long"],
            input: #"{"$bytes":"\#(long.prefix(4000))"}"#)
        #expect(tooLarge.exitCode == 1 && tooLarge.errors.contains("--token-limit"), "\(tooLarge.errors)")
        for command in ["seal", "open"] {
            let run = try ToolRun([command, "-k", folder.ring, "--token-limit", "63"], input: "{}")
            #expect(run.exitCode == 64 && run.errors.contains("--token-limit needs --token"), "\(run.errors)")
        }
    }

    @Test func `a token's times, key and sizes are shown as a cookie's are`() throws {
        let words = ["-k", folder.ring, "--token", "--purpose", "password-reset"]
        let token = try seal(
            #"{"a":1}"#, "--token", "--purpose", "password-reset", "--at", "2026-08-03T00:00:00Z")
        let open = ["open"] + words + ["--absolute", "1h", "--at", "2026-08-03T00:30:00Z", "--json-meta"]
        let key = "\(try KeyRing(contentsOf: folder.ring).keys[0].id)"
        // "sealed" is what base64url encodes, and "payload" what is in it beside the key id, the nonce and the tag.
        let expected = """
            {"value": {"a": 1}, "created": "2026-08-03T00:00:00Z", "expires": "2026-08-03T01:00:00Z", \
            "key": "\(key)", "sizes": {"item": 4, "payload": \(token.count * 3 / 4 - 40), \
            "sealed": \(token.count * 3 / 4), "token": \(token.count)}}
            """
        for style in [[], ["--pretty"]] {
            let run = try ToolRun(open + style, input: token)
            #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run.errors)")
            #expect(try sameJSON(run.output, expected), "\(run.output)")
            #expect(run.output.contains("\n  ") == (style == ["--pretty"]))
        }
        // A lifetime of the token's own is in its times, and its bytes are counted.
        let own = try seal(
            #"{"a":1}"#, "--token", "--purpose", "password-reset", "--own-lifetime", "2d", "--at",
            "2026-08-03T00:00:00Z")
        let run = try ToolRun(open, input: own)
        #expect(run.output.contains(#""expires":"2026-08-05T00:00:00Z""#), "\(run.output)\(run.errors)")
        #expect(run.output.contains(#""token":\#(own.count)}"#) && own.count > token.count)
        // The sizes are those of a cookie's.
        let cookie = try ToolRun(["open", "-k", folder.ring, "--json-meta"], input: try seal(#"{"a":1}"#))
        let sizes = try #require(expected.firstMatch(of: /"sizes": (\{.*\})\}/)).1
        #expect(cookie.output.contains(sizes.filter { $0 != " " }), "\(cookie.output)")
        let refused = try ToolRun(open, input: token + "A")
        #expect(refused.exitCode == 3 && refused.output.isEmpty)
    }

    @Test func `a session that ends with the browser has no Max-Age, and says so`() throws {
        let lines = try ToolRun(
            ["seal", "-k", folder.ring, "--set-cookie", "--ends-with-browser"], input: "{}")
        #expect(lines.exitCode == 0 && !lines.output.contains("Max-Age"), "\(lines.output)")
        let run = try ToolRun(["open", "-k", folder.ring, "--json-meta"], input: lines.output)
        #expect(run.output.contains(#""endsWithBrowser":true"#), "\(run.output)\(run.errors)")
        #expect(!run.output.contains("ownLifetime"))
        let usual = try ToolRun(["seal", "-k", folder.ring, "--set-cookie"], input: "{}")
        #expect(usual.output.contains("Max-Age=1209600"))
    }

    @Test func `what was signed out is refused, with a hint`() throws {
        let sealer = try CookieSealer<Login>(
            keys: KeyRing(contentsOf: folder.ring), lifetime: .init(absolute: .days(14)))
        let run = try ToolRun(
            ["open", "-k", folder.ring], input: sealer.core.sealEnded(replacing: nil, at: noon).token)
        #expect(run.exitCode == 3 && run.output.isEmpty)
        #expect(
            run.errors.contains("refused: signed out at 2026-08-03T00:00:00Z\nhint: "), "\(run.errors)")
    }

    @Test func `a split token is inspected whole, and its first cookie alone is told`() throws {
        let session = #"{"$bytes": "\#(String(repeating: "A", count: 8000))"}"#
        let sealed = try ToolRun(["seal", "-k", folder.ring, "--split", "3"], input: session)
        let lines = sealed.output.split(separator: "\n").map(String.init)
        #expect(sealed.exitCode == 0 && lines.count == 2)
        let whole = try ToolRun(["inspect"], input: sealed.output)
        let count = lines.reduce(-2) { $0 + $1.split(separator: "=")[1].utf8.count }
        #expect(whole.exitCode == 0 && whole.output.contains("token    \(count) characters"))
        let part = try ToolRun(["inspect"], input: lines[0])
        #expect(part.exitCode == 3 && part.errors.contains("pass the whole Cookie header"))
        let bare = String(lines[0].split(separator: "=")[1])
        for words in [["inspect"], ["open", "-k", folder.ring]] {
            let run = try ToolRun(words, input: bare)
            #expect(run.exitCode == 3 && run.errors.contains("the first of 2 cookies"), "\(run.errors)")
        }
        let fewer = try ToolRun(["open", "-k", folder.ring, "--split", "1"], input: sealed.output)
        #expect(fewer.exitCode == 3 && fewer.errors.contains("in 2 cookies, but at most 1"))
        let text = try ToolRun(["open", "-k", folder.ring, bare])
        #expect(text.exitCode == 1 && text.errors.contains("on standard input"))
    }

    @Test func `inspect needs no key and says that nothing is authenticated`() throws {
        let token = try seal(#"{"a":1}"#)
        let id = try KeyRing(contentsOf: folder.ring).keys[0].id
        let run = try ToolRun(["inspect"], input: token)
        #expect(run.exitCode == 0)
        #expect(run.output.contains("key      \(id)\n") && run.output.contains("\(token.count) characters"))
        #expect(run.errors.contains("unauthenticated"))
        let json = try ToolRun(["inspect", "--json"], input: "__Host-session=\(token)")
        let view = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(view["key"] as? String == "\(id)" && view["characters"] as? Int == token.count)
        #expect(try ToolRun(["inspect"], input: "no token").exitCode == 3)
    }
}
